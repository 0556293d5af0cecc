package ext4

// Inodes without a name stay on a list until their last handle closes, the newest first, so
// that a crash does not lose their blocks. The list is linked through the inodes on disk:
// to take an inode out changes the next newer one, and an fsync of that file then has
// something to commit.
//
// A file system may have an orphan file, whose blocks have a place for each of these inodes
// (mke2fs makes it from 1.47 on). Kernels that know it use it instead: to take an inode out
// then changes no other.
//
// Deviates from the kernel: an orphan file is never full; the kernel then takes the list. And
// inodes are also put on the list while they are truncated or written past their end. They
// leave it before anything else is put there, which changes no other inode.

// orphanAdd puts an inode that has lost its last name on the list (ext4_orphan_add).
// Without a journal there is no list.
func (fs *FS) orphanAdd(in *inode) {
	if fs.journal == nil || in.onOrphanList {
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

// orphanDel takes an inode off the list, if it is on it (ext4_orphan_del).
func (fs *FS) orphanDel(t *task, in *inode) {
	if !in.onOrphanList {
		return
	}
	in.onOrphanList = false
	fs.orphanCount--
	if fs.orphanCount == 0 {
		fs.orphans = nil
		return
	}
	// The neighbours are joined. On disk only the newer one points to this inode, so only
	// that changes.
	if in.older != nil {
		in.older.newer = in.newer
	}
	if in.newer != nil {
		in.newer.older = in.older
		if !fs.orphanFile {
			fs.dirtyInode(t, in.newer)
		}
	} else {
		fs.orphans = in.older
	}
	in.newer, in.older = nil, nil
}
