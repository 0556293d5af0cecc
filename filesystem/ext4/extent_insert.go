package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/extents"
)

// nodeMax is the number of entries that a node in a block of its own holds
// (ext4_ext_space_block).
func (fs *FS) nodeMax() uint16 {
	return uint16((fs.geo.BlockSize() - extents.EntrySize) / extents.EntrySize)
}

// newMetaBlock allocates a block for the extent tree, near where extent x should lie
// (ext4_ext_new_meta_block).
func (fs *FS) newMetaBlock(t *task, in *inode, p *extents.Path, x *extents.Extent, f mballoc.Flags) (allocator.Block, errno) {
	return fs.newMeta(t, in, fs.extentGoal(t, in, p, x.Lblk), f)
}

// insertExtent adds x to the tree. It merges x with a neighbour if it may, and makes room
// for it if it must (ext4_ext_insert_extent). p leads to x.lblk before the call; after it
// that must be found anew.
func (fs *FS) insertExtent(t *task, in *inode, p *extents.Path, x extents.Extent, f mapFlags) errno {
	var mf mballoc.Flags
	if f&mapDelallocReserve != 0 {
		mf |= mballoc.DelallocReserved
	}
	// The cheap way is to let a neighbouring extent grow. A split before IO must not do
	// that: it would undo the split.
	if f&mapPreIO == 0 && p.ExtendNeighbour(&x) {
		return fs.inserted(t, in, p, f)
	}
	// Otherwise x needs an entry of its own. A full leaf may have a next one with room, or
	// the tree grows by a leaf. What comes with mapMetadataNofail may use reserved blocks
	// for that.
	q := p
	if p.Leaf().Node.Full() {
		var next extents.Path
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
	q.Insert(x)
	return fs.inserted(t, in, q, f)
}

// inserted finishes an insertion: it merges around the path's extent, corrects the indexes
// above it, and records the change.
func (fs *FS) inserted(t *task, in *inode, p *extents.Path, f mapFlags) errno {
	if f&mapPreIO == 0 {
		fs.tryMerge(t, in, p, p.Leaf().Entry)
	}
	p.CorrectIndexes()
	fs.dirtyPath(t, in, p)
	return 0
}

// nextLeafWithRoom makes next the path to the leaf after p's. It reports true if x belongs
// behind all extents of p's leaf and that next leaf has room.
func (in *inode) nextLeafWithRoom(p, next *extents.Path, x *extents.Extent, opt findOpt) bool {
	ext := p.Leaf().Node.Ext
	if x.Lblk <= ext[len(ext)-1].Lblk {
		return false
	}
	b := p.NextLeaf()
	if b == maxBlocks {
		return false
	}
	in.find(next, b, opt)
	return !next.Leaf().Node.Full()
}

// newLeaf makes room for x (ext4_ext_create_new_leaf): it adds a new leaf below the deepest
// index node that has a free entry, or makes the tree deeper. p then leads to x.lblk again.
func (fs *FS) newLeaf(t *task, in *inode, p *extents.Path, x *extents.Extent, f mballoc.Flags, opt findOpt) errno {
	for {
		// at is the deepest level above the leaf with a free entry, -1 if all are full.
		at := in.fileMap().root.Depth - 1
		for at >= 0 && p.Steps[at].Node.Full() {
			at--
		}
		if at >= 0 {
			if e := fs.splitLeaf(t, in, p, x, at, f); e != 0 {
				return e
			}
			in.find(p, x.Lblk, opt)
			return 0
		}
		// All nodes up to the root are full: the tree becomes one level deeper. A former
		// root that was a leaf has room now, as a block holds more entries than the inode.
		if e := fs.growTree(t, in, f); e != 0 {
			return e
		}
		in.find(p, x.Lblk, opt)
		if !p.Leaf().Node.Full() {
			return 0
		}
	}
}

// splitLeaf adds a new leaf, and new index nodes above it up to below level at. They
// receive all entries to the right of the path (ext4_ext_split).
func (fs *FS) splitLeaf(t *task, in *inode, p *extents.Path, x *extents.Extent, at int, f mballoc.Flags) errno {
	// All blocks are allocated before the tree changes, so that want of space changes
	// nothing.
	var blocks [extents.MaxDepth]allocator.Block
	count := p.Depth - at
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
	moved := p.Split(x.Lblk, at, blocks[:count], fs.nodeMax())
	// The new nodes have changed, and those of the path that gave entries away or got one.
	for _, b := range blocks[:count] {
		fs.dirtyMeta(t, b)
	}
	for level := at; level < p.Depth; level++ {
		fs.dirtyNode(t, in, p.Steps[level].Node)
	}
	if moved {
		fs.dirtyPath(t, in, p)
	}
	return 0
}

// growTree moves the contents of the root into a new block and makes the root an index with
// one entry, that block (ext4_ext_grow_indepth).
func (fs *FS) growTree(t *task, in *inode, f mballoc.Flags) errno {
	root := &in.fileMap().root
	var goal allocator.Block
	// The new block should lie right before the block of the root's first child, which is
	// tried first (EXT4_MB_HINT_TRY_GOAL), or where the inode's blocks begin.
	if root.Depth > 0 {
		goal = root.Idx[0].Child.Blk
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
	root.Grow(b, fs.nodeMax(), fs.quirks.GrownRootIsVerified)
	fs.dirtyMeta(t, b)
	fs.dirtyInode(t, in)
	return 0
}

// dirtyPath records a change of the path's leaf in the journal
// (ext4_ext_dirty), which also makes the leaf count as checked.
func (fs *FS) dirtyPath(t *task, in *inode, p *extents.Path) { fs.dirtyNode(t, in, p.Leaf().Node) }

// dirtyNode records a change of node n in the running transaction. The node so counts as
// checked: the next read does not cache its extents.
func (fs *FS) dirtyNode(t *task, in *inode, n *extents.Node) {
	if n.Blk == 0 {
		fs.dirtyInode(t, in)
		return
	}
	n.Verified = true
	fs.dirtyMeta(t, n.Blk)
}

type errno = filesystem.Errno
