package ext4

import "mbsim/allocator/bitmap"

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

// forgetTables forgets which blocks of the inode tables were in memory, as the kernel does when
// it unmounts. The root is read with the next mount.
func (fs *FS) forgetTables() {
	for _, page := range fs.inodeGroups {
		for i := range page {
			if d := page[i].deleted; d != nil {
				d.unread = bitmap.New(int(fs.layout.Super.InodeTableBlocks()))
				d.unread.Fill()
			}
		}
	}
	fs.useTable(fs.root.Number, false)
}
