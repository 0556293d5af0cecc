package mballoc

import (
	"math/bits"

	"mbsim/allocator"
)

// flexDirScheme is the size of flex groups from which on their first group is
// kept for metadata (EXT4_FLEX_SIZE_DIR_ALLOC_SCHEME).
const flexDirScheme = 4

// search looks for the goal (ext4_mb_regular_allocator): at the goal itself, then
// group after group, by the rungs of the kernel's ladder, which ask for less and less.
func (a *Allocator) search(ac *allocation) {
	a.findByGoal(ac)
	if ac.status == statusFound || ac.flags&HintGoalOnly != 0 {
		return
	}
	ac.order2 = a.orderOfTwo(ac.goal.len)

	// A stream goes on where the last one ended.
	if ac.flags&StreamAlloc != 0 {
		a.recallStream(ac)
	}

	// The buddy search is only for a goal that is a power of two.
	first := 0
	if ac.order2 == 0 && a.kernel.Ladder[0].Scan == scanBuddy {
		first = 1
	}
	ac.ahead = prefetcher{}
	for {
		a.searchGroups(ac, first)
		if ac.best.len == 0 || ac.status == statusFound || ac.flags&HintFirst != 0 {
			break
		}

		// The best found is too short, or the search examined enough. No lock has been
		// held since it was found.
		if a.locks != nil {
			a.locks.BeforeBest()
		}
		a.tryBest(ac)
		if ac.status == statusFound {
			break
		}

		// Another CPU took it meanwhile: a lost chunk. The last rung takes the first
		// extent that it meets.
		a.stats.Lost++
		ac.best.group, ac.best.start, ac.best.len = 0, 0, 0
		ac.status = statusContinue
		ac.flags |= HintFirst
		first = len(a.kernel.Ladder) - 1
	}
	if ac.status == statusFound {
		a.countHit(ac)
	}
	if ac.ahead.nr > 0 {
		a.prefetchEnd(ac.ahead.next, ac.ahead.nr)
	}
}

// countHit counts a search that found something for the rung with which it ended.
func (a *Allocator) countHit(ac *allocation) {
	switch {
	case ac.criteria < len(a.kernel.Ladder):
		a.stats.RungHits[ac.criteria]++
	case a.quirks.HitsBehindLadder:
		// The counters of useless loops lie behind those of hits.
		a.stats.UselessLoops[0]++
	default:
		a.stats.RungHits[len(a.kernel.Ladder)-1]++
	}
	if ac.flags&StreamAlloc != 0 && ac.best.group == ac.goal.group {
		a.stats.StreamGoalHits++
	}
}

// recallStream moves the goal to where the last stream ended.
func (a *Allocator) recallStream(ac *allocation) {
	last := a.streamGoal(ac.inode)
	if a.quirks.StreamGoalGroup {
		// No cluster has the number -1: nothing counts as having been found at the goal.
		ac.goal.group, ac.goal.start = last.group, -1
		ac.flags &^= HintTryGoal
		return
	}
	if a.locks != nil {
		a.locks.StreamGoal()
	}
	ac.goal.group, ac.goal.start = last.group, last.start
}

// rememberStream notes where a stream has ended: the next one goes on here. The kernel's
// s_mb_last_group and s_mb_last_start are behind s_md_lock.
func (a *Allocator) rememberStream(ac *allocation) {
	if a.locks != nil && !a.quirks.StreamGoalGroup {
		a.locks.StreamGoal()
	}
	*a.streamGoal(ac.inode) = streamGoal{ac.found.group, ac.found.start}
}

// streamGoal is the place at which the last stream ended that shares it with this inode.
func (a *Allocator) streamGoal(in *Inode) *streamGoal {
	return &a.streamGoals[in.Number%uint32(len(a.streamGoals))]
}

// orderOfTwo is ac_2order: log2 of n where n is a power of two that the buddies are worth
// searching for, 0 otherwise.
func (a *Allocator) orderOfTwo(n int) int {
	// The bit length of n: log2 and 1 more, as mb_order2_req counts.
	i := bits.Len(uint(n))
	if i < int(a.tunables.Order2Reqs) || i > int(a.geo.BlockBits)+2 || n&(n-1) != 0 {
		return 0
	}
	return i - 1
}

// searchGroups passes the groups with each rung from first on (the loops of
// ext4_mb_regular_allocator).
func (a *Allocator) searchGroups(ac *allocation, first int) {
	// A file without extents can use only groups that lie below block 2^32.
	n := a.geo.Groups
	if !ac.inode.Extents {
		n = a.blockfileGroups
	}
	// The pass is kept in the request, whose memory is used again. It is handed to an
	// interface, so that a local variable would be allocated for each pass.
	s := &ac.pass
	for next := first; ac.status == statusContinue; {
		// The criteria of a search that went through the whole ladder lies behind it in some
		// kernels, and is the last rung in others.
		if next >= len(a.kernel.Ladder) {
			if a.quirks.HitsBehindLadder {
				ac.criteria = next
			}
			return
		}
		*s = searchPass{a: a, ac: ac, n: n, ahead: &ac.ahead}
		s.begin(next)
		next = a.order.pass(s)
		// The time for the groups considered passes here, not at each of them.
		a.chargeWork(Work{Considered: int(s.met)})
	}
}

// searchPass is one pass over the groups with one rung: what an Order works with.
type searchPass struct {
	a      *Allocator
	ac     *allocation
	rung   *Rung
	limits limits
	n      allocator.GroupID // groups that may serve the request: those below
	met    uint64            // groups considered
	ahead  *prefetcher
}

// begin sets the rung of the ladder with which the pass goes on.
func (s *searchPass) begin(criteria int) {
	s.ac.criteria = criteria
	s.rung = &s.a.kernel.Ladder[criteria]
	s.a.setLimits(&s.limits, s.rung, s.ac)
}

// exhausted counts a pass that met all groups in vain, and returns the next rung.
func (s *searchPass) exhausted() (next int) {
	s.useless()
	return s.ac.criteria + 1
}

// useless counts a pass that found nothing.
func (s *searchPass) useless() { s.a.stats.UselessLoops[s.ac.criteria]++ }

// nextRung is the rung to go on with where lists have no group for the pass's. Only data is
// normalized, so that there is nothing to cut down of the goal of anything else.
func (s *searchPass) nextRung() int {
	next := s.ac.criteria + 1
	if s.a.kernel.Ladder[next].Lists == byTrimmed && s.ac.flags&HintData == 0 {
		next++
	}
	return next
}

// considered counts groups that the pass has met.
func (s *searchPass) considered(groups uint64) {
	s.met += groups
	s.a.stats.GroupsConsidered[s.ac.criteria] += groups
}

// visit counts a group as considered, and scans it if it is worth it. It reports whether the
// search is over (ext4_mb_scan_group).
func (s *searchPass) visit(id allocator.GroupID) (over bool) {
	a, ac := s.a, s.ac
	g := a.at(id)
	// Kernels that do not wait for groups pass over one that another CPU has locked, unless
	// the last rung is reached.
	patient := !a.quirks.SkipLocked || ac.criteria == len(a.kernel.Ladder)-1
	if !patient && a.locks != nil && a.locks.GroupLocked(id) {
		return false
	}
	s.considered(1)

	// The group is tested without its lock first (ext4_mb_good_group_nolock). A request
	// that is repeated for lack of space takes the lock for the test. Here it waits until
	// nobody has the lock, so that it sees what others were changing.
	if ac.flags&StrictCheck != 0 {
		a.lockGroup(id)
		a.unlockGroup(id)
	}
	// A buddy that is not in memory is made only if the rung finds the group worth that.
	if g.needInit {
		if !s.limits.mayLoad(id, g) {
			return false
		}
		a.initGroup(id)
	}
	if !s.limits.met(id, g) {
		return false
	}

	// Where several CPUs run the group may have changed while this one waited for its
	// lock.
	if patient {
		a.lockGroup(id)
	} else if !a.tryLockGroup(id) {
		return false
	}
	if a.locks != nil && !s.limits.met(id, g) {
		a.unlockGroup(id)
		return false
	}
	ac.scanned++
	before := ac.examined
	s.scan(id, g)
	a.stats.ExtentsByRung[ac.criteria] += uint64(ac.examined - before)
	a.chargeWork(Work{Scanned: 1, Examined: ac.examined - before})
	a.unlockGroup(id)
	return ac.status != statusContinue
}

// scan scans a group that is locked. The rung decides how. A goal that is not a whole number
// of stripes gains nothing from stripes.
func (s *searchPass) scan(id allocator.GroupID, g *group) {
	a, ac := s.a, s.ac
	switch {
	case s.rung.Scan == scanBuddy:
		a.scanSimple(ac, id, g)
		return
	case s.rung.Scan == scanStripes && a.wholeStripes(ac.goal.len):
		a.scanAligned(ac, id, g)
		if !a.quirks.StripeFallback || ac.status != statusContinue {
			return
		}
	}
	a.scanComplex(ac, id, g)
}

// prefetcher is how far reading bitmaps ahead has come in one search.
type prefetcher struct {
	next allocator.GroupID // the group from which to read ahead next
	nr   uint32            // groups in the last batch, 0 if none was read
	ios  uint32
}

// readAheadFrom says that the pass begins at id: bitmaps are read ahead from there on. An
// Order calls it once, before the first group.
func (s *searchPass) readAheadFrom(id allocator.GroupID) {
	s.ahead.next = id
	// Where whole batches are finished, only that of the last pass is.
	if s.a.quirks.PrefetchAll {
		s.ahead.nr = 0
	}
}

// maybeReadAhead reads the bitmaps of the rest of id's flex group if the pass has come to
// the end of those that were read ahead. A cheap rung stops reading ahead after
// mb_prefetch_limit bitmaps. An Order calls it before it offers group id; only an order
// that meets groups by rising numbers gains from it.
func (s *searchPass) maybeReadAhead(id allocator.GroupID) {
	a, p := s.a, s.ahead
	if p.next != id || s.rung.Cheap && p.ios >= a.tunables.PrefetchLimit {
		return
	}
	// A batch is mb_prefetch groups, but with flex groups it ends with the flex group.
	p.nr = a.tunables.Prefetch
	if a.cfg.FlexFeature {
		flex := a.geo.FlexSize()
		p.nr = min(flex-uint32(id)&(flex-1), a.tunables.Prefetch)
	}
	// The next batch begins behind this one.
	next, ios := a.readAhead(id, p.nr)
	p.next = next
	p.ios += ios
	// Nothing was read, so there is nothing for prefetchEnd to load.
	if ios == 0 && !a.quirks.PrefetchAll {
		p.nr = 0
	}
}

// prefetchEnd loads the buddies of the nr groups before id, for which the bitmaps
// were read ahead (ext4_mb_prefetch_fini). Without Quirks.PrefetchAll whether a group is
// worth it is read off the descriptor of the one behind it.
func (a *Allocator) prefetchEnd(id allocator.GroupID, nr uint32) {
	for range nr {
		desc := a.at(id)
		if id == 0 {
			id = a.geo.Groups
		}
		id--
		g := a.at(id)
		if a.quirks.PrefetchAll {
			desc = g
		}
		if g.needInit && desc.descFree > 0 && (!desc.uninit || a.quirks.PrefetchUninit) {
			a.initGroup(id)
		}
	}
}
