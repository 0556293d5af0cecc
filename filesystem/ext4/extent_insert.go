package ext4

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
)

// nodeMax is the number of entries that a node in a block of its own holds
// (ext4_ext_space_block).
func (fs *FS) nodeMax() uint16 { return uint16((fs.geo.BlockSize() - extentSize) / extentSize) }

// newMetaBlock allocates a block for the extent tree, near where extent x should lie
// (ext4_ext_new_meta_block).
func (fs *FS) newMetaBlock(t *task, in *inode, p *path, x *extent, f mballoc.Flags) (allocator.Block, errno) {
	return fs.newMeta(t, in, fs.extentGoal(t, in, p, x.lblk), f)
}

// insertExtent adds x to the tree. It merges x with a neighbour if it may, and makes room
// for it if it must (ext4_ext_insert_extent). p leads to x.lblk before the call; after it
// that must be found anew.
func (fs *FS) insertExtent(t *task, in *inode, p *path, x extent, f mapFlags) errno {
	var mf mballoc.Flags
	if f&mapDelallocReserve != 0 {
		mf |= mballoc.DelallocReserved
	}
	// The cheap way is to let a neighbouring extent grow. A split before IO must not do
	// that: it would undo the split.
	if f&mapPreIO == 0 && in.extendNeighbour(p, &x) {
		return fs.inserted(t, in, p, f)
	}
	// Otherwise x needs an entry of its own. A full leaf may have a next one with room, or
	// the tree grows by a leaf. What comes with mapMetadataNofail may use reserved blocks
	// for that.
	q := p
	if p.leaf().node.full() {
		var next path
		if in.nextLeafWithRoom(p, &next, &x, f.searchOpt()) {
			q = &next
		} else {
			if f&mapMetadataNofail != 0 {
				mf |= mballoc.UseReserved
			}
			if e := fs.newLeaf(t, in, p, &x, mf, f.searchOpt()); e != 0 {
				return e
			}
		}
	}
	// x goes behind the entry that the path has taken, or before it if it begins earlier.
	l := q.leaf()
	if l.entry < 0 {
		l.entry = 0
	} else if x.lblk > l.node.ext[l.entry].lblk {
		l.entry++
	}
	l.node.ext = slices.Insert(l.node.ext, l.entry, x)
	return fs.inserted(t, in, q, f)
}

// inserted finishes an insertion: it merges around the path's extent, corrects the indexes
// above it, and records the change.
func (fs *FS) inserted(t *task, in *inode, p *path, f mapFlags) errno {
	if f&mapPreIO == 0 {
		fs.tryMerge(t, in, p, p.leaf().entry)
	}
	p.correctIndexes()
	fs.dirtyPath(t, in, p)
	return 0
}

// extendNeighbour lets the extent at the end of the path grow by x, behind or in front, or
// the extent next to it on the side where x lies. It reports false if none can.
func (in *inode) extendNeighbour(p *path, x *extent) bool {
	l := p.leaf()
	if l.entry < 0 {
		return false
	}
	ext := l.node.ext
	// x touches the path's extent, or lies between it and its neighbour. In the latter case
	// the neighbour is the candidate; to a right neighbour x can only be prepended.
	i, mayAppend := l.entry, true
	switch {
	case i+1 < len(ext) && ext[i].next() < x.lblk:
		i, mayAppend = i+1, false
	case i > 0 && x.next() < ext[i].lblk:
		i--
	}
	// Prepending moves the extent's start as well.
	e := &ext[i]
	switch {
	case mayAppend && mergeable(e, x): // only the length changes
	case mergeable(x, e):
		e.lblk, e.pblk = x.lblk, x.pblk
	default:
		return false
	}
	e.len += x.len
	// The kernel merges around the extent it grew, while the path keeps the
	// entry it had; only the grown one can have become mergeable.
	l.entry = i
	return true
}

// nextLeafWithRoom makes next the path to the leaf after p's. It reports true if x belongs
// behind all extents of p's leaf and that next leaf has room.
func (in *inode) nextLeafWithRoom(p, next *path, x *extent, opt findOpt) bool {
	ext := p.leaf().node.ext
	if x.lblk <= ext[len(ext)-1].lblk {
		return false
	}
	b := p.nextLeaf()
	if b == maxBlocks {
		return false
	}
	in.find(next, b, opt)
	return !next.leaf().node.full()
}

// newLeaf makes room for x (ext4_ext_create_new_leaf): it adds a new leaf below the deepest
// index node that has a free entry, or makes the tree deeper. p then leads to x.lblk again.
func (fs *FS) newLeaf(t *task, in *inode, p *path, x *extent, f mballoc.Flags, opt findOpt) errno {
	for {
		// at is the deepest level above the leaf with a free entry, -1 if all are full.
		at := in.fileMap().root.depth - 1
		for at >= 0 && p.steps[at].node.full() {
			at--
		}
		if at >= 0 {
			if e := fs.splitLeaf(t, in, p, x, at, f); e != 0 {
				return e
			}
			in.find(p, x.lblk, opt)
			return 0
		}
		// All nodes up to the root are full: the tree becomes one level deeper. A former
		// root that was a leaf has room now, as a block holds more entries than the inode.
		if e := fs.growTree(t, in, f); e != 0 {
			return e
		}
		in.find(p, x.lblk, opt)
		if !p.leaf().node.full() {
			return 0
		}
	}
}

// splitLeaf adds a new leaf, and new index nodes above it up to below level at. They
// receive all entries to the right of the path (ext4_ext_split).
func (fs *FS) splitLeaf(t *task, in *inode, p *path, x *extent, at int, f mballoc.Flags) errno {
	depth := in.fileMap().root.depth
	leaf := p.leaf()
	// border is the first block of the new leaf: the extent behind the path's, or x itself
	// if the leaf is only appended to.
	border := x.lblk
	if leaf.entry+1 < int(leaf.node.max) {
		border = leaf.node.ext[leaf.entry+1].lblk
	}
	// All blocks are allocated before the tree changes, so that want of space changes
	// nothing.
	var blocks [maxDepth]allocator.Block
	count := depth - at
	for i := range count {
		b, e := fs.newMetaBlock(t, in, p, x, f)
		if e != 0 {
			for _, b := range blocks[:i] {
				fs.freeBlocks(t, in, b, 1, freeMetadata)
			}
			return e
		}
		blocks[i] = b
	}
	// The last block becomes the leaf, with the extents right of the path.
	count--
	n := &node{blk: blocks[count], max: fs.nodeMax()}
	n.ext = append(n.ext, leaf.node.ext[leaf.entry+1:]...)
	leaf.node.ext = leaf.node.ext[:leaf.entry+1]
	fs.dirtyMeta(t, n.blk)
	if len(n.ext) > 0 {
		fs.dirtyNode(t, in, leaf.node)
	}
	// From the bottom up each full index node gets a new right half, whose first entry is
	// the node just made.
	for level := depth - 1; level > at; level-- {
		count--
		s := &p.steps[level]
		up := &node{blk: blocks[count], depth: depth - level, max: fs.nodeMax()}
		up.idx = append(up.idx, index{border, n})
		up.idx = append(up.idx, s.node.idx[s.entry+1:]...)
		s.node.idx = s.node.idx[:s.entry+1]
		fs.dirtyMeta(t, up.blk)
		fs.dirtyNode(t, in, s.node)
		n = up
	}
	// The node with room gets one entry for all of this.
	s := &p.steps[at]
	i := s.entry
	if border > s.node.idx[i].lblk {
		i++
	}
	s.node.idx = slices.Insert(s.node.idx, i, index{border, n})
	fs.dirtyNode(t, in, s.node)
	return 0
}

// growTree moves the contents of the root into a new block and makes the root an index with
// one entry, that block (ext4_ext_grow_indepth).
func (fs *FS) growTree(t *task, in *inode, f mballoc.Flags) errno {
	root := &in.fileMap().root
	var goal allocator.Block
	// The new block should lie right before the block of the root's first child, which is
	// tried first (EXT4_MB_HINT_TRY_GOAL), or where the inode's blocks begin.
	if root.depth > 0 {
		goal = root.idx[0].child.blk
	}
	if goal > fs.geo.FirstDataBlock {
		f |= mballoc.HintTryGoal
		goal--
	} else {
		goal = fs.inodeGoal(t, in)
	}
	b, e := fs.newMeta(t, in, goal, f)
	if e != 0 {
		return e
	}
	// The block gets the root's entries, the root one index, which starts at the first of
	// them.
	n := &node{blk: b, depth: root.depth, max: fs.nodeMax(), verified: fs.quirks.GrownRootIsVerified}
	first := uint32(0)
	if n.depth == 0 {
		n.ext = slices.Clone(root.ext)
		first = n.ext[0].lblk
	} else {
		n.idx = slices.Clone(root.idx)
		first = n.idx[0].lblk
	}
	*root = node{depth: n.depth + 1, max: rootEntries, verified: true, idx: append(root.idx[:0], index{first, n})}
	fs.dirtyMeta(t, b)
	fs.dirtyInode(t, in)
	return 0
}

// correctIndexes lets the indexes above the path start where its leaf starts, which a new
// first extent changes (ext4_ext_correct_indexes).
func (p *path) correctIndexes() {
	l := p.leaf()
	if p.depth == 0 || l.entry != 0 || len(l.node.ext) == 0 {
		return
	}
	border := l.node.ext[0].lblk
	// A level above changes only if the entry below is the first of its node.
	for k := p.depth - 1; k >= 0; k-- {
		p.steps[k].node.idx[p.steps[k].entry].lblk = border
		if p.steps[k].entry != 0 {
			break
		}
	}
}

// dirtyPath records a change of the path's leaf in the journal
// (ext4_ext_dirty), which also makes the leaf count as checked.
func (fs *FS) dirtyPath(t *task, in *inode, p *path) { fs.dirtyNode(t, in, p.leaf().node) }

// dirtyNode records a change of node n in the running transaction. The node so counts as
// checked: the next read does not cache its extents.
func (fs *FS) dirtyNode(t *task, in *inode, n *node) {
	if n.blk == 0 {
		fs.dirtyInode(t, in)
		return
	}
	n.verified = true
	fs.dirtyMeta(t, n.blk)
}

type errno = filesystem.Errno
