package ext4

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// TestChanges: changes have names of their own, say what they are and who has them, build upon
// earlier ones only, and change something. A kernel is the first one with its changes.
func TestChanges(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	var seen []string
	for _, c := range Changes {
		if !kebab.MatchString(c.Name) || slices.Contains(seen, c.Name) {
			t.Errorf("%q is no name, or is used twice", c.Name)
		}
		if c.Doc == "" || c.Where == "" || len(c.Kernels) == 0 && !strings.Contains(c.Doc, "no profile has it") {
			t.Errorf("%s: Doc, Where or Kernels is missing", c.Name)
		}
		for _, need := range c.Needs {
			if !slices.Contains(seen, need) {
				t.Errorf("%s needs %s, which is no earlier change", c.Name, need)
			}
		}
		seen = append(seen, c.Name)
		// The functions in a kernel cannot be compared, so what is compared is the rest.
		k := Linux5_10
		c.Apply(&k)
		if k.Quirks == Linux5_10.Quirks && k.Defaults == Linux5_10.Defaults {
			t.Errorf("%s changes nothing", c.Name)
		}
	}
	a := mballoc.Linux5_10
	a.Name = "7.3"
	k := Over(a, func(c *allocator.Change[Kernel]) bool { return c.In(a.Name) })
	if k.Name != "7.3" || !k.Quirks.ClampMinClusters || !k.Defaults.PrefetchBlockBitmaps {
		t.Errorf("%+v lacks changes", k)
	}
}
