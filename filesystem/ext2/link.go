package ext2

import (
	"strings"

	"mbsim/filesystem"
)

const (
	// fastLink is the longest target of a symbolic link that the inode has room for, in bytes.
	fastLink = 60 - 1
	// maxTarget is the longest target that a system call takes, in bytes (PATH_MAX).
	maxTarget = 4096 - 1
	// maxFollowed is how many symbolic links one path may lead through (MAXSYMLINKS).
	maxFollowed = 40
)

// isLink says whether the inode is a symbolic link.
func (in *inode) isLink() bool { return in.mode&filesystem.ModeType == filesystem.ModeLink }

// Link implements filesystem.FileSystem (do_linkat, ext2_link). A symbolic link is not followed.
func (fs *FS) Link(t *task, from, to string) error {
	a, e := fs.find(from)
	if e != 0 {
		return e
	}
	if a.in == nil {
		return filesystem.ENOENT
	}
	b, e := fs.find(to)
	switch {
	case e != 0:
		return e
	case b.in != nil:
		return filesystem.EEXIST
	case a.in.isDir():
		return filesystem.EPERM
	case a.in.links >= maxLinks:
		return filesystem.EMLINK
	}
	if e := fs.addName(t, b.dir, b.at, a.in); e != 0 {
		return e
	}
	a.in.links++
	return nil
}

// Symlink implements filesystem.FileSystem (ext2_symlink).
func (fs *FS) Symlink(t *task, target, path string) error {
	switch {
	case target == "":
		return filesystem.ENOENT
	case len(target) > maxTarget:
		return filesystem.ENAMETOOLONG
	}
	p, e := fs.find(path)
	switch {
	case e != 0:
		return e
	case p.in != nil:
		return filesystem.EEXIST
	case int64(len(target)) >= fs.geo.BlockSize(): // a zero follows it
		return filesystem.ENAMETOOLONG
	}
	in, e := fs.newInode(t, p.dir, filesystem.ModeLink|0o777)
	if e != 0 {
		return e
	}
	in.target = target
	// A short target stands in the inode, a longer one in a block (page_symlink).
	if size := int64(len(target)); size <= fastLink {
		in.size = size
	} else {
		e = fs.writePage(t, in, 0, size)
	}
	if e == 0 {
		e = fs.addName(t, p.dir, p.at, in)
	}
	if e != 0 {
		fs.unname(t, p.dir, in)
		return e
	}
	return nil
}

// SyncDir implements filesystem.FileSystem. A directory's blocks have their places already.
func (fs *FS) SyncDir(_ *task, path string) error {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return e
	case p.in == nil:
		return filesystem.ENOENT
	case !p.in.isDir():
		return filesystem.ENOTDIR
	}
	return nil
}

// SetAttr implements filesystem.FileSystem: extended attributes are not modelled.
func (fs *FS) SetAttr(*task, string, string, filesystem.AttrValue) error {
	return filesystem.EOPNOTSUPP
}

// RemoveAttr implements filesystem.FileSystem: extended attributes are not modelled.
func (fs *FS) RemoveAttr(*task, string, string) error { return filesystem.EOPNOTSUPP }

// Store implements filesystem.Handle. What has a block is written there. A hole gets its blocks only
// at writeback, which is not modelled.
func (h *handle) Store(_ *task, off, n int64) error {
	const page = 4096
	switch {
	case h.in == nil:
		return filesystem.EBADF
	case off < 0 || n < 0:
		return filesystem.EINVAL
	case n == 0:
		return nil
	case off > (h.in.size+page-1)&^(page-1)-n:
		return filesystem.EFAULT
	}
	// A page that becomes dirty is written whole, as far as the file goes.
	first := uint32(off &^ (page - 1) >> h.fs.geo.BlockBits)
	end := (min((off+n+page-1)&^(page-1), h.in.size) + h.fs.geo.BlockSize() - 1) >> h.fs.geo.BlockBits
	for b := first; int64(b) < end; {
		m, e := h.fs.mapBlocks(nil, h.in, b, uint32(end)-b, false)
		if e != 0 {
			return e
		}
		if m.n == 0 {
			return filesystem.EOPNOTSUPP
		}
		b += m.n
	}
	return nil
}

// forgetLink forgets the directory of the last path where a symbolic link goes or moves, as that
// path may lead through it.
func (fs *FS) forgetLink(in *inode) {
	if in.isLink() {
		fs.lastDir = nil
	}
}

// follow is what a symbolic link in directory dir leads to. A target that begins with a slash leads
// out of the file system, where nothing is. Of links that an image had the target is not known.
func (fs *FS) follow(dir, link *inode, followed *int) (*inode, errno) {
	*followed++
	switch {
	case *followed > maxFollowed || link.target == "":
		return nil, filesystem.ELOOP
	case strings.HasPrefix(link.target, "/"):
		return nil, filesystem.ENOENT
	}
	return fs.walkFrom(dir, link.target, followed)
}
