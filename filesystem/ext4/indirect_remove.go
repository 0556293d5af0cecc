package ext4

import "mbsim/allocator"

// clearRange frees the data blocks of slots [from, to) of n, a contiguous run at
// a time (ext4_free_data).
func (fs *FS) clearRange(t *task, in *inode, n *indirect, from, to int) {
	start, count := uint32(0), uint32(0)
	flush := func() {
		if count > 0 {
			fs.freeBlocks(t, in, allocator.Block(start), count, dataFreeFlags(in))
		}
	}
	for i := from; i < to; i++ {
		b := n.ptr[i]
		switch {
		case b == 0:
			continue
		case count > 0 && b == start+count:
			count++
		default:
			flush()
			start, count = b, 1
		}
		n.ptr[i] = 0
	}
	flush()
	if n.blk != 0 {
		fs.dirtyMeta(t, n.blk)
	} else {
		fs.dirtyInode(t, in)
	}
}

// clearBranches frees what slots [from, to) of n lead to, depth levels of
// indirect blocks in between, from the last slot to the first
// (ext4_free_branches).
func (fs *FS) clearBranches(t *task, in *inode, n *indirect, from, to, depth int) {
	if depth == 0 {
		fs.clearRange(t, in, n, from, to)
		return
	}
	for i := to - 1; i >= from; i-- {
		kid := n.kid[i]
		if n.ptr[i] == 0 {
			continue
		}
		fs.clearBranches(t, in, kid, 0, len(kid.ptr), depth-1)
		fs.freeBlocks(t, in, kid.blk, 1, freeMetadata|freeForget)
		n.ptr[i], n.kid[i] = 0, nil
	}
}

// shared finds the last link of the chain to a block that survives when all
// from that block on goes (ext4_find_shared). top says that what the link
// points to goes as a whole.
func (in *inode) shared(c *chain) (at int, top bool) {
	k := c.depth
	for k > 1 && c.offsets[k-1] == 0 {
		k--
	}
	partial := in.walk(c, k)
	if partial < 0 {
		partial = k - 1
	}
	p := partial
	for p > 0 && allZero(c.l[p].n.ptr[:c.l[p].i]) {
		p--
	}
	if p == k-1 && p > 0 {
		c.l[p].i--
		return p, false
	}
	return p, c.l[p].key() != 0
}

func allZero(ptr []uint32) bool {
	for _, p := range ptr {
		if p != 0 {
			return false
		}
	}
	return true
}

// clearShared frees the branch on top of a shared link, and everything right of
// the chain down to the inode.
func (fs *FS) clearShared(t *task, in *inode, c *chain) {
	at, top := in.shared(c)
	if top {
		l := c.l[at]
		fs.clearBranches(t, in, l.n, l.i, l.i+1, c.depth-1-at)
	}
	for ; at > 0; at-- {
		l := c.l[at]
		fs.clearBranches(t, in, l.n, l.i+1, len(l.n.ptr), c.depth-1-at)
	}
}

// clearWhole frees the subtrees of the inode's slots in [from, to).
func (fs *FS) clearWhole(t *task, in *inode, from, to int) {
	for s := max(from, indSlot); s < to; s++ {
		fs.clearBranches(t, in, in.ind, s, s+1, s-directSlots+1)
	}
}

// truncateIndirect frees all blocks from last on (ext4_ind_truncate).
func (fs *FS) truncateIndirect(t *task, in *inode, last uint32) {
	c := fs.chainTo(last)
	fs.forget(t, in, last, maxBlocks-last)
	if c.depth == 0 || in.ind == nil {
		return
	}
	if c.depth == 1 {
		fs.clearRange(t, in, in.ind, c.offsets[0], directSlots)
		fs.clearWhole(t, in, indSlot, inodeSlots)
		return
	}
	fs.clearShared(t, in, &c)
	fs.clearWhole(t, in, c.offsets[0]+1, inodeSlots)
}

// punchIndirect frees the blocks [start, end) (ext4_ind_remove_space).
//
// Deviates from the kernel: it walks the range once instead of from both ends;
// what is freed is the same, the order of the frees may differ.
func (fs *FS) punchIndirect(t *task, in *inode, start, end uint32) {
	if in.ind == nil {
		return
	}
	bits := fs.geo.BlockBits - 2
	base := uint64(0)
	for s := range inodeSlots {
		depth := max(0, s-directSlots+1)
		span := uint64(1) << (uint(depth) * uint(bits))
		fs.punchSlot(t, in, in.ind, s, depth, base, span, uint64(start), uint64(end))
		base += span
	}
}

// punchSlot frees the part of [start, end) that slot i of n maps: span blocks
// from base on, depth levels below it. It reports whether the slot is empty now.
func (fs *FS) punchSlot(t *task, in *inode, n *indirect, i, depth int, base, span, start, end uint64) {
	if n.ptr[i] == 0 || base+span <= start || base >= end {
		return
	}
	if depth == 0 || base >= start && base+span <= end {
		fs.clearBranches(t, in, n, i, i+1, depth)
		return
	}
	kid := n.kid[i]
	part := span >> (fs.geo.BlockBits - 2)
	if depth == 1 {
		from := max(start, base) - base
		to := min(end, base+span) - base
		fs.clearRange(t, in, kid, int(from), int(to))
	} else {
		for k := range kid.ptr {
			fs.punchSlot(t, in, kid, k, depth-1, base+uint64(k)*part, part, start, end)
		}
	}
	if allZero(kid.ptr) {
		fs.freeBlocks(t, in, kid.blk, 1, freeMetadata|freeForget)
		n.ptr[i], n.kid[i] = 0, nil
	}
}
