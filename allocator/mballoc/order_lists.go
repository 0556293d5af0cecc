package mballoc

import "mbsim/allocator"

// listOrder takes the groups for cheap rungs from lists, in each of which the group that joined
// first comes first. Before that it meets mb_max_linear_groups groups one after the other,
// which suits disks whose heads move. Rungs without lists, and mounts with mb_optimize_scan=0,
// meet all groups one after the other.
type listOrder struct {
	largest, mean *fifoLists
	// exact says that there is a list for each length of the mean fragment, where the kernel
	// keeps a tree, and not for each order of it.
	exact bool
}

func newListOrder(a *Allocator) Order { return listOrderOf(a, false) }

// newTreeOrder is newListOrder with groups sorted by the exact length of their mean fragment.
func newTreeOrder(a *Allocator) Order { return listOrderOf(a, true) }

func listOrderOf(a *Allocator, exact bool) Order {
	if !a.cfg.OptimizeScan {
		return linearOrder{}
	}
	a.freed.mergeRanges()
	n := a.orders
	if exact {
		n = int(a.geo.ClustersPerGroup) + 1
	}
	return &listOrder{newFifoLists(a, a.orders), newFifoLists(a, n), exact}
}

func (o *listOrder) changed(a *Allocator, id allocator.GroupID, g *group) {
	largest, mean := o.listsOf(a, g)
	g.relist(id, o.largest, o.mean, largest, mean)
}

func (o *listOrder) listsOf(a *Allocator, g *group) (largest, mean int32) {
	mean = a.meanList(g)
	if o.exact && mean >= 0 {
		mean = int32(g.free / g.fragments)
	}
	return int32(g.largest), mean
}

func (o *listOrder) summary() (largest, mean []int) { return o.largest.count(), o.mean.count() }

// pass implements Order (ext4_mb_regular_allocator with ext4_mb_choose_next_group). As in the
// kernel no more groups are offered than there are, though the lists may suggest the same
// group again and again.
func (o *listOrder) pass(s *searchPass) (next int) {
	if s.rung.Lists == NoLists {
		return linearOrder{}.pass(s)
	}
	id := s.firstGroup()
	s.readAheadFrom(id)
	linear := s.a.tunables.MaxLinearGroups
	suggested := false
	for met := allocator.GroupID(0); met < s.n; met++ {
		s.maybeReadAhead(id)
		if s.visit(id) {
			return s.ac.criteria
		}
		// On to the next group by number, as long as the limit allows.
		if linear > 0 {
			linear--
			if id++; id >= s.n {
				id = 0
			}
			continue
		}
		// Then to one from the lists. If that was so before, the last one was no good.
		if suggested {
			s.a.stats.BadSuggestions[s.ac.criteria]++
		}
		if id, suggested = o.suggest(s); !suggested && met+1 < s.n {
			// No list has a group for this rung. Not all groups were met, so this is no useless
			// loop.
			return s.nextRung()
		}
	}
	return s.exhausted()
}

// suggest is the first group of the lists that meets the limits, from the list of the
// smallest order that may have one on.
func (o *listOrder) suggest(s *searchPass) (allocator.GroupID, bool) {
	switch s.rung.Lists {
	case byLargest:
		return o.largest.first(s, s.ac.order2, s.a.orders)
	case byMean:
		return o.mean.first(s, o.meanIndex(s), o.mean.lists())
	}
	// The goal is cut down until the list for its length has a group.
	t := s.a.trims(s.ac)
	for order := t.first; order >= t.last; order-- {
		s.trimTo(t.length(order))
		i := o.meanIndex(s)
		if id, ok := o.mean.first(s, i, i+1); ok {
			return id, true
		}
	}
	s.untrim()
	return 0, false
}

// meanIndex is the first list by mean fragment that may have a group for the goal.
//
// Deviates from the kernel: of groups with the same mean fragment its tree gives one that
// depends on the tree's shape, and here it is the first that joined. After a suggestion that
// was no good the kernel goes on from that group, and here the search begins again.
func (o *listOrder) meanIndex(s *searchPass) int {
	if o.exact {
		return min(s.ac.goal.len, o.mean.lists())
	}
	return s.a.meanOrder(s.ac.goal.len)
}

// fifoLists are lists in which the group that joined first comes first (list_add_tail).
type fifoLists struct {
	heads, tails []allocator.GroupID        // by list: 1 more than the group, 0 for none
	used         *groupSet                  // the lists that have a group
	links        []*[groupsPerPage]fifoLink // by group, made on first use
}

// fifoLink is a group's place in a list. Both are 1 more than the group, 0 at the ends.
type fifoLink struct{ next, prev allocator.GroupID }

func newFifoLists(a *Allocator, lists int) *fifoLists {
	return &fifoLists{
		heads: make([]allocator.GroupID, lists), tails: make([]allocator.GroupID, lists),
		used: newGroupSet(allocator.GroupID(lists)), links: make([]*[groupsPerPage]fifoLink, len(a.pages)),
	}
}

// lists is how many lists there are.
func (l *fifoLists) lists() int { return len(l.heads) }

// at is the link of a group.
func (l *fifoLists) at(id allocator.GroupID) *fifoLink {
	p := &l.links[id/groupsPerPage]
	if *p == nil {
		*p = new([groupsPerPage]fifoLink)
	}
	return &(*p)[id%groupsPerPage]
}

// move implements groupLists.
func (l *fifoLists) move(id allocator.GroupID, from, to int32) {
	x := l.at(id)
	// Out of the list that it is on.
	if from >= 0 {
		if x.prev != 0 {
			l.at(x.prev - 1).next = x.next
		} else {
			l.heads[from] = x.next
		}
		if x.next != 0 {
			l.at(x.next - 1).prev = x.prev
		} else {
			l.tails[from] = x.prev
		}
		if l.heads[from] == 0 {
			l.used.remove(allocator.GroupID(from))
		}
	}
	// To the end of the other one.
	if to >= 0 {
		if l.heads[to] == 0 {
			l.used.add(allocator.GroupID(to))
		}
		*x = fifoLink{prev: l.tails[to]}
		if x.prev != 0 {
			l.at(x.prev - 1).next = id + 1
		} else {
			l.heads[to] = id + 1
		}
		l.tails[to] = id + 1
	}
}

// count implements groupLists.
func (l *fifoLists) count() []int {
	n := make([]int, l.lists())
	for i := range n {
		for x := l.heads[i]; x != 0; x = l.at(x - 1).next {
			n[i]++
		}
	}
	return n
}

// first is the first group of the lists [from, end) that meets the pass's limits.
func (l *fifoLists) first(s *searchPass, from, end int) (allocator.GroupID, bool) {
	for i := int(l.used.next(allocator.GroupID(from))); i < end; i = int(l.used.next(allocator.GroupID(i + 1))) {
		for x := l.heads[i]; x != 0; x = l.at(x - 1).next {
			id := x - 1
			s.considered(1)
			// A list may have groups that a file without extents cannot use. The kernel offers
			// them like any other.
			if s.limits.met(id, s.a.at(id)) {
				return id, true
			}
		}
	}
	return 0, false
}
