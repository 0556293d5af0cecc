package es

import "mbsim/filesystem"

// Shared is what all status trees of a file system have in common.
type Shared struct {
	filesystem.StatusTree      // their statistics
	CacheReplacesSame     bool // Tree.Cache lets what is known of the same kind give way, as some kernels do
}

// Tally is what the statistics count for an inode whose tree holds these ranges: each as an
// extent, and each that the kernel's shrinker could drop, which delayed ones it cannot, as
// reclaimable. The shrinker has the inode on its list if one is.
func Tally(ranges []Range) filesystem.StatusTree {
	s := filesystem.StatusTree{Extents: int64(len(ranges))}
	for i := range ranges {
		if !ranges[i].IsDelayed() {
			s.Reclaimable++
			s.Inodes = 1
		}
	}
	return s
}

// Tally is what the statistics count for the inode of this tree.
func (t *Tree) Tally() filesystem.StatusTree { return Tally(t.Ranges()) }

// count notes that n ranges of status s came, or went where n is negative
// (ext4_es_init_extent, ext4_es_free_extent). It keeps up to date what Tally would count.
func (t *Tree) count(s Status, n int32) {
	st := t.shared
	st.Extents += int64(n)
	if s&Delayed != 0 {
		return
	}
	if t.reclaimable == 0 {
		st.Inodes++
	}
	st.Reclaimable += int64(n)
	t.reclaimable += n
	if t.reclaimable == 0 {
		st.Inodes--
	}
}

// Reclaimable is the number of ranges that are not delayed (i_es_shk_nr).
func (t *Tree) Reclaimable() int { return int(t.reclaimable) }

// Lookup is Peek for the places where the kernel looks up, too, and so counts a
// hit or a miss (ext4_es_lookup_extent).
func (t *Tree) Lookup(lblk uint32) (Range, bool) {
	x, ok := t.Peek(lblk)
	t.shared.CountLookups(1, ok)
	return x, ok
}

// CountLookups counts that each of n blocks was looked up, all in one range. If that is not
// known the first look-up misses, and what then is recorded serves the others.
func (s *Shared) CountLookups(n uint64, known bool) {
	s.Hits += n
	if !known {
		s.Hits--
		s.Misses++
	}
}
