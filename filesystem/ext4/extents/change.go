package extents

import (
	"slices"

	"mbsim/allocator"
)

// Insert puts x behind the entry that the path has taken, or before it if it begins earlier.
// The path then ends at it.
func (p *Path) Insert(x Extent) {
	l := p.Leaf()
	if l.Entry < 0 {
		l.Entry = 0
	} else if x.Lblk > l.Node.Ext[l.Entry].Lblk {
		l.Entry++
	}
	l.Node.Ext = slices.Insert(l.Node.Ext, l.Entry, x)
}

// ExtendNeighbour lets the extent at the end of the path grow by x, behind or in front, or
// the extent next to it on the side where x lies. It reports false if none can.
func (p *Path) ExtendNeighbour(x *Extent) bool {
	l := p.Leaf()
	if l.Entry < 0 {
		return false
	}
	ext := l.Node.Ext
	// x touches the path's extent, or lies between it and its neighbour. In the latter case
	// the neighbour is the candidate; to a right neighbour x can only be prepended.
	i, mayAppend := l.Entry, true
	switch {
	case i+1 < len(ext) && ext[i].Next() < x.Lblk:
		i, mayAppend = i+1, false
	case i > 0 && x.Next() < ext[i].Lblk:
		i--
	}
	// Prepending moves the extent's start as well.
	e := &ext[i]
	switch {
	case mayAppend && mergeable(e, x): // only the length changes
	case mergeable(x, e):
		e.Lblk, e.Pblk = x.Lblk, x.Pblk
	default:
		return false
	}
	e.Len += x.Len
	// The kernel merges around the extent it grew, while the path keeps the
	// entry it had; only the grown one can have become mergeable.
	l.Entry = i
	return true
}

// CorrectIndexes lets the indexes above the path start where its leaf starts, which a new
// first extent changes (ext4_ext_correct_indexes).
func (p *Path) CorrectIndexes() {
	l := p.Leaf()
	if p.Depth == 0 || l.Entry != 0 || len(l.Node.Ext) == 0 {
		return
	}
	border := l.Node.Ext[0].Lblk
	// A level above changes only if the entry below is the first of its node.
	for k := p.Depth - 1; k >= 0; k-- {
		p.Steps[k].Node.Idx[p.Steps[k].Entry].Lblk = border
		if p.Steps[k].Entry != 0 {
			break
		}
	}
}

// Split adds a new leaf, and new index nodes above it up to below level at, where the path's
// node has a free entry. They lie in the blocks given, hold max entries each, and receive all
// entries to the right of the path. Where there are none the new leaf stays empty, and begins at
// lblk (the changing part of ext4_ext_split). It reports whether the leaf gave extents away.
// The path is not valid any more then.
func (p *Path) Split(lblk uint32, at int, blocks []allocator.Block, max uint16) bool {
	leaf := p.Leaf()
	// border is the first block of the new leaf: the extent behind the path's, or lblk if
	// the leaf is only appended to.
	border := lblk
	if leaf.Entry+1 < int(leaf.Node.Max) {
		border = leaf.Node.Ext[leaf.Entry+1].Lblk
	}
	// The last block becomes the leaf, with the extents right of the path.
	count := len(blocks) - 1
	n := &Node{Blk: blocks[count], Max: max}
	n.Ext = append(n.Ext, leaf.Node.Ext[leaf.Entry+1:]...)
	leaf.Node.Ext = leaf.Node.Ext[:leaf.Entry+1]
	moved := len(n.Ext) > 0
	// From the bottom up each full index node gets a new right half, whose first entry is
	// the node just made.
	for level := p.Depth - 1; level > at; level-- {
		count--
		s := &p.Steps[level]
		up := &Node{Blk: blocks[count], Depth: p.Depth - level, Max: max}
		up.Idx = append(up.Idx, Index{border, n})
		up.Idx = append(up.Idx, s.Node.Idx[s.Entry+1:]...)
		s.Node.Idx = s.Node.Idx[:s.Entry+1]
		n = up
	}
	// The node with room gets one entry for all of this.
	s := &p.Steps[at]
	i := s.Entry
	if border > s.Node.Idx[i].Lblk {
		i++
	}
	s.Node.Idx = slices.Insert(s.Node.Idx, i, Index{border, n})
	return moved
}

// Grow moves the contents of the root n into a node in block b, which holds max entries, and
// makes the root an index with one entry, that node (the changing part of
// ext4_ext_grow_indepth). verified says whether the node counts as read.
func (n *Node) Grow(b allocator.Block, max uint16, verified bool) {
	// The index starts at the first of the entries.
	child := &Node{Blk: b, Depth: n.Depth, Max: max, Verified: verified, Ext: slices.Clone(n.Ext), Idx: slices.Clone(n.Idx)}
	*n = Node{Depth: n.Depth + 1, Max: RootEntries, Verified: true, Idx: append(n.Idx[:0], Index{child.First(), child})}
}
