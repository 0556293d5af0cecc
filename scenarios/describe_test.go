package scenarios

import (
	"slices"
	"strings"
	"testing"
)

// Every key has a type and a meaning, every object is described once, and a
// default that is written down is one that is read.
func TestDescribe(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Describe() {
		if seen[s.Name] || len(s.Keys) == 0 || len(s.Where) == 0 {
			t.Errorf("section %q: %+v", s.Name, s)
		}
		seen[s.Name] = true
		for _, k := range s.Keys {
			if k.Type == "" || len(k.Doc) < 5 && !strings.HasPrefix(k.Doc, "-") || !strings.HasSuffix(k.Doc, ".") {
				t.Errorf("%s.%s: %+v", s.Name, k.Name, k)
			}
			if k.Required && k.Default != "" {
				t.Errorf("%s.%s is required and has the default %s", s.Name, k.Name, k.Default)
			}
		}
		for _, o := range s.OneOf {
			for _, name := range o.Keys {
				if !slices.ContainsFunc(s.Keys, func(k Key) bool { return k.Name == name }) {
					t.Errorf("%s: one of %v, but there is no %s", s.Name, o.Keys, name)
				}
			}
		}
	}
	for _, name := range []string{"scenario", "device", "mkfs", "memory", "phase", "process class", "size distribution", "time distribution", "expectation"} {
		if !seen[name] {
			t.Errorf("no section %q", name)
		}
	}
}
