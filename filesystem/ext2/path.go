package ext2

import (
	"path"
	"strings"

	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// maxName is the longest name, in bytes (EXT2_NAME_LEN).
const maxName = 255

// place is what a path leads to: a name in a directory, and the inode it names,
// nil if none does.
type place struct {
	dir  *inode
	name string
	in   *inode
}

// find finds the place that a path leads to, a path that is cleaned first as the
// oracle's guest does. The directory found last is remembered, since operations
// come in runs below one.
func (fs *FS) find(name string) (place, errno) {
	name = path.Clean(name)
	slash := strings.LastIndexByte(name, '/')
	p := place{name: name[slash+1:]}
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
	p.in, e = fs.step(p.dir, p.name)
	return p, e
}

// walkTo follows a path from the root to a directory.
func (fs *FS) walkTo(name string) (*inode, errno) {
	in := fs.root
	for name := range strings.SplitSeq(name, "/") {
		next, e := fs.step(in, name)
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

// step is what name means in a directory, nil for nothing.
func (fs *FS) step(dir *inode, name string) (*inode, errno) {
	switch {
	case name == "" || name == ".":
		return dir, 0
	case name == "..":
		return dir.parent, 0
	case len(name) > maxName:
		return nil, filesystem.ENAMETOOLONG
	}
	number, ok := dir.dir.Lookup(name)
	if !ok {
		return nil, 0
	}
	return *fs.inodeAt(number), 0
}

// addName links name to in, with a block more for the directory if it needs one
// (ext2_add_link).
func (fs *FS) addName(t *task, dir *inode, name string, in *inode) errno {
	kind := dirent.TypeFile
	if in.isDir() {
		kind = dirent.TypeDir
	}
	err := dir.dir.Add(name, in.number, kind, func() error { return asError(fs.growDir(t, dir)) })
	if err != nil {
		return err.(errno)
	}
	return 0
}

// growDir gives a directory one more block.
func (fs *FS) growDir(t *task, dir *inode) errno {
	if _, e := fs.mapBlocks(t, dir, uint32(dir.size>>fs.geo.BlockBits), 1, true); e != 0 {
		return e
	}
	dir.size += fs.geo.BlockSize()
	return 0
}
