package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// Mkdir implements filesystem.FileSystem.
func (fs *FS) Mkdir(t *task, path string) error {
	dir, at, in, e := fs.lockedAt(t, path, true)
	if e != 0 {
		return e
	}
	defer fs.leave(t, dir)
	if in != nil {
		return filesystem.EEXIST
	}
	return asError(fs.makeDirectory(t, dir, at))
}

// Create implements filesystem.FileSystem.
func (fs *FS) Create(t *task, path string) (filesystem.Handle, error) {
	h, made, e := fs.openOrCreate(t, path)
	if e != 0 {
		return nil, e
	}
	if made {
		return h, nil
	}
	// A file that was there is cut to length 0 (O_TRUNC).
	fs.lock(h.in)
	fs.looksForCapability(h.in, false)
	e = fs.setSize(t, h.in, 0)
	fs.unlock(h.in)
	if e != 0 {
		// The error of the cut is the one to return; that of closing adds nothing.
		h.Close(t)
		return nil, e
	}
	return h, nil
}

// openOrCreate opens a file, or makes it if there is none, which made then says.
func (fs *FS) openOrCreate(t *task, path string) (h *handle, made bool, e errno) {
	dir, at, in, e := fs.lockedAt(t, path, true)
	if e != 0 {
		return nil, false, e
	}
	// The name may be free, or stand for something that cannot be written to.
	switch {
	case in == nil:
		in, e = fs.createFile(t, dir, at)
		made = e == 0
	case in.isDir():
		e = filesystem.EISDIR
	case !in.Regular: // symbolic links are not followed
		e = filesystem.ELOOP
	}
	// It is opened before the directory is unlocked, so that nobody can remove it in
	// between.
	if e == 0 {
		h = fs.openInode(dir, in, 0)
	}
	fs.leave(t, dir)
	return h, made, e
}

// Open implements filesystem.FileSystem.
func (fs *FS) Open(t *task, path string, flags filesystem.OpenFlags) (filesystem.Handle, error) {
	dir, name, e := fs.at(path)
	if e != 0 {
		return nil, e
	}
	// No lock is needed: between two calls of the Host no other process runs.
	in, _ := fs.child(dir, name)
	switch {
	case in == nil:
		return nil, filesystem.ENOENT
	case in.isDir():
		return nil, filesystem.EISDIR
	case !in.Regular: // symbolic links are not followed
		return nil, filesystem.ELOOP
	}
	return fs.openInode(dir, in, flags), nil
}

// Unlink implements filesystem.FileSystem.
func (fs *FS) Unlink(t *task, path string) error {
	dir, at, in, e := fs.lockedAt(t, path, false)
	switch {
	case e != 0:
		return e
	case in == nil:
		e = filesystem.ENOENT
	case in.isDir():
		e = filesystem.EISDIR
	default:
		fs.unlinkFile(t, dir, at, in)
	}
	fs.leave(t, dir)
	// The inode is freed after the directory is unlocked, unless a handle holds it.
	if e == 0 {
		fs.release(t, in)
	}
	return asError(e)
}

// Rmdir implements filesystem.FileSystem.
func (fs *FS) Rmdir(t *task, path string) error {
	dir, at, in, e := fs.lockedAt(t, path, false)
	switch {
	case e != 0:
		return e
	case in == nil:
		e = filesystem.ENOENT
	case !in.isDir():
		e = filesystem.ENOTDIR
	case in == dir:
		e = filesystem.EBUSY
	default:
		e = fs.removeDirectory(t, dir, at, in)
	}
	fs.leave(t, dir)
	// The inode is freed after the directory above is unlocked.
	if e == 0 {
		fs.release(t, in)
	}
	return asError(e)
}

// Rename implements filesystem.FileSystem.
func (fs *FS) Rename(t *task, from, to string) error { return asError(fs.rename(t, from, to)) }

// Sync implements filesystem.FileSystem.
func (fs *FS) Sync(t *task) error {
	fs.sync(t)
	fs.checkNow()
	return nil
}

// Remount implements filesystem.FileSystem. It unmounts, which writes everything and gives
// back all preallocations, and mounts again with cold caches.
func (fs *FS) Remount(t *task) error {
	fs.sync(t)
	// Unmounting forgets what only memory knew of each inode.
	for in := range fs.inodes.all() {
		fs.clearInode(t, in)
		in.allocOnClose = false
		fs.forgetRights(in)
		in.resident = in == fs.root
		in.mayInline, in.pagesDiffer = in.inline > 0, false
		// The status tree is empty then, and every node of the extent tree unread. The root
		// is read with its inode.
		m := in.fileMap()
		m.es.Reset()
		m.root.Unread()
		in.lastAllocGroup = 0
		fs.forgetFolios(in)
	}
	// What clearing has changed is committed, and the next mount begins without a
	// transaction.
	fs.journal.Commit()
	fs.forgetPaths()
	if fs.opt.Cache != nil {
		fs.opt.Cache.Drop()
	}
	// The counters are exact again, with nothing held back by a CPU.
	fs.freeInodes = allocator.NewPerCPUCounter(fs.freeInodes.Sum(), fs.opt.CPUs)
	fs.dirCount = allocator.NewPerCPUCounter(fs.dirCount.Sum(), fs.opt.CPUs)
	fs.journal.Unmount()
	fs.attrs.forget()
	fs.esAtMount = fs.esStats.StatusTree
	// The allocator begins with cold caches too.
	fs.forgetTables()
	e := fs.alloc.Remount()
	fs.mounted()
	fs.checkNow()
	return e
}
