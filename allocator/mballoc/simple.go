package mballoc

import "mbsim/allocator"

// This is the allocator of fast-commit replay. It works on bitmaps and descriptors before
// anybody else uses the file system: it loads no buddy and counts nothing but the free
// clusters of groups and flex groups. The file system's counters are summed anew after
// recovery.

// NewBlocksSimple allocates one cluster at or after goal that excluded does not
// name, on the way around the disk, and returns its first block; false is ENOSPC
// (ext4_mb_new_blocks_simple). excluded, if not nil, gets first blocks of
// clusters that replay is going to fill.
//
// Without Quirks.SimpleWraps the search ends at the end of the disk, and a cluster's
// number in its group is taken for a block's.
func (a *Allocator) NewBlocksSimple(goal allocator.Block, excluded func(allocator.Block) bool) (allocator.Block, bool) {
	if goal < a.geo.FirstDataBlock || goal >= a.geo.Blocks {
		goal = a.geo.FirstDataBlock
	}
	// Only in the goal's group does the search begin in the middle.
	id, off := a.geo.GroupOf(goal)
	for range a.geo.Groups {
		if i := a.firstFreeSimple(id, int(off), excluded); i >= 0 {
			b := a.simpleBlock(id, i)
			a.MarkBlocks(b, 1, true)
			return b, true
		}
		off = 0
		// On to the next group, and around the end of the disk.
		id++
		if id == a.geo.Groups {
			if !a.quirks.SimpleWraps {
				break
			}
			id = 0
		}
	}
	return 0, false
}

// simpleBlock is the block that cluster i of a group is taken for.
func (a *Allocator) simpleBlock(id allocator.GroupID, i int) allocator.Block {
	if !a.quirks.SimpleWraps {
		return a.geo.GroupStart(id) + allocator.Block(i)
	}
	return a.geo.BlockAt(id, allocator.GroupOffset(i))
}

// firstFreeSimple is the first free cluster of a group from off on that is not
// excluded, -1 if there is none.
func (a *Allocator) firstFreeSimple(id allocator.GroupID, off int, excluded func(allocator.Block) bool) int {
	g := a.at(id)
	a.readBitmap(id, g, false)
	limit := int(a.geo.ClustersPerGroup)
	// excluded names blocks that are free on disk, but that the journal still to be
	// replayed gives to files.
	for i := g.disk.NextZero(off, limit); i < limit; i = g.disk.NextZero(i+1, limit) {
		if excluded == nil || !excluded(a.simpleBlock(id, i)) {
			return i
		}
	}
	return -1
}

// FreeBlocksSimple frees n clusters of one group from block on
// (ext4_free_blocks_simple). Those that are free already do not count.
func (a *Allocator) FreeBlocksSimple(block allocator.Block, n int) {
	id, off := a.geo.GroupOf(block)
	g := a.at(id)
	a.replaying()
	a.readBitmap(id, g, false)
	g.descFree += uint32(a.setSimple(g, int(off), n, false))
}

// MarkBlocks marks n blocks from block on used or free, on disk
// (ext4_mb_mark_bb). Those that are so already do not count.
//
// Without Quirks.SimpleWraps all n are taken off a flex group's free count, even where
// they become free, and only whole clusters count: one block of a larger cluster marks
// nothing.
//
// Deviates from the kernel: where a kernel without that quirk would write past the end of
// a bitmap, the range goes on in the next group.
func (a *Allocator) MarkBlocks(block allocator.Block, n int, used bool) {
	for n > 0 {
		id, off := a.geo.GroupOf(block)
		// The blocks of this group, and how many clusters of its bitmap they are, rounded
		// up.
		part := min(n, int(a.geo.BlocksPerGroup)-int(off)<<a.geo.ClusterBits)
		clusters := part >> a.geo.ClusterBits
		if a.quirks.SimpleWraps {
			clusters = (part + int(a.geo.ClusterRatio()) - 1) >> a.geo.ClusterBits
		}
		g := a.at(id)
		a.replaying()
		a.readBitmap(id, g, false)
		g.uninit = false
		// Only clusters that change count in the descriptor. From there on changed is how
		// much more is free in the flex group.
		changed := a.setSimple(g, int(off), clusters, used)
		if used {
			g.descFree -= uint32(changed)
			changed = -changed
		} else {
			g.descFree += uint32(changed)
		}
		// Older kernels take all blocks off, whatever changed.
		if !a.quirks.SimpleWraps {
			changed = -part
		}
		a.flexChanged(id, int64(changed))
		block += allocator.Block(part)
		n -= part
	}
}

// setSimple sets or clears bits of the bitmap on disk and returns how many that
// changed.
func (a *Allocator) setSimple(g *group, off, n int, used bool) int {
	a.changeDisk(g)
	changed := 0
	for i := off; i < off+n; i++ {
		if g.disk.Test(i) == used {
			continue
		}
		changed++
		if used {
			g.disk.SetRange(i, 1)
		} else {
			g.disk.ClearRange(i, 1)
		}
	}
	return changed
}
