package ext4

import (
	"strings"

	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// A symbolic link of up to 59 bytes stands in its inode, in the place of the block map (a fast
// one). A longer one has a block, which in some kernels is a page of the page cache, and in others
// metadata.

const (
	// fastLink is the longest target that the inode has room for, in bytes: a zero follows it.
	fastLink = 60 - 1
	// maxTarget is the longest target that a system call takes, in bytes (PATH_MAX).
	maxTarget = 4096 - 1
	// maxFollowed is how many symbolic links one path may lead through (MAXSYMLINKS).
	maxFollowed = 40
)

// isLink says whether the inode is a symbolic link.
func (in *inode) isLink() bool { return uint32(in.mode)&filesystem.ModeType == filesystem.ModeLink }

// isFastLink says whether it is one that stands in its inode (ext4_inode_is_fast_symlink).
func (in *inode) isFastLink() bool { return in.isLink() && in.inline == 0 && in.blocks == in.attrs }

// Symlink implements filesystem.FileSystem (ext4_symlink).
func (fs *FS) Symlink(t *task, target, path string) error {
	switch {
	case target == "":
		return filesystem.ENOENT
	case len(target) > maxTarget:
		return filesystem.ENAMETOOLONG
	}
	dir, at, in, e := fs.lockedAt(t, path, true)
	if e != 0 {
		return e
	}
	defer fs.leave(t, dir)
	switch {
	case in != nil:
		return filesystem.EEXIST
	// The zero behind it must have room too (fscrypt_prepare_symlink).
	case int64(len(target)) >= fs.geo.BlockSize():
		return filesystem.ENAMETOOLONG
	}
	return asError(fs.makeSymlink(t, dir, at, target))
}

// makeSymlink makes a symbolic link that holds target.
func (fs *FS) makeSymlink(t *task, dir *inode, at dirent.Cursor, target string) errno {
	for retries := 0; ; {
		in, e := fs.makeInode(t, dir, filesystem.ModeLink|0o777, at.Name())
		if e == 0 {
			in.parent = dir
			in.large().target = target
			if e = fs.storeTarget(t, in); e == 0 {
				if e = fs.addEntry(t, dir, at, in); e == 0 {
					fs.dirtyInode(t, in)
					return 0
				}
			}
			// It is freed again, over the list of orphans.
			in.links = 0
			fs.orphanAdd(in)
			fs.release(t, in)
		}
		// Kernels that keep the target in a page do not try again.
		if e != filesystem.ENOSPC || !fs.quirks.LinkTargetsInBlocks || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}

// storeTarget puts the target of a new symbolic link into the inode or into a block.
func (fs *FS) storeTarget(t *task, in *inode) errno {
	size := int64(len(in.target))
	if size <= fastLink {
		in.Extents = false
		in.Size, in.disksize = size, size
		return 0
	}
	if fs.quirks.LinkTargetsInBlocks {
		// The block is metadata (ext4_init_symlink_block).
		m := mapping{len: 1}
		if _, e := fs.mapBlocks(t, in, &m, mapCreate); e != 0 {
			return e
		}
		in.Size, in.disksize = size, size
		fs.dirtyMeta(t, m.pblk)
		fs.dirtyInode(t, in)
		return 0
	}
	// The target is written as data is, under a transaction of its own, so that the inode waits
	// on the list of orphans meanwhile (__page_symlink).
	in.links = 0
	fs.orphanAdd(in)
	if e := fs.writePage(t, in, 0, size); e != 0 {
		return e
	}
	fs.journal.Start()
	in.links = 1
	fs.orphanDel(t, in)
	in.disksize = in.Size
	return 0
}

// forgetLink empties the cache of paths where a symbolic link goes or moves: paths may lead
// through it.
func (fs *FS) forgetLink(in *inode) {
	if in.isLink() {
		fs.forgetPaths()
	}
}

// follow is what a symbolic link in directory dir leads to (pick_link). A target that begins with
// a slash leads out of the file system, where nothing is. Of links that an image had the target is not
// known.
//
// Deviates from the kernel: the time of its last use is not noted in the link's inode.
func (fs *FS) follow(dir, link *inode, followed *int) (*inode, errno) {
	*followed++
	switch {
	case *followed > maxFollowed:
		return nil, filesystem.ELOOP
	case link.target == "":
		return nil, filesystem.ELOOP
	case strings.HasPrefix(link.target, "/"):
		return nil, filesystem.ENOENT
	}
	return fs.walkFrom(dir, link.target, followed)
}

// lookupPath walks a path from the root, name by name (link_path_walk).
func (fs *FS) lookupPath(path string) (*inode, errno) {
	followed := 0
	return fs.walkFrom(fs.root, path, &followed)
}

// walkFrom is lookupPath from a directory on. Symbolic links are followed, also at the end;
// followed counts them.
func (fs *FS) walkFrom(in *inode, path string, followed *int) (*inode, errno) {
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		if !in.isDir() {
			return nil, filesystem.ENOTDIR
		}
		if name == ".." {
			// A symbolic link may lead out of the file system. Nothing is there.
			if in == fs.root && *followed > 0 {
				return nil, filesystem.ENOENT
			}
			in = in.parent
			continue
		}
		if len(name) > 255 {
			return nil, filesystem.ENAMETOOLONG
		}
		// A name leads to an inode number, and the inode is read into memory at this
		// moment.
		fs.useNames(in, name)
		number, ok := in.dir.Lookup(name)
		if !ok {
			return nil, filesystem.ENOENT
		}
		dir := in
		in = fs.readInode(number)
		if in.isLink() {
			var e errno
			if in, e = fs.follow(dir, in, followed); e != 0 {
				return nil, e
			}
		}
	}
	return in, 0
}
