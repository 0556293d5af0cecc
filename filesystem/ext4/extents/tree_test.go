package extents

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
	"mbsim/filesystem/ext4/es"
)

// blocksOfFile is how far the files of the tests reach.
const blocksOfFile = 400

// tree is a tree with nodes of few entries, so that it soon becomes deep, and beside it where
// each block lies and in which state.
type tree struct {
	root   Node
	max    uint16
	next   allocator.Block // for the next node
	blocks [blocksOfFile]struct {
		pblk      allocator.Block // 0 for a hole
		unwritten bool
	}
}

func newTree(max uint16) *tree {
	return &tree{root: Node{Max: RootEntries, Verified: true}, max: max, next: 1 << 20}
}

// add maps what is a hole of [lblk, lblk+n), as an insertion into a file does: it extends a
// neighbour, goes into a leaf, or makes room by a split or another level. It reports whether the
// tree may grow no more.
func (tr *tree) add(t *rapid.T, lblk uint32, n int, pblk allocator.Block, unwritten, merge bool) bool {
	var p Path
	p.Find(&tr.root, lblk, nil)
	x := Extent{Lblk: lblk, Len: uint16(n), Pblk: pblk, Unwritten: unwritten}
	for b := range uint32(n) {
		tr.blocks[lblk+b].pblk, tr.blocks[lblk+b].unwritten = pblk+allocator.Block(b), unwritten
	}
	if !merge || !p.ExtendNeighbour(&x) {
		for p.Leaf().Node.Full() {
			at := p.Depth - 1
			for at >= 0 && p.Steps[at].Node.Full() {
				at--
			}
			if at < 0 {
				tr.root.Grow(tr.next, tr.max, false)
				tr.next++
			} else {
				blocks := make([]allocator.Block, p.Depth-at)
				for i := range blocks {
					blocks[i] = tr.next
					tr.next++
				}
				leaf := p.Leaf().Node
				had := len(leaf.Ext)
				if moved := p.Split(lblk, at, blocks, tr.max); moved != (len(leaf.Ext) < had) {
					t.Fatalf("the leaf had %d extents and has %d, moved %t", had, len(leaf.Ext), moved)
				}
			}
			p.Find(&tr.root, lblk, nil)
		}
		p.Insert(x)
	}
	if merge {
		p.Leaf().Node.MergeAround(p.Leaf().Entry)
	}
	p.CorrectIndexes()
	return tr.root.Depth == MaxDepth
}

// walk checks that the node and all below it are in order, and appends their extents to list.
func (tr *tree) walk(t *rapid.T, n *Node, list []Extent) []Extent {
	if n != &tr.root && (n.Max != tr.max || n.Blk == 0) || n.Entries() > int(n.Max) {
		t.Fatalf("node %d has %d entries of %d", n.Blk, n.Entries(), n.Max)
	}
	for i := range n.Idx {
		kid := n.Idx[i].Child
		if kid.Depth != n.Depth-1 || kid.Entries() == 0 || kid.First() != n.Idx[i].Lblk {
			t.Fatalf("node %d of depth %d: index %d at %d leads to %+v", n.Blk, n.Depth, i, n.Idx[i].Lblk, kid)
		}
		list = tr.walk(t, kid, list)
	}
	return append(list, n.Ext...)
}

// check compares the tree with its blocks.
func (tr *tree) check(t *rapid.T) {
	list := tr.walk(t, &tr.root, nil)
	for i := 1; i < len(list); i++ {
		if list[i].Lblk < list[i-1].Next() {
			t.Fatalf("in disorder: %+v", list)
		}
	}
	for lblk := range uint32(blocksOfFile) {
		var p Path
		p.Find(&tr.root, lblk, nil)
		// What covers the block.
		i := slices.IndexFunc(list, func(x Extent) bool { return x.Covers(lblk) })
		x, want := p.Ex(), tr.blocks[lblk]
		if covered := x != nil && x.Covers(lblk); covered != (i >= 0) || covered != (want.pblk != 0) {
			t.Fatalf("block %d: %+v, want %+v", lblk, x, want)
		}
		if i >= 0 {
			if *x != list[i] || x.Pblk+allocator.Block(lblk-x.Lblk) != want.pblk || x.Unwritten != want.unwritten {
				t.Fatalf("block %d: %+v, want %+v", lblk, x, want)
			}
			continue
		}
		tr.neighbours(t, &p, lblk, list)
	}
}

// neighbours compares what a path to a hole says of its neighbours with the list of all extents.
func (tr *tree) neighbours(t *rapid.T, p *Path, lblk uint32, list []Extent) {
	// next is the first extent behind the hole.
	next := slices.IndexFunc(list, func(x Extent) bool { return x.Lblk > lblk })
	end := uint32(es.MaxBlocks)
	if right := p.Right(lblk, nil); (right == nil) != (next < 0) || next >= 0 && *right != list[next] {
		t.Fatalf("the extent right of %d is %+v, want number %d of %+v", lblk, right, next, list)
	}
	if next >= 0 {
		end = list[next].Lblk
	} else {
		next = len(list)
	}
	left, pleft := p.Left(lblk)
	start, n := p.Hole(lblk)
	if next == 0 {
		// Before the first extent the hole begins at the block itself, but in an empty tree.
		begin := lblk
		if len(list) == 0 {
			begin = 0
		}
		if pleft != 0 || left != lblk || start != begin || start+n != end {
			t.Fatalf("left of %d lies %d at %d, the hole is [%d, +%d), want up to %d", lblk, left, pleft, start, n, end)
		}
		return
	}
	x := list[next-1]
	if left != x.Next()-1 || pleft != x.Pblk+allocator.Block(x.Len)-1 || start != x.Next() || start+n != end || p.NextAllocated() != end {
		t.Fatalf("left of %d lies %d at %d, behind it %d, the hole is [%d, +%d); want between %+v and %d", lblk, left, pleft, p.NextAllocated(), start, n, x, end)
	}
}

// TestTree fills files in random order and compares trees with each block.
func TestTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := newTree(rapid.Uint16Range(5, 8).Draw(t, "entries")) // a block holds more than the inode
		merge := rapid.Bool().Draw(t, "merge")
		tr.check(t)
		for range rapid.IntRange(1, 120).Draw(t, "extents") {
			lblk := rapid.Uint32Range(0, blocksOfFile-1).Draw(t, "block")
			most := rapid.IntRange(1, 6).Draw(t, "length")
			n := 0
			for n < most && int(lblk)+n < blocksOfFile && tr.blocks[int(lblk)+n].pblk == 0 {
				n++
			}
			if n == 0 {
				continue
			}
			// Places that continue each other where the blocks of the file do, mostly.
			pblk := allocator.Block(10000+lblk) + allocator.Block(rapid.SampledFrom([]int{0, 0, 0, 5000}).Draw(t, "place"))
			if tr.add(t, lblk, n, pblk, rapid.IntRange(0, 4).Draw(t, "state") == 0, merge) {
				break
			}
		}
		tr.check(t)
	})
}

// TestMergeLimits: extents merge up to the longest that there may be, which is a block shorter
// for unwritten ones, and only where both place and state go on.
func TestMergeLimits(t *testing.T) {
	for _, c := range []struct {
		story  string
		a, b   Extent
		merges bool
	}{
		{"the longest", Extent{Len: 32767, Pblk: 100}, Extent{Lblk: 32767, Len: 1, Pblk: 32867}, true},
		{"one longer", Extent{Len: 32767, Pblk: 100}, Extent{Lblk: 32767, Len: 2, Pblk: 32867}, false},
		{"the longest unwritten", Extent{Len: 32766, Unwritten: true, Pblk: 100}, Extent{Lblk: 32766, Len: 1, Unwritten: true, Pblk: 32866}, true},
		{"one longer", Extent{Len: 32766, Unwritten: true, Pblk: 100}, Extent{Lblk: 32766, Len: 2, Unwritten: true, Pblk: 32866}, false},
		{"another state", Extent{Len: 2, Pblk: 100}, Extent{Lblk: 2, Len: 2, Unwritten: true, Pblk: 102}, false},
		{"a gap in the file", Extent{Len: 2, Pblk: 100}, Extent{Lblk: 3, Len: 2, Pblk: 102}, false},
		{"a gap on disk", Extent{Len: 2, Pblk: 100}, Extent{Lblk: 2, Len: 2, Pblk: 103}, false},
	} {
		n := Node{Ext: []Extent{c.a, c.b}}
		if merged := n.MergeRight(0); merged != c.merges || merged != (len(n.Ext) == 1) {
			t.Errorf("%s: merged %t: %+v", c.story, merged, n.Ext)
		}
	}
}

// TestReadOnce: a leaf puts its extents, and the holes between them, into the status tree when it
// is read first; the root does so each time.
func TestReadOnce(t *testing.T) {
	leaf := &Node{Blk: 7, Max: 4, Ext: []Extent{{Lblk: 5, Len: 2, Pblk: 100}, {Lblk: 9, Len: 3, Unwritten: true, Pblk: 200}}}
	root := Node{Depth: 1, Max: RootEntries, Idx: []Index{{Lblk: 5, Child: leaf}}}
	tree := es.New(new(es.Shared))
	const known = "5-6 written@100; 7-8 hole; 9-11 unwritten@200"
	var p Path
	for _, c := range []struct {
		story string
		cache *es.Tree
		again bool // all nodes count as not read
		want  string
	}{
		{"first", &tree, false, known},
		{"again", &tree, false, ""},
		{"after a mount", &tree, true, known},
		{"without the status tree", nil, true, ""},
		{"read already", &tree, false, ""},
	} {
		if c.again {
			root.Unread()
		}
		tree.Remove(0, es.MaxBlocks-1)
		p.Find(&root, 6, c.cache)
		if got := tree.String(); got != c.want || *p.Ex() != leaf.Ext[0] {
			t.Errorf("%s: the status tree has %q, want %q; %+v", c.story, got, c.want, p.Ex())
		}
	}
	for range 2 {
		tree.Remove(0, es.MaxBlocks-1)
		p.Find(leaf, 6, &tree)
		if got := tree.String(); got != known {
			t.Errorf("a root gives %q, want %q", got, known)
		}
	}
}

// leafAt is a leaf of five entries with single blocks at these places of a file.
func leafAt(lblks ...uint32) *Node {
	n := &Node{Blk: 7, Max: 5}
	for _, b := range lblks {
		n.Ext = append(n.Ext, Extent{Lblk: b, Len: 1, Pblk: allocator.Block(1000 + b)})
	}
	return n
}

func lblks(n *Node) (list []uint32) {
	for _, x := range n.Ext {
		list = append(list, x.Lblk)
	}
	return list
}

// TestSplit: where a full leaf is split what lies behind the new extent moves into the new leaf,
// and the new extent does so only where nothing does (ext4_ext_split).
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		lblk        uint32
		left, right []uint32
	}{
		{5, []uint32{0, 5}, []uint32{10, 20, 30, 40}},
		{25, []uint32{0, 10, 20, 25}, []uint32{30, 40}},
		{35, []uint32{0, 10, 20, 30, 35}, []uint32{40}},
		{45, []uint32{0, 10, 20, 30, 40}, []uint32{45}},
	} {
		root := Node{Depth: 1, Max: RootEntries, Idx: []Index{{Lblk: 0, Child: leafAt(0, 10, 20, 30, 40)}}}
		var p Path
		p.Find(&root, c.lblk, nil)
		p.Split(c.lblk, 0, []allocator.Block{8}, 5)
		p.Find(&root, c.lblk, nil)
		p.Insert(Extent{Lblk: c.lblk, Len: 1})
		left, right := root.Idx[0].Child, root.Idx[1].Child
		if !slices.Equal(lblks(left), c.left) || !slices.Equal(lblks(right), c.right) || root.Idx[1].Lblk != c.right[0] || right.Blk != 8 {
			t.Errorf("%d: %d in front of %d, at block %d, index %d; want %d in front of %d", c.lblk, lblks(left), lblks(right), right.Blk, root.Idx[1].Lblk, c.left, c.right)
		}
	}
}

// TestExtendNeighbour: an extent joins that of the path on both sides, or the one next to that on
// the side where it lies, but one behind it in front only (ext4_ext_insert_extent).
func TestExtendNeighbour(t *testing.T) {
	for _, c := range []struct {
		story      string
		path, lblk uint32
		want       []Extent // nil: none is extended
		entry      int
	}{
		{"behind the path's", 10, 11, []Extent{{Lblk: 10, Len: 2, Pblk: 1010}, {Lblk: 13, Len: 1, Pblk: 1013}, {Lblk: 20, Len: 1, Pblk: 1020}}, 0},
		{"in front of the next", 10, 12, []Extent{{Lblk: 10, Len: 1, Pblk: 1010}, {Lblk: 12, Len: 2, Pblk: 1012}, {Lblk: 20, Len: 1, Pblk: 1020}}, 1},
		{"in front of the path's", 10, 9, []Extent{{Lblk: 9, Len: 2, Pblk: 1009}, {Lblk: 13, Len: 1, Pblk: 1013}, {Lblk: 20, Len: 1, Pblk: 1020}}, 0},
		{"behind the one before the path's", 13, 11, []Extent{{Lblk: 10, Len: 2, Pblk: 1010}, {Lblk: 13, Len: 1, Pblk: 1013}, {Lblk: 20, Len: 1, Pblk: 1020}}, 0},
		{"away from all", 13, 16, nil, 1},
		{"behind the next", 13, 21, nil, 1},
	} {
		leaf := leafAt(10, 13, 20)
		var p Path
		p.Find(leaf, c.path, nil)
		x := Extent{Lblk: c.lblk, Len: 1, Pblk: allocator.Block(1000 + c.lblk)}
		extended := p.ExtendNeighbour(&x)
		want := c.want
		if want == nil {
			want = leafAt(10, 13, 20).Ext
		}
		if extended != (c.want != nil) || !slices.Equal(leaf.Ext, want) || p.Leaf().Entry != c.entry {
			t.Errorf("%s: extended %t: %+v, the path at %d; want %+v at %d", c.story, extended, leaf.Ext, p.Leaf().Entry, want, c.entry)
		}
	}
}
