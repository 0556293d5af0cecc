package extents

import (
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem/ext4/es"
)

// Step is one level of a path: a node, and the index of the entry that was taken in it, -1
// for none (struct ext4_ext_path).
type Step struct {
	Node  *Node
	Entry int
	// Seen is used by the removal of a range alone: the number of entries when the level
	// below was entered.
	Seen int
}

// Path leads from the root of the extent tree to the leaf that holds, or would hold, a
// block.
type Path struct {
	Steps [MaxDepth + 2]Step
	Depth int
}

// Leaf is the last step of the path.
func (p *Path) Leaf() *Step { return &p.Steps[p.Depth] }

// Ex is the extent that the path ends at, nil in an empty leaf (p_ext).
func (p *Path) Ex() *Extent {
	l := p.Leaf()
	if l.Entry < 0 || l.Entry >= len(l.Node.Ext) {
		return nil
	}
	return &l.Node.Ext[l.Entry]
}

// Find makes p the path to lblk (ext4_find_extent), from the root of a tree on. With a
// status tree it puts into that the extents of the root, and of a leaf that was not read
// since it was last changed; nil is for EXT4_EX_NOCACHE.
func (p *Path) Find(root *Node, lblk uint32, cache *es.Tree) {
	n := root
	p.Depth = n.Depth
	if cache != nil && n.Depth == 0 {
		n.cache(cache)
	}
	// In each index node the last entry that begins at lblk or before it leads on; the
	// first one also stands for what lies before it.
	level := 0
	for ; n.Depth > 0; level++ {
		i := sort.Search(len(n.Idx)-1, func(i int) bool { return n.Idx[i+1].Lblk > lblk })
		p.Steps[level] = Step{Node: n, Entry: i}
		n = n.Idx[i].Child.Read(cache)
	}
	p.Steps[level] = Step{Node: n, Entry: search(n.Ext, lblk)}
}

// NextAllocated is the first mapped block after the path's extent, or es.MaxBlocks
// (ext4_ext_next_allocated_block).
func (p *Path) NextAllocated() uint32 {
	// An empty tree maps nothing.
	if p.Depth == 0 && p.Leaf().Entry < 0 {
		return es.MaxBlocks
	}
	if l := p.Leaf(); l.Entry >= 0 && l.Entry+1 < len(l.Node.Ext) {
		return l.Node.Ext[l.Entry+1].Lblk
	}
	return p.NextLeaf()
}

// NextLeaf is the first block that the leaf after the path's maps, or es.MaxBlocks if there is
// no such leaf (ext4_ext_next_leaf_block). It is known from the indexes, without a read.
func (p *Path) NextLeaf() uint32 {
	for d := p.Depth - 1; d >= 0; d-- {
		if s := &p.Steps[d]; s.Entry+1 < len(s.Node.Idx) {
			return s.Node.Idx[s.Entry+1].Lblk
		}
	}
	return es.MaxBlocks
}

// Left returns the closest mapped block before lblk, and the physical block that it lies
// at, which is 0 if there is none (ext4_ext_search_left).
func (p *Path) Left(lblk uint32) (uint32, allocator.Block) {
	x := p.Ex()
	if x == nil || lblk < x.Lblk {
		return lblk, 0
	}
	return x.Next() - 1, x.Pblk + allocator.Block(x.Len) - 1
}

// Right is the closest extent after lblk, nil where there is none
// (ext4_ext_search_right).
func (p *Path) Right(lblk uint32, cache *es.Tree) *Extent {
	// The path's extent itself lies behind lblk only where lblk precedes all extents of the
	// leaf.
	x := p.Ex()
	if x == nil || lblk < x.Lblk {
		return x
	}
	// Otherwise it is the next extent of the same leaf,
	l := p.Leaf()
	if l.Entry+1 < len(l.Node.Ext) {
		return &l.Node.Ext[l.Entry+1]
	}
	// or the first one of the next leaf: up to the first level that has a further entry,
	// and from there down along the first entries.
	for d := p.Depth - 1; d >= 0; d-- {
		s := &p.Steps[d]
		if s.Entry+1 < len(s.Node.Idx) {
			n := s.Node.Idx[s.Entry+1].Child.Read(cache)
			for n.Depth > 0 {
				n = n.Idx[0].Child.Read(cache)
			}
			return &n.Ext[0]
		}
	}
	return nil
}

// Hole returns the unmapped range around lblk (ext4_ext_find_hole): its start, which is
// lblk itself if lblk precedes the first extent, and its length in blocks.
func (p *Path) Hole(lblk uint32) (start, n uint32) {
	switch x := p.Ex(); {
	case x == nil:
		return 0, es.MaxBlocks
	case lblk < x.Lblk:
		return lblk, x.Lblk - lblk
	default:
		return x.Next(), p.NextAllocated() - x.Next()
	}
}
