package mballoc

import "mbsim/allocator"

// linearOrder meets all groups in the order of their numbers, from the goal's group on
// and around the end of the disk.
type linearOrder struct{}

func (linearOrder) changed(*Allocator, allocator.GroupID, *group) {}

// pass implements Order (the inner loop of ext4_mb_regular_allocator).
//
// A file without extents may use fewer groups than the disk has, so the goal's group may
// lie behind the last one: the loop wraps around before it looks at a group.
func (linearOrder) pass(s *searchPass) (exhausted bool) {
	id := s.ac.goal.group
	s.readAheadFrom(id)
	for met := allocator.GroupID(0); met < s.n; {
		if id >= s.n {
			id = 0
		}
		s.maybeReadAhead(id)
		if s.ac.flags&StrictCheck == 0 {
			// Most groups are refused by the limits. They are passed over in a tight loop,
			// which ends where there is more to do: at the end of the disk, of the pass or
			// of the page of groups, and where bitmaps are to be read ahead.
			count := min(s.n-id, s.n-met, groupsPerPage-id%groupsPerPage)
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
		s.considered(1)
		if s.visit(id) {
			return false
		}
		met++
		id++
	}
	return true
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
