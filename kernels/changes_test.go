package kernels

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4"
)

// TestChangesAreWhole: every change is documented in full, and has a name of its own that
// scenarios and texts of profiles can hold.
func TestChangesAreWhole(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	version := regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
	seen := make(map[string]bool)
	for _, c := range Changes() {
		if !name.MatchString(c.Name) || seen[c.Name] {
			t.Errorf("%q: want a name of its own, of words with hyphens", c.Name)
		}
		seen[c.Name] = true
		if !version.MatchString(c.Since) {
			t.Errorf("%s: Since is %q: want a version", c.Name, c.Since)
		}
		for what, text := range map[string]string{"Doc": c.Doc, "Commit": c.Commit, "Where": c.Where} {
			if text == "" || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\n|") {
				t.Errorf("%s: %s is %q", c.Name, what, text)
			}
		}
		if !strings.HasSuffix(c.Doc, ".") || strings.Contains(strings.TrimSuffix(c.Doc, "."), ". ") {
			t.Errorf("%s: want one sentence: %s", c.Name, c.Doc)
		}
		if len(c.Kernels) == 0 {
			t.Errorf("%s: no kernel has it", c.Name)
		}
	}
}

// TestChangesNeedWhatIsThere: what a change needs is a change that comes before it and is in
// every kernel that has it.
func TestChangesNeedWhatIsThere(t *testing.T) {
	for i, c := range Changes() {
		for _, k := range c.Kernels {
			if !slices.Contains(Names(), k) {
				t.Errorf("%s is in %s, which is no kernel", c.Name, k)
			}
		}
		for _, need := range c.Needs {
			n, ok := FindChange(need)
			if !ok || changeIndex(need) >= i {
				t.Errorf("%s needs %s, which is no change before it", c.Name, need)
				continue
			}
			for _, k := range c.Kernels {
				if !n.In(k) {
					t.Errorf("%s has %s, but not %s, which that needs", k, c.Name, need)
				}
			}
		}
	}
}

// TestPartsAreOfOneChange: what the lists say of the two parts of one change agrees.
func TestPartsAreOfOneChange(t *testing.T) {
	inKernels := func(name, part string, kernels []string) {
		c, ok := FindChange(name)
		if !ok || !slices.Equal(c.Kernels, kernels) {
			t.Errorf("the part %s of %s is in other kernels: %v", part, name, kernels)
		}
	}
	below := make(map[string]bool)
	for _, c := range mballoc.Changes {
		below[c.Name] = true
		inKernels(publicName(c.Name), c.Name, c.Kernels)
	}
	for _, c := range ext4.Changes {
		inKernels(publicName(c.Name), c.Name, c.Kernels)
		if partOf[c.Name] != "" && !below[partOf[c.Name]] {
			t.Errorf("%s is a part of %s, which the allocator does not have", c.Name, partOf[c.Name])
		}
	}
}

// TestKernelsAreTheirChanges: a kernel is what its base and the changes of its set make of it.
func TestKernelsAreTheirChanges(t *testing.T) {
	for _, k := range ext4.Kernels() {
		if got, want := fmt.Sprintf("%+v", Profile{Kernel: k.Name}.kernelOf(k.Doc)), fmt.Sprintf("%+v", k); got != want {
			t.Errorf("%s made of its changes is\n%s\nwant\n%s", k.Name, got, want)
		}
	}
}

// TestVersions: versions are compared by their numbers.
func TestVersions(t *testing.T) {
	in := []string{"5.13", "6.0", "6.4", "6.12", "6.17", "7.0", "7.10"}
	if !slices.IsSortedFunc(in, compareVersions) {
		t.Errorf("not in order: %v", in)
	}
	if !slices.IsSortedFunc(Changes(), func(a, b Change) int { return compareVersions(a.Since, b.Since) }) {
		t.Error("the changes are not in the order of their versions")
	}
}
