package ext4

import "mbsim/allocator"

// readahead is how many blocks of the inode table are read together, from a multiple of it on
// (s_inode_readahead_blks).
const readahead = 32

// tableBlock is the block of its group's inode table, counted from 0, that an inode lies in.
func (fs *FS) tableBlock(bit uint32) uint32 { return bit / fs.layout.Super.InodesPerBlock() }

// useTable uses the block of the inode table that an inode lies in, which is new if fresh
// (__ext4_get_inode_loc). Where the block is not in memory it is read, which takes time, counts as
// reads of metadata, and shows again which of its inodes were deleted when (recent.go).
func (fs *FS) useTable(number uint32, fresh bool) {
	// Mostly nobody asks for reads, and with a journal deletions do not matter.
	if fs.opt.Cache == nil && fs.journal != nil {
		return
	}
	g := allocator.GroupID((number - 1) / fs.geo.InodesPerGroup)
	bit := (number - 1) % fs.geo.InodesPerGroup
	ig, block := fs.inodeGroupOf(g), fs.tableBlock(bit)
	table := fs.layout.Desc(g).InodeTable
	d := ig.deleted
	if fresh && d != nil {
		d.at[bit] = 0
	}
	unread := d != nil && d.isUnread(block)
	missing := fs.opt.Cache != nil && !fs.opt.Cache.Use(table+allocator.Block(block))
	if !unread && !missing {
		return
	}
	// A block whose other inodes are all free is not read for a new one but filled with zeros, so
	// that it tells of no deletion.
	per := fs.layout.Super.InodesPerBlock()
	if first := block * per; fresh && fs.onlyInode(ig, first, per, bit) {
		if unread {
			d.unread.Clear(int(block))
			clear(d.at[first:min(first+per, uint32(len(d.at)))])
		}
		return
	}
	first, last := fs.tableAround(ig, table, block)
	if unread {
		d.unread.ClearRange(int(first), int(last-first)+1)
	}
	if missing {
		fs.useBetween(table+allocator.Block(first), table+allocator.Block(block), table+allocator.Block(last)+1)
	}
}

// tableAround is the first and the last block of a group's inode table that are read with one of
// its blocks. They are aligned on the device, lie in the table, and end where inodes were never
// used. As in the kernel the last one is one more than it takes.
func (fs *FS) tableAround(ig *inodeGroup, table allocator.Block, block uint32) (first, last uint32) {
	used := fs.geo.InodesPerGroup
	if fs.groupChecksums {
		used -= min(ig.unused, used)
	}
	begin := max((table+allocator.Block(block))&^(readahead-1), table)
	first = uint32(begin - table)
	last = min(first+readahead, used/fs.layout.Super.InodesPerBlock(), fs.layout.Super.InodeTableBlocks()-1)
	return first, max(last, block)
}

// onlyInode says whether no inode in [first, first+n) of a group is in use but the one with this
// bit.
func (fs *FS) onlyInode(ig *inodeGroup, first, n, bit uint32) bool {
	end := int(min(first+n, fs.geo.InodesPerGroup))
	return ig.bits.NextSet(int(first), end) >= int(bit) && ig.bits.NextSet(int(bit)+1, end) >= end
}
