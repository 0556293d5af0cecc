package mballoc

import (
	"math/bits"

	"mbsim/allocator"
)

// circularOrder takes the groups for cheap rungs from lists by order, in each of which the
// groups are met by their numbers. All lists are gone through for the groups from the goal's
// on, and then for those before it. Before that mb_max_linear_groups groups are met one after
// the other. Rungs without lists, and mounts with mb_optimize_scan=0, meet all groups one
// after the other.
type circularOrder struct{ largest, mean *sortedLists }

func newCircularOrder(a *Allocator) Order {
	if !a.cfg.OptimizeScan {
		return linearOrder{}
	}
	return &circularOrder{newSortedLists(a), newSortedLists(a)}
}

func (o *circularOrder) changed(a *Allocator, id allocator.GroupID, g *group) {
	largest, mean := o.listsOf(a, g)
	g.relist(id, o.largest, o.mean, largest, mean)
}

func (o *circularOrder) listsOf(a *Allocator, g *group) (largest, mean int32) {
	return int32(g.largest), a.meanList(g)
}

func (o *circularOrder) summary() (largest, mean []int) { return o.largest.count(), o.mean.count() }

// pass implements Order (ext4_mb_scan_groups).
func (o *circularOrder) pass(s *searchPass) (next int) {
	if s.rung.Lists == NoLists {
		return linearOrder{}.pass(s)
	}
	start := s.firstGroup()
	s.readAheadFrom(start)
	if linear := allocator.GroupID(s.a.tunables.MaxLinearGroups); linear > 0 {
		if s.visitNext(&start, linear) {
			return s.ac.criteria
		}
		// Where these were just all groups of the disk, the kernel goes on with the lists of
		// the next rung.
		if linear == s.n {
			s.begin(s.exhausted())
		}
	}
	if s.rung.Lists == NoLists {
		return s.ac.criteria
	}
	// The lists are gone through twice: for the groups from start on, and for those before it.
	trims := s.a.trims(s.ac)
	if o.visitLists(s, &trims, start, s.n) || start > 0 && o.visitLists(s, &trims, 0, start) {
		return s.ac.criteria
	}
	if s.rung.Lists == byTrimmed {
		s.untrim()
	}
	s.useless()
	return s.nextRung()
}

// visitLists offers the groups of [start, end) that the lists have for the rung. It returns
// whether the search is over.
func (o *circularOrder) visitLists(s *searchPass, t *trims, start, end allocator.GroupID) bool {
	switch s.rung.Lists {
	case byLargest:
		return o.visitLargest(s, start, end)
	case byMean:
		return o.visitMean(s, start, end)
	}
	return o.visitTrimmed(s, t, start, end)
}

// visitLargest offers the groups of [start, end) with a buddy for the goal, those with the
// smallest first (ext4_mb_scan_groups_p2_aligned).
func (o *circularOrder) visitLargest(s *searchPass, start, end allocator.GroupID) bool {
	for i := s.ac.order2; i < s.a.orders; i++ {
		if o.largest.visit(s, i, start, end) {
			return true
		}
	}
	return false
}

// visitMean offers the groups whose mean fragment may be as long as the goal, those with the
// shortest first (ext4_mb_scan_groups_goal_fast).
func (o *circularOrder) visitMean(s *searchPass, start, end allocator.GroupID) bool {
	for i := s.a.meanOrder(s.ac.goal.len); i < s.a.orders; i++ {
		if o.mean.visit(s, i, start, end) {
			return true
		}
	}
	return false
}

// visitTrimmed cuts the goal down, and offers for each length the groups of its list
// (ext4_mb_scan_groups_best_avail).
func (o *circularOrder) visitTrimmed(s *searchPass, t *trims, start, end allocator.GroupID) bool {
	for order := t.first; order >= t.last; order-- {
		s.trimTo(t.length(order))
		if o.mean.visit(s, s.a.meanOrder(s.ac.goal.len), start, end) {
			return true
		}
	}
	return false
}

// sortedLists are lists in which groups are in the order of their numbers (xarrays in the
// kernel). Each is made when its first group joins.
type sortedLists struct {
	lists  [maxOrders]*groupSet
	groups allocator.GroupID
	orders int
}

func newSortedLists(a *Allocator) *sortedLists {
	return &sortedLists{groups: a.geo.Groups, orders: a.orders}
}

// move implements groupLists.
func (l *sortedLists) move(id allocator.GroupID, from, to int32) {
	if from >= 0 {
		l.lists[from].remove(id)
	}
	if to >= 0 {
		if l.lists[to] == nil {
			l.lists[to] = newGroupSet(l.groups)
		}
		l.lists[to].add(id)
	}
}

// count implements groupLists.
func (l *sortedLists) count() []int {
	n := make([]int, l.orders)
	for i := range n {
		if l.lists[i] != nil {
			n[i] = l.lists[i].n
		}
	}
	return n
}

// visit offers the groups of list i in [start, end). As in the kernel each counts as
// considered once for being on the list, and once for being looked at
// (ext4_mb_scan_groups_xa_range).
func (l *sortedLists) visit(s *searchPass, i int, start, end allocator.GroupID) (over bool) {
	set := l.lists[i]
	if set == nil {
		return false
	}
	for id := set.next(start); id < end; id = set.next(id + 1) {
		s.considered(1)
		s.maybeReadAhead(id)
		if s.visit(id) {
			return true
		}
	}
	return false
}

// groupSet is a set of numbers, of groups mostly: a bit for each, and above that levels in which a bit says
// that a word of the level below is not zero, so that the next member is found in as many
// steps as there are levels.
type groupSet struct {
	levels [][]uint64
	n      int
	groups allocator.GroupID
}

func newGroupSet(groups allocator.GroupID) *groupSet {
	s := &groupSet{groups: groups}
	for n := int(groups); ; {
		n = (n + 63) / 64
		s.levels = append(s.levels, make([]uint64, n))
		if n == 1 {
			return s
		}
	}
}

// add adds a group that is not in the set.
func (s *groupSet) add(id allocator.GroupID) {
	s.n++
	for _, words := range s.levels {
		w := &words[id/64]
		was := *w
		*w |= 1 << (id % 64)
		// The levels above know of the word already.
		if was != 0 {
			return
		}
		id /= 64
	}
}

// remove takes out a group that is in the set.
func (s *groupSet) remove(id allocator.GroupID) {
	s.n--
	for _, words := range s.levels {
		w := &words[id/64]
		*w &^= 1 << (id % 64)
		if *w != 0 {
			return
		}
		id /= 64
	}
}

// next is the first member from id on, or the number of groups if there is none.
func (s *groupSet) next(id allocator.GroupID) allocator.GroupID {
	at := int(id)
	// Up, until a word has a member behind the place that has been looked at.
	for up := range s.levels {
		words := s.levels[up]
		if at/64 >= len(words) {
			return s.groups
		}
		x := words[at/64] >> (at % 64)
		if x == 0 {
			at = at/64 + 1
			continue
		}
		// And down again to that member.
		at += bits.TrailingZeros64(x)
		for down := up - 1; down >= 0; down-- {
			at = at*64 + bits.TrailingZeros64(s.levels[down][at])
		}
		return allocator.GroupID(at)
	}
	return s.groups
}
