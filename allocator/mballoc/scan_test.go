package mballoc

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"mbsim/allocator"
)

// scattered is a disk of one group with free runs of up to longest clusters.
func scattered(tb testing.TB, rnd *rand.Rand, longest int) *Disk {
	tb.Helper()
	const clusters = 8192
	d := NewDisk(10, 0, 0, clusters, 1, 0)
	for c := rnd.IntN(longest); c < clusters; c += 1 + rnd.IntN(longest) {
		n := min(1+rnd.IntN(longest), clusters-c)
		d.Take(0, c, n)
		c += n
	}
	return d
}

// TestCutRun: what is read off a word is what the buddies say.
func TestCutRun(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, 0))
	for round := range 200 {
		a := scattered(t, rnd, 1+rnd.IntN(90)).Mount(t, nil)
		g := a.load(0)
		b := g.buddy[0]
		for i := 0; i < 8192; i++ {
			if b.Test(i) || i&(1<<a.orderAt(g, i)-1) != 0 {
				continue // not a buddy's first
			}
			end := b.NextSet(i, i|63+1)
			n, off, need := end-i, i&63, 1+rnd.IntN(70)
			if n < need || off == 0 && n == 64 {
				continue
			}
			if _, want := a.findExtent(g, i, need); cutRun(off, n, need) != want {
				t.Fatalf("seed %d, round %d: run [%d, %d), needed %d: %d, want %d", seed, round, i, end, need, cutRun(off, n, need), want)
			}
		}
	}
}

// oneByOne is scanComplex without haste.
func (a *Allocator) oneByOne(ac *allocation, id allocator.GroupID, g *group) {
	limit := int(a.geo.ClustersPerGroup)
	free := g.free
	for i := 0; free > 0 && ac.status == statusContinue; {
		i = g.buddy[0].NextZero(i, limit)
		_, n := a.findExtent(g, i, ac.goal.len)
		a.measure(ac, id, g, i, n)
		i += n
		free -= n
	}
	a.checkLimits(ac, id, g, true)
}

// TestScanIsOneByOne: scans that skim end as those that measure every extent do,
// whatever the limits, and whatever another group had to offer.
func TestScanIsOneByOne(t *testing.T) {
	const seed = 1
	rnd := rand.New(rand.NewPCG(seed, 0))
	in := &Inode{Number: 2, Extents: true}
	for round := range 3000 {
		d := scattered(t, rnd, 1+rnd.IntN(90))
		var t0 Tunables
		if rnd.IntN(2) == 0 {
			t0 = Tunables{MinToScan: uint32(rnd.IntN(20)), MaxToScan: uint32(rnd.IntN(100))}
		} else {
			t0 = d.Config().Tunables
		}
		ac := allocation{inode: in, status: statusContinue, examined: rnd.IntN(30)}
		ac.goal.len = 1 + rnd.IntN(100)
		ac.orig.len = ac.goal.len
		if rnd.IntN(8) == 0 {
			ac.flags = HintFirst
		}
		if n := rnd.IntN(150); rnd.IntN(2) == 0 && n != ac.goal.len {
			ac.best = freeExtent{group: 1, start: 7, len: n}
		}
		want := ac
		a, b := d.Mount(t, func(cfg *Config) { cfg.Tunables = t0 }), d.Mount(t, func(cfg *Config) { cfg.Tunables = t0 })
		a.load(0).lowest = 0
		a.scanComplex(&ac, 0, a.at(0))
		b.oneByOne(&want, 0, b.load(0))
		if ac != want {
			t.Fatalf("seed %d, round %d: %+v, want %+v", seed, round, ac, want)
		}
		if ga, gb := a.GroupInfo(0), b.GroupInfo(0); ga != gb {
			t.Fatalf("seed %d, round %d: %+v, want %+v", seed, round, ga, gb)
		}
	}
}

// TestPassesOverPages: a search looks at each of many groups once, and scans only
// the one that will do, wherever it lies and wherever the search begins.
func TestPassesOverPages(t *testing.T) {
	const groups = 3*groupsPerPage + 5
	for _, good := range []allocator.GroupID{0, 1, 63, 64, 65, 127, 128, 190, groups - 1} {
		d := NewDisk(12, 0, 0, 2048, groups, 0)
		for id := range allocator.GroupID(groups) {
			for c := 0; c < 2048 && id != good; c += 4 {
				d.Take(id, c, 2)
			}
		}
		for _, goal := range []allocator.GroupID{0, 1, 63, 64, 100, 128, groups - 1} {
			a := loaded(d.Mount(t, nil))
			r := Request{Inode: &Inode{Number: 2, Extents: true}, Len: 5, Goal: d.Geo.GroupStart(goal)}
			b := must(t, a, &r, 1)
			s := a.Stats()
			considered := uint64((good-goal+groups)%groups) + 1
			if id, _ := d.Geo.GroupOf(b); id != good || s.GroupsScanned != 1 || s.GroupsConsidered[1] != considered {
				t.Errorf("from group %d: group %d, %d scanned, %d considered; want group %d, 1, %d", goal, id, s.GroupsScanned, s.GroupsConsidered[1], good, considered)
			}
		}
	}
}

// TestGroupsFitLines: groups begin where lines of the cache do.
func TestGroupsFitLines(t *testing.T) {
	if n := unsafe.Sizeof(group{}); unsafe.Sizeof(n) == 8 && n%64 != 0 {
		t.Errorf("a group has %d bytes", n)
	}
}
