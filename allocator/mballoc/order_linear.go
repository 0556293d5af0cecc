package mballoc

import "mbsim/allocator"

// linearOrder meets all groups in the order of their numbers, from the goal's group on
// and around the end of the disk.
type linearOrder struct{}

func (linearOrder) changed(*Allocator, allocator.GroupID, *group) {}

// pass implements Order (the inner loop of ext4_mb_regular_allocator).
func (linearOrder) pass(s *searchPass) (exhausted bool) {
	id := s.ac.goal.group
	s.readAheadFrom(id)
	for met := allocator.GroupID(0); met < s.n; {
		if id >= s.n {
			id = 0
		}
		s.maybeReadAhead(id)
		if s.ac.flags&StrictCheck == 0 {
			// Most groups are passed over in a tight loop, up to the next one for which
			// there is more to do: reading ahead, the end of the disk or of the pass.
			few := min(s.n-id, s.n-met, groupsPerPage-id%groupsPerPage)
			if s.ahead.next > id {
				few = min(few, s.ahead.next-id)
			}
			k := passOver(s.a.pageOf(id), id, few, &s.limits)
			s.considered(uint64(k))
			met += k
			id += k
			if k == few {
				continue
			}
		}
		s.considered(1)
		if s.visit(id) {
			return false
		}
		met++
		id++
	}
	return true
}

// passOver counts the groups from id on, of the next few in their page p, that the
// limits refuse, until one needs a closer look. Most of a search is done here.
func passOver(p *page, id, few allocator.GroupID, l *limits) allocator.GroupID {
	limits := *l // in registers
	for x := id; x < id+few; x++ {
		g := &p.groups[x%groupsPerPage]
		if g.needInit && limits.mayLoad(x, g) || !g.needInit && limits.met(x, g) {
			return x - id
		}
	}
	return few
}
