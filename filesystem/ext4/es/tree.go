package es

import (
	"sort"
	"strings"

	"mbsim/allocator"
)

// Tree is the extent status tree of one inode. Its ranges are sorted and do not overlap, and
// ranges that continue each other in the same status are one where a change has joined them. New or
// Fresh makes it; it may not be copied once it holds a range.
//
// Deviates from the kernel: a sorted slice instead of a red-black tree, and no
// shrinker (memory pressure is not modelled).
type Tree struct {
	ext             []Range
	shared          *Shared   // of the file system
	pendingClusters *[]uint32 // pending reservations of a bigalloc file: logical clusters, sorted; nil for none yet
	reclaimable     int32     // ranges that are not delayed (i_es_shk_nr)
	first           [2]Range  // where ext begins: most files need no more
}

// New makes an empty tree of the file system whose trees share s.
func New(s *Shared) Tree { return Tree{shared: s} }

// Fresh makes an empty tree of the same file system as t.
func (t *Tree) Fresh() Tree { return Tree{shared: t.shared} }

// Reset makes the tree hold these ranges, which must be sorted, and nothing else. It counts
// nothing in the statistics: what the tree held must have been removed before or counts no more,
// and the new ranges must be counted already, for what stood for them until now.
func (t *Tree) Reset(ranges ...Range) {
	if t.ext == nil {
		t.ext = t.first[:0]
	}
	t.ext = append(t.ext[:0], ranges...)
	t.pendingClusters = nil
	t.reclaimable = int32(Tally(ranges).Reclaimable)
}

// Ranges are the ranges of the tree in the order of the file. They are valid until the tree
// changes, and only to read.
func (t *Tree) Ranges() []Range { return t.ext }

// String lists the ranges, as in "0-3 written@100; 4-9 hole": the first and the last block, the
// status, and where a range is mapped its first physical block.
func (t *Tree) String() string {
	var out []string
	for i := range t.ext {
		out = append(out, t.ext[i].String())
	}
	return strings.Join(out, "; ")
}

// search returns the index of the first range that ends at lblk or after it
// (__es_tree_search).
func (t *Tree) search(lblk uint32) int {
	// Files mostly grow at their end, so the last range is tried first.
	n := len(t.ext)
	if n > 0 && t.ext[n-1].Lblk <= lblk {
		if t.ext[n-1].Last() < lblk {
			return n
		}
		return n - 1
	}
	// A walk over few ranges is faster than a binary search, which calls a function.
	if n <= 4 {
		for i := range t.ext {
			if t.ext[i].Last() >= lblk {
				return i
			}
		}
		return n
	}
	return sort.Search(n, func(i int) bool { return t.ext[i].Last() >= lblk })
}

// Peek finds the range that covers lblk, and counts no look-up. The second result is false
// where nothing is known of lblk.
func (t *Tree) Peek(lblk uint32) (Range, bool) {
	if i := t.search(lblk); i < len(t.ext) && t.ext[i].Covers(lblk) {
		return t.ext[i], true
	}
	return Range{}, false
}

// mergeable reports whether range b continues a with the same status, in the file and, if
// it is mapped, on disk (ext4_es_can_be_merged).
func (t *Tree) mergeable(a, b *Range) bool {
	if a.Status != b.Status || uint64(a.Len)+uint64(b.Len) > MaxBlocks || uint64(a.Lblk)+uint64(a.Len) != uint64(b.Lblk) {
		return false
	}
	switch {
	case a.IsMapped():
		return a.Pblk()+allocator.Block(a.Len) == b.Pblk()
	default:
		return true // holes, and ranges that are only delayed
	}
}

// add inserts e, which must not overlap any range, and merges it with its neighbours
// (__es_insert_extent).
func (t *Tree) add(e Range) { t.addAt(t.search(e.Lblk), e) }

// addAt is add for a caller that knows i, the index of the first range behind e.
func (t *Tree) addAt(i int, e Range) {
	// e continues the range before it, which then may reach the one behind.
	if i > 0 && t.mergeable(&t.ext[i-1], &e) {
		t.ext[i-1].Len += e.Len
		if i < len(t.ext) && t.mergeable(&t.ext[i-1], &t.ext[i]) {
			t.ext[i-1].Len += t.ext[i].Len
			t.count(e.Status, -1)
			t.ext = append(t.ext[:i], t.ext[i+1:]...)
		}
		return
	}
	// e continues into the range behind it.
	if i < len(t.ext) && t.mergeable(&e, &t.ext[i]) {
		n := &t.ext[i]
		n.Lblk, n.Len, n.pblk = e.Lblk, n.Len+e.Len, e.pblk
		return
	}
	t.insert(i, e)
	t.count(e.Status, 1)
}

// insert puts e before the range with index i.
func (t *Tree) insert(i int, e Range) {
	t.ext = append(t.ext, Range{})
	copy(t.ext[i+1:], t.ext[i:])
	t.ext[i] = e
}

// Remove forgets the blocks [lblk, end], both inclusive, where none is delayed or no
// reservation goes with it; Release is for all others (ext4_es_remove_extent).
func (t *Tree) Remove(lblk, end uint32) { t.remove(lblk, end, nil) }

// remove is Remove, and tells gone about every part of a range that goes
// (__es_remove_extent). gone may be nil.
func (t *Tree) remove(lblk, end uint32, gone *reservedCount) {
	i := t.search(lblk)
	if i == len(t.ext) || t.ext[i].Lblk > end {
		return
	}
	// The first range begins before lblk: its front stays.
	e := t.ext[i]
	if e.Lblk < lblk {
		keep := lblk - e.Lblk
		if e.Last() > end {
			// It also ends behind end: it is cut in two, and what lies between is all that
			// goes.
			tail := e
			tail.Lblk, tail.Len = end+1, e.Last()-end
			tail.pblk = allocator.Pack48(e.Pblk() + allocator.Block(e.Len-tail.Len))
			t.ext[i].Len = keep
			t.insert(i+1, tail)
			t.count(tail.Status, 1)
			if gone != nil {
				gone.add(e, lblk, end-lblk+1)
			}
			return
		}
		t.ext[i].Len = keep
		if gone != nil {
			gone.add(e, lblk, e.Len-keep)
		}
		i++
	}
	// The ranges that lie inside go as a whole.
	j := i
	for ; j < len(t.ext) && t.ext[j].Last() <= end; j++ {
		if gone != nil {
			gone.add(t.ext[j], t.ext[j].Lblk, t.ext[j].Len)
		}
		t.count(t.ext[j].Status, -1)
	}
	// The last range reaches beyond end: its front goes.
	if j < len(t.ext) && t.ext[j].Lblk <= end {
		x := &t.ext[j]
		cut := end + 1 - x.Lblk
		if gone != nil {
			gone.add(*x, x.Lblk, cut)
		}
		x.cutFront(cut)
	}
	t.ext = append(t.ext[:i], t.ext[j:]...)
}

// Set gives the blocks [lblk, lblk+n) the status s, whatever they had before
// (ext4_es_insert_extent, without the revision of pending reservations).
func (t *Tree) Set(lblk, n uint32, pblk allocator.Block, s Status) {
	if n == 0 {
		return
	}
	e := NewRange(lblk, n, pblk, s)
	i := t.search(lblk)
	// Where ranges overlap [lblk, lblk+n) they give way. Two cases are frequent and need no
	// removal: a write to the front of a hole, and the writeback of exactly one range.
	if i < len(t.ext) && t.ext[i].Lblk <= lblk+n-1 {
		x := &t.ext[i]
		switch {
		case x.Lblk == lblk && x.Len > n:
			x.cutFront(n)
		case x.Lblk == lblk && x.Len == n && !t.joins(i, &e):
			t.count(x.Status, -1)
			t.count(s, 1)
			*x = e
			return
		default:
			t.remove(lblk, lblk+n-1, nil)
			i = t.search(lblk)
		}
	}
	t.addAt(i, e)
}

// joins says whether e, put in the place of the range with index i, would merge with a
// neighbour.
func (t *Tree) joins(i int, e *Range) bool {
	return i > 0 && t.mergeable(&t.ext[i-1], e) || i+1 < len(t.ext) && t.mergeable(e, &t.ext[i+1])
}

// DelayedBlocks counts the blocks in [lblk, end] that are only delayed.
func (t *Tree) DelayedBlocks(lblk, end uint32) uint32 {
	var n uint32
	for i := t.search(lblk); i < len(t.ext) && t.ext[i].Lblk <= end; i++ {
		if e := &t.ext[i]; e.IsDelayedOnly() {
			n += min(e.Last(), end) - max(e.Lblk, lblk) + 1
		}
	}
	return n
}

// Cache records what the extent tree says about a range, but only if nothing is known of
// any of its blocks: what the status tree knows is newer (ext4_es_cache_extent). Some kernels
// let what is known of the same kind give way.
func (t *Tree) Cache(lblk, n uint32, pblk allocator.Block, s Status) {
	if n == 0 {
		return
	}
	if i := t.search(lblk); i < len(t.ext) && t.ext[i].Lblk <= lblk+n-1 && !t.makeWay(i, lblk, lblk+n-1, s) {
		return
	}
	t.add(NewRange(lblk, n, pblk, s))
}

// makeWay removes what is known of [lblk, end] for Cache, and says whether all of that was of
// status s. The first known range has index i.
func (t *Tree) makeWay(i int, lblk, end uint32, s Status) bool {
	// A range that covers all of it says no less.
	if !t.shared.CacheReplacesSame || t.ext[i].Lblk <= lblk && t.ext[i].Last() >= end {
		return false
	}
	// Ranges go from the left up to the first one of another kind, also where that then stays.
	j := i
	for j < len(t.ext) && t.ext[j].Lblk <= end && t.ext[j].Status&s != 0 {
		j++
	}
	all := j == len(t.ext) || t.ext[j].Lblk > end
	if j > i {
		t.remove(lblk, min(t.ext[j-1].Last(), end), nil)
	}
	return all
}

// FindRange returns the first range with a block in [lblk, end] that match accepts
// (ext4_es_find_extent_range).
func (t *Tree) FindRange(lblk, end uint32, match func(*Range) bool) (Range, bool) {
	for i := t.search(lblk); i < len(t.ext) && t.ext[i].Lblk <= end; i++ {
		if match(&t.ext[i]) {
			return t.ext[i], true
		}
	}
	return Range{}, false
}

// ScanRange reports whether match accepts a range with a block in [lblk, end]
// (ext4_es_scan_range).
func (t *Tree) ScanRange(lblk, end uint32, match func(*Range) bool) bool {
	_, ok := t.FindRange(lblk, end, match)
	return ok
}
