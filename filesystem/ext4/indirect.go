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

// indirect is an array of block pointers: the one in the inode, or that of an indirect
// block.
type indirect struct {
	blk      allocator.Block // 0 for the inode's
	pointers []uint32        // 0 is a hole
	children []*indirect     // what the pointers lead to, where that is an indirect block
	// mayBeEmpty says that the block held no pointer when it was mounted, or may have lost its
	// last one to a hole. One that loses it otherwise is freed.
	mayBeEmpty bool
}

// newIndirect makes an array with so many slots at block blk. A leaf points to data, and
// has no children.
func newIndirect(blk allocator.Block, slots int, leaf bool) *indirect {
	n := &indirect{blk: blk, pointers: make([]uint32, slots)}
	if !leaf {
		n.children = make([]*indirect, slots)
	}
	return n
}

// link is one step of the way to a block: a slot of an array (Indirect in the kernel).
type link struct {
	array *indirect
	slot  int
}

func (l link) key() uint32 { return l.array.pointers[l.slot] }

// chain is the way from the inode to the pointer of a block.
type chain struct {
	links   [4]link
	offsets [4]int
	depth   int // links from the inode to the block, 0 where lblk is too large
	toEnd   int // pointers left behind lblk's in its array
}

// chainTo works out the slots on the way to block lblk (ext4_block_to_path). Its depth is 0
// if no slot reaches that far.
func (fs *FS) chainTo(lblk uint32) chain {
	bits := fs.geo.BlockBits - 2
	ptrs := uint64(1) << bits
	b := uint64(lblk)
	var c chain
	final := ptrs
	// b becomes the block's number within the tree of the slot that reaches it.
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
	// The pointers that follow the block's in the same array, to which a run can extend.
	c.toEnd = int(final - 1 - b&(ptrs-1))
	return c
}

// walk follows the chain for depth links (ext4_get_branch), and notes them in it. It
// returns the index of the first link whose pointer is a hole, -1 if there is none.
func (in *inode) walk(c *chain, depth int) int {
	// The inode's own array is made when it is first needed.
	if in.ind == nil {
		in.ind = newIndirect(0, inodeSlots, false)
	}
	n := in.ind
	for k := range depth {
		c.links[k] = link{n, c.offsets[k]}
		if c.links[k].key() == 0 {
			return k
		}
		if k+1 < depth {
			n = n.children[c.offsets[k]]
		}
	}
	return -1
}

// hole returns how many blocks the hole at link partial has, from the chain's block to the
// end of what that link would lead to: 1 or more. From blocks of 8K on a triple indirect
// block leads to 2^33 blocks and more, so the length needs 64 bits.
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
	fs.useMapping(in, m.lblk)
	partial := in.walk(&c, c.depth)
	if partial < 0 {
		// The block is mapped: the run goes on while the next pointers name the next
		// blocks.
		l := c.links[c.depth-1]
		n := uint32(1)
		for n < m.len && int(n) <= c.toEnd && l.array.pointers[l.slot+int(n)] == l.key()+n {
			n++
		}
		m.state |= stateMapped
		m.pblk = allocator.Block(l.key())
		m.len = n
		return n, 0
	}
	// A look-up of a hole tells how long it is. Unlike with extents the status tree does
	// not learn it in most kernels.
	if f&mapCreate == 0 {
		m.pblk = 0
		n := c.hole(partial, fs.geo.BlockBits-2)
		// Some kernels remember it, as with extents.
		if fs.quirks.IndirectHolesRemembered {
			n = min(n, uint64(maxBlocks-m.lblk))
			n = uint64(fs.rememberHole(in, m.lblk, uint32(n), m.lblk))
		}
		m.len = uint32(min(uint64(m.len), n))
		return 0, 0
	}
	return fs.allocateBranch(t, in, &c, partial, m, f)
}

// indirectGoal is the physical block where the block of a link should lie (ext4_find_near):
// at the closest block that a pointer before it in its array names; otherwise at the
// array's own block; in the inode's array where the inode's blocks begin.
func (fs *FS) indirectGoal(t *task, in *inode, l link) allocator.Block {
	for i := l.slot - 1; i >= 0; i-- {
		if l.array.pointers[i] != 0 {
			return allocator.Block(l.array.pointers[i])
		}
	}
	if l.array.blk != 0 {
		return l.array.blk
	}
	return fs.inodeGoal(t, in)
}

// allocateBranch allocates the blocks of m, and the indirect blocks on the way to them from
// link partial on (ext4_alloc_branch, ext4_splice_branch).
func (fs *FS) allocateBranch(t *task, in *inode, c *chain, partial int, m *mapping, f mapFlags) (uint32, errno) {
	top := c.links[partial]
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	// One request serves for data, and its goal for the indirect blocks too.
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
	// levels indirect blocks are missing. Each is allocated alone, and is the goal of the
	// next one.
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
	// Then the data, in one request. If that fails the indirect blocks are freed again.
	r.Len = want
	b, e := fs.newBlocks(t, in, r)
	if e != 0 {
		fs.freeBranch(t, in, blocks[:levels])
		return 0, e
	}
	// The new branch is built from the top down, and hangs in the tree from here on.
	n := top.array
	for i := range levels {
		slot := c.offsets[partial+i]
		kid := newIndirect(blocks[i], 1<<(fs.geo.BlockBits-2), i == levels-1)
		n.pointers[slot], n.children[slot] = uint32(blocks[i]), kid
		fs.dirtyMeta(t, blocks[i])
		n = kid
	}
	slot := c.offsets[c.depth-1]
	for j := range r.Len {
		n.pointers[slot+int(j)] = uint32(b) + j
	}
	// The array that the branch hangs in has changed.
	if top.array.blk != 0 {
		fs.dirtyMeta(t, top.array.blk)
	} else {
		fs.dirtyInode(t, in)
	}
	// The reservation was for the data alone: newMeta has counted the indirect blocks.
	if f&mapDelallocReserve != 0 && !fs.quirks.StatusTreeSettles {
		fs.useReserved(t, in, r.Len, true)
	}
	m.state |= stateNew | stateMapped
	m.pblk, m.len = b, r.Len
	return r.Len, 0
}

// branchLen is how many data blocks to ask for at once (ext4_blks_to_allocate): as many as
// are wanted, within one array. If the array exists already, the run ends before the next
// pointer that is set.
func branchLen(top link, levels int, want uint32, toEnd int) uint32 {
	if levels > 0 {
		return min(want, uint32(toEnd)+1)
	}
	n := uint32(1)
	for n < want && int(n) <= toEnd && top.array.pointers[top.slot+int(n)] == 0 {
		n++
	}
	return n
}

// freeBranch frees the indirect blocks of a branch that could not be completed, the last
// one first.
func (fs *FS) freeBranch(t *task, in *inode, blocks []allocator.Block) {
	for i := len(blocks) - 1; i >= 0; i-- {
		var f mballoc.FreeFlags
		// As in ext4_alloc_branch, the buffer of the last one has not been written to, so
		// it need not leave the journal.
		if i+1 < len(blocks) {
			f = freeForget
		}
		fs.freeBlocks(t, in, blocks[i], 1, f)
	}
}
