package ext4

import "mbsim/allocator"

// piece is a run of a file's blocks that lie in a row, in one state.
type piece struct {
	lblk, len uint32
	unwritten bool
	pblk      allocator.Block
}

func (p *piece) next() uint32 { return p.lblk + p.len }

// treeCheck is what was found of one inode's tree.
type treeCheck struct {
	pieces   []piece // by logical block
	meta     int64   // blocks of the tree, a cluster each
	clusters int64   // clusters of data
}

// tree checks the extent tree or the indirect blocks of an inode, and that
// i_blocks counts what they hold.
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
	if n := (t.clusters + t.meta) << c.fs.geo.ClusterBits; n+in.attrs != in.blocks {
		c.Errorf("it holds %d clusters of data and %d blocks of metadata, %d blocks of attributes, and counts %d blocks", t.clusters, t.meta, in.attrs, in.blocks)
	}
	if in.Size < 0 || in.Size > c.fs.maxSize(in) && !in.isDir() || in.disksize > in.Size && in.links > 0 {
		c.Errorf("size %d, on disk %d", in.Size, in.disksize)
	}
	return &t
}

// dataClusters claims the clusters of the pieces. Blocks lie in their clusters
// where they do in the file's, and one of the file's clusters lies in one place.
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
		if bits == 0 {
			c.own(p.pblk, uint64(p.len))
			t.clusters += int64(p.len)
			continue
		}
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

// root checks the part of an extent tree that lies in the inode.
func (c *checker) root(in *inode, t *treeCheck) {
	n := &in.m.root
	if n.blk != 0 || n.max != rootEntries || n.depth > maxDepth {
		c.Errorf("root at block %d, of depth %d, for %d entries", n.blk, n.depth, n.max)
	}
	c.node(n, 0, maxBlocks, t)
}

// node checks a node, all of whose blocks lie in [from, to).
func (c *checker) node(n *node, from, to uint32, t *treeCheck) {
	if len(n.ext) > 0 && n.depth > 0 || len(n.idx) > 0 && n.depth == 0 || n.entries() > int(n.max) {
		c.Errorf("node at block %d of depth %d: %d extents and %d indexes, at most %d", n.blk, n.depth, len(n.ext), len(n.idx), n.max)
		return
	}
	if n.entries() == 0 && (n.blk != 0 || n.depth > 0) {
		c.Errorf("node at block %d of depth %d is empty", n.blk, n.depth)
	}
	for i := range n.ext {
		c.extent(n, i, from, to, t)
		from = max(from, n.ext[i].next())
	}
	for i := range n.idx {
		x := &n.idx[i]
		end := to
		if i+1 < len(n.idx) {
			end = n.idx[i+1].lblk
		}
		kid := x.child
		if x.lblk < from || x.lblk >= end || kid.blk == 0 || kid.depth != n.depth-1 || kid.max != c.fs.nodeMax() {
			c.Errorf("node at block %d: index %d for [%d, %d) in [%d, %d), at block %d, depth %d, %d entries", n.blk, i, x.lblk, end, from, to, kid.blk, kid.depth, kid.max)
		}
		if kid.entries() > 0 && kid.first() != x.lblk {
			c.Errorf("node at block %d: index %d begins at %d, its child at %d", n.blk, i, x.lblk, kid.first())
		}
		c.own(kid.blk, 1)
		t.meta++
		c.node(kid, x.lblk, end, t)
		from = end
	}
}

// extent checks extent i of a leaf.
func (c *checker) extent(n *node, i int, from, to uint32, t *treeCheck) {
	x := &n.ext[i]
	limit := uint16(maxExtentLen)
	if x.unwritten {
		limit = maxUnwrittenLen
	}
	switch {
	case x.len == 0 || x.len > limit:
		c.Errorf("leaf at block %d: extent %d has %d blocks", n.blk, i, x.len)
		return
	case x.lblk < from || uint64(x.lblk)+uint64(x.len) > uint64(to):
		c.Errorf("leaf at block %d: extent %d maps [%d, %d), outside [%d, %d)", n.blk, i, x.lblk, x.next(), from, to)
	}
	t.pieces = append(t.pieces, piece{x.lblk, uint32(x.len), x.unwritten, x.pblk})
}

// array checks an array of pointers. Its first slot is for block lblk; below are
// levels of arrays between its slots and their blocks, unless it is the inode's.
func (c *checker) array(n *indirect, below uint, lblk uint64, t *treeCheck) {
	bits := uint(c.fs.geo.BlockBits - 2)
	empty := true
	at := lblk
	for i, p := range n.ptr {
		levels := uint(0) // of arrays between this slot and its blocks
		switch {
		case n.blk == 0 && i >= directSlots:
			levels = uint(i - directSlots + 1)
		case n.blk != 0:
			levels = below
		}
		if p != 0 {
			empty = false
			c.slot(n, i, levels, at, t)
		} else if n.kid != nil && n.kid[i] != nil {
			c.Errorf("array at block %d: slot %d is a hole, and has a child", n.blk, i)
		}
		at += 1 << (levels * bits)
	}
	if empty && n.blk != 0 && !n.bare {
		c.Errorf("array at block %d is empty", n.blk)
	}
}

// slot checks slot i of n, which is not a hole.
func (c *checker) slot(n *indirect, i int, levels uint, lblk uint64, t *treeCheck) {
	b := allocator.Block(n.ptr[i])
	if levels == 0 {
		if k := len(t.pieces); k > 0 && uint64(t.pieces[k-1].next()) == lblk && t.pieces[k-1].pblk+allocator.Block(t.pieces[k-1].len) == b {
			t.pieces[k-1].len++
			return
		}
		t.pieces = append(t.pieces, piece{lblk: uint32(lblk), len: 1, pblk: b})
		return
	}
	kid := n.kid[i]
	if kid == nil || kid.blk != b || len(kid.ptr) != 1<<(c.fs.geo.BlockBits-2) || (kid.kid == nil) != (levels == 1) {
		c.Errorf("array at block %d: slot %d points to block %d and not to an array of %d levels", n.blk, i, b, levels)
		return
	}
	c.own(b, 1)
	t.meta++
	c.array(kid, levels-1, lblk, t)
}
