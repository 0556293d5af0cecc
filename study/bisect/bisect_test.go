package bisect

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"mbsim/kernels"
	"mbsim/study"
)

// TestWay: between any two kernels that differ in changes, each step of the way switches one
// change alone, every profile is one that can be run, and the way ends at the newer kernel.
func TestWay(t *testing.T) {
	for _, from := range kernels.Names() {
		for _, to := range kernels.Names() {
			b, err := New(from, to)
			if err != nil {
				continue // TestRefused
			}
			before := kernels.ParseProfile(from)
			for _, s := range b.Steps {
				next, along := before.Switch(s.Change.Name, s.Added)
				if along != nil {
					t.Errorf("%s to %s: %s takes %v along", from, to, s.Change.Name, along)
				}
				before = next
			}
			if last := b.Steps[len(b.Steps)-1].Way; last != to {
				t.Errorf("%s to %s: the way ends at %s", from, to, last)
			}
			for _, p := range b.Profiles() {
				if _, err := kernels.Find(p); err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
			}
		}
	}
}

// TestNew: changes go in and out alone but for what they need, and the way is in the order of
// versions.
func TestNew(t *testing.T) {
	b, err := New("6.1", "6.12")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Steps, func(s Step) bool { return s.Change.Name == "best-avail-len" })
	s := b.Steps[i]
	if s.In != "6.1+named-criteria+best-avail-len" || !slices.Equal(s.InAlong, []string{"named-criteria"}) || s.Out != "6.12^best-avail-len" || s.OutAlong != nil || !s.Added {
		t.Errorf("%+v", s)
	}
	if !strings.HasSuffix(s.Way, "+best-avail-len") || s.Way == s.In {
		t.Errorf("on the way: %s", s.Way)
	}
	if p := b.Profiles(); p[0] != "6.1" || p[1] != "6.12" || !strings.HasPrefix(b.Set(), "profile=6.1,6.12,") {
		t.Errorf("%s", b.Set())
	}
	// The other way round all changes go, the last first.
	back, err := New("6.12", "6.1")
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Steps) != len(b.Steps) || back.Steps[0].Added || back.Steps[0].Change != b.Steps[len(b.Steps)-1].Change {
		t.Errorf("back: %+v", back.Steps[0])
	}
}

// TestRefused: what cannot be bisected is the user's mistake, in one line.
func TestRefused(t *testing.T) {
	for names, want := range map[string]string{
		"6.1 6.1":              "6.1 and 6.1 have the same changes",
		"5.10-seed 6.1":        "one is built on 5.10-seed, the other on 5.10",
		"ext2 6.1":             "--from: ext2 has no changes",
		"6.1 6.13":             "--to: unknown kernel",
		"6.1 6.12^order-lists": "--to: without order-lists",
		"6.12^best-avail-len 6.12^best-avail-len": "have the same changes",
	} {
		from, to, _ := strings.Cut(names, " ")
		_, err := New(from, to)
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, new(*study.UserError)) {
			t.Errorf("%s: %v, want %s", names, err, want)
		}
	}
}
