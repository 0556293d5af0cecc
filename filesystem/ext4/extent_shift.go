package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/extents"
)

// collapseRange cuts [off, off+n) out of a file: what lies behind it moves up
// (ext4_collapse_range).
func (fs *FS) collapseRange(t *task, in *inode, off, n int64) errno {
	if e := fs.mayShift(in, off, n); e != 0 {
		return e
	}
	if off+n >= in.Size {
		return filesystem.EINVAL
	}
	fs.beforeShift(t, in)
	// What lies before the range in its first page is written, and what lies behind the range.
	// Then all pages from there on go, as their places in the file change.
	page := off &^ (fs.pageSize - 1)
	if e := fs.flushFile(t, in, page, off-page+1); e != 0 {
		return e
	}
	if e := fs.flushFile(t, in, off+n, maxBytes-off-n); e != 0 {
		return e
	}
	fs.dropPages(in, page)
	fs.journal.Start()
	// The blocks of the range are freed. What is known of those behind it is not true any more.
	first, stop := uint32(off>>fs.geo.BlockBits), uint32((off+n)>>fs.geo.BlockBits)
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.forget(t, in, first, maxBlocks-first)
	if e := fs.removeSpace(t, in, first, stop-1); e != 0 {
		return e
	}
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	// The extents behind it move up.
	if e := fs.shiftLeft(t, in, stop, stop-first); e != 0 {
		return e
	}
	in.Size -= n
	in.disksize = in.Size
	fs.dirtyInode(t, in)
	return 0
}

// insertRange makes a hole of n bytes at off: what lies there moves down (ext4_insert_range).
func (fs *FS) insertRange(t *task, in *inode, off, n int64) errno {
	if e := fs.mayShift(in, off, n); e != 0 {
		return e
	}
	long, behind := n > fs.maxSize(in)-in.Size, off >= in.Size
	switch {
	case long && behind && fs.quirks.FallocateTouchesFirst, behind && !long:
		return filesystem.EINVAL
	case long:
		return filesystem.EFBIG
	}
	fs.beforeShift(t, in)
	// All pages from the place on are written and go.
	page := off &^ (fs.pageSize - 1)
	if e := fs.flushFile(t, in, page, maxBytes-page); e != 0 {
		return e
	}
	fs.dropPages(in, page)
	fs.journal.Start()
	// The size grows first, and stays so where the rest fails.
	in.Size += n
	in.disksize += n
	fs.dirtyInode(t, in)
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	// An extent that the place lies in is split there. Of it, and of what lies behind, only
	// what begins at the place or behind it moves.
	lblk := uint32(off >> fs.geo.BlockBits)
	start := lblk
	var p extents.Path
	in.find(&p, lblk, cacheRead)
	if x := p.Ex(); x != nil {
		start = max(start, x.Lblk)
		if lblk > x.Lblk && lblk < x.Next() {
			if e := fs.forceSplit(t, in, &p, lblk); e != 0 {
				return e
			}
		}
	}
	fs.forget(t, in, lblk, maxBlocks-lblk)
	return fs.shiftRight(t, in, start, uint32(n>>fs.geo.BlockBits))
}

// maxBytes stands for the end of the largest file (LLONG_MAX).
const maxBytes = 1<<63 - 1

// mayShift says whether a range of this file can be cut out or put in: whole clusters of a
// file with extents.
func (fs *FS) mayShift(in *inode, off, n int64) errno {
	if !in.Extents {
		return filesystem.EOPNOTSUPP
	}
	if (off|n)&(int64(fs.geo.ClusterRatio())<<fs.geo.BlockBits-1) != 0 {
		return filesystem.EINVAL
	}
	return 0
}

// beforeShift is what comes first once a shift is known to be possible; in kernels that do
// so in fallocate it is done already.
func (fs *FS) beforeShift(t *task, in *inode) {
	if !fs.quirks.FallocateTouchesFirst {
		fs.awaitWriteback(t, in)
		fs.touch(t, in)
	}
}

// shiftLeft moves all extents from block start on to the front of the file by n blocks,
// which nothing maps (ext4_ext_shift_extents with SHIFT_LEFT).
func (fs *FS) shiftLeft(t *task, in *inode, start, n uint32) errno {
	var p extents.Path
	in.find(&p, maxBlocks-1, noCache)
	x := p.Ex()
	if x == nil {
		return 0
	}
	stop := x.Lblk
	// There must be room for them.
	in.find(&p, start-1, noCache)
	var first, end uint32
	if x = p.Ex(); x != nil {
		first, end = x.Lblk, x.Next()
	}
	if start == first && n > first || n > start-end {
		return filesystem.EINVAL
	}
	// Each turn moves the rest of a leaf.
	for start <= stop {
		in.find(&p, start, noCache)
		l := p.Leaf()
		if start > p.Ex().Lblk {
			if l.Entry+1 == len(l.Node.Ext) {
				start = p.NextAllocated()
				continue
			}
			l.Entry++
		}
		start = l.Node.Ext[len(l.Node.Ext)-1].Next()
		fs.shiftLeaf(t, in, &p, -n, true)
	}
	return 0
}

// shiftRight moves all extents from block start on away from the front of the file by n
// blocks (ext4_ext_shift_extents with SHIFT_RIGHT).
func (fs *FS) shiftRight(t *task, in *inode, start, n uint32) errno {
	var p extents.Path
	in.find(&p, maxBlocks-1, noCache)
	x := p.Ex()
	if x == nil {
		return 0
	}
	if n > maxBlocks-x.Next() {
		return filesystem.EINVAL
	}
	// Each turn moves a leaf, from the last one on; of the one that start lies in, a part.
	stop := x.Lblk
	for more := true; more && start <= stop; {
		in.find(&p, stop, noCache)
		l := p.Leaf()
		l.Entry = 0
		if first := l.Node.Ext[0].Lblk; first > start {
			stop = first - 1
		} else {
			for l.Entry < len(l.Node.Ext) && l.Node.Ext[l.Entry].Lblk < start {
				l.Entry++
			}
			if l.Entry == len(l.Node.Ext) {
				break
			}
			more = false
		}
		fs.shiftLeaf(t, in, &p, n, false)
	}
	return 0
}

// shiftLeaf adds by, modulo 2^32, to the logical blocks of the path's extent and of those
// behind it in its leaf. Extents that then continue each other merge; the indexes above
// follow (ext4_ext_shift_path_extents).
func (fs *FS) shiftLeaf(t *task, in *inode, p *extents.Path, by uint32, left bool) {
	l := p.Leaf()
	n := l.Node
	if left {
		for i := l.Entry; i < len(n.Ext); {
			n.Ext[i].Lblk += by
			if i == 0 || !n.MergeRight(i-1) {
				i++
			}
		}
	} else {
		for i := len(n.Ext) - 1; i >= l.Entry; i-- {
			n.Ext[i].Lblk += by
			n.MergeRight(i)
		}
	}
	fs.dirtyNode(t, in, n)
	// An index says where its child begins.
	if l.Entry != 0 {
		return
	}
	for k := p.Depth - 1; k >= 0; k-- {
		s := &p.Steps[k]
		s.Node.Idx[s.Entry].Lblk += by
		fs.dirtyNode(t, in, s.Node)
		if s.Entry != 0 {
			return
		}
	}
}
