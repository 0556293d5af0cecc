package study

import (
	"slices"
	"testing"
)

// TestVariantName: variants that are kernels and nothing else are called so, on the axes of plots
// and in tables; others, and kernels among others, are variants.
func TestVariantName(t *testing.T) {
	// setting is a variant of key=value pairs, beside a key that is swept.
	setting := func(variant string, own ...string) SettingResult {
		s := SettingResult{Variant: variant, Own: len(own) / 2}
		for i := 0; i < len(own); i += 2 {
			s.Values = append(s.Values, Value{Key: own[i], Value: own[i+1]})
		}
		s.Values = append(s.Values, Value{Key: "cpus", Value: "4"})
		return s
	}
	for _, c := range []struct {
		want     []string
		settings []SettingResult
	}{
		{[]string{"kernel", "cpus"}, []SettingResult{setting("5.10", "profile", "5.10"), setting("new", "profile", "7.3")}},
		{[]string{"variant", "cpus"}, []SettingResult{setting("5.10", "profile", "5.10"), setting("b", "profile", "7.3", "mount", "nodelalloc")}},
		{[]string{"variant", "cpus"}, []SettingResult{setting("5.10", "profile", "5.10"), setting("as it is")}},
		{[]string{"variant", "cpus"}, []SettingResult{setting("a", "mount", "nodelalloc"), setting("b", "profile", "5.10")}},
		{[]string{"cpus"}, []SettingResult{setting("")}},
	} {
		r := &Result{Settings: c.settings}
		keys := r.keys()
		if !slices.Equal(keys, c.want) {
			t.Errorf("keys are %v, want %v", keys, c.want)
		}
		for i := range c.settings {
			s := &c.settings[i]
			if got := s.valuesOf(keys); got[len(got)-1] != "4" || len(got) > 1 && got[0] != s.Variant {
				t.Errorf("%+v has the values %v", *s, got)
			}
		}
	}
}
