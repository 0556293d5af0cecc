package mballoc

import (
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// measure compares a free extent with the best one found so far (ext4_mb_measure_extent).
// One that fits exactly is taken at once. While the best is too short a longer one is
// better; after that a shorter one that is still long enough.
func (a *Allocator) measure(ac *allocation, id allocator.GroupID, g *group, start, n int) {
	ac.examined++
	switch {
	case ac.flags&HintFirst != 0 || n == ac.goal.len:
		// With HINT_FIRST any extent will do, and none is better than an exact fit.
		ac.best = freeExtent{group: id, start: start, len: n}
		a.useBest(ac, g)
		return
	case ac.best.len == 0:
		// The kernel keeps the first extent without asking whether the search has gone on
		// long enough.
		ac.best = freeExtent{group: id, start: start, len: n}
		return
	case better(n, ac.best.len, ac.goal.len):
		ac.best = freeExtent{group: id, start: start, len: n}
	}
	a.checkLimits(ac, id, g, false)
}

// better says whether an extent of n clusters replaces the best so far, which has best
// clusters, where need clusters are wanted and n is not exactly that.
func better(n, best, need int) bool {
	return best < need && n > best || n > need && n < best
}

// checkLimits ends a search that has examined enough (ext4_mb_check_limits).
func (a *Allocator) checkLimits(ac *allocation, id allocator.GroupID, g *group, groupDone bool) {
	if ac.status == statusFound {
		return
	}
	// Enough was examined: whatever is best so far is taken, even if it is too short.
	if ac.examined > int(a.tunables.MaxToScan) && ac.flags&HintFirst == 0 {
		ac.status = statusBreak
		return
	}
	// What is too short ends no search.
	if ac.best.len < ac.goal.len {
		return
	}
	// The best can be taken at once only in the group that is locked now. In any other the
	// search goes on, and tryBest takes it in the end.
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
	// What is longer than the goal stays free; the extent begins at the goal's block of the
	// file.
	ac.best.len = min(ac.best.len, ac.goal.len)
	ac.best.logical = ac.goal.logical
	a.touch(ac.best.group)
	ac.tail, ac.buddy = a.markUsed(g, ac.best.start, ac.best.len)
	a.chargeWork(Work{Buddies: 1})
	ac.found = ac.best
	ac.status = statusFound
	if ac.flags&StreamAlloc != 0 {
		a.rememberStream(ac)
	}
	// More was found than was asked for: the rest is preallocated.
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
	// The group's lock was given up since the extent was found: it may be in use by now, or
	// shorter.
	if start, n := a.findExtent(g, ac.best.start, ac.best.len); n > 0 {
		ac.best.start, ac.best.len = start, n
		a.useBest(ac, g)
	}
	a.unlockGroup(id)
}

// findByGoal takes the goal's place if the whole goal fits there (ext4_mb_find_by_goal).
func (a *Allocator) findByGoal(ac *allocation) {
	// Only a request with a meaningful goal tries it, and only where the goal's group has
	// anything free.
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
	// The buddy that holds the goal, and those behind it, as far as the goal reaches.
	start, n := a.findExtent(g, ac.goal.start, ac.goal.len)
	whole := n >= ac.goal.len
	if !whole && (n == 0 || ac.flags&HintMerge == 0) {
		return // only HINT_MERGE is content with less
	}
	// A request of exactly one stripe takes the place only if it begins at a stripe's border
	// on the device.
	if whole && ac.goal.len == a.stripe() && !a.stripeBegins(id, start) {
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
		// The lowest free buddy of this order. No cluster below lowest is free, so no buddy
		// begins there.
		limit := a.maxClusters >> order
		k := g.buddy[order].NextZero(g.lowest>>order, limit)
		if k >= limit {
			panic(a.dump("buddy counter without buddy", g, order, 0))
		}
		ac.examined++
		// useBest cuts a larger buddy down to the goal.
		ac.best.len = 1 << order
		ac.best.start = k << order
		ac.best.group = id
		a.useBest(ac, g)
		a.stats.Pow2Hits++
		return
	}
}

// scanComplex measures the free extents of a group in order (ext4_mb_complex_scan_group). With
// Quirks.SkipShortRuns cheap rungs measure only those in free runs as long as the goal or longer.
func (a *Allocator) scanComplex(ac *allocation, id allocator.GroupID, g *group) {
	onlyLong := a.quirks.SkipShortRuns && a.kernel.Ladder[ac.criteria].Cheap
	limit := int(a.geo.ClustersPerGroup)
	b := g.buddy[0]
	free := g.free
	// The scan meets all free clusters of the group, free of them, from the first one on;
	// lowest is moved up to it for the scans that follow.
	i := b.NextZero(g.lowest, limit)
	g.lowest = i
	for free > 0 && ac.status == statusContinue {
		// Most extents are short and lie in one word of the bitmap: skim measures those, where
		// they are measured at all.
		n := 0
		if !onlyLong {
			i, n, free = a.skim(ac, id, b, i, free)
			if free == 0 {
				break
			}
		}
		// The next one reaches into another word, or must be measured with care.
		if n == 0 {
			i = b.NextZero(i, limit)
			if i >= limit {
				panic(a.dump("free clusters are missing", g, free, 0))
			}
			// A run that is shorter than the goal is passed over. What is left of one whose
			// beginning was measured is a run of its own.
			if onlyLong {
				if end := b.NextSet(i, limit); end-i < ac.goal.len {
					free -= end - i
					i = end
					continue
				}
			}
			_, n = a.findExtent(g, i, ac.goal.len)
		}
		a.measure(ac, id, g, i, n)
		i += n
		free -= n
	}
	// The whole group was examined, so a sufficient best in it is taken whatever
	// mb_min_to_scan says.
	a.checkLimits(ac, id, g, true)
}

// skim is the inner loop of scanComplex for extents that need no care: those that begin
// and end in one word of the bitmap b, do not fit exactly, and are examined before any
// limit could end the search. It does for each just what measure does.
//
// It begins at cluster i, from which on free clusters of the group are free. It returns
// the cluster at which it stopped, how many clusters are free from there on (left), and
// the length n of the extent that begins there, or 0 if it does not know that.
//
// It calls no function, so that the compiler keeps its state in registers: searches on a
// fragmented disk spend their time here.
func (a *Allocator) skim(ac *allocation, id allocator.GroupID, b bitmap.Bits, i, free int) (at, n, left int) {
	need, best := ac.goal.len, ac.best.len
	// The number of extents that may be examined without looking at the limits: with a
	// sufficient best the search ends at mb_min_to_scan, without at mb_max_to_scan.
	most := int(a.tunables.MaxToScan)
	if best >= need {
		most = min(most, int(a.tunables.MinToScan))
	}
	// With HINT_FIRST the first extent is taken, so there is nothing to skim.
	if ac.flags&HintFirst != 0 {
		return i, 0, free
	}
	w := i >> 6
	x := b.ZerosFrom(i) // what is free of word w and was not measured
	for {
		// On to the next word that has a free cluster. There is one, as free is above 0.
		for x == 0 && w+1 < len(b) {
			w++
			x = ^b[w]
		}
		// The first free run of this word: n clusters from cluster at on.
		off := uint(bits.TrailingZeros64(x)) & 63
		at, n = w<<6+int(off), bits.TrailingZeros64(^(x >> off))
		if off+uint(n) == 64 && (off == 0 || n < need) {
			return at, 0, free // it may go on in the next word
		}
		if n > need {
			// The kernel measures no further than the buddies it needs; the rest of the run
			// is the next extent.
			n = cutRun(int(off), n, need)
			most = min(most, int(a.tunables.MinToScan))
		}
		// An exact fit, or the point at which a limit may end the search: scanComplex has
		// measure decide.
		if n == need || ac.examined >= most {
			return at, n, free
		}
		ac.examined++
		if better(n, best, need) {
			best = n
			ac.best = freeExtent{group: id, start: at, len: n}
		}
		// Those were the last free clusters of the group, so the scan is done.
		free -= n
		if free == 0 {
			return at, n, free
		}
		x &= ^uint64(0) << (off + uint(n))
	}
}

// scanAligned takes the first free stripe that begins at a stripe's border
// (ext4_mb_scan_aligned). Without Quirks.StripeClusters the stripe counts blocks although the
// places in a group are clusters; that both are mixed is the behaviour of such kernels.
func (a *Allocator) scanAligned(ac *allocation, id allocator.GroupID, g *group) {
	stripe := a.stripe()
	// Stripes are counted from the beginning of the device, not of the group.
	start, length := uint64(a.geo.GroupStart(id)), uint64(a.geo.Stripe)
	first := (start+length-1)/length*length - start
	if a.quirks.StripeClusters {
		first >>= a.geo.ClusterBits
	}
	for i := int(first); i < int(a.geo.ClustersPerGroup); i += stripe {
		if g.buddy[0].Test(i) {
			continue
		}
		// Free at its beginning: a whole stripe of free clusters is taken, anything shorter
		// passed over.
		if at, n := a.findExtent(g, i, stripe); n >= stripe {
			ac.examined++
			ac.best = freeExtent{group: id, start: at, len: n}
			a.useBest(ac, g)
			return
		}
	}
}

// stripe is the stripe as lengths of clusters are compared with it, 0 for none.
func (a *Allocator) stripe() int {
	if a.quirks.StripeClusters {
		return a.clusters(a.geo.Stripe)
	}
	return int(a.geo.Stripe)
}

// wholeStripes says whether n clusters are a whole number of stripes.
func (a *Allocator) wholeStripes(n int) bool {
	if a.geo.Stripe == 0 || a.quirks.StripeClusters && a.geo.Stripe < a.geo.ClusterRatio() {
		return false
	}
	return n%a.stripe() == 0
}

// stripeBegins says whether a stripe begins at a cluster of a group.
func (a *Allocator) stripeBegins(id allocator.GroupID, cluster int) bool {
	b := a.geo.GroupStart(id) + allocator.Block(cluster)
	if a.quirks.StripeOfBlock {
		b = a.geo.BlockAt(id, allocator.GroupOffset(cluster))
	}
	return uint64(b)%uint64(a.geo.Stripe) == 0
}
