package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Without a journal a number is not used again at once: its deletion may not be on
// disk yet, and a crash would show the old file under the new name. So for a minute
// other free numbers of the group go first. That takes a clock: without one the
// first free number is taken.
//
// When an inode was deleted stands in the inode table, and counts only where that block of the
// table is in memory. After a mount none is, until an inode is read from it or from its
// neighbours.
//
// Deviates from the kernel: there it is five minutes more while the block of the
// inode table is dirty, which writeback makes clean in less than a minute.

// recency is how long a deletion is recent, s (RECENTCY_MIN).
const recency = 60

// readahead is how many blocks of the inode table are read together, those from a multiple of it
// on (s_inode_readahead_blks).
const readahead = 32

// deletions is when the inodes of a group were deleted.
type deletions struct {
	at []uint32 // s, by the inode's bit, 0 for never
	// unread has a bit set for each block of the inode table that has not been read since the
	// last mount; nil for none.
	unread bitmap.Bits
}

// seconds is the time in whole seconds, never 0.
func (fs *FS) seconds() uint32 { return uint32(fs.opt.Clock()/1e9) + 1 }

// noteDeleted notes that the inode with this bit in its group is deleted now.
func (fs *FS) noteDeleted(ig *inodeGroup, bit uint32) {
	if fs.journal != nil || fs.opt.Clock == nil {
		return
	}
	if ig.deleted == nil {
		ig.deleted = &deletions{at: make([]uint32, fs.geo.InodesPerGroup)}
	}
	ig.deleted.at[bit] = fs.seconds()
}

// tableBlock is the block of its group's inode table, counted from 0, that an inode lies in.
func (fs *FS) tableBlock(bit uint32) uint32 { return bit / fs.layout.Super.InodesPerBlock() }

// recentlyDeleted says whether an inode was deleted within the last minute, but not in the
// current second, as far as memory knows (recently_deleted).
func (fs *FS) recentlyDeleted(d *deletions, bit, now uint32) bool {
	at := d.at[bit]
	return at != 0 && at < now && now < at+recency && !d.isUnread(fs.tableBlock(bit))
}

// isUnread says whether a block of the inode table is not in memory.
func (d *deletions) isUnread(block uint32) bool { return d.unread != nil && d.unread.Test(int(block)) }

// takeSettled takes the first free inode of a group at from or after it that was not
// deleted recently. If all were, it takes the last of them (find_inode_bit).
func (fs *FS) takeSettled(ig *inodeGroup, from uint32) (uint32, bool) {
	ipg := fs.geo.InodesPerGroup
	now := fs.seconds()
	// found is the last free inode seen, ipg while there is none.
	found := ipg
	for bit := ig.nextFree(from, ipg); bit < ipg; bit = ig.nextFree(bit+1, ipg) {
		found = bit
		if !fs.recentlyDeleted(ig.deleted, bit, now) {
			break
		}
	}
	if found == ipg {
		return 0, false
	}
	ig.bits.Set(int(found))
	if found == ig.firstFree {
		ig.firstFree++
	}
	return found, true
}

// readTableOf brings the block of the inode table that an inode lies in into memory
// (__ext4_get_inode_loc), where that shows deletions again. The inode is new if fresh.
func (fs *FS) readTableOf(number uint32, fresh bool) {
	if fs.journal != nil {
		return
	}
	g := allocator.GroupID((number - 1) / fs.geo.InodesPerGroup)
	bit := (number - 1) % fs.geo.InodesPerGroup
	ig := fs.inodeGroupOf(g)
	d := ig.deleted
	if d == nil {
		return
	}
	block := fs.tableBlock(bit)
	unread := d.isUnread(block)
	if fresh {
		d.at[bit] = 0
	}
	if !unread {
		return
	}
	// A block whose other inodes are all free is not read for a new one but filled with zeros, so
	// that it tells of no deletion.
	per := fs.layout.Super.InodesPerBlock()
	first := block * per
	if fresh && fs.onlyInode(ig, first, per, bit) {
		d.unread.Clear(int(block))
		clear(d.at[first:min(first+per, uint32(len(d.at)))])
		return
	}
	// The blocks around it are read with it, as far as the table has been used.
	used := fs.geo.InodesPerGroup
	if fs.groupChecksums {
		used -= ig.unused
	}
	table := fs.layout.Desc(g).InodeTable
	begin := max((table+allocator.Block(block))&^(readahead-1), table)
	end := min(begin+readahead, table+allocator.Block(used/per))
	for b := begin; b <= end; b++ {
		d.unread.Clear(int(b - table))
	}
	d.unread.Clear(int(block))
}

// onlyInode says whether no inode in [first, first+n) of a group is in use but the one with this
// bit.
func (fs *FS) onlyInode(ig *inodeGroup, first, n, bit uint32) bool {
	end := int(min(first+n, fs.geo.InodesPerGroup))
	return ig.bits.NextSet(int(first), end) >= int(bit) && ig.bits.NextSet(int(bit)+1, end) >= end
}

// forgetTables forgets which blocks of the inode tables were in memory, as the kernel does when
// it unmounts. The root is read with the next mount.
func (fs *FS) forgetTables() {
	for _, page := range fs.inodeGroups {
		for i := range page {
			if d := page[i].deleted; d != nil {
				// Reading ahead may go a block beyond the table.
				d.unread = bitmap.New(int(fs.layout.Super.InodeTableBlocks()) + 1)
				d.unread.Fill()
			}
		}
	}
	fs.readTableOf(fs.root.Number, false)
}
