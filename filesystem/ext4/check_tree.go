package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem/ext4/extents"
)

// piece is a run of a file's blocks that lie next to each other on disk, in one state.
type piece struct {
	lblk, len uint32
	unwritten bool
	pblk      allocator.Block
}

func (p *piece) next() uint32 { return p.lblk + p.len }

// treeCheck is what was found in the tree of one inode.
type treeCheck struct {
	pieces   []piece // by logical block
	meta     int64   // blocks of the tree, a cluster each
	clusters int64   // clusters of data
}

// tree checks the extent tree or the indirect blocks of an inode, and that i_blocks counts
// what they hold.
func (c *checker) tree(in *inode) *treeCheck {
	var t treeCheck
	switch {
	case in.Extents:
		if in.ind != nil {
			c.Errorf("an extent tree and indirect blocks")
		}
		c.root(in, &t)
	case in.ind != nil:
		c.array(in.ind, 0, 0, &t)
	}
	c.dataClusters(&t)
	c.attrBlock(in)
	// In blocks, whole clusters: data, metadata and attributes.
	// Where a reservation was forgotten (CutInlineForgetsDelayed) the block that it was for does
	// not count, in the kernel too.
	uncounted := c.fs.inlineData && c.fs.quirks.CutInlineForgetsDelayed
	if n := (t.clusters + t.meta) << c.fs.geo.ClusterBits; n+in.attrs != in.blocks && !(uncounted && n+in.attrs > in.blocks) {
		c.Errorf("it holds %d clusters of data and %d blocks of metadata, %d blocks of attributes, and counts %d blocks", t.clusters, t.meta, in.attrs, in.blocks)
	}
	// The size on disk lags behind, but is never larger, unless the inode is about to go.
	// An image may hold a sparse file that is larger than one can write here, as another kernel or
	// other features let it be.
	largest := int64(maxBlocks) << c.fs.geo.BlockBits
	if !in.Extents {
		largest = pointedBlocks(c.fs.geo.BlockBits) << c.fs.geo.BlockBits
	}
	if in.Size < 0 || in.Size > largest && !in.isDir() || in.disksize > in.Size && in.links > 0 {
		c.Errorf("size %d, on disk %d", in.Size, in.disksize)
	}
	return &t
}

// dataClusters claims the clusters of the pieces, so that no two files own one. A block
// lies at the same place of its cluster on disk as in the file, and a cluster of the file
// lies in one place.
func (c *checker) dataClusters(t *treeCheck) {
	bits := c.fs.geo.ClusterBits
	mask := c.fs.geo.ClusterRatio() - 1
	last, at := int64(-1), allocator.Block(0) // the cluster before, and where it lies
	for i := range t.pieces {
		p := &t.pieces[i]
		if i > 0 && t.pieces[i-1].next() > p.lblk {
			c.Errorf("blocks [%d, %d) and [%d, %d) are mapped in this order", t.pieces[i-1].lblk, t.pieces[i-1].next(), p.lblk, p.next())
		}
		if bits > 0 && p.lblk&mask != uint32(p.pblk)&mask {
			c.Errorf("block %d lies at %d: not at the same place of the cluster", p.lblk, p.pblk)
		}
		// Without bigalloc a cluster is a block.
		if bits == 0 {
			c.own(p.pblk, uint64(p.len))
			t.clusters += int64(p.len)
			continue
		}
		// With bigalloc a cluster may be shared by neighbouring pieces, and counts once.
		for k := p.lblk >> bits; k <= (p.next()-1)>>bits; k++ {
			b := (p.pblk>>bits + allocator.Block(k-p.lblk>>bits)) << bits
			if int64(k) == last {
				if b != at {
					c.Errorf("cluster %d of the file lies at blocks %d and %d", k, at, b)
				}
				continue
			}
			c.own(b, 1)
			last, at = int64(k), b
			t.clusters++
		}
	}
}

// root checks the root of an extent tree, which lies in the inode, and all below it.
func (c *checker) root(in *inode, t *treeCheck) {
	n := &in.m.root
	if n.Blk != 0 || n.Max != extents.RootEntries || n.Depth > extents.MaxDepth {
		c.Errorf("root at block %d, of depth %d, for %d entries", n.Blk, n.Depth, n.Max)
	}
	c.node(n, 0, maxBlocks, t)
}

// node checks a node and all below it. All of its blocks must lie in [from, to).
func (c *checker) node(n *extents.Node, from, to uint32, t *treeCheck) {
	if len(n.Ext) > 0 && n.Depth > 0 || len(n.Idx) > 0 && n.Depth == 0 || n.Entries() > int(n.Max) {
		c.Errorf("node at block %d of depth %d: %d extents and %d indexes, at most %d", n.Blk, n.Depth, len(n.Ext), len(n.Idx), n.Max)
		return
	}
	if n.Entries() == 0 && (n.Blk != 0 || n.Depth > 0) {
		c.Errorf("node at block %d of depth %d is empty", n.Blk, n.Depth)
	}
	// Extents follow each other: each may begin where the one before ends.
	for i := range n.Ext {
		c.extent(n, i, from, to, t)
		from = max(from, n.Ext[i].Next())
	}
	// The child of an index maps blocks from the index on, up to the next index.
	for i := range n.Idx {
		x := &n.Idx[i]
		end := to
		if i+1 < len(n.Idx) {
			end = n.Idx[i+1].Lblk
		}
		kid := x.Child
		if x.Lblk < from || x.Lblk >= end || kid.Blk == 0 || kid.Depth != n.Depth-1 || kid.Max != c.fs.nodeMax() {
			c.Errorf("node at block %d: index %d for [%d, %d) in [%d, %d), at block %d, depth %d, %d entries", n.Blk, i, x.Lblk, end, from, to, kid.Blk, kid.Depth, kid.Max)
		}
		if kid.Entries() > 0 && kid.First() != x.Lblk {
			c.Errorf("node at block %d: index %d begins at %d, its child at %d", n.Blk, i, x.Lblk, kid.First())
		}
		c.own(kid.Blk, 1)
		t.meta++
		c.node(kid, x.Lblk, end, t)
		from = end
	}
}

// extent checks extent i of leaf n, which must lie in [from, to), and adds it to the
// pieces.
func (c *checker) extent(n *extents.Node, i int, from, to uint32, t *treeCheck) {
	x := &n.Ext[i]
	limit := uint16(extents.MaxLen)
	if x.Unwritten {
		limit = extents.MaxUnwrittenLen
	}
	switch {
	case x.Len == 0 || x.Len > limit:
		c.Errorf("leaf at block %d: extent %d has %d blocks", n.Blk, i, x.Len)
		return
	case x.Lblk < from || uint64(x.Lblk)+uint64(x.Len) > uint64(to):
		c.Errorf("leaf at block %d: extent %d maps [%d, %d), outside [%d, %d)", n.Blk, i, x.Lblk, x.Next(), from, to)
	}
	t.pieces = append(t.pieces, piece{x.Lblk, uint32(x.Len), x.Unwritten, x.Pblk})
}

// array checks an array of pointers, whose first slot is for block lblk. Between its slots
// and their blocks there are so many levels of arrays below, unless it is the inode's,
// whose slots differ.
func (c *checker) array(n *indirect, below uint, lblk uint64, t *treeCheck) {
	bits := uint(c.fs.geo.BlockBits - 2)
	empty := true
	at := lblk
	for i, p := range n.pointers {
		levels := uint(0) // of arrays between this slot and its blocks
		// The inode has twelve slots for blocks, then one each for one, two and three
		// levels.
		switch {
		case n.blk == 0 && i >= directSlots:
			levels = uint(i - directSlots + 1)
		case n.blk != 0:
			levels = below
		}
		if p != 0 {
			empty = false
			c.slot(n, i, levels, at, t)
		} else if n.children != nil && n.children[i] != nil {
			c.Errorf("array at block %d: slot %d is a hole, and has a child", n.blk, i)
		}
		// A slot stands for as many blocks as the levels below it have pointers.
		at += 1 << (levels * bits)
	}
	// A block that has lost its last pointer would have been freed.
	if empty && n.blk != 0 && !n.mayBeEmpty {
		c.Errorf("array at block %d is empty", n.blk)
	}
}

// slot checks slot i of n, which is not a hole. It stands for the blocks from lblk on, over
// so many levels of arrays.
func (c *checker) slot(n *indirect, i int, levels uint, lblk uint64, t *treeCheck) {
	b := allocator.Block(n.pointers[i])
	// A pointer to data: it continues the last piece, or begins one.
	if levels == 0 {
		if k := len(t.pieces); k > 0 && uint64(t.pieces[k-1].next()) == lblk && t.pieces[k-1].pblk+allocator.Block(t.pieces[k-1].len) == b {
			t.pieces[k-1].len++
			return
		}
		t.pieces = append(t.pieces, piece{lblk: uint32(lblk), len: 1, pblk: b})
		return
	}
	// A pointer to an array: the array must be the child that memory has for it.
	kid := n.children[i]
	if kid == nil || kid.blk != b || len(kid.pointers) != 1<<(c.fs.geo.BlockBits-2) || (kid.children == nil) != (levels == 1) {
		c.Errorf("array at block %d: slot %d points to block %d and not to an array of %d levels", n.blk, i, b, levels)
		return
	}
	c.own(b, 1)
	t.meta++
	c.array(kid, levels-1, lblk, t)
}
