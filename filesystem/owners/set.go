package owners

import (
	"iter"
	"maps"
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Set is a set of members of groups. A nil Set is empty and may be read.
type Set struct {
	perGroup uint32
	groups   map[allocator.GroupID]bitmap.Bits

	// The group asked for last, which the next one mostly is too.
	last     allocator.GroupID
	lastBits bitmap.Bits
}

// NewSet makes an empty set of members of groups with perGroup members each.
func NewSet(perGroup uint32) *Set {
	return &Set{perGroup: perGroup, groups: make(map[allocator.GroupID]bitmap.Bits)}
}

// Add adds the n members of a group from i on, and reports whether none of them was
// there before.
func (s *Set) Add(id allocator.GroupID, i, n uint32) (fresh bool) {
	// Files lie mostly in one group, so the last bitmap is looked at first.
	if s.lastBits == nil || s.last != id {
		if s.groups[id] == nil {
			s.groups[id] = bitmap.New(int(s.perGroup))
		}
		s.last, s.lastBits = id, s.groups[id]
	}
	fresh = s.lastBits.AllClear(int(i), int(n))
	s.lastBits.SetRange(int(i), int(n))
	return fresh
}

// Bits is the set's bitmap of a group, nil where it has no member there. It must
// not be changed.
func (s *Set) Bits(id allocator.GroupID) bitmap.Bits {
	if s == nil {
		return nil
	}
	return s.groups[id]
}

// groupsOf lists the groups that any of the sets has members of, and those of
// more, in order and each once.
func groupsOf(more iter.Seq[allocator.GroupID], sets ...*Set) []allocator.GroupID {
	ids := slices.Collect(more)
	for _, s := range sets {
		if s != nil {
			ids = slices.AppendSeq(ids, maps.Keys(s.groups))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
