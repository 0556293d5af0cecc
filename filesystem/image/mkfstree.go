package image

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// treeGrower appends extents to a file as libext2fs does, and allocates the
// blocks of the extent tree when the inode's four entries do not hold them
// (ext2fs_extent_insert, extent_node_split). It keeps the rightmost node of
// every level only.
type treeGrower struct {
	a     *filePlacer
	in    *Inode
	nodes []treeNode // the root first
}

type treeNode struct {
	entries, max int
	first, last  allocator.Block // what its first and last entry point at
	meta         int             // its index in in.Meta; -1 for the root
}

func newTreeGrower(a *filePlacer, in *Inode) *treeGrower {
	return &treeGrower{a: a, in: in, nodes: []treeNode{{max: 4, meta: -1}}}
}

// insert appends an extent.
func (t *treeGrower) insert(logical uint32, r run) error {
	// A split may add a level, which moves the leaf.
	leaf := len(t.nodes) - 1
	if t.nodes[leaf].entries >= t.nodes[leaf].max {
		if err := t.split(leaf); err != nil {
			return err
		}
		leaf = len(t.nodes) - 1
	}
	t.push(leaf, r.start)
	t.in.Extents = append(t.in.Extents, filesystem.Extent{Logical: uint64(logical), Len: uint64(r.len()), Physical: r.start})
	return nil
}

// push counts one entry more in the node of a level.
func (t *treeGrower) push(level int, to allocator.Block) {
	n := &t.nodes[level]
	if n.entries == 0 {
		n.first = to
	}
	n.last = to
	n.entries++
	t.sync(level)
}

func (t *treeGrower) sync(level int) {
	if n := &t.nodes[level]; n.meta >= 0 {
		t.in.Meta[n.meta].Entries = uint16(n.entries)
	}
}

// split makes room at a level, whose node is full: the root's entries all move
// to a new node, any other node gives its last entry to one. The new block is
// sought from just before what the full node's first entry points at.
func (t *treeGrower) split(level int) error {
	// The goal is computed before the parent is split, since that may add a level and move the
	// node. The parent needs room for the new node.
	a := t.a
	goal := (t.nodes[level].first - a.ratio) &^ (a.ratio - 1)
	if level > 0 && t.nodes[level-1].entries >= t.nodes[level-1].max {
		depth := len(t.nodes)
		if err := t.split(level - 1); err != nil {
			return err
		}
		level += len(t.nodes) - depth
	}
	if goal == 0 {
		goal = a.inodeGoal(t.in.Number)
	}
	// The new block, and a node in it.
	b, err := a.alloc(goal)
	if err != nil {
		return err
	}
	t.in.Sectors += a.clusterSectors()
	meta := MetaBlock{Block: b, Depth: uint8(len(t.nodes) - 1 - level)}
	t.in.Meta = append(t.in.Meta, meta)
	node := treeNode{max: int(a.sb.BlockSize()-12) / 12, meta: len(t.in.Meta) - 1}
	// The root stays in the inode: its entries go down, and the tree has one level more.
	if level == 0 {
		node.entries, node.first, node.last = t.nodes[0].entries, t.nodes[0].first, t.nodes[0].last
		root := treeNode{entries: 1, max: 4, first: b, last: b, meta: -1}
		t.nodes = append([]treeNode{root, node}, t.nodes[1:]...)
		t.sync(1)
		return nil
	}
	// Extents are only appended, so the new node to the right is the only one still needed.
	old := &t.nodes[level]
	node.entries, node.first, node.last = 1, old.last, old.last
	old.entries--
	t.sync(level)
	t.nodes[level] = node
	t.sync(level)
	t.push(level-1, b)
	if n := len(t.in.Extents); n > 0 {
		t.in.Meta[len(t.in.Meta)-1].Logical = uint32(t.in.Extents[n-1].Logical)
	}
	return nil
}

// indirect maps n blocks of a file through indirect blocks, one after another
// (ext2fs_bmap2): each goes after the one before it, an indirect block after
// the last block or indirect block of the level it continues.
func (a *filePlacer) indirect(in *Inode, n uint32) error {
	per := uint32(a.sb.BlockSize() / 4)
	take := func(goal allocator.Block) (allocator.Block, error) {
		b, err := a.alloc(goal)
		if err == nil {
			in.Sectors += a.clusterSectors()
		}
		return b, err
	}
	// prev is the block allocated last, which is the goal of the next direct block.
	prev := a.inodeGoal(in.Number)
	var roots [4]allocator.Block // the inode's own (single, double, triple) indirect blocks
	// open are the indirect blocks in use by level, and the last entry of each.
	var open, last [4]allocator.Block
	for l := range n {
		// From block 12 on, rel is the block's place in the tree of its depth.
		goal := prev
		if l >= 12 {
			rel, depth := uint64(l-12), 1
			for size := uint64(per); depth < 3 && rel >= size; size *= uint64(per) {
				rel -= size
				depth++
			}
			if rel == 0 { // a new tree: it goes after the root of the one before
				g := roots[depth-1]
				if depth == 1 {
					g = prev
				}
				b, err := take(g)
				if err != nil {
					return err
				}
				roots[depth], open[depth], last[depth] = b, b, 0
				in.Meta = append(in.Meta, MetaBlock{Block: b, Depth: uint8(depth), Logical: l})
			}
			// A lower indirect block is needed where its span begins. It goes behind the last entry of
			// the one above, or behind that block itself.
			for d := depth - 1; d >= 1; d-- {
				if rel%pointerSpan(per, d) != 0 {
					continue
				}
				g := last[d+1]
				if g == 0 {
					g = open[d+1]
				}
				b, err := take(g)
				if err != nil {
					return err
				}
				last[d+1], open[d], last[d] = b, b, 0
				in.Meta = append(in.Meta, MetaBlock{Block: b, Depth: uint8(d), Logical: l})
			}
			// The data goes behind the data before it in the same indirect block.
			goal = last[1]
			if goal == 0 {
				goal = open[1]
			}
		}
		b, err := take(goal)
		if err != nil {
			return err
		}
		prev, last[1] = b, b
		appendBlock(in, uint64(l), b)
	}
	countPointers(in, n, per)
	return nil
}

// pointerSpan is the data blocks below a pointer that leads to them through depth levels
// of indirect blocks of per pointers each.
func pointerSpan(per uint32, depth int) uint64 {
	span := uint64(1)
	for range depth {
		span *= uint64(per)
	}
	return span
}

// countPointers counts the entries of the indirect blocks of a file of n blocks
// without holes; per is what a block holds.
func countPointers(in *Inode, n, per uint32) {
	for i := range in.Meta {
		m := &in.Meta[i]
		m.Entries = uint16(min(uint64(per), ceilDiv(uint64(n-m.Logical), pointerSpan(per, int(m.Depth)-1))))
	}
}
