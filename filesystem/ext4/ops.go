package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
)

// Mkdir implements filesystem.FileSystem.
func (fs *FS) Mkdir(t *task, path string) error {
	dir, name, in, e := fs.at(path)
	switch {
	case e != 0:
		return e
	case in != nil || name == "":
		return EEXIST
	}
	return asError(fs.makeDirectory(t, dir, name))
}

// Create implements filesystem.FileSystem.
func (fs *FS) Create(t *task, path string) (filesystem.Handle, error) {
	dir, name, in, e := fs.at(path)
	if e != 0 {
		return nil, e
	}
	if in == nil {
		if in, e = fs.createFile(t, dir, name); e != 0 {
			return nil, e
		}
		return fs.openInode(in, false), nil
	}
	if in.isDir() {
		return nil, EISDIR
	}
	h := fs.openInode(in, false)
	if e := fs.setSize(t, in, 0); e != 0 {
		h.Close(t)
		return nil, e
	}
	return h, nil
}

// Open implements filesystem.FileSystem.
func (fs *FS) Open(t *task, path string, direct bool) (filesystem.Handle, error) {
	_, _, in, e := fs.at(path)
	switch {
	case e != 0:
		return nil, e
	case in == nil:
		return nil, ENOENT
	case in.isDir():
		return nil, EISDIR
	}
	return fs.openInode(in, direct), nil
}

// Unlink implements filesystem.FileSystem.
func (fs *FS) Unlink(t *task, path string) error {
	dir, name, in, e := fs.at(path)
	switch {
	case e != 0:
		return e
	case in == nil:
		return ENOENT
	case in.isDir():
		return EISDIR
	}
	fs.unlinkFile(t, dir, name, in)
	return nil
}

// Rmdir implements filesystem.FileSystem.
func (fs *FS) Rmdir(t *task, path string) error {
	dir, name, in, e := fs.at(path)
	switch {
	case e != 0:
		return e
	case in == nil:
		return ENOENT
	case !in.isDir():
		return ENOTDIR
	}
	return asError(fs.removeDirectory(t, dir, name, in))
}

// Rename implements filesystem.FileSystem.
func (fs *FS) Rename(t *task, from, to string) error { return asError(fs.rename(t, from, to)) }

// Sync implements filesystem.FileSystem.
func (fs *FS) Sync(t *task) error {
	fs.sync(t)
	return nil
}

// Remount implements filesystem.FileSystem: it unmounts, which writes
// everything and gives back all preallocations, and mounts again with cold
// caches.
func (fs *FS) Remount(t *task) error {
	fs.sync(t)
	for _, page := range fs.inodes {
		for _, in := range page {
			if in != nil {
				fs.clearInode(t, in)
				in.lastAllocGroup = -1
				in.allocOnClose = false
				in.resident = in == fs.root
				in.es = esTree{}
				unverify(&in.root)
				in.root.verified = true
			}
		}
	}
	fs.commit(t)
	fs.lastDir = nil
	fs.freeInodes = allocator.NewPerCPUCounter(fs.freeInodes.Sum(), fs.opt.CPUs)
	fs.dirCount = allocator.NewPerCPUCounter(fs.dirCount.Sum(), fs.opt.CPUs)
	if fs.j != nil {
		fs.j.running = false
	}
	return fs.alloc.Remount()
}

// unverify makes the nodes of a tree unread.
func unverify(n *node) {
	n.verified = false
	for i := range n.idx {
		unverify(n.idx[i].child)
	}
}
