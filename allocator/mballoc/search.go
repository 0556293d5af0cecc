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
		if a.locks != nil {
			a.locks.StreamGoal()
		}
		last := a.streamGoal(ac.inode)
		ac.goal.group, ac.goal.start = last.group, last.start
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
		a.stats.RungHits[ac.criteria]++
	}
	if ac.ahead.nr > 0 {
		a.prefetchEnd(ac.ahead.next, ac.ahead.nr)
	}
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
	for i := first; i < len(a.kernel.Ladder) && ac.status == statusContinue; i++ {
		ac.criteria = i
		r := &a.kernel.Ladder[i]
		// The pass is kept in the request, whose memory is used again. It is handed to an
		// interface, so that a local variable would be allocated for each pass.
		s := &ac.pass
		*s = searchPass{a: a, ac: ac, rung: r, n: n, ahead: &ac.ahead}
		a.setLimits(&s.limits, r, ac)
		if a.kernel.Order.pass(s) {
			a.stats.UselessLoops[i]++
		}
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

// considered counts groups that the pass has met.
func (s *searchPass) considered(groups uint64) {
	s.met += groups
	s.a.stats.GroupsConsidered[s.ac.criteria] += groups
}

// visit scans a group if it is worth it. It reports whether the search is over.
func (s *searchPass) visit(id allocator.GroupID) (over bool) {
	a, ac := s.a, s.ac
	g := a.at(id)

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
	a.lockGroup(id)
	if a.locks != nil && !s.limits.met(id, g) {
		a.unlockGroup(id)
		return false
	}
	// The rung decides how the group is scanned. A goal that is not a whole number of
	// stripes gains nothing from stripes.
	ac.scanned++
	before := ac.examined
	switch {
	case s.rung.Scan == scanBuddy:
		a.scanSimple(ac, id, g)
	case s.rung.Scan == scanStripes && a.geo.Stripe != 0 && ac.goal.len%int(a.geo.Stripe) == 0:
		a.scanAligned(ac, id, g)
	default:
		a.scanComplex(ac, id, g)
	}
	a.chargeWork(Work{Scanned: 1, Examined: ac.examined - before})
	a.unlockGroup(id)
	return ac.status != statusContinue
}

// prefetcher is how far reading bitmaps ahead has come in one search.
type prefetcher struct {
	next allocator.GroupID // the group from which to read ahead next
	nr   uint32            // groups in the last batch, 0 if none was read
	ios  uint32
}

// readAheadFrom says that the pass begins at id: bitmaps are read ahead from there on. An
// Order calls it once, before the first group.
func (s *searchPass) readAheadFrom(id allocator.GroupID) { s.ahead.next = id }

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
	if ios == 0 {
		p.nr = 0
	}
}

// prefetchEnd loads the buddies of the nr groups before id, for which the bitmaps
// were read ahead (ext4_mb_prefetch_fini). As in the kernel, whether a group is
// worth it is read off the descriptor of the one behind it.
func (a *Allocator) prefetchEnd(id allocator.GroupID, nr uint32) {
	for range nr {
		desc := a.at(id)
		if id == 0 {
			id = a.geo.Groups
		}
		id--
		if a.at(id).needInit && desc.descFree > 0 && !desc.uninit {
			a.initGroup(id)
		}
	}
}
