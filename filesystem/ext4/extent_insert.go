package ext4

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
)

// nodeMax is the number of entries that a node outside the inode holds.
func (fs *FS) nodeMax() uint16 { return uint16((fs.geo.BlockSize() - extentSize) / extentSize) }

// newMetaBlock allocates a block of the extent tree near what the path found
// (ext4_ext_new_meta_block).
func (fs *FS) newMetaBlock(t *task, in *inode, p *path, x *extent, f mballoc.Flags) (allocator.Block, errno) {
	return fs.newMeta(t, in, fs.extentGoal(t, in, p, x.lblk), f)
}

// insertExtent adds x to the tree, merging it with a neighbour where it may, and
// making room for it where it must (ext4_ext_insert_extent). p leads to x.lblk
// and on return to where x went.
func (fs *FS) insertExtent(t *task, in *inode, p *path, x extent, f mapFlags) errno {
	var mf mballoc.Flags
	if f&mapDelallocReserve != 0 {
		mf |= mballoc.DelallocReserved
	}
	if f&mapPreIO == 0 && in.extendNeighbour(p, &x) {
		return fs.inserted(t, in, p, f)
	}
	q := p
	if p.leaf().n.full() {
		var next path
		if n := in.nextLeafWithRoom(p, &next, &x, findOpt(f&mapNoCache != 0)); n {
			q = &next
		} else {
			if f&mapMetadataNofail != 0 {
				mf |= mballoc.UseReserved
			}
			if e := fs.newLeaf(t, in, p, &x, mf, findOpt(f&mapNoCache != 0)); e != 0 {
				return e
			}
		}
	}
	l := q.leaf()
	if l.i < 0 {
		l.i = 0
	} else if x.lblk > l.n.ext[l.i].lblk {
		l.i++
	}
	l.n.ext = slices.Insert(l.n.ext, l.i, x)
	return fs.inserted(t, in, q, f)
}

// inserted merges around the path's extent and corrects the indexes above it.
func (fs *FS) inserted(t *task, in *inode, p *path, f mapFlags) errno {
	if f&mapPreIO == 0 {
		fs.tryMerge(t, in, p, p.leaf().i)
	}
	p.correctIndexes()
	fs.dirtyPath(t, in, p)
	return 0
}

// extendNeighbour appends x to the extent at the end of the path or prepends it,
// or does so with that extent's neighbour on the side where x lies.
func (in *inode) extendNeighbour(p *path, x *extent) bool {
	l := p.leaf()
	if l.i < 0 {
		return false
	}
	ext := l.n.ext
	i, mayAppend := l.i, true
	switch {
	case i+1 < len(ext) && ext[i].next() < x.lblk:
		i, mayAppend = i+1, false
	case i > 0 && x.next() < ext[i].lblk:
		i--
	}
	e := &ext[i]
	switch {
	case mayAppend && mergeable(e, x):
	case mergeable(x, e):
		e.lblk, e.pblk = x.lblk, x.pblk
	default:
		return false
	}
	e.len += x.len
	// The kernel merges around the extent it grew, while the path keeps the
	// entry it had; only the grown one can have become mergeable.
	l.i = i
	return true
}

// nextLeafWithRoom leads next to the leaf after p's if x belongs behind all
// extents of p's leaf and that next leaf has room.
func (in *inode) nextLeafWithRoom(p, next *path, x *extent, opt findOpt) bool {
	ext := p.leaf().n.ext
	if x.lblk <= ext[len(ext)-1].lblk {
		return false
	}
	b := p.nextLeaf()
	if b == maxBlocks {
		return false
	}
	in.find(next, b, opt)
	return !next.leaf().n.full()
}

// newLeaf makes room for x: a new leaf below the deepest index node with a free
// entry, or a deeper tree (ext4_ext_create_new_leaf).
func (fs *FS) newLeaf(t *task, in *inode, p *path, x *extent, f mballoc.Flags, opt findOpt) errno {
	for {
		at := in.fileMap().root.depth - 1
		for at >= 0 && p.s[at].n.full() {
			at--
		}
		if at >= 0 {
			if e := fs.splitLeaf(t, in, p, x, at, f); e != 0 {
				return e
			}
			in.find(p, x.lblk, opt)
			return 0
		}
		if e := fs.growTree(t, in, f); e != 0 {
			return e
		}
		in.find(p, x.lblk, opt)
		if !p.leaf().n.full() {
			return 0
		}
	}
}

// splitLeaf adds a new leaf, and index nodes above it up to level at, holding
// all entries right of the path (ext4_ext_split).
func (fs *FS) splitLeaf(t *task, in *inode, p *path, x *extent, at int, f mballoc.Flags) errno {
	depth := in.fileMap().root.depth
	leaf := p.leaf()
	border := x.lblk
	if leaf.i+1 < int(leaf.n.max) {
		border = leaf.n.ext[leaf.i+1].lblk
	}
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
	count--
	n := &node{blk: blocks[count], max: fs.nodeMax()}
	n.ext = append(n.ext, leaf.n.ext[leaf.i+1:]...)
	leaf.n.ext = leaf.n.ext[:leaf.i+1]
	fs.dirtyMeta(t, n.blk)
	if len(n.ext) > 0 {
		fs.dirtyNode(t, in, leaf.n)
	}
	for level := depth - 1; level > at; level-- {
		count--
		s := &p.s[level]
		up := &node{blk: blocks[count], depth: depth - level, max: fs.nodeMax()}
		up.idx = append(up.idx, index{border, n})
		up.idx = append(up.idx, s.n.idx[s.i+1:]...)
		s.n.idx = s.n.idx[:s.i+1]
		fs.dirtyMeta(t, up.blk)
		fs.dirtyNode(t, in, s.n)
		n = up
	}
	s := &p.s[at]
	i := s.i
	if border > s.n.idx[i].lblk {
		i++
	}
	s.n.idx = slices.Insert(s.n.idx, i, index{border, n})
	fs.dirtyNode(t, in, s.n)
	return 0
}

// growTree moves the root into a new block and makes the root an index of it
// (ext4_ext_grow_indepth).
func (fs *FS) growTree(t *task, in *inode, f mballoc.Flags) errno {
	root := &in.fileMap().root
	var goal allocator.Block
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
	n := &node{blk: b, depth: root.depth, max: fs.nodeMax()}
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

// correctIndexes lets the indexes above the path start where its leaf starts
// (ext4_ext_correct_indexes).
func (p *path) correctIndexes() {
	l := p.leaf()
	if p.depth == 0 || l.i != 0 || len(l.n.ext) == 0 {
		return
	}
	border := l.n.ext[0].lblk
	for k := p.depth - 1; k >= 0; k-- {
		p.s[k].n.idx[p.s[k].i].lblk = border
		if p.s[k].i != 0 {
			break
		}
	}
}

// dirtyPath records a change of the path's leaf in the journal
// (ext4_ext_dirty), which also makes the leaf count as checked.
func (fs *FS) dirtyPath(t *task, in *inode, p *path) { fs.dirtyNode(t, in, p.leaf().n) }

func (fs *FS) dirtyNode(t *task, in *inode, n *node) {
	if n.blk == 0 {
		fs.dirtyInode(t, in)
		return
	}
	n.verified = true
	fs.dirtyMeta(t, n.blk)
}

type errno = filesystem.Errno
