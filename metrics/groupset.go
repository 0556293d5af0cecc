package metrics

import (
	"math/bits"

	"mbsim/allocator"
)

// groupSet is a set of groups in which the neighbours of a group are found fast, also where they
// are far away.
type groupSet struct {
	words []uint64 // a bit for each group
	above []uint64 // a bit for each word that is not 0
}

func newGroupSet(n allocator.GroupID) groupSet {
	words := (int(n) + 63) / 64
	return groupSet{make([]uint64, words), make([]uint64, (words+63)/64)}
}

func (s *groupSet) has(id allocator.GroupID) bool { return s.words[id/64]>>(id%64)&1 != 0 }

func (s *groupSet) add(id allocator.GroupID) {
	w := id / 64
	s.words[w] |= 1 << (id % 64)
	s.above[w/64] |= 1 << (w % 64)
}

func (s *groupSet) remove(id allocator.GroupID) {
	w := id / 64
	if s.words[w] &^= 1 << (id % 64); s.words[w] == 0 {
		s.above[w/64] &^= 1 << (w % 64)
	}
}

// next is the first group of the set behind id.
func (s *groupSet) next(id allocator.GroupID) (allocator.GroupID, bool) {
	i, ok := nextBit(s.words[id/64:id/64+1], int(id%64)+1)
	if ok {
		return id&^63 + allocator.GroupID(i), true
	}
	w, ok := nextBit(s.above, int(id/64)+1)
	if !ok {
		return 0, false
	}
	return allocator.GroupID(w*64 + bits.TrailingZeros64(s.words[w])), true
}

// previous is the last group of the set before id.
func (s *groupSet) previous(id allocator.GroupID) (allocator.GroupID, bool) {
	if x := s.words[id/64] & (1<<(id%64) - 1); x != 0 {
		return id&^63 + allocator.GroupID(bits.Len64(x)-1), true
	}
	// The last word before that is not 0.
	w := int(id / 64)
	for v, x := w/64, s.above[w/64]&(1<<(w%64)-1); ; x = s.above[v] {
		if x != 0 {
			w = v*64 + bits.Len64(x) - 1
			return allocator.GroupID(w*64 + bits.Len64(s.words[w]) - 1), true
		}
		if v--; v < 0 {
			return 0, false
		}
	}
}

// nextBit is the first bit that is set, from i on.
func nextBit(words []uint64, i int) (int, bool) {
	if i >= len(words)*64 {
		return 0, false
	}
	for w, x := i/64, words[i/64]>>(i%64)<<(i%64); ; x = words[w] {
		if x != 0 {
			return w*64 + bits.TrailingZeros64(x), true
		}
		if w++; w == len(words) {
			return 0, false
		}
	}
}
