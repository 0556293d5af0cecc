package mballoc

import "mbsim/allocator"

// linearOrder meets all groups in the order of their numbers, from the goal's group on
// and around the end of the disk.
type linearOrder struct{}

func newLinearOrder(*Allocator) Order { return linearOrder{} }

func (linearOrder) changed(*Allocator, allocator.GroupID, *group) {}

func (linearOrder) listsOf(*Allocator, *group) (largest, mean int32) { return -1, -1 }

func (linearOrder) summary() (largest, mean []int) { return nil, nil }

// pass implements Order (the inner loop of ext4_mb_regular_allocator, in later kernels
// ext4_mb_scan_groups_linear).
func (linearOrder) pass(s *searchPass) (next int) {
	id := s.firstGroup()
	s.readAheadFrom(id)
	if s.visitNext(&id, s.n) {
		return s.ac.criteria
	}
	return s.exhausted()
}

// firstGroup is the group that a pass begins with: the goal's. A file without extents may
// use fewer groups than the disk has, and the goal's group may lie behind the last one.
func (s *searchPass) firstGroup() allocator.GroupID {
	if id := s.ac.goal.group; id < s.n {
		return id
	}
	return 0
}

// visitNext offers total groups in the order of their numbers, from *at on and around the
// end, and moves *at behind them. It reports whether the search is over.
func (s *searchPass) visitNext(at *allocator.GroupID, total allocator.GroupID) (over bool) {
	id := *at
	for met := allocator.GroupID(0); met < total; {
		if id >= s.n {
			id = 0
		}
		s.maybeReadAhead(id)
		if s.ac.flags&StrictCheck == 0 {
			// Most groups are refused by the limits. They are passed over in a tight loop,
			// which ends where there is more to do: at the end of the disk, of the pass or
			// of the page of groups, and where bitmaps are to be read ahead.
			count := min(s.n-id, total-met, groupsPerPage-id%groupsPerPage)
			if s.ahead.next > id {
				count = min(count, s.ahead.next-id)
			}
			k := passOver(s.a.pageOf(id), id, count, &s.limits)
			s.considered(uint64(k))
			met += k
			id += k
			if k == count {
				continue
			}
		}
		// This group meets the limits without its lock, or every group must be looked at
		// under its lock: StrictCheck.
		if s.visit(id) {
			return true
		}
		met++
		id++
	}
	if id >= s.n {
		id = 0
	}
	*at = id
	return false
}

// passOver looks at the groups from id on, at most count of them, all in page p. It
// returns how many the limits refuse before one that they do not. Most of the time of a
// search on a large disk is spent here.
func passOver(p *page, id, count allocator.GroupID, l *limits) allocator.GroupID {
	limits := *l // a copy that cannot change, so that the compiler keeps it in registers
	for x := id; x < id+count; x++ {
		g := &p.groups[x%groupsPerPage]
		if g.needInit && limits.mayLoad(x, g) || !g.needInit && limits.met(x, g) {
			return x - id
		}
	}
	return count
}
