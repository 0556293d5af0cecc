package kernels

import (
	"slices"
	"strings"
	"testing"
)

// TestProfileText: a profile has one text, whatever the order in which changes are named, and
// it is read back as the same profile.
func TestProfileText(t *testing.T) {
	for text, want := range map[string]string{
		"6.12":                                "6.12",
		"6.12^best-avail-len":                 "6.12^best-avail-len",
		"6.12^stripe-fallback^best-avail-len": "6.12^best-avail-len^stripe-fallback",
		"6.12^best-avail-len+stream-goals":    "6.12+stream-goals^best-avail-len",
		"5.10-seed+order-lists":               "5.10-seed+order-lists",
	} {
		p := ParseProfile(text)
		if err := p.Check(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if p.String() != want || ParseProfile(want).String() != want {
			t.Errorf("%s is %s: want %s", text, p.String(), want)
		}
		sys, err := Find(text)
		if err != nil || sys.Name != want {
			t.Errorf("%s: the system is %v, %v", text, sys, err)
		}
	}
}

// TestProfileErrors: what cannot be is refused in one line that says what to do.
func TestProfileErrors(t *testing.T) {
	for text, want := range map[string]string{
		"6.13":                         `unknown kernel "6.13" (did you mean "6.1"?)`,
		"":                             `unknown kernel ""`,
		"6.12^best-avail":              `unknown change "best-avail" (did you mean "best-avail-len"?)`,
		"6.12^":                        `unknown change ""`,
		"6.12+best-avail-len":          "with best-avail-len: 6.12 has it already",
		"6.1^best-avail-len":           "without best-avail-len: 6.1 does not have it; these have it: 6.12, 6.18, 7.2, 7.3",
		"6.12^order-lists":             "without order-lists: it is needed by fragment-buckets: leave out those too, or neither",
		"6.1+best-avail-len":           "with best-avail-len: it needs named-criteria, which 6.1 does not have: add that too",
		"6.12^fallocate-normalized":    "without fallocate-normalized: 6.12 does not have it; no kernel does",
		"6.12^skip-locked^skip-locked": "the change skip-locked is named twice",
		"ext2+order-lists":             "ext2 has no changes that could be switched",
	} {
		_, err := Find(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

// TestSwitch: a change takes along what it needs, and what needs it.
func TestSwitch(t *testing.T) {
	for _, c := range []struct {
		from, change string
		on           bool
		want, along  string
	}{
		{"6.1", "best-avail-len", true, "6.1+named-criteria+best-avail-len", "named-criteria"},
		{"5.10", "best-avail-len", true, "5.10+order-lists+fragment-buckets+named-criteria+best-avail-len", "order-lists,fragment-buckets,named-criteria"},
		{"6.12", "order-lists", false, "6.12^order-lists^fragment-buckets^best-avail-len^circular-order", "fragment-buckets,best-avail-len,circular-order"},
		{"6.12", "order-lists", true, "6.12", ""},
	} {
		got, along := Profile{Kernel: c.from}.Switch(c.change, c.on)
		if got.String() != c.want || strings.Join(along, ",") != c.along {
			t.Errorf("%s, %s %t: %s, along with %v: want %s, %s", c.from, c.change, c.on, got, along, c.want, c.along)
		}
		if err := got.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestSingleSwitches: each change alone can be put into every kernel, with what it needs, and
// taken out of it, with what needs it.
func TestSingleSwitches(t *testing.T) {
	for _, name := range Names() {
		if (Profile{Kernel: name}).Base() == "" {
			continue
		}
		for _, c := range Changes() {
			p, along := Profile{Kernel: name}.Switch(c.Name, !c.In(name))
			sys, err := Find(p.String())
			if err != nil {
				t.Errorf("%s: %v", p, err)
				continue
			}
			if sys.Name != p.String() || !strings.Contains(sys.Doc, c.Name) || slices.Contains(along, c.Name) {
				t.Errorf("%s: the system is %s, %s, along with %v", p, sys.Name, sys.Doc, along)
			}
		}
	}
}
