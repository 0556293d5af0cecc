package mballoc

import (
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// measure weighs a free extent against the best found so far
// (ext4_mb_measure_extent): an exact fit wins at once; while the best is too
// short a longer one is better, then a shorter one that still fits.
func (a *Allocator) measure(c *context, id allocator.GroupID, g *group, start, n int) {
	c.found++
	switch {
	case c.flags&HintFirst != 0 || n == c.g.len:
		c.b = freeExtent{group: id, start: start, len: n}
		a.useBest(c, g)
		return
	case c.b.len == 0:
		c.b = freeExtent{group: id, start: start, len: n}
		return
	case better(n, c.b.len, c.g.len):
		c.b = freeExtent{group: id, start: start, len: n}
	}
	a.checkLimits(c, id, g, false)
}

// better says whether an extent of n clusters, which are not just the need, replaces
// the best so far.
func better(n, best, need int) bool {
	return best < need && n > best || n > need && n < best
}

// checkLimits ends a search that has examined enough (ext4_mb_check_limits).
func (a *Allocator) checkLimits(c *context, id allocator.GroupID, g *group, groupDone bool) {
	if c.status == statusFound {
		return
	}
	if c.found > int(a.t.MaxToScan) && c.flags&HintFirst == 0 {
		c.status = statusBreak
		return
	}
	if c.b.len < c.g.len {
		return
	}
	if (groupDone || c.found > int(a.t.MinToScan)) && c.b.group == id {
		if a.locks == nil { // nobody can have taken any of it
			a.useBest(c, g)
		} else if _, n := a.findExtent(g, c.b.start, c.g.len); n >= c.g.len {
			a.useBest(c, g)
		}
	}
}

// useBest takes the best extent, at most as long as the goal
// (ext4_mb_use_best_found). The group must be locked.
func (a *Allocator) useBest(c *context, g *group) {
	c.b.len = min(c.b.len, c.g.len)
	c.b.logical = c.g.logical
	a.touch(c.b.group)
	c.tail, c.buddy = a.markUsed(g, c.b.start, c.b.len)
	a.worked(Work{Buddies: 1})
	c.f = c.b
	c.status = statusFound
	if c.flags&StreamAlloc != 0 {
		if a.locks != nil {
			a.locks.StreamGoal()
		}
		a.lastGroup, a.lastStart = c.f.group, c.f.start
	}
	if c.o.len < c.b.len {
		a.newPrealloc(c, g)
	}
}

// tryBest takes the best extent after the search, if it is still free
// (ext4_mb_try_best_found).
func (a *Allocator) tryBest(c *context) {
	id := c.b.group
	g := a.load(id)
	a.lockGroup(id)
	if start, n := a.findExtent(g, c.b.start, c.b.len); n > 0 {
		c.b.start, c.b.len = start, n
		a.useBest(c, g)
	}
	a.unlockGroup(id)
}

// findByGoal takes the goal's place if the whole goal fits there
// (ext4_mb_find_by_goal). With a stripe a goal of just its width must be aligned.
func (a *Allocator) findByGoal(c *context) {
	want := HintTryGoal
	if a.p.GoalOnlyTriesGoal {
		want |= HintGoalOnly
	}
	if c.flags&want == 0 || a.at(c.g.group).free == 0 {
		return
	}
	id := c.g.group
	g := a.load(id)
	a.lockGroup(id)
	defer a.unlockGroup(id)
	start, n := a.findExtent(g, c.g.start, c.g.len)
	switch {
	case n >= c.g.len && c.g.len == int(a.geo.Stripe):
		if uint64(a.geo.GroupStart(id)+allocator.Block(start))%uint64(a.geo.Stripe) != 0 {
			return
		}
	case n >= c.g.len:
	case n > 0 && c.flags&HintMerge != 0:
	default:
		return
	}
	c.found++
	c.b = freeExtent{group: id, start: start, len: n}
	a.useBest(c, g)
}

// scanSimple takes the first buddy of the smallest order that holds the goal,
// which is a power of two (ext4_mb_simple_scan_group).
func (a *Allocator) scanSimple(c *context, id allocator.GroupID, g *group) {
	for order := c.order2; order < a.orders; order++ {
		if g.counters[order] == 0 {
			continue
		}
		limit := a.maxClusters >> order
		k := g.buddy[order].NextZero(g.lowest>>order, limit)
		if k >= limit {
			panic(a.dump("buddy counter without buddy", g, order, 0))
		}
		c.found++
		c.b.len = 1 << order
		c.b.start = k << order
		c.b.group = id
		a.useBest(c, g)
		a.stats.Pow2Hits++
		return
	}
}

// scanComplex measures the free extents of a group in order
// (ext4_mb_complex_scan_group).
func (a *Allocator) scanComplex(c *context, id allocator.GroupID, g *group) {
	limit := int(a.geo.ClustersPerGroup)
	b := g.buddy[0]
	free := g.free
	i := b.NextZero(g.lowest, limit)
	g.lowest = i
	for free > 0 && c.status == statusContinue {
		var n int
		if i, n, free = a.skim(c, id, b, i, free); free == 0 {
			break
		}
		if n == 0 {
			if i = b.NextZero(i, limit); i >= limit {
				panic(a.dump("free clusters are missing", g, free, 0))
			}
			_, n = a.findExtent(g, i, c.g.len)
		}
		a.measure(c, id, g, i, n)
		i += n
		free -= n
	}
	a.checkLimits(c, id, g, true)
}

// skim does what scanComplex does where that is simple: for free extents that end
// in the word of the bitmap b where they begin, and neither fit exactly nor are so
// many that a limit could end the search. It begins at cluster i, with a number of
// clusters free from there on, and returns where it stopped and how many it left;
// and if an extent is there of which it knows the length, that.
//
// It calls nothing, so that it works in registers: this is where searches on a
// fragmented disk spend their time.
func (a *Allocator) skim(c *context, id allocator.GroupID, b bitmap.Bits, i, free int) (at, n, left int) {
	need, best := c.g.len, c.b.len
	most := int(a.t.MaxToScan)
	if best >= need {
		most = min(most, int(a.t.MinToScan))
	}
	if c.flags&HintFirst != 0 {
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
			most = min(most, int(a.t.MinToScan))
		}
		if n == need || c.found >= most {
			return at, n, free
		}
		c.found++
		if better(n, best, need) {
			best = n
			c.b = freeExtent{group: id, start: at, len: n}
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
func (a *Allocator) scanAligned(c *context, id allocator.GroupID, g *group) {
	stripe := int(a.geo.Stripe)
	start := uint64(a.geo.GroupStart(id))
	first := (start + uint64(stripe) - 1) / uint64(stripe) * uint64(stripe)
	for i := int(first - start); i < int(a.geo.ClustersPerGroup); i += stripe {
		if g.buddy[0].Test(i) {
			continue
		}
		if at, n := a.findExtent(g, i, stripe); n >= stripe {
			c.found++
			c.b = freeExtent{group: id, start: at, len: n}
			a.useBest(c, g)
			return
		}
	}
}
