package ext2

import "mbsim/allocator"

// The slots of an inode: twelve direct blocks, and the tops of trees of one, two
// and three levels of indirect blocks (EXT2_*_BLOCK).
const (
	directSlots = 12
	inodeSlots  = 15
	maxDepth    = 4
)

// node is an array of block pointers: those in the inode, or an indirect block's.
type node struct {
	blk allocator.Block // where the indirect block lies, 0 for the inode's array
	ptr []uint32        // 0 is a hole
	kid []*node         // what ptr points to where those are indirect blocks; nil in a leaf
	// bare says that it pointed nowhere at mount already, which the kernel leaves
	// as it is; the driver frees a block that it makes so.
	bare bool
}

// newNode makes the indirect block at b, empty.
func (fs *FS) newNode(b allocator.Block, leaf bool) *node {
	if n := len(fs.spareLeaves); leaf && n > 0 {
		x := fs.spareLeaves[n-1]
		fs.spareLeaves = fs.spareLeaves[:n-1]
		x.blk, x.bare = b, false
		return x
	}
	x := &node{blk: b, ptr: make([]uint32, 1<<fs.pointerBits)}
	if !leaf {
		x.kid = make([]*node, 1<<fs.pointerBits)
	}
	return x
}

// dropNode takes back an indirect block whose pointers are all zero.
func (fs *FS) dropNode(n *node) {
	if n.kid == nil {
		fs.spareLeaves = append(fs.spareLeaves, n)
	}
}

// link is a slot of an array, and so a step on the way to a block.
type link struct {
	in   *node
	slot int
}

func (l link) key() uint32 { return l.in.ptr[l.slot] }

// chain is the way from the inode to the pointer of one block (Indirect[4]).
type chain struct {
	slots [maxDepth]int
	links [maxDepth]link // as far as walk went
	depth int            // slots from the inode to the pointer; 0 where the block is too far
	toEnd uint32         // pointers behind the block's in the same array
}

// chainTo works out the slots on the way to lblk (ext2_block_to_path).
func (fs *FS) chainTo(lblk uint32) (c chain) {
	b := uint64(lblk)
	if b < directSlots {
		c.slots[0], c.depth, c.toEnd = int(b), 1, uint32(directSlots-1-b)
		return c
	}
	b -= directSlots
	last := uint64(1)<<fs.pointerBits - 1
	for levels := 1; levels < maxDepth; levels++ {
		span := uint64(1) << (fs.pointerBits * uint8(levels))
		if b >= span {
			b -= span
			continue
		}
		c.depth, c.toEnd = levels+1, uint32(last-b&last)
		c.slots[0] = directSlots + levels - 1
		for k := levels; k > 0; k-- {
			c.slots[k] = int(b & last)
			b >>= fs.pointerBits
		}
		return c
	}
	return c
}

// walk follows c through the tree (ext2_get_branch). It returns the index of the
// first link whose pointer is a hole, c.depth where there is none.
func (in *inode) walk(c *chain) int {
	n := &in.top
	for k := range c.depth {
		c.links[k] = link{n, c.slots[k]}
		if c.links[k].key() == 0 {
			return k
		}
		if k+1 < c.depth {
			n = n.kid[c.slots[k]]
		}
	}
	return c.depth
}

// holeLen is how many blocks, from c's on, the hole at link k of c is long at
// least.
func (fs *FS) holeLen(c *chain, k int) uint64 {
	n := uint64(0)
	for _, slot := range c.slots[min(k+1, c.depth):c.depth] {
		n = n<<fs.pointerBits + 1<<fs.pointerBits - 1 - uint64(slot)
	}
	return n + 1
}
