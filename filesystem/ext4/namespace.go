package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// maxLinks is the largest link count that a directory may reach by its subdirectories when
// the file system lacks dir_nlink (EXT4_LINK_MAX).
const maxLinks = 65000

// split divides a path into the path of its directory and the last name. Slashes at the end
// do not count.
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

// dentries is a small cache of directories by path, so that most operations need no walk
// from the root (the kernel's dcache). A path may stand in one of two neighbouring places,
// chosen by its hash; a newer one pushes an older one into the second place.
type dentries [512]dentry

// dentry is one remembered directory.
type dentry struct {
	path string
	dir  *inode // nil where nothing is known
	hash uint32
}

// hashPath is the hash FNV-1a with 32 bits.
func hashPath(path string) uint32 {
	h := uint32(2166136261)
	for i := range len(path) {
		h = (h ^ uint32(path[i])) * 16777619
	}
	return h
}

// place returns the first of the two places of a hash; the second is place^1.
func (d *dentries) place(hash uint32) uint32 {
	const odd = 0x9e3779b1 // 2^32 divided by the golden ratio
	return hash * odd >> 23 % uint32(len(d))
}

// find returns the directory of path, or nil where the cache does not have it.
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

// add remembers a path that the cache does not have yet.
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

// forgetPaths empties the cache. It is called when a directory is removed or renamed, which
// makes wrong the paths of everything below it.
func (fs *FS) forgetPaths() { fs.dentries = dentries{} }

// at returns the directory of path, and the last name in it, which need not exist.
func (fs *FS) at(path string) (dir *inode, name string, e errno) {
	d, name := split(path)
	if len(name) > 255 {
		return nil, "", filesystem.ENAMETOOLONG
	}
	dir, e = fs.directory(d)
	return dir, name, e
}

// lockedAt resolves a path to its directory, which it locks, to the place of the last name
// in it, and to the inode that the name stands for, which is nil if there is none. makes
// tells that the caller will create the inode if there is none, so that the time of that is
// charged. The caller unlocks the directory by leave. After an error nothing is locked.
func (fs *FS) lockedAt(t *task, path string, makes bool) (dir *inode, at dirent.Cursor, in *inode, e errno) {
	dir, name, e := fs.at(path)
	if e != 0 {
		return nil, at, nil, e
	}
	fs.enter(dir)
	// With several processes the change of an entry takes time. It is charged before
	// anything is looked up for good, since others may run in that time.
	if fs.host != nil {
		in, _ = fs.child(dir, name)
		fs.host.Entry(makes && in == nil)
	}
	if dir.links == 0 { // removed while this process waited for its lock
		fs.leave(t, dir)
		return nil, at, nil, filesystem.ENOENT
	}
	// Another process may have changed the directory while the cost was paid.
	in, at = fs.child(dir, name)
	return dir, at, in, 0
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

// child is the inode of a name, nil if there is none, and the place of the name in the
// directory, which is empty for a name of the directory itself. The root has no name.
func (fs *FS) child(dir *inode, name string) (in *inode, at dirent.Cursor) {
	if name == "" || name == "." {
		return dir, at
	}
	fs.useNames(dir, name)
	at, number, ok := dir.dir.Find(name)
	if ok {
		in = fs.readInode(number)
	}
	return in, at
}

// appendDirBlock gives a directory one more block (ext4_append).
func (fs *FS) appendDirBlock(t *task, dir *inode) errno {
	// The first call, without mapCreate, only looks: it brings the hole behind the last
	// block into the status tree, as ext4_append does before it asks for the block.
	m := mapping{lblk: uint32(dir.Size >> fs.geo.BlockBits), len: 1}
	if _, e := fs.mapBlocks(t, dir, &m, 0); e != 0 {
		return e
	}
	// The second call allocates the block. The first one has set m.len to the hole's
	// length.
	m.len = 1
	if _, e := fs.mapBlocks(t, dir, &m, mapCreate); e != 0 {
		return e
	}
	// A directory's block is metadata, written at once: both sizes grow together.
	dir.Size += fs.geo.BlockSize()
	dir.disksize = dir.Size
	fs.dirtyMeta(t, m.pblk)
	fs.dirtyInode(t, dir)
	return 0
}

// addEntry links the name that at was found for to the inode in (ext4_add_entry).
func (fs *FS) addEntry(t *task, dir *inode, at dirent.Cursor, in *inode) errno {
	// Insert asks for a new block only if no block of the directory has room for the entry.
	err := dir.dir.Insert(at, in.Number, in.direntType(), func() error {
		if e := fs.growDir(t, dir); e != 0 {
			return e
		}
		return nil
	})
	// A directory inside its inode grows by the bytes of the entry.
	if dir.inline > 0 {
		fs.resizeInlineDir(dir)
	}
	fs.stampModified(dir)
	fs.dirtyInode(t, dir)
	if err != nil {
		return err.(errno)
	}
	return 0
}

// direntType is the file type that a directory entry of this inode carries.
func (in *inode) direntType() uint8 {
	switch {
	case in.isDir():
		return dirent.TypeDir
	case in.isLink():
		return dirent.TypeLink
	}
	return dirent.TypeFile
}

// createFile makes a regular file (ext4_create).
func (fs *FS) createFile(t *task, dir *inode, at dirent.Cursor) (*inode, errno) {
	// Each turn allocates an inode and adds its name. A failure for want of space is tried
	// again, after a commit that frees blocks, as in ext4_create.
	for retries := 0; ; {
		in, e := fs.makeInode(t, dir, filesystem.ModeRegular|0o644, at.Name())
		if e == 0 {
			in.parent = dir
			if e = fs.addEntry(t, dir, at, in); e == 0 {
				return in, 0
			}
			// The entry found no place: the new inode is freed again, over the list of
			// orphans.
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
func (fs *FS) makeDirectory(t *task, dir *inode, at dirent.Cursor) errno {
	// Without dir_nlink a directory cannot have more subdirectories.
	if !fs.dirNlink && dir.links >= maxLinks {
		return filesystem.EMLINK
	}
	// As in createFile, want of space is tried again after a commit.
	for retries := 0; ; {
		in, e := fs.makeInode(t, dir, filesystem.ModeDir|0o755, at.Name())
		if e == 0 {
			in.parent = dir
			// A directory has two names: its entry in the parent, and its own ".".
			in.links = 2
			if !fs.makeInlineDir(t, in, dir) {
				in.dir = dirent.New(&fs.dirOptions, in.Number, dir.Number)
				e = fs.appendDirBlock(t, in)
			}
			if e == 0 {
				e = fs.addEntry(t, dir, at, in)
			}
			if e == 0 {
				// The ".." of the new directory is one more link of its parent.
				dir.links++
				return 0
			}
			// Its first block or its entry found no place: the new inode is freed again.
			in.links = 0
			fs.orphanAdd(in)
			fs.release(t, in)
		}
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}

// unlinkFile takes the name of a file away (ext4_unlink). The inode itself is freed by
// release, once no handle holds it; until then it stands on the list of orphans.
func (fs *FS) unlinkFile(t *task, dir *inode, at dirent.Cursor, in *inode) {
	fs.journal.Start()
	fs.forgetLink(in)
	dir.dir.Delete(at)
	fs.stampModified(dir)
	fs.stampChanged(in)
	fs.dirtyInode(t, dir)
	in.links--
	if in.links == 0 {
		fs.orphanAdd(in)
	}
	fs.dirtyInode(t, in)
}

// removeDirectory removes an empty directory (vfs_rmdir, ext4_rmdir). The directory is
// locked meanwhile, so that no other process can put a name into it. A directory that is
// not empty is refused before it is locked: the name ".." stands for the parent of dir, and
// to wait for a parent's lock while its child is locked could deadlock.
func (fs *FS) removeDirectory(t *task, dir *inode, at dirent.Cursor, in *inode) errno {
	if !in.dir.IsEmpty() {
		return filesystem.ENOTEMPTY
	}
	fs.lock(in)
	defer fs.unlock(in)
	if !in.dir.IsEmpty() { // a name came while this process waited
		return filesystem.ENOTEMPTY
	}
	// The directory loses its name and its own ".", and its parent loses the link of "..".
	fs.journal.Start()
	dir.dir.Delete(at)
	in.links = 0
	in.Size = 0
	fs.orphanAdd(in)
	dir.links--
	fs.stampModified(dir)
	fs.dirtyInode(t, dir)
	fs.dirtyInode(t, in)
	// A path that leads through this directory must not be found in the cache any more.
	fs.forgetPaths()
	return 0
}

// rename moves a name, replacing what the new one named (do_renameat2, ext4_rename).
func (fs *FS) rename(t *task, from, to string) errno {
	oldDir, oldName, e := fs.at(from)
	if e != 0 {
		return e
	}
	// The second path is resolved before the name of the first is looked up, as
	// do_renameat2 does, so that an error in either path comes first.
	newDir, newName, e := fs.at(to)
	if e != 0 {
		return e
	}
	// Both directories are locked, in an order that all processes keep, so that two renames
	// cannot wait for each other for ever.
	fs.enterBoth(oldDir, newDir)
	if fs.host != nil {
		fs.host.Entry(false)
	}
	old, e := fs.renameLocked(t, oldDir, oldName, newDir, newName)
	// The directories are unlocked before the replaced inode is freed, since that locks the
	// inode and may take long.
	fs.leaveBoth(t, oldDir, newDir)
	if old != nil {
		fs.release(t, old)
	}
	return e
}

// renameLocked is rename once both directories are locked. It returns the inode that the
// new name stood for before, nil if there was none.
func (fs *FS) renameLocked(t *task, oldDir *inode, oldName string, newDir *inode, newName string) (*inode, errno) {
	// The names are looked up under the locks: what they stood for before may have changed.
	in, _ := fs.child(oldDir, oldName)
	old, newAt := fs.child(newDir, newName)
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
		// The directory that is replaced stays locked until the end, so that no other
		// process puts a name into it. It may have received one while this process waited
		// for the lock, so it is tested once more.
		fs.lock(old)
		defer fs.unlock(old)
		if e := mayReplace(in, old, oldDir, newDir); e != 0 {
			return nil, e
		}
	}
	// auto_da_alloc: a file that replaces another gets its blocks now, so that a crash does
	// not leave an empty file under the name.
	if old != nil && fs.opt.AutoDaAlloc && !in.isDir() {
		fs.lock(in)
		fs.allocDelayed(t, in)
		fs.unlock(in)
	}
	// The new name is written before the old one is removed.
	fs.journal.Start()
	if old == nil {
		if e := fs.addEntry(t, newDir, newAt, in); e != 0 {
			return nil, e
		}
	} else {
		newDir.dir.Redirect(newAt, in.Number, in.direntType())
	}
	// The old name is searched again: adding the new one to the same directory may have
	// moved it.
	oldDir.dir.Remove(oldName)
	fs.forgetLink(in)
	// An open inode pins the directory of its name: the pin moves to the new directory, unless
	// it was opened by another name.
	if in.pins == 0 || in.parent == oldDir {
		if in.pins > 0 {
			fs.pin(newDir)
			defer fs.unpin(t, oldDir)
		}
		in.parent = newDir
	}
	if in.isDir() {
		fs.moveDotDot(in, oldDir, newDir, old)
	}
	fs.stampMoved(in, oldDir, newDir)
	fs.dirtyInode(t, oldDir)
	fs.dirtyInode(t, newDir)
	fs.dirtyInode(t, in)
	if old != nil {
		fs.dropReplaced(t, old)
	}
	return old, 0
}

// moveDotDot takes the ".." of a directory that moves along: that link leaves the old parent and joins
// the new one, unless the directory replaces another (old), whose link it takes over.
func (fs *FS) moveDotDot(in, oldDir, newDir, old *inode) {
	in.dir.SetParent(newDir.Number)
	oldDir.links--
	if old == nil {
		newDir.links++
	}
	fs.forgetPaths()
}

// dropReplaced takes its name away from an inode whose place another one has got, and all
// of its links from a directory. Its blocks go with its last handle.
func (fs *FS) dropReplaced(t *task, old *inode) {
	fs.forgetLink(old)
	old.links--
	fs.stampChanged(old)
	if old.isDir() {
		old.links = 0
		old.Size = 0
	}
	if old.links == 0 {
		fs.orphanAdd(old)
	}
	fs.dirtyInode(t, old)
}

// mayReplace says whether in, which has a name in oldDir, may take the place of old in
// newDir (do_renameat2, vfs_rename). old is nil where the new name does not exist.
func mayReplace(in, old, oldDir, newDir *inode) errno {
	switch {
	// A directory cannot move below itself.
	case in.isAbove(newDir):
		return filesystem.EINVAL
	case old == nil: // nothing is replaced, so there is nothing else to test
		return 0
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

// isAbove reports whether in is the directory dir or lies above it. The root is its own
// parent.
func (in *inode) isAbove(dir *inode) bool {
	for dir != in && dir.parent != dir {
		dir = dir.parent
	}
	return dir == in
}

// allocDelayed allocates the delayed blocks of a file now (ext4_alloc_da_blocks).
func (fs *FS) allocDelayed(t *task, in *inode) {
	if in.reserved > 0 {
		// A failure is not the caller's: the pages stay dirty, or their data is counted as
		// lost, and a close or rename succeeds all the same, as in the kernel, where
		// filemap_flush's result is not used either.
		fs.writepages(t, in, 0, maxBlocks)
		fs.settleIO(t, in, in)
	}
}
