package ext4

import (
	"strings"

	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// maxLinks is the most subdirectories of a directory without dir_nlink
// (EXT4_LINK_MAX).
const maxLinks = 65000

// split cuts a path into its directory and the last name.
func split(path string) (dir, name string) {
	end := len(path)
	for end > 0 && path[end-1] == '/' {
		end--
	}
	for i := end - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[:i], path[i+1 : end]
		}
	}
	return "", path[:end]
}

// dentries remembers directories by path, so that most names take no walk from the
// root (the kernel's dcache). A path has two places, next to each other.
type dentries [512]dentry

type dentry struct {
	path string
	dir  *inode // nil where nothing is known
	hash uint32
}

// hashPath is FNV-1a.
func hashPath(path string) uint32 {
	h := uint32(2166136261)
	for i := range len(path) {
		h = (h ^ uint32(path[i])) * 16777619
	}
	return h
}

// place is the first place of a hash; the other one is place^1.
func (d *dentries) place(hash uint32) uint32 {
	const odd = 0x9e3779b1 // 2^32 divided by the golden ratio
	return hash * odd >> 23 % uint32(len(d))
}

// find is the directory of path, nil where it is not remembered.
func (d *dentries) find(path string) *inode {
	hash := hashPath(path)
	i := d.place(hash)
	if d[i].hash != hash {
		i ^= 1
	}
	if x := &d[i]; x.hash == hash && x.dir != nil && x.path == path {
		return x.dir
	}
	return nil
}

// add remembers a path that is not remembered.
func (d *dentries) add(path string, dir *inode) {
	hash := hashPath(path)
	i := d.place(hash)
	d[i^1] = d[i]
	d[i] = dentry{path, dir, hash}
}

// directory finds a directory by path.
func (fs *FS) directory(path string) (*inode, errno) {
	if in := fs.dentries.find(path); in != nil {
		return in, 0
	}
	in, e := fs.lookupPath(path)
	if e != 0 {
		return nil, e
	}
	if !in.isDir() {
		return nil, filesystem.ENOTDIR
	}
	fs.dentries.add(path, in)
	return in, 0
}

// forgetPaths is for when a directory goes or moves.
func (fs *FS) forgetPaths() { fs.dentries = dentries{} }

// lookupPath walks a path from the root.
func (fs *FS) lookupPath(path string) (*inode, errno) {
	in := fs.root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if !in.isDir() {
			return nil, filesystem.ENOTDIR
		}
		if name == ".." {
			in = in.parent
			continue
		}
		number, ok := in.dir.Lookup(name)
		if !ok {
			return nil, filesystem.ENOENT
		}
		in = fs.readInode(number)
	}
	return in, 0
}

// at finds the directory of path, and the name in it.
func (fs *FS) at(path string) (dir *inode, name string, e errno) {
	d, name := split(path)
	if len(name) > 255 {
		return nil, "", filesystem.ENAMETOOLONG
	}
	dir, e = fs.directory(d)
	return dir, name, e
}

// lockedAt resolves a path to its directory, which it locks, the last name, and the
// inode that the name stands for, nil if there is none. With makes the caller will then
// make one, which costs the time of that. The caller gives the directory back by leave.
// On an error nothing is locked.
func (fs *FS) lockedAt(t *task, path string, makes bool) (dir *inode, name string, in *inode, e errno) {
	if dir, name, e = fs.at(path); e != 0 {
		return nil, "", nil, e
	}
	fs.enter(dir)
	if fs.host != nil {
		fs.host.Entry(makes && fs.child(dir, name) == nil)
	}
	if dir.links == 0 { // removed while this process waited for its lock
		fs.leave(t, dir)
		return nil, "", nil, filesystem.ENOENT
	}
	return dir, name, fs.child(dir, name), 0
}

// enter locks a directory. While the process waits for the lock another one may remove
// the directory: it is pinned, so that its inode stays what it is, and its number does
// not become another file's, until leave (dget).
func (fs *FS) enter(dir *inode) {
	if fs.host != nil {
		fs.pin(dir)
		fs.lock(dir)
	}
}

// leave unlocks a directory that enter has locked, and frees it where it was removed and
// nobody else holds it (dput).
func (fs *FS) leave(t *task, dir *inode) {
	if fs.host != nil {
		fs.unlock(dir)
		fs.unpin(t, dir)
	}
}

// child is the inode of a name, nil if there is none. The root has no name.
func (fs *FS) child(dir *inode, name string) *inode {
	if name == "" || name == "." {
		return dir
	}
	if number, ok := dir.dir.Lookup(name); ok {
		return fs.readInode(number)
	}
	return nil
}

// appendDirBlock gives a directory one more block (ext4_append).
func (fs *FS) appendDirBlock(t *task, dir *inode) errno {
	m := mapping{lblk: uint32(dir.Size >> fs.geo.BlockBits), len: 1}
	if _, e := fs.mapBlocks(t, dir, &m, 0); e != 0 {
		return e
	}
	m.len = 1
	if _, e := fs.mapBlocks(t, dir, &m, mapCreate); e != 0 {
		return e
	}
	dir.Size += fs.geo.BlockSize()
	dir.disksize = dir.Size
	fs.dirtyMeta(t, m.pblk)
	fs.dirtyInode(t, dir)
	return 0
}

// addEntry links name to in (ext4_add_entry).
func (fs *FS) addEntry(t *task, dir *inode, name string, in *inode) errno {
	err := dir.dir.Add(name, in.Number, in.direntType(), func() error {
		if e := fs.growDir(t, dir); e != 0 {
			return e
		}
		return nil
	})
	if dir.inline > 0 {
		fs.resizeInlineDir(dir)
	}
	fs.dirtyInode(t, dir)
	if err != nil {
		return err.(errno)
	}
	return 0
}

func (in *inode) direntType() uint8 {
	if in.isDir() {
		return dirent.TypeDir
	}
	return dirent.TypeFile
}

// createFile makes a regular file (ext4_create).
func (fs *FS) createFile(t *task, dir *inode, name string) (*inode, errno) {
	for retries := 0; ; {
		in, e := fs.makeInode(t, dir, modeReg|0o644, name)
		if e == 0 {
			in.parent = dir
			if e = fs.addEntry(t, dir, name, in); e == 0 {
				return in, 0
			}
			in.links = 0
			fs.orphanAdd(in)
			fs.release(t, in)
		}
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return nil, e
		}
	}
}

// makeDirectory makes a directory, with its first block unless it fits into its
// inode (ext4_mkdir).
func (fs *FS) makeDirectory(t *task, dir *inode, name string) errno {
	if !fs.dirNlink && dir.links >= maxLinks {
		return filesystem.EMLINK
	}
	for retries := 0; ; {
		in, e := fs.makeInode(t, dir, modeDir|0o755, name)
		if e == 0 {
			in.parent = dir
			in.links = 2
			if !fs.makeInlineDir(t, in, dir) {
				in.dir = dirent.New(&fs.dirOptions, in.Number, dir.Number)
				e = fs.appendDirBlock(t, in)
			}
			if e == 0 {
				e = fs.addEntry(t, dir, name, in)
			}
			if e == 0 {
				dir.links++
				return 0
			}
			in.links = 0
			fs.orphanAdd(in)
			fs.release(t, in)
		}
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}

// unlinkFile takes the name of a file away (ext4_unlink).
func (fs *FS) unlinkFile(t *task, dir *inode, name string, in *inode) {
	fs.j.start()
	dir.dir.Remove(name)
	fs.dirtyInode(t, dir)
	in.links--
	if in.links == 0 {
		fs.orphanAdd(in)
	}
	fs.dirtyInode(t, in)
}

// removeDirectory removes an empty directory (vfs_rmdir, ext4_rmdir). It is locked
// meanwhile: nobody may be putting a name into it. One that is not empty is refused
// before, since the name ".." stands for a directory that must not be locked after its
// child.
func (fs *FS) removeDirectory(t *task, dir *inode, name string, in *inode) errno {
	if !in.dir.IsEmpty() {
		return filesystem.ENOTEMPTY
	}
	fs.lock(in)
	defer fs.unlock(in)
	if !in.dir.IsEmpty() { // a name came while this process waited
		return filesystem.ENOTEMPTY
	}
	fs.j.start()
	dir.dir.Remove(name)
	in.links = 0
	in.Size = 0
	fs.orphanAdd(in)
	dir.links--
	fs.dirtyInode(t, dir)
	fs.dirtyInode(t, in)
	fs.forgetPaths()
	return 0
}

// rename moves a name, replacing what the new one named (do_renameat2, ext4_rename).
func (fs *FS) rename(t *task, from, to string) errno {
	oldDir, oldName, e := fs.at(from)
	if e != 0 {
		return e
	}
	newDir, newName, e := fs.at(to) // before oldName is looked up
	if e != 0 {
		return e
	}
	fs.enterBoth(oldDir, newDir)
	if fs.host != nil {
		fs.host.Entry(false)
	}
	old, e := fs.renameLocked(t, oldDir, oldName, newDir, newName)
	fs.leaveBoth(t, oldDir, newDir)
	if old != nil {
		fs.release(t, old)
	}
	return e
}

// renameLocked is rename once the directories are locked. It returns what the new
// name stood for before.
func (fs *FS) renameLocked(t *task, oldDir *inode, oldName string, newDir *inode, newName string) (*inode, errno) {
	in, old := fs.child(oldDir, oldName), fs.child(newDir, newName)
	switch {
	case in == nil || newDir.links == 0:
		return nil, filesystem.ENOENT
	case in == fs.root || old == fs.root:
		return nil, filesystem.EXDEV // a name of the root belongs to another file system
	case old == in:
		return nil, 0
	}
	if e := mayReplace(in, old, oldDir, newDir); e != 0 {
		return nil, e
	}
	if old != nil && old.isDir() {
		// Nobody may be putting a name into it: it is locked until it is replaced, and
		// looked at again.
		fs.lock(old)
		defer fs.unlock(old)
		if e := mayReplace(in, old, oldDir, newDir); e != 0 {
			return nil, e
		}
	}
	if old != nil && fs.opt.AutoDaAlloc && !in.isDir() {
		fs.lock(in)
		fs.allocDelayed(t, in)
		fs.unlock(in)
	}
	fs.j.start()
	if old == nil {
		if e := fs.addEntry(t, newDir, newName, in); e != 0 {
			return nil, e
		}
	} else {
		newDir.dir.SetInode(newName, in.Number, in.direntType())
	}
	oldDir.dir.Remove(oldName)
	if in.pins > 0 {
		fs.pin(newDir)
		defer fs.unpin(t, in.parent) // not oldDir where it was opened by another name
	}
	in.parent = newDir
	if in.isDir() {
		in.dir.SetParent(newDir.Number)
		oldDir.links--
		if old == nil {
			newDir.links++
		}
		fs.forgetPaths()
	}
	fs.dirtyInode(t, oldDir)
	fs.dirtyInode(t, newDir)
	fs.dirtyInode(t, in)
	if old != nil {
		old.links--
		if old.isDir() {
			old.links = 0
			old.Size = 0
		}
		if old.links == 0 {
			fs.orphanAdd(old)
		}
		fs.dirtyInode(t, old)
	}
	return old, 0
}

// mayReplace says whether in, of oldDir, may take the place of old in newDir
// (do_renameat2, vfs_rename).
func mayReplace(in, old, oldDir, newDir *inode) errno {
	switch {
	case in.isAbove(newDir):
		return filesystem.EINVAL
	case old == nil:
	case old.isAbove(oldDir):
		return filesystem.ENOTEMPTY
	case in.isDir() && !old.isDir():
		return filesystem.ENOTDIR
	case !in.isDir() && old.isDir():
		return filesystem.EISDIR
	case old.isDir() && !old.dir.IsEmpty():
		return filesystem.ENOTEMPTY
	}
	return 0
}

// isAbove reports whether in is dir, or above it.
func (in *inode) isAbove(dir *inode) bool {
	for dir != in && dir.parent != dir {
		dir = dir.parent
	}
	return dir == in
}

// allocDelayed gives the delayed blocks of a file their places now
// (ext4_alloc_da_blocks).
func (fs *FS) allocDelayed(t *task, in *inode) {
	if in.reserved > 0 {
		fs.writepages(t, in, 0, maxBlocks)
		fs.endIO(t, in, in)
	}
}
