package ext4

import "mbsim/filesystem"

// Link implements filesystem.FileSystem (do_linkat, ext4_link). A symbolic link is not followed:
// it gets the further name itself.
func (fs *FS) Link(t *task, from, to string) error {
	fromDir, fromName, e := fs.at(from)
	if e != 0 {
		return e
	}
	in, _ := fs.child(fromDir, fromName)
	if in == nil {
		return filesystem.ENOENT
	}
	dir, at, old, e := fs.lockedAt(t, to, false)
	if e != 0 {
		return e
	}
	defer fs.leave(t, dir)
	switch {
	case old != nil:
		return filesystem.EEXIST
	case in.isDir():
		return filesystem.EPERM
	}
	// The file may have lost its last name while this process waited for the directory.
	fs.lock(in)
	defer fs.unlock(in)
	switch {
	case in.links == 0:
		return filesystem.ENOENT
	case in.links >= maxLinks:
		return filesystem.EMLINK
	}
	// Want of space for the entry is tried again after a commit.
	for retries := 0; ; {
		fs.journal.Start()
		in.links++
		if e = fs.addEntry(t, dir, at, in); e == 0 {
			fs.dirtyInode(t, in)
			return nil
		}
		in.links--
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}

// SyncDir implements filesystem.FileSystem (ext4_fsync_journal). All that a directory has is metadata,
// and the running transaction is committed, whether it holds the directory or not, as in the
// kernels that have recordings.
func (fs *FS) SyncDir(t *task, path string) error {
	dir, name, e := fs.at(path)
	if e != 0 {
		return e
	}
	in, _ := fs.child(dir, name)
	switch {
	case in == nil:
		return filesystem.ENOENT
	case !in.isDir():
		return filesystem.ENOTDIR
	}
	fs.journal.Commit()
	return nil
}
