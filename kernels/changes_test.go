package kernels

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator"
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
		if none := strings.Contains(c.Doc, "no profile has it"); none != (len(c.Kernels) == 0) {
			t.Errorf("%s: kernels %v have it, and its text says that none has: %t", c.Name, c.Kernels, none)
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

// TestPartsAreOfOneChange: what the lists say of the two parts of one change agrees, and where
// it comes from stands once, in the allocator's list.
func TestPartsAreOfOneChange(t *testing.T) {
	parts := 0
	for _, above := range ext4.Changes {
		i := slices.IndexFunc(mballoc.Changes, func(c allocator.Change[mballoc.Kernel]) bool { return c.Name == above.Name })
		if i < 0 {
			continue
		}
		parts++
		if below := &mballoc.Changes[i]; !slices.Equal(below.Kernels, above.Kernels) {
			t.Errorf("the parts of %s are in other kernels: %v and %v", above.Name, below.Kernels, above.Kernels)
		}
		if above.Commit+above.Since+above.Stable != "" || above.Needs != nil {
			t.Errorf("where %s comes from is told twice", above.Name)
		}
	}
	if parts == 0 {
		t.Error("no change has two parts")
	}
}

// TestStableReleases: a kernel that has a change which mainline got later names the series that
// took it over, and where the release is known, the kernel's is none before it.
func TestStableReleases(t *testing.T) {
	for _, p := range profiles() {
		for i := range changes {
			c := &changes[i]
			// What the text says of the kernel's series.
			named := slices.IndexFunc(c.taken, func(x takeover) bool { return x.at.compareSeries(p.at) == 0 })
			if c.In(p.Name) && named < 0 && c.dated && c.since.compareSeries(p.at) > 0 {
				t.Errorf("%s has %s, which is of %s: which stable release took it over?", p.Name, c.Name, c.Since)
			}
			if named < 0 || c.taken[named].at.stable == 0 {
				continue
			}
			if at := c.taken[named].at; c.In(p.Name) != (p.at.stable >= at.stable) {
				t.Errorf("%s (%s) has %s: %t; but %d.%d.%d took it over", p.Name, p.Doc, c.Name, c.In(p.Name), at.major, at.minor, at.stable)
			}
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
	before := version{}
	for _, text := range []string{"5.13", "6.0", "6.4", "6.12", "6.17", "7.0", "7.10"} {
		v, _, err := parseRelease(text)
		if err != nil || before.compareSeries(v) >= 0 {
			t.Errorf("%s is not after %v: %v, %v", text, before, v, err)
		}
		before = v
	}
	if !slices.IsSortedFunc(Changes(), func(a, b Change) int { return a.since.compareSeries(b.since) }) {
		t.Error("the changes are not in the order of their versions")
	}
}

// TestParseStable: releases, series and later series are read from the words of a change.
func TestParseStable(t *testing.T) {
	got := parseStable("6.1.113, 6.6, 5.4 and later from November 2024 on")
	want := []takeover{{at: version{6, 1, 113}}, {at: version{6, 6, 0}}, {at: version{5, 4, 0}, later: true}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
