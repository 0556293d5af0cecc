package ext4

// Inodes without a name are kept on a list until their last handle closes, the
// newest first, so that a crash does not lose their blocks. The list is linked
// through the inodes on disk: taking one out changes the next newer one, which
// fsync of that file then commits.
//
// Deviates from the kernel: inodes are also put on the list while they are
// truncated or written past their end. They leave it before anything else is
// put there, which changes no other inode.

// orphanAdd puts an inode that lost its last name on the list
// (ext4_orphan_add).
func (fs *FS) orphanAdd(in *inode) {
	if fs.j == nil || in.onOrphanList {
		return
	}
	in.onOrphanList = true
	if fs.orphans != nil {
		in.large().older = fs.orphans
		fs.orphans.large().newer = in
	}
	fs.orphans = in
	fs.orphanCount++
}

// orphanDel takes an inode off the list (ext4_orphan_del).
func (fs *FS) orphanDel(t *task, in *inode) {
	if !in.onOrphanList {
		return
	}
	in.onOrphanList = false
	if fs.orphanCount--; fs.orphanCount == 0 {
		fs.orphans = nil
		return
	}
	if in.older != nil {
		in.older.newer = in.newer
	}
	if in.newer != nil {
		in.newer.older = in.older
		fs.dirtyInode(t, in.newer)
	} else {
		fs.orphans = in.older
	}
	in.newer, in.older = nil, nil
}
