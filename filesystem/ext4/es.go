package ext4

import (
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// esStatus is what the extent status tree says about a range of blocks, one bit or two.
type esStatus uint8

// The statuses of extents_status.h. A range may be unwritten and delayed at
// once: a write to it is pending above blocks that fallocate has given it.
const (
	esWritten esStatus = 1 << iota
	esUnwritten
	esDelayed
	esHole
)

// esExtent is one range of the extent status tree.
type esExtent struct {
	lblk, len uint32
	pblk      allocator.Block48 // of the first block
	status    esStatus
}

// newES makes the range [lblk, lblk+n). pblk is the place of its first block, and has no
// meaning for holes and delayed ranges.
func newES(lblk, n uint32, pblk allocator.Block, s esStatus) esExtent {
	return esExtent{lblk: lblk, len: n, pblk: allocator.Pack48(pblk), status: s}
}

// cutFront takes the first n blocks away from the range.
func (e *esExtent) cutFront(n uint32) {
	e.lblk += n
	e.len -= n
	e.pblk = allocator.Pack48(e.pblk.Block() + allocator.Block(n))
}

func (e *esExtent) end() uint32 { return e.lblk + e.len - 1 }

// covers reports whether block lblk lies in the range.
func (e *esExtent) covers(lblk uint32) bool {
	return lblk >= e.lblk && lblk-e.lblk < e.len
}
func (e *esExtent) mapped() bool      { return e.status&(esWritten|esUnwritten) != 0 }
func (e *esExtent) delayedOnly() bool { return e.status&esDelayed != 0 && e.status&esUnwritten == 0 }

// esTree is the extent status tree of one inode (fs/ext4/extents_status.c): an
// in-memory cache of mappings and holes, and the only record of delayed blocks.
// The ranges are sorted and do not overlap.
//
// Deviates from the kernel: a sorted slice instead of a red-black tree, and no
// shrinker (memory pressure is not modelled).
type esTree struct {
	ext             []esExtent
	stats           *esShared // of the file system
	pendingClusters *[]uint32 // pending reservations of a bigalloc file: logical clusters, sorted; nil for none yet
	reclaimable     int32     // ranges that are not delayed (i_es_shk_nr)
}

// esShared is what all status trees of a file system have in common.
type esShared struct {
	filesystem.StatusTree      // their counters
	replacesSame          bool // Quirks.CacheReplacesSame
}

// search returns the index of the first range that ends at lblk or after it
// (__es_tree_search).
func (t *esTree) search(lblk uint32) int {
	// Files mostly grow at their end, so the last range is tried first.
	n := len(t.ext)
	if n > 0 && t.ext[n-1].lblk <= lblk {
		if t.ext[n-1].end() < lblk {
			return n
		}
		return n - 1
	}
	// A walk over few ranges is faster than a binary search, which calls a function.
	if n <= 4 {
		for i := range t.ext {
			if t.ext[i].end() >= lblk {
				return i
			}
		}
		return n
	}
	return sort.Search(n, func(i int) bool { return t.ext[i].end() >= lblk })
}

// lookup finds the range that covers lblk (ext4_es_lookup_extent).
func (t *esTree) lookup(lblk uint32) (esExtent, bool) {
	if i := t.search(lblk); i < len(t.ext) && t.ext[i].covers(lblk) {
		return t.ext[i], true
	}
	return esExtent{}, false
}

// mergeable reports whether range b continues a with the same status, in the file and, if
// it is mapped, on disk (ext4_es_can_be_merged).
func (t *esTree) mergeable(a, b *esExtent) bool {
	if a.status != b.status || uint64(a.len)+uint64(b.len) > maxBlocks || uint64(a.lblk)+uint64(a.len) != uint64(b.lblk) {
		return false
	}
	switch {
	case a.mapped():
		return a.pblk.Block()+allocator.Block(a.len) == b.pblk.Block()
	default:
		return true // holes, and ranges that are only delayed
	}
}

// add inserts e, which must not overlap any range, and merges it with its neighbours
// (__es_insert_extent).
func (t *esTree) add(e esExtent) { t.addAt(t.search(e.lblk), e) }

// addAt is add for a caller that knows i, the index of the first range behind e.
func (t *esTree) addAt(i int, e esExtent) {
	// e continues the range before it, which then may reach the one behind.
	if i > 0 && t.mergeable(&t.ext[i-1], &e) {
		t.ext[i-1].len += e.len
		if i < len(t.ext) && t.mergeable(&t.ext[i-1], &t.ext[i]) {
			t.ext[i-1].len += t.ext[i].len
			t.count(e.status, -1)
			t.ext = append(t.ext[:i], t.ext[i+1:]...)
		}
		return
	}
	// e continues into the range behind it.
	if i < len(t.ext) && t.mergeable(&e, &t.ext[i]) {
		n := &t.ext[i]
		n.lblk, n.len, n.pblk = e.lblk, n.len+e.len, e.pblk
		return
	}
	t.insert(i, e)
	t.count(e.status, 1)
}

// insert puts e before the range with index i.
func (t *esTree) insert(i int, e esExtent) {
	t.ext = append(t.ext, esExtent{})
	copy(t.ext[i+1:], t.ext[i:])
	t.ext[i] = e
}

// remove forgets the blocks [lblk, end], both inclusive, and tells gone about every part of
// a range that goes (__es_remove_extent). gone may be nil.
func (t *esTree) remove(lblk, end uint32, gone *reservedCount) {
	i := t.search(lblk)
	if i == len(t.ext) || t.ext[i].lblk > end {
		return
	}
	// The first range begins before lblk: its front stays.
	e := t.ext[i]
	if e.lblk < lblk {
		keep := lblk - e.lblk
		if e.end() > end {
			// It also ends behind end: it is cut in two, and what lies between is all that
			// goes.
			tail := e
			tail.lblk, tail.len = end+1, e.end()-end
			tail.pblk = allocator.Pack48(e.pblk.Block() + allocator.Block(e.len-tail.len))
			t.ext[i].len = keep
			t.insert(i+1, tail)
			t.count(tail.status, 1)
			if gone != nil {
				gone.add(e, lblk, end-lblk+1)
			}
			return
		}
		t.ext[i].len = keep
		if gone != nil {
			gone.add(e, lblk, e.len-keep)
		}
		i++
	}
	// The ranges that lie inside go as a whole.
	j := i
	for ; j < len(t.ext) && t.ext[j].end() <= end; j++ {
		if gone != nil {
			gone.add(t.ext[j], t.ext[j].lblk, t.ext[j].len)
		}
		t.count(t.ext[j].status, -1)
	}
	// The last range reaches beyond end: its front goes.
	if j < len(t.ext) && t.ext[j].lblk <= end {
		x := &t.ext[j]
		cut := end + 1 - x.lblk
		if gone != nil {
			gone.add(*x, x.lblk, cut)
		}
		x.cutFront(cut)
	}
	t.ext = append(t.ext[:i], t.ext[j:]...)
}

// set gives the blocks [lblk, lblk+n) the status s, whatever they had before
// (ext4_es_insert_extent, without the revision of pending reservations).
func (t *esTree) set(lblk, n uint32, pblk allocator.Block, s esStatus) {
	if n == 0 {
		return
	}
	e := newES(lblk, n, pblk, s)
	i := t.search(lblk)
	// Where ranges overlap [lblk, lblk+n) they give way. Two cases are frequent and need no
	// removal: a write to the front of a hole, and the writeback of exactly one range.
	if i < len(t.ext) && t.ext[i].lblk <= lblk+n-1 {
		x := &t.ext[i]
		switch {
		case x.lblk == lblk && x.len > n:
			x.cutFront(n)
		case x.lblk == lblk && x.len == n && !t.joins(i, &e):
			t.count(x.status, -1)
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
func (t *esTree) joins(i int, e *esExtent) bool {
	return i > 0 && t.mergeable(&t.ext[i-1], e) || i+1 < len(t.ext) && t.mergeable(e, &t.ext[i+1])
}

// delayedBlocks counts the blocks in [lblk, end] that are only delayed.
func (t *esTree) delayedBlocks(lblk, end uint32) uint32 {
	var n uint32
	for i := t.search(lblk); i < len(t.ext) && t.ext[i].lblk <= end; i++ {
		if e := &t.ext[i]; e.delayedOnly() {
			n += min(e.end(), end) - max(e.lblk, lblk) + 1
		}
	}
	return n
}

// cache records what the extent tree says about a range, but only if nothing is known of
// any of its blocks: what the status tree knows is newer (ext4_es_cache_extent). Some kernels
// let what is known of the same kind give way.
func (t *esTree) cache(lblk, n uint32, pblk allocator.Block, s esStatus) {
	if n == 0 {
		return
	}
	if i := t.search(lblk); i < len(t.ext) && t.ext[i].lblk <= lblk+n-1 && !t.makeWay(i, lblk, lblk+n-1, s) {
		return
	}
	t.add(newES(lblk, n, pblk, s))
}

// makeWay removes what is known of [lblk, end] for cache, and says whether all of that was of
// status s. The first known range has index i.
func (t *esTree) makeWay(i int, lblk, end uint32, s esStatus) bool {
	// A range that covers all of it says no less.
	if t.stats == nil || !t.stats.replacesSame || t.ext[i].lblk <= lblk && t.ext[i].end() >= end {
		return false
	}
	// Ranges go from the left up to the first one of another kind, also where that then stays.
	j := i
	for j < len(t.ext) && t.ext[j].lblk <= end && t.ext[j].status&s != 0 {
		j++
	}
	all := j == len(t.ext) || t.ext[j].lblk > end
	if j > i {
		t.remove(lblk, min(t.ext[j-1].end(), end), nil)
	}
	return all
}

// findRange returns the first range with a block in [lblk, end] that match accepts
// (ext4_es_find_extent_range).
func (t *esTree) findRange(lblk, end uint32, match func(*esExtent) bool) (esExtent, bool) {
	for i := t.search(lblk); i < len(t.ext) && t.ext[i].lblk <= end; i++ {
		if match(&t.ext[i]) {
			return t.ext[i], true
		}
	}
	return esExtent{}, false
}

func isDelayed(e *esExtent) bool     { return e.status&esDelayed != 0 }
func isDelayedOnly(e *esExtent) bool { return e.delayedOnly() }
func isMapped(e *esExtent) bool      { return e.mapped() }

// scanRange reports whether match accepts a range with a block in [lblk, end]
// (ext4_es_scan_range).
func (t *esTree) scanRange(lblk, end uint32, match func(*esExtent) bool) bool {
	_, ok := t.findRange(lblk, end, match)
	return ok
}
