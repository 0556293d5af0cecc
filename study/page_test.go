package study

import (
	"fmt"
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

// TestStartingNotes: a note on the starting state is told once, with the settings that have it
// where not all do, and of very many notes the first.
func TestStartingNotes(t *testing.T) {
	p := &Plan{Replications: 2, Version: "test", Settings: []Setting{{Name: "a", Digest: "1"}, {Name: "b", Digest: "2"}, {Name: "c", Digest: "3"}}}
	done := make(map[string]*Record)
	for _, task := range p.Tasks() {
		notes := []string{"all have it"}
		if task.Setting > 0 {
			notes = append(notes, "two have it")
		}
		// The runs of c are not finished, or b would be the only one with the second note.
		if task.Setting < 2 {
			done[task.ID] = &Record{ID: task.ID, Notes: notes}
		}
	}
	want := []string{"all have it", "two have it (only b)"}
	if got := startingNotes(p, done); !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
	// Every run has a note of its own.
	p = &Plan{Replications: maxStartingNotes + 3, Version: "test", Settings: []Setting{{Name: "a", Digest: "1"}}}
	for _, task := range p.Tasks() {
		done[task.ID] = &Record{ID: task.ID, Notes: []string{fmt.Sprint("note ", task.Replication)}}
	}
	got := startingNotes(p, done)
	if len(got) != maxStartingNotes+1 || got[maxStartingNotes] != "and 3 more notes, which the runs' records have" {
		t.Errorf("notes %q", got)
	}
}
