package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
)

// The slots of an inode mapped by indirect blocks (EXT4_*_BLOCK).
const (
	directSlots = 12
	indSlot     = 12
	dindSlot    = 13
	tindSlot    = 14
	inodeSlots  = 15
)

// indirect is an array of block pointers: those in the inode, or an indirect
// block's.
type indirect struct {
	blk allocator.Block // 0 for the inode's
	ptr []uint32        // 0 is a hole
	kid []*indirect     // what ptr points to, where that is an indirect block
	// bare says that it pointed nowhere at mount already, which the kernel leaves
	// as it is; the driver frees a block that it makes so.
	bare bool
}

func newIndirect(blk allocator.Block, slots int, leaf bool) *indirect {
	n := &indirect{blk: blk, ptr: make([]uint32, slots)}
	if !leaf {
		n.kid = make([]*indirect, slots)
	}
	return n
}

// link is one step of the way to a block: a slot of an array.
type link struct {
	n *indirect
	i int
}

func (l link) key() uint32 { return l.n.ptr[l.i] }

// chain is the way from the inode to a block's pointer.
type chain struct {
	l       [4]link
	offsets [4]int
	depth   int // links from the inode to the block, 0 where lblk is too large
	toEnd   int // pointers left behind lblk's in its array
}

// chainTo works out the slots on the way to lblk (ext4_block_to_path).
func (fs *FS) chainTo(lblk uint32) chain {
	bits := fs.geo.BlockBits - 2
	ptrs := uint64(1) << bits
	b := uint64(lblk)
	var c chain
	final := ptrs
	switch {
	case b < directSlots:
		c.offsets[0], c.depth, final = int(b), 1, directSlots
	case b-directSlots < ptrs:
		b -= directSlots
		c.offsets, c.depth = [4]int{indSlot, int(b)}, 2
	case b-directSlots-ptrs < ptrs<<bits:
		b -= directSlots + ptrs
		c.offsets, c.depth = [4]int{dindSlot, int(b >> bits), int(b & (ptrs - 1))}, 3
	case b-directSlots-ptrs-ptrs<<bits < ptrs<<(2*bits):
		b -= directSlots + ptrs + ptrs<<bits
		c.offsets, c.depth = [4]int{tindSlot, int(b >> (2 * bits)), int(b >> bits & (ptrs - 1)), int(b & (ptrs - 1))}, 4
	}
	c.toEnd = int(final - 1 - b&(ptrs-1))
	return c
}

// walk follows the chain for depth links (ext4_get_branch). It returns the
// first link whose pointer is a hole, -1 where there is none.
func (in *inode) walk(c *chain, depth int) int {
	if in.ind == nil {
		in.ind = newIndirect(0, inodeSlots, false)
	}
	n := in.ind
	for k := range depth {
		c.l[k] = link{n, c.offsets[k]}
		if c.l[k].key() == 0 {
			return k
		}
		if k+1 < depth {
			n = n.kid[c.offsets[k]]
		}
	}
	return -1
}

// hole is how many blocks the hole at link partial has, from the chain's block to the
// end of what that link would lead to: 1 or more. From blocks of 8K on a triple
// indirect block leads to 2^33 blocks and more, so the length needs 64 bits.
func (c *chain) hole(partial int, bits uint8) uint64 {
	behind := uint64(0)
	for i := partial + 1; i < c.depth; i++ {
		behind = behind<<bits + 1<<bits - 1 - uint64(c.offsets[i])
	}
	return behind + 1
}

// indirectMapBlocks is mapBlocks for an inode with indirect blocks
// (ext4_ind_map_blocks).
func (fs *FS) indirectMapBlocks(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	c := fs.chainTo(m.lblk)
	if c.depth == 0 {
		return 0, filesystem.EFBIG
	}
	partial := in.walk(&c, c.depth)
	if partial < 0 {
		l := c.l[c.depth-1]
		n := uint32(1)
		for n < m.len && int(n) <= c.toEnd && l.n.ptr[l.i+int(n)] == l.key()+n {
			n++
		}
		m.state |= stateMapped
		m.pblk = allocator.Block(l.key())
		m.len = n
		return n, 0
	}
	if f&mapCreate == 0 {
		m.pblk = 0
		m.len = uint32(min(uint64(m.len), c.hole(partial, fs.geo.BlockBits-2)))
		return 0, 0
	}
	return fs.allocateBranch(t, in, &c, partial, m, f)
}

// indirectGoal is where the block of a link should lie: at the previous pointer
// in its array, at the array itself, or where the inode's blocks begin
// (ext4_find_near).
func (fs *FS) indirectGoal(t *task, in *inode, l link) allocator.Block {
	for i := l.i - 1; i >= 0; i-- {
		if l.n.ptr[i] != 0 {
			return allocator.Block(l.n.ptr[i])
		}
	}
	if l.n.blk != 0 {
		return l.n.blk
	}
	return fs.inodeGoal(t, in)
}

// allocateBranch allocates the blocks of m and the indirect blocks on the way
// to them from link partial on (ext4_alloc_branch, ext4_splice_branch).
func (fs *FS) allocateBranch(t *task, in *inode, c *chain, partial int, m *mapping, f mapFlags) (uint32, errno) {
	top := c.l[partial]
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Logical, r.Goal = m.lblk, fs.indirectGoal(t, in, top)
	if in.Regular {
		r.Flags = mballoc.HintData
	}
	if f&mapDelallocReserve != 0 {
		r.Flags |= mballoc.DelallocReserved
	}
	if f&mapMetadataNofail != 0 {
		r.Flags |= mballoc.UseReserved
	}
	levels := c.depth - 1 - partial
	want := branchLen(top, levels, m.len, c.toEnd)
	var blocks [4]allocator.Block
	for i := range levels {
		b, e := fs.newMeta(t, in, r.Goal, r.Flags&mballoc.DelallocReserved)
		if e != 0 {
			fs.freeBranch(t, in, blocks[:i])
			return 0, e
		}
		blocks[i] = b
		r.Goal = b
	}
	r.Len = want
	b, e := fs.newBlocks(t, in, r)
	if e != 0 {
		fs.freeBranch(t, in, blocks[:levels])
		return 0, e
	}
	n := top.n
	for i := range levels {
		slot := c.offsets[partial+i]
		kid := newIndirect(blocks[i], 1<<(fs.geo.BlockBits-2), i == levels-1)
		n.ptr[slot], n.kid[slot] = uint32(blocks[i]), kid
		fs.dirtyMeta(t, blocks[i])
		n = kid
	}
	slot := c.offsets[c.depth-1]
	for j := range r.Len {
		n.ptr[slot+int(j)] = uint32(b) + j
	}
	if top.n.blk != 0 {
		fs.dirtyMeta(t, top.n.blk)
	} else {
		fs.dirtyInode(t, in)
	}
	if f&mapDelallocReserve != 0 {
		fs.useReserved(t, in, r.Len, true)
	}
	m.state |= stateNew | stateMapped
	m.pblk, m.len = b, r.Len
	return r.Len, 0
}

// branchLen is how many blocks to ask for at once (ext4_blks_to_allocate).
func branchLen(top link, levels int, want uint32, toEnd int) uint32 {
	if levels > 0 {
		return min(want, uint32(toEnd)+1)
	}
	n := uint32(1)
	for n < want && int(n) <= toEnd && top.n.ptr[top.i+int(n)] == 0 {
		n++
	}
	return n
}

func (fs *FS) freeBranch(t *task, in *inode, blocks []allocator.Block) {
	for i := len(blocks) - 1; i >= 0; i-- {
		var f mballoc.FreeFlags
		if i+1 < len(blocks) {
			f = freeForget
		}
		fs.freeBlocks(t, in, blocks[i], 1, f)
	}
}
