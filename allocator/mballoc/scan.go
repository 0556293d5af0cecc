package mballoc

import (
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// measure weighs a free extent against the best found so far
// (ext4_mb_measure_extent): an exact fit wins at once; while the best is too
// short a longer one is better, then a shorter one that still fits.
func (a *Allocator) measure(ac *allocation, id allocator.GroupID, g *group, start, n int) {
	ac.examined++
	switch {
	case ac.flags&HintFirst != 0 || n == ac.goal.len:
		ac.best = freeExtent{group: id, start: start, len: n}
		a.useBest(ac, g)
		return
	case ac.best.len == 0:
		ac.best = freeExtent{group: id, start: start, len: n}
		return
	case better(n, ac.best.len, ac.goal.len):
		ac.best = freeExtent{group: id, start: start, len: n}
	}
	a.checkLimits(ac, id, g, false)
}

// better says whether an extent of n clusters, which are not just the need, replaces
// the best so far.
func better(n, best, need int) bool {
	return best < need && n > best || n > need && n < best
}

// checkLimits ends a search that has examined enough (ext4_mb_check_limits).
func (a *Allocator) checkLimits(ac *allocation, id allocator.GroupID, g *group, groupDone bool) {
	if ac.status == statusFound {
		return
	}
	if ac.examined > int(a.tunables.MaxToScan) && ac.flags&HintFirst == 0 {
		ac.status = statusBreak
		return
	}
	if ac.best.len < ac.goal.len {
		return
	}
	if (groupDone || ac.examined > int(a.tunables.MinToScan)) && ac.best.group == id {
		if a.locks == nil { // nobody can have taken any of it
			a.useBest(ac, g)
		} else if _, n := a.findExtent(g, ac.best.start, ac.goal.len); n >= ac.goal.len {
			a.useBest(ac, g)
		}
	}
}

// useBest takes the best extent, at most as long as the goal
// (ext4_mb_use_best_found). The group must be locked.
func (a *Allocator) useBest(ac *allocation, g *group) {
	ac.best.len = min(ac.best.len, ac.goal.len)
	ac.best.logical = ac.goal.logical
	a.touch(ac.best.group)
	ac.tail, ac.buddy = a.markUsed(g, ac.best.start, ac.best.len)
	a.worked(Work{Buddies: 1})
	ac.found = ac.best
	ac.status = statusFound
	if ac.flags&StreamAlloc != 0 {
		if a.locks != nil {
			a.locks.StreamGoal()
		}
		*a.streamGoal(ac.inode) = streamGoal{ac.found.group, ac.found.start}
	}
	if ac.orig.len < ac.best.len {
		a.newPrealloc(ac, g)
	}
}

// tryBest takes the best extent after the search, if it is still free
// (ext4_mb_try_best_found).
func (a *Allocator) tryBest(ac *allocation) {
	id := ac.best.group
	g := a.load(id)
	a.lockGroup(id)
	if start, n := a.findExtent(g, ac.best.start, ac.best.len); n > 0 {
		ac.best.start, ac.best.len = start, n
		a.useBest(ac, g)
	}
	a.unlockGroup(id)
}

// findByGoal takes the goal's place if the whole goal fits there
// (ext4_mb_find_by_goal). With a stripe a goal of just its width must be aligned.
func (a *Allocator) findByGoal(ac *allocation) {
	want := HintTryGoal
	if a.quirks.GoalOnlyTriesGoal {
		want |= HintGoalOnly
	}
	if ac.flags&want == 0 || a.at(ac.goal.group).free == 0 {
		return
	}
	id := ac.goal.group
	g := a.load(id)
	a.lockGroup(id)
	defer a.unlockGroup(id)
	start, n := a.findExtent(g, ac.goal.start, ac.goal.len)
	switch {
	case n >= ac.goal.len && ac.goal.len == int(a.geo.Stripe):
		if uint64(a.geo.GroupStart(id)+allocator.Block(start))%uint64(a.geo.Stripe) != 0 {
			return
		}
	case n >= ac.goal.len:
	case n > 0 && ac.flags&HintMerge != 0:
	default:
		return
	}
	ac.examined++
	ac.best = freeExtent{group: id, start: start, len: n}
	a.useBest(ac, g)
}

// scanSimple takes the first buddy of the smallest order that holds the goal,
// which is a power of two (ext4_mb_simple_scan_group).
func (a *Allocator) scanSimple(ac *allocation, id allocator.GroupID, g *group) {
	for order := ac.order2; order < a.orders; order++ {
		if g.counters[order] == 0 {
			continue
		}
		limit := a.maxClusters >> order
		k := g.buddy[order].NextZero(g.lowest>>order, limit)
		if k >= limit {
			panic(a.dump("buddy counter without buddy", g, order, 0))
		}
		ac.examined++
		ac.best.len = 1 << order
		ac.best.start = k << order
		ac.best.group = id
		a.useBest(ac, g)
		a.stats.Pow2Hits++
		return
	}
}

// scanComplex measures the free extents of a group in order
// (ext4_mb_complex_scan_group).
func (a *Allocator) scanComplex(ac *allocation, id allocator.GroupID, g *group) {
	limit := int(a.geo.ClustersPerGroup)
	b := g.buddy[0]
	free := g.free
	i := b.NextZero(g.lowest, limit)
	g.lowest = i
	for free > 0 && ac.status == statusContinue {
		var n int
		if i, n, free = a.skim(ac, id, b, i, free); free == 0 {
			break
		}
		if n == 0 {
			if i = b.NextZero(i, limit); i >= limit {
				panic(a.dump("free clusters are missing", g, free, 0))
			}
			_, n = a.findExtent(g, i, ac.goal.len)
		}
		a.measure(ac, id, g, i, n)
		i += n
		free -= n
	}
	a.checkLimits(ac, id, g, true)
}

// skim does what scanComplex does where that is simple: for free extents that end
// in the word of the bitmap b where they begin, and neither fit exactly nor are so
// many that a limit could end the search. It begins at cluster i, with a number of
// clusters free from there on, and returns where it stopped and how many it left;
// and if an extent is there of which it knows the length, that.
//
// It calls nothing, so that it works in registers: this is where searches on a
// fragmented disk spend their time.
func (a *Allocator) skim(ac *allocation, id allocator.GroupID, b bitmap.Bits, i, free int) (at, n, left int) {
	need, best := ac.goal.len, ac.best.len
	most := int(a.tunables.MaxToScan)
	if best >= need {
		most = min(most, int(a.tunables.MinToScan))
	}
	if ac.flags&HintFirst != 0 {
		return i, 0, free
	}
	w := i >> 6
	x := b.ZerosFrom(i) // what is free of word w and was not measured
	for {
		for x == 0 && w+1 < len(b) {
			w++
			x = ^b[w]
		}
		off := uint(bits.TrailingZeros64(x)) & 63
		at, n = w<<6+int(off), bits.TrailingZeros64(^(x >> off))
		if off+uint(n) == 64 && (off == 0 || n < need) {
			return at, 0, free // it may go on in the next word
		}
		if n > need {
			n = cutRun(int(off), n, need)
			most = min(most, int(a.tunables.MinToScan))
		}
		if n == need || ac.examined >= most {
			return at, n, free
		}
		ac.examined++
		if better(n, best, need) {
			best = n
			ac.best = freeExtent{group: id, start: at, len: n}
		}
		if free -= n; free == 0 {
			return at, n, free
		}
		x &= ^uint64(0) << (off + uint(n))
	}
}

// scanAligned takes the first free stripe that begins at a stripe's border
// (ext4_mb_scan_aligned).
//
// Deviates from the kernel in nothing; that clusters are taken for blocks here
// is the kernel's.
func (a *Allocator) scanAligned(ac *allocation, id allocator.GroupID, g *group) {
	stripe := int(a.geo.Stripe)
	start := uint64(a.geo.GroupStart(id))
	first := (start + uint64(stripe) - 1) / uint64(stripe) * uint64(stripe)
	for i := int(first - start); i < int(a.geo.ClustersPerGroup); i += stripe {
		if g.buddy[0].Test(i) {
			continue
		}
		if at, n := a.findExtent(g, i, stripe); n >= stripe {
			ac.examined++
			ac.best = freeExtent{group: id, start: at, len: n}
			a.useBest(ac, g)
			return
		}
	}
}
