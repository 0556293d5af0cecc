package ext4

import (
	"slices"
	"sort"

	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/pagecache"
)

// pages checks what memory knows about an inode: the status tree against the tree on disk,
// the dirty blocks against both, and the clusters that are reserved for them.
func (c *checker) pages(in *inode, t *treeCheck) {
	c.statusTree(in, t)
	c.inlineData(in)
	c.dirtyBlocks(in, t)
	c.reservations(in, t)
}

// statusTree checks that the ranges of the status tree are sorted, and that they agree with
// the tree on disk: mapped ranges lie where and as the tree says; where ranges are delayed
// or holes, the tree maps nothing.
func (c *checker) statusTree(in *inode, t *treeCheck) {
	next := uint64(0)
	for i := range in.m.es.Ranges() {
		e := &in.m.es.Ranges()[i]
		if e.Len == 0 || uint64(e.Lblk) < next || uint64(e.Lblk)+uint64(e.Len) > maxBlocks {
			c.Errorf("range %d of the status tree is [%d, %d+%d), the one before ends at %d", i, e.Lblk, e.Lblk, e.Len, next)
			return
		}
		next = uint64(e.Lblk) + uint64(e.Len)
		// Only these combinations of the status bits can occur.
		switch e.Status {
		case es.Written, es.Unwritten, es.Unwritten | es.Delayed:
			c.mapped(t, e)
		case es.Delayed, es.Hole:
			if p := t.overlap(e.Lblk, e.Last()); p != nil {
				c.Errorf("the status tree has [%d, %d] as %v, the tree maps [%d, %d)", e.Lblk, e.Last(), e.Status, p.lblk, p.next())
			}
		default:
			c.Errorf("the status tree has [%d, %d] as %v", e.Lblk, e.Last(), e.Status)
		}
	}
}

// from is the first piece that does not end before block b.
func (t *treeCheck) from(b uint32) int {
	return sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].next() > b })
}

// overlap is the first piece with a block in [first, last], nil if there is none.
func (t *treeCheck) overlap(first, last uint32) *piece {
	i := t.from(first)
	if i < len(t.pieces) && t.pieces[i].lblk <= last {
		return &t.pieces[i]
	}
	return nil
}

// mapped checks a range that the status tree has as mapped: pieces of the tree must cover
// it without a gap, at the same distance between logical and physical blocks, and in the
// same state.
func (c *checker) mapped(t *treeCheck, e *es.Range) {
	at := e.Lblk
	for i := t.from(at); i < len(t.pieces) && at <= e.Last(); i++ {
		p := &t.pieces[i]
		if p.lblk > at || int64(p.pblk)-int64(p.lblk) != int64(e.Pblk())-int64(e.Lblk) || !c.sameState(p, e) {
			break
		}
		at = p.next()
	}
	if at <= e.Last() {
		c.Errorf("the status tree has [%d, %d] at block %d as %v; the tree differs from block %d on", e.Lblk, e.Last(), e.Pblk(), e.Status, at)
	}
}

// sameState says whether p and e are both written or both unwritten. One difference is the
// kernel's too: a split that finds no block for the tree makes a whole extent written, with
// zeroes on disk, and tells the status tree only about a part of it (ext4_split_extent_at;
// mended in 6.19).
func (c *checker) sameState(p *piece, e *es.Range) bool {
	unwritten := e.Status&es.Unwritten != 0
	return p.unwritten == unwritten || unwritten && c.fs.alloc.Total().NoSpace > 0
}

// dirtyBlocks checks the runs of dirty blocks: they are sorted, lie in the file, and are in
// the state that the status tree and the tree on disk give; and every delayed block is
// dirty.
func (c *checker) dirtyBlocks(in *inode, t *treeCheck) {
	next := uint32(0)
	for i := range in.m.cache.Runs() {
		r := &in.m.cache.Runs()[i]
		if r.Len == 0 || r.Lblk < next || r.Next() > c.fs.blocksFor(in.Size) && !in.pagesDiffer {
			c.Errorf("dirty blocks [%d, %d) behind %d, in a file of %d bytes", r.Lblk, r.Next(), next, in.Size)
		}
		next = r.Next()
		// One wrong block of a run is enough to report.
		for b := r.Lblk; b < r.Next(); b++ {
			if !c.dirtyBlock(in, t, b, r.State) {
				break
			}
		}
	}
	// The reverse: what is delayed has a dirty page, since only writeback can give it a
	// place.
	for i := range in.m.es.Ranges() {
		e := &in.m.es.Ranges()[i]
		if !e.IsDelayedOnly() {
			continue
		}
		for b := e.Lblk; b <= e.Last(); b++ {
			// Zeroing a range drops its dirty pages before it finds that there
			// is no space for unwritten blocks, in the kernel too.
			if !in.pagesDiffer && in.m.cache.State(b) != pagecache.Delayed && c.fs.alloc.Total().NoSpace == 0 {
				c.Errorf("block %d is delayed, its buffer is %v", b, in.m.cache.State(b))
				break
			}
		}
	}
	// The flusher finds dirty files by the list only.
	if len(in.m.cache.Runs()) > 0 && !in.onDirtyList() {
		c.Errorf("dirty blocks, but not on the list of dirty inodes")
	}
}

// dirtyBlock checks dirty block b, whose buffer is in state s.
func (c *checker) dirtyBlock(in *inode, t *treeCheck, b uint32, s pagecache.State) bool {
	p := t.overlap(b, b)
	ok := false
	switch s {
	case pagecache.Delayed:
		// Blocks that fallocate gave it meanwhile may be written with zeroes. In some kernels
		// the status tree does not call them delayed any more.
		x, known := in.m.es.Peek(b)
		ok = known && x.Status&es.Delayed != 0 || in.pagesDiffer || p != nil && (!p.unwritten || c.fs.quirks.StatusTreeSettles)
	case pagecache.Mapped:
		// Zeroing a range may zero the old end of the file before it makes the block unwritten.
		ok = p != nil && (!p.unwritten || c.fs.quirks.OldEndZeroedFirst)
	case pagecache.Unwritten:
		// Converting a part of an extent may write zeroes to the rest of it.
		ok = p != nil
	}
	if !ok {
		x, known := in.m.es.Peek(b)
		c.Errorf("the buffer of dirty block %d is %v; the tree has %+v, the status tree %+v, %t", b, s, p, x, known)
	}
	return ok
}

// reservations counts the clusters that delayed blocks need: those of which the file has no
// block mapped. A cluster with mapped and delayed blocks has a pending reservation instead.
func (c *checker) reservations(in *inode, t *treeCheck) {
	bits := c.fs.geo.ClusterBits
	var want uint32
	var pending []uint32
	// last is the cluster counted before, which two delayed ranges may share.
	last := int64(-1)
	for i := range in.m.es.Ranges() {
		e := &in.m.es.Ranges()[i]
		if !e.IsDelayedOnly() {
			continue
		}
		for k := e.Lblk >> bits; k <= e.Last()>>bits; k++ {
			if int64(k) == last {
				continue
			}
			last = int64(k)
			if t.overlap(k<<bits, k<<bits|(c.fs.geo.ClusterRatio()-1)) == nil {
				want++
			} else {
				pending = append(pending, k)
			}
		}
	}
	// The counts must be those that the inode and its status tree keep.
	if want != in.reserved && !(c.fs.leaksReservations() && want < in.reserved) {
		c.Errorf("%d clusters are delayed, %d reserved", want, in.reserved)
	}
	if !slices.Equal(pending, in.m.es.Pending()) {
		c.Errorf("clusters with mapped and delayed blocks: %d, pending reservations: %d", pending, in.m.es.Pending())
	}
}

// leaksReservations says whether a reservation may be lost. If fallocate moves delayed data
// out of an inode into an indirect block map, nothing takes back what was reserved for it,
// in 5.10 too (it logs "i_reserved_data_blocks (1) not cleared!").
func (fs *FS) leaksReservations() bool { return fs.inlineData && !fs.extents }
