package image

import (
	"slices"
	"sort"

	"mbsim/allocator"
)

// run is the range of blocks [start, end).
type run struct{ start, end allocator.Block }

func (r run) len() allocator.Block { return r.end - r.start }

// runSet is a set of blocks: its runs, sorted, disjoint and not adjacent.
type runSet []run

// find is the index of the first run that ends after b.
func (s runSet) find(b allocator.Block) int {
	return sort.Search(len(s), func(i int) bool { return s[i].end > b })
}

// add adds the blocks of r, which may overlap the set.
func (s *runSet) add(r run) {
	if r.start >= r.end {
		return
	}
	// All runs that overlap r or touch it become one with it.
	set := *s
	i := sort.Search(len(set), func(i int) bool { return set[i].end >= r.start })
	j := i
	for j < len(set) && set[j].start <= r.end {
		r.start, r.end = min(r.start, set[j].start), max(r.end, set[j].end)
		j++
	}
	*s = slices.Replace(set, i, j, r)
}

// within calls f for the part of each run that lies in [start, end).
func (s runSet) within(start, end allocator.Block, f func(run)) {
	for i := s.find(start); i < len(s) && s[i].start < end; i++ {
		f(run{max(s[i].start, start), min(s[i].end, end)})
	}
}

// blocks is the number of blocks in the set.
func (s runSet) blocks() (n allocator.Block) {
	for _, r := range s {
		n += r.len()
	}
	return n
}

// setBits sets the bits [from, to) of a bitmap.
func setBits(bits []uint64, from, to uint32) {
	for from < to {
		// Word by word; the mask leaves out what is before from and behind to.
		w := from / 64
		mask := ^uint64(0) << (from % 64)
		if end := (w + 1) * 64; to < end {
			mask &= 1<<(to%64) - 1
			from = to
		} else {
			from = end
		}
		bits[w] |= mask
	}
}

func sortRuns(rs []run) {
	slices.SortFunc(rs, func(a, b run) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
}
