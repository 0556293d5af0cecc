package ext4

// Without a journal a number is not used again at once: its deletion may not be on
// disk yet, and a crash would show the old file under the new name. So for a minute
// other free numbers of the group go first. That takes a clock: without one the
// first free number is taken.
//
// Deviates from the kernel: there it is five minutes more while the block of the
// inode table is dirty, which writeback makes clean in less than a minute; and after
// a remount a deletion shows again once another inode is read from its block.

// recency is how long a deletion is recent, s (RECENTCY_MIN).
const recency = 60

// seconds is the time in whole seconds, never 0.
func (fs *FS) seconds() uint32 { return uint32(fs.opt.Clock()/1e9) + 1 }

// noteDeleted notes that the inode with this bit in its group is deleted now.
func (fs *FS) noteDeleted(ig *inodeGroup, bit uint32) {
	if fs.journal != nil || fs.opt.Clock == nil {
		return
	}
	if ig.deleted == nil {
		ig.deleted = make([]uint32, fs.geo.InodesPerGroup)
	}
	ig.deleted[bit] = fs.seconds()
}

// recentlyDeleted says whether an inode was deleted within the last minute, but not in the
// current second (recently_deleted).
func (ig *inodeGroup) recentlyDeleted(bit, now uint32) bool {
	at := ig.deleted[bit]
	return at != 0 && at < now && now < at+recency
}

// takeSettled takes the first free inode of a group at from or after it that was not
// deleted recently. If all were, it takes the last of them (find_inode_bit).
func (fs *FS) takeSettled(ig *inodeGroup, from uint32) (uint32, bool) {
	ipg := fs.geo.InodesPerGroup
	now := fs.seconds()
	// found is the last free inode seen, ipg while there is none.
	found := ipg
	for bit := ig.nextFree(from, ipg); bit < ipg; bit = ig.nextFree(bit+1, ipg) {
		found = bit
		if !ig.recentlyDeleted(bit, now) {
			break
		}
	}
	if found == ipg {
		return 0, false
	}
	ig.bits.Set(int(found))
	ig.deleted[found] = 0
	if found == ig.firstFree {
		ig.firstFree++
	}
	return found, true
}

// forgetDeleted forgets when inodes were deleted, as the kernel does with the inode table's
// buffers when it unmounts.
func (fs *FS) forgetDeleted() {
	for _, page := range fs.inodeGroups {
		for i := range page {
			page[i].deleted = nil
		}
	}
}
