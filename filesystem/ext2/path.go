package ext2

import (
	"path"
	"strings"

	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// maxName is the longest name, in bytes (EXT2_NAME_LEN).
const maxName = 255

// place is what a path leads to: a directory, the place of a name in it, and the inode
// that the name stands for, nil if there is none.
type place struct {
	dir *inode
	at  dirent.Cursor // empty for ".", ".." and the root, which are names of no directory
	in  *inode
}

// find resolves a path, which it cleans first (path.Clean) as the oracle's guest does. It
// remembers the directory of the last path, since consecutive operations are mostly in one
// directory.
func (fs *FS) find(name string) (place, errno) {
	// The last name is looked up in the directory that the rest of the path leads to.
	name = path.Clean(name)
	slash := strings.LastIndexByte(name, '/')
	var p place
	up := name[:max(slash, 0)]
	if fs.lastDir == nil || up != fs.lastDirPath {
		dir, e := fs.walkTo(up)
		if e != 0 {
			return p, e
		}
		fs.lastDir, fs.lastDirPath = dir, up
	}
	p.dir = fs.lastDir
	var e errno
	p.in, p.at, e = fs.step(p.dir, name[slash+1:])
	return p, e
}

// walkTo follows a path from the root to a directory.
func (fs *FS) walkTo(name string) (*inode, errno) {
	followed := 0
	return fs.walkFrom(fs.root, name, &followed)
}

// walkFrom is walkTo from a directory on. Symbolic links are followed; followed counts them.
func (fs *FS) walkFrom(in *inode, name string, followed *int) (*inode, errno) {
	for name := range strings.SplitSeq(name, "/") {
		if name == ".." && in == fs.root && *followed > 0 {
			return nil, filesystem.ENOENT // a symbolic link that leads out of the file system
		}
		next, _, e := fs.step(in, name)
		if e == 0 && next != nil && next.isLink() {
			next, e = fs.follow(in, next, followed)
		}
		switch {
		case e != 0:
			return nil, e
		case next == nil:
			return nil, filesystem.ENOENT
		case !next.isDir():
			return nil, filesystem.ENOTDIR
		}
		in = next
	}
	return in, 0
}

// step is the inode that a name stands for in a directory, nil for none, and the place of
// the name.
func (fs *FS) step(dir *inode, name string) (*inode, dirent.Cursor, errno) {
	switch {
	case name == "" || name == ".":
		return dir, dirent.Cursor{}, 0
	case name == "..":
		return dir.parent, dirent.Cursor{}, 0
	case len(name) > maxName:
		return nil, dirent.Cursor{}, filesystem.ENAMETOOLONG
	}
	at, number, ok := dir.dir.Find(name)
	if !ok {
		return nil, at, 0
	}
	return *fs.inodeAt(number), at, 0
}

// addName links the name that at has searched to in, with a block more for the directory
// if it needs one (ext2_add_link).
func (fs *FS) addName(t *task, dir *inode, at dirent.Cursor, in *inode) errno {
	err := dir.dir.Insert(at, in.number, in.direntType(), func() error { return asError(fs.growDir(t, dir)) })
	if err != nil {
		return err.(errno)
	}
	return 0
}

// direntType is the type that a directory entry of in has.
func (in *inode) direntType() uint8 {
	switch {
	case in.isDir():
		return dirent.TypeDir
	case in.isLink():
		return dirent.TypeLink
	}
	return dirent.TypeFile
}

// growDir gives a directory one more block.
func (fs *FS) growDir(t *task, dir *inode) errno {
	if _, e := fs.mapBlocks(t, dir, uint32(dir.size>>fs.geo.BlockBits), 1, true); e != 0 {
		return e
	}
	dir.size += fs.geo.BlockSize()
	return 0
}
