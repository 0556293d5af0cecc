package run

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// shrink makes a case that fails smaller as long as it still does: first rounds,
// phases, processes and operations in ever smaller pieces, then CPUs, the device and
// what is unusual about it. fails says whether a case fails, and is called at most
// tries times.
func shrink(c *randomCase, tries int, fails func(*randomCase) bool) *randomCase {
	s := &shrinker{c, tries, fails}
	for before := (*randomCase)(nil); before != s.best && s.tries > 0; {
		before = s.best
		s.rounds()
		s.phases()
		s.device()
	}
	return s.best
}

// shrinker keeps the smallest case known to fail.
type shrinker struct {
	best  *randomCase
	tries int
	fails func(*randomCase) bool
}

// try keeps what change makes of the case if that fails, and reports whether it
// does.
func (s *shrinker) try(change func(*randomCase)) bool {
	c := s.best.clone()
	change(c)
	if s.tries == 0 || reflect.DeepEqual(c, s.best) {
		return false
	}
	s.tries--
	if !s.fails(c) {
		return false
	}
	s.best = c
	return true
}

// without removes pieces of a list of n things: halves, then quarters, and so on.
// remove makes a case lack the things [from, to) of those that it has; the list
// has left() things.
func (s *shrinker) without(left func() int, remove func(c *randomCase, from, to int)) {
	for size := (left() + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < left(); {
			to := min(from+size, left())
			if !s.try(func(c *randomCase) { remove(c, from, to) }) {
				from = to
			}
		}
	}
}

func (s *shrinker) rounds() {
	s.without(func() int { return len(s.best.Rounds) }, func(c *randomCase, from, to int) { c.Rounds = slices.Delete(c.Rounds, from, to) })
	for i := range s.best.Rounds {
		s.without(func() int { return len(s.best.Rounds[i].Writers) }, func(c *randomCase, from, to int) {
			c.Rounds[i].Writers = slices.Delete(c.Rounds[i].Writers, from, to)
		})
		for k := range s.best.Rounds[i].Writers {
			s.without(func() int { return len(s.best.Rounds[i].Writers[k].lines()) }, func(c *randomCase, from, to int) {
				w := &c.Rounds[i].Writers[k]
				w.Ops = strings.Join(slices.Delete(w.lines(), from, to), "\n") + "\n"
			})
			s.try(func(c *randomCase) { c.Rounds[i].Writers[k].CPU = k })
		}
		s.try(func(c *randomCase) { c.Rounds[i].Then = "nothing" })
	}
}

func (s *shrinker) phases() {
	s.without(func() int { return len(s.best.Workload.Phases) }, func(c *randomCase, from, to int) {
		c.Workload.Phases = slices.Delete(c.Workload.Phases, from, to)
	})
	for i := range s.best.Workload.Phases {
		at := func(c *randomCase) *casePhase { return &c.Workload.Phases[i] }
		s.without(func() int { return len(at(s.best).Classes) }, func(c *randomCase, from, to int) { at(c).Classes = slices.Delete(at(c).Classes, from, to) })
		s.halve(1, func(c *randomCase) *int { return &at(c).Until.Operations })
		s.try(func(c *randomCase) { at(c).Then = "nothing" })
		for k := range at(s.best).Classes {
			s.class(func(c *randomCase) *caseClass { return &at(c).Classes[k] })
		}
	}
}

func (s *shrinker) class(at func(*randomCase) *caseClass) {
	s.halve(1, func(c *randomCase) *int { return &at(c).Count })
	for _, a := range slices.Sorted(maps.Keys(at(s.best).Mix)) {
		s.try(func(c *randomCase) { delete(at(c).Mix, a) })
	}
	for _, change := range []func(*caseClass){
		func(x *caseClass) { x.Directories = nil }, func(x *caseClass) { x.Chunk = "" }, func(x *caseClass) { x.Think = "" },
		func(x *caseClass) { x.TargetUsed = "" }, func(x *caseClass) { x.FsyncOnClose = "" }, func(x *caseClass) { x.Files = 0 },
		func(x *caseClass) { x.KeepOpen = false }, func(x *caseClass) { x.Sparse = false }, func(x *caseClass) { x.OnFull = "" },
	} {
		s.try(func(c *randomCase) { change(at(c)) })
	}
	for _, r := range []func(*caseClass) *caseRange{
		func(x *caseClass) *caseRange { return &x.FileSize }, func(x *caseClass) *caseRange { return &x.AppendSize },
		func(x *caseClass) *caseRange { return &x.OverwriteSize },
	} {
		s.halve(at(s.best).FileSize.LogUniform.Min+1, func(c *randomCase) *int { return &r(at(c)).LogUniform.Max })
	}
}

// halve halves a number while the case fails, down to least.
func (s *shrinker) halve(least int, number func(*randomCase) *int) {
	for *number(s.best)/2 >= least && s.try(func(c *randomCase) { *number(c) /= 2 }) {
	}
}

func (s *shrinker) device() {
	s.halve(1, func(c *randomCase) *int { return &c.CPUs })
	for _, size := range []string{"1M", "2M", "4M", "8M", "16M", "32M"} {
		if s.try(func(c *randomCase) { c.Device.Mkfs.Size = size }) {
			break
		}
	}
	for _, change := range []func(*randomCase){
		func(c *randomCase) { c.Mount = "" }, func(c *randomCase) { c.Memory = nil },
		func(c *randomCase) { c.Device.Mkfs.Options = "" }, func(c *randomCase) { c.Device.Mkfs.Options = "-b 1024" },
		func(c *randomCase) { c.Timing = nil },
	} {
		s.try(change)
	}
	if s.best.Timing != nil {
		s.try(func(c *randomCase) { c.Timing.Storage = "none" })
	}
}
