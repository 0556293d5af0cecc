package ext4

import "mbsim/allocator"

// clearRange frees the data blocks that slots [from, to) of n point to, one contiguous run
// at a time (ext4_free_data).
func (fs *FS) clearRange(t *task, in *inode, n *indirect, from, to int) {
	// The run that has been gathered and not freed.
	start, count := uint32(0), uint32(0)
	flush := func() {
		if count > 0 {
			fs.freeBlocks(t, in, allocator.Block(start), count, dataFreeFlags(in))
		}
	}
	for i := from; i < to; i++ {
		b := n.pointers[i]
		switch {
		case b == 0:
			continue
		// The run grows as long as each pointer names the block after the one before; holes
		// between them do not end it.
		case count > 0 && b == start+count:
			count++
		default:
			flush()
			start, count = b, 1
		}
		n.pointers[i] = 0
	}
	flush()
	// The pointers are in the block of n or in the inode.
	if n.blk != 0 {
		fs.dirtyMeta(t, n.blk)
	} else {
		fs.dirtyInode(t, in)
	}
}

// clearBranches frees everything that slots [from, to) of n lead to, over depth levels of
// indirect blocks, from the last slot to the first (ext4_free_branches).
func (fs *FS) clearBranches(t *task, in *inode, n *indirect, from, to, depth int) {
	if depth == 0 {
		fs.clearRange(t, in, n, from, to)
		return
	}
	for i := to - 1; i >= from; i-- {
		kid := n.children[i]
		if n.pointers[i] == 0 {
			continue
		}
		// An indirect block is freed after all below it.
		fs.clearBranches(t, in, kid, 0, len(kid.pointers), depth-1)
		fs.freeBlocks(t, in, kid.blk, 1, freeMetadata|freeForget)
		n.pointers[i], n.children[i] = 0, nil
	}
}

// findShared finds the last link of the chain to a block that survives when everything from
// that block on is freed (ext4_find_shared). top says that what the link points to goes as
// a whole.
func (in *inode) findShared(c *chain) (at int, top bool) {
	// Arrays in which the chain takes slot 0 keep nothing, so the search begins above them.
	k := c.depth
	for k > 1 && c.offsets[k-1] == 0 {
		k--
	}
	// The chain may end early, at a hole.
	partial := in.walk(c, k)
	if partial < 0 {
		partial = k - 1
	}
	// Going up, an array that has nothing before the chain's slot goes with it.
	p := partial
	for p > 0 && allZero(c.links[p].array.pointers[:c.links[p].slot]) {
		p--
	}
	// The array keeps what lies before the chain's slot: the cut is behind the slot before.
	if p == k-1 && p > 0 {
		c.links[p].slot--
		return p, false
	}
	return p, c.links[p].key() != 0
}

// allZero reports whether no pointer is set.
func allZero(ptr []uint32) bool {
	for _, p := range ptr {
		if p != 0 {
			return false
		}
	}
	return true
}

// clearShared frees the branch on top of the link that is shared with what stays, and
// everything to the right of the chain on each level down to the inode.
func (fs *FS) clearShared(t *task, in *inode, c *chain) {
	at, top := in.findShared(c)
	if top {
		l := c.links[at]
		fs.clearBranches(t, in, l.array, l.slot, l.slot+1, c.depth-1-at)
	}
	for ; at > 0; at-- {
		l := c.links[at]
		fs.clearBranches(t, in, l.array, l.slot+1, len(l.array.pointers), c.depth-1-at)
	}
}

// clearWhole frees all that the inode's slots [from, to) for indirect blocks lead to.
func (fs *FS) clearWhole(t *task, in *inode, from, to int) {
	for s := max(from, indSlot); s < to; s++ {
		fs.clearBranches(t, in, in.ind, s, s+1, s-directSlots+1)
	}
}

// truncateIndirect frees all blocks of the file from block last on (ext4_ind_truncate).
func (fs *FS) truncateIndirect(t *task, in *inode, last uint32) {
	c := fs.chainTo(last)
	fs.useMappings(in, last)
	fs.forget(t, in, last, maxBlocks-last)
	if c.depth == 0 || in.ind == nil {
		return
	}
	// The cut is among the direct blocks: all three trees go as a whole.
	if c.depth == 1 {
		fs.clearRange(t, in, in.ind, c.offsets[0], directSlots)
		fs.clearWhole(t, in, indSlot, inodeSlots)
		return
	}
	// The cut is inside one of the trees: the part of it behind last, and the trees after
	// it.
	fs.clearShared(t, in, &c)
	fs.clearWhole(t, in, c.offsets[0]+1, inodeSlots)
}

// punchIndirect frees the blocks [start, end) (ext4_ind_remove_space). Indirect blocks go only
// where all that they could lead to lies in the range: one that loses its last pointer may stay
// without any.
func (fs *FS) punchIndirect(t *task, in *inode, start, end uint32) {
	if in.ind == nil {
		return
	}
	from, to := fs.chainTo(start), fs.chainTo(end)
	switch {
	case from.depth == 0 || to.depth == 0: // behind the largest file
	// Only direct blocks.
	case to.depth == 1:
		fs.clearRange(t, in, in.ind, from.offsets[0], to.offsets[0])
	case from.depth == to.depth:
		fs.punchTree(t, in, &from, &to)
	// The end of one tree, the front of another, and all trees between.
	default:
		if from.depth == 1 {
			fs.clearRange(t, in, in.ind, from.offsets[0], directSlots)
		} else {
			fs.clearShared(t, in, &from)
		}
		fs.clearFront(t, in, &to)
		fs.clearWhole(t, in, max(from.offsets[0]+1, indSlot), to.offsets[0])
	}
}

// clearFront frees what lies before the chain's block in its tree.
func (fs *FS) clearFront(t *task, in *inode, c *chain) {
	at, top := in.findShared(c)
	if top && at == 0 {
		return
	}
	if !top {
		c.links[at].slot++
	}
	for ; at > 0; at-- {
		l := c.links[at]
		l.array.mayBeEmpty = true
		fs.clearBranches(t, in, l.array, 0, l.slot, c.depth-1-at)
	}
}

// punchTree frees what lies between two blocks of one tree.
func (fs *FS) punchTree(t *task, in *inode, from, to *chain) {
	a, topA := in.findShared(from)
	b, topB := in.findShared(to)
	// The branch in which the range begins goes as a whole, unless it ends in it too.
	if topA && !sameSlots(from, to, min(a, b)) {
		l := from.links[a]
		fs.clearBranches(t, in, l.array, l.slot, l.slot+1, from.depth-1-a)
	}
	if !topB {
		to.links[b].slot++
	}
	// From both ends up to where they meet: what lies behind the beginning in its arrays, and
	// before the end in its.
	for a > 0 || b > 0 {
		x, y := from.links[a], to.links[b]
		if a > 0 && b > 0 && x.array == y.array {
			x.array.mayBeEmpty = true
			fs.clearBranches(t, in, x.array, x.slot+1, y.slot, from.depth-1-a)
			return
		}
		left, right := a > 0 && a >= b, b > 0 && b >= a
		if left {
			x.array.mayBeEmpty = true
			fs.clearBranches(t, in, x.array, x.slot+1, len(x.array.pointers), from.depth-1-a)
			a--
		}
		if right {
			y.array.mayBeEmpty = true
			fs.clearBranches(t, in, y.array, 0, y.slot, to.depth-1-b)
			b--
		}
	}
}

// sameSlots says whether two chains take the same slots up to a level.
func sameSlots(a, b *chain, level int) bool {
	for i := range level + 1 {
		if a.offsets[i] != b.offsets[i] {
			return false
		}
	}
	return true
}
