package ext2

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// truncateBlocks frees all blocks of an inode that lie wholly behind size bytes,
// and its reservation (__ext2_truncate_blocks). An indirect block goes with the
// last of its pointers.
//
// The kernel finds the path to the first block to go, then frees what is right of
// it level by level. Here each tree is cut from its top down: the blocks freed
// are the same, in an order that decides nothing.
func (fs *FS) truncateBlocks(t *task, in *inode, size int64) {
	// from is the first block to free: a block that the end of the file is in stays.
	from := uint64(size+fs.geo.BlockSize()-1) >> fs.geo.BlockBits
	if from < directSlots {
		fs.freePointers(t, in, in.slots[from:directSlots])
	}
	// Then the three trees, where the first block to free is in them or before them.
	first := uint64(directSlots) // of the tree's blocks
	for levels := 1; levels < maxDepth; levels++ {
		span := uint64(1) << (fs.pointerBits * uint8(levels))
		slot := directSlots + levels - 1
		if top := in.kids[slot]; top != nil && from < first+span {
			fs.cut(t, in, &in.top, slot, levels, max(from, first)-first)
		}
		first += span
	}
	// The window goes even if nothing was freed.
	fs.alloc.DiscardWindow(&in.window)
}

// cut frees what lies from block from on below the indirect block that slot of up
// points to, levels above the data, and that block itself if nothing stays. from
// is counted from the first block below it.
func (fs *FS) cut(t *task, in *inode, up *node, slot, levels int, from uint64) {
	n := up.kid[slot]
	if n == nil {
		return
	}
	// The pointers from i on go. Below the first of them some blocks may stay, below the
	// others none.
	span := uint64(1) << (fs.pointerBits * uint8(levels-1)) // blocks below one pointer
	i := int(from / span)
	if levels == 1 {
		fs.freePointers(t, in, n.ptr[i:])
	} else {
		for below := from % span; i < len(n.kid); i, below = i+1, 0 {
			fs.cut(t, in, n, i, levels-1, below)
		}
	}
	// A pointer that stays, before from, keeps the indirect block.
	for i := min(int(from/span), len(n.ptr)-1); i >= 0; i-- {
		if n.ptr[i] != 0 {
			return
		}
	}
	// The last pointer has gone, and the indirect block with it.
	up.ptr[slot], up.kid[slot] = 0, nil
	fs.freeBlocks(t, in, n.blk, 1)
	fs.dropNode(n)
}

// freePointers frees the data blocks that ptr points to, those in a row at once
// (ext2_free_data).
func (fs *FS) freePointers(t *task, in *inode, ptr []uint32) {
	start, n := uint32(0), uint32(0)
	for i, b := range ptr {
		if b == 0 {
			continue
		}
		// A run goes on while the blocks follow each other, as the kernel's count does.
		ptr[i] = 0
		if n > 0 && b == start+n {
			n++
			continue
		}
		if n > 0 {
			fs.freeBlocks(t, in, allocator.Block(start), n)
		}
		start, n = b, 1
	}
	if n > 0 {
		fs.freeBlocks(t, in, allocator.Block(start), n)
	}
}

// setSize is ftruncate(2), or open(2) with O_TRUNC (ext2_setattr, ext2_setsize).
// A size that does not change keeps the reservation too.
func (fs *FS) setSize(t *task, in *inode, size int64) errno {
	switch {
	case size < 0:
		return filesystem.EINVAL
	case size == in.size:
		return 0
	case size > in.size && size > fs.maxBytes:
		return filesystem.EFBIG
	}
	in.size = size
	fs.truncateBlocks(t, in, size)
	return 0
}
