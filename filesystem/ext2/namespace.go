package ext2

import (
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// maxLinks is the most links of an inode, so the most subdirectories of a
// directory but two (EXT2_LINK_MAX).
const maxLinks = 32000

// Mkdir implements filesystem.FileSystem (ext2_mkdir).
func (fs *FS) Mkdir(t *task, path string) error {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return e
	case p.in != nil:
		return filesystem.EEXIST
	case p.dir.links >= maxLinks:
		return filesystem.EMLINK
	}
	// The inode comes before its first block and its name. If either fails, the inode goes
	// again (ext2_mkdir: out_fail).
	in, e := fs.newInode(t, p.dir, filesystem.ModeDir|0o755)
	if e != 0 {
		return e
	}
	in.links = 2
	in.parent = p.dir
	if e = fs.growDir(t, in); e == 0 {
		in.dir = dirent.New(&fs.dirOptions, in.number, p.dir.number)
		e = fs.addName(t, p.dir, p.at, in)
	}
	if e != 0 {
		fs.unname(t, p.dir, in)
		return e
	}
	// The ".." of the new directory. The kernel counts it before and takes it back on errors.
	p.dir.links++
	return nil
}

// Create implements filesystem.FileSystem (ext2_create).
func (fs *FS) Create(t *task, path string) (filesystem.Handle, error) {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return nil, e
	// A new file: inode first, then the name, which may need a block for the directory.
	case p.in == nil:
		if p.in, e = fs.newInode(t, p.dir, filesystem.ModeRegular|0o644); e != 0 {
			return nil, e
		}
		if e = fs.addName(t, p.dir, p.at, p.in); e != 0 {
			fs.unname(t, p.dir, p.in)
			return nil, e
		}
	case p.in.isDir():
		return nil, filesystem.EISDIR
	case !p.in.isFile(): // symbolic links are not followed
		return nil, filesystem.ELOOP
	// creat(2) of a file that exists truncates it.
	default:
		if e = fs.setSize(t, p.in, 0); e != 0 {
			return nil, e
		}
	}
	return fs.newHandle(p.in, 0), nil
}

// Open implements filesystem.FileSystem.
func (fs *FS) Open(_ *task, path string, flags filesystem.OpenFlags) (filesystem.Handle, error) {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return nil, e
	case p.in == nil:
		return nil, filesystem.ENOENT
	case p.in.isDir():
		return nil, filesystem.EISDIR
	case !p.in.isFile(): // symbolic links are not followed
		return nil, filesystem.ELOOP
	}
	return fs.newHandle(p.in, flags), nil
}

// Unlink implements filesystem.FileSystem (ext2_unlink).
func (fs *FS) Unlink(t *task, path string) error {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return e
	case p.in == nil:
		return filesystem.ENOENT
	case p.in.isDir():
		return filesystem.EISDIR
	}
	p.dir.dir.Delete(p.at)
	fs.forgetLink(p.in)
	if p.in.links--; p.in.links == 0 {
		fs.unname(t, p.dir, p.in)
	}
	return nil
}

// Rmdir implements filesystem.FileSystem (ext2_rmdir).
func (fs *FS) Rmdir(t *task, path string) error {
	p, e := fs.find(path)
	switch {
	case e != 0:
		return e
	case p.in == nil:
		return filesystem.ENOENT
	case p.in == fs.root:
		return filesystem.EBUSY
	case !p.in.isDir():
		return filesystem.ENOTDIR
	case !p.in.dir.IsEmpty():
		return filesystem.ENOTEMPTY
	}
	p.dir.dir.Delete(p.at)
	p.dir.links--
	fs.lastDir = nil
	fs.unname(t, p.dir, p.in)
	return nil
}

// Rename implements filesystem.FileSystem (vfs_rename, ext2_rename).
func (fs *FS) Rename(t *task, from, to string) error {
	// Both names are looked up before anything changes. Two names of one inode are left as
	// they are (POSIX).
	a, e := fs.find(from)
	if e != 0 {
		return e
	}
	b, e := fs.find(to)
	switch {
	case e != 0:
		return e
	case a.in == nil:
		return filesystem.ENOENT
	case a.in == b.in:
		return nil
	case a.in == fs.root || b.in == fs.root:
		return filesystem.EXDEV // a name of the root belongs to another file system
	}
	if e := mayMove(&a, &b); e != 0 {
		return e
	}
	// The new name first: if the directory cannot grow, the old name stays.
	if b.in == nil {
		if e := fs.addName(t, b.dir, b.at, a.in); e != 0 {
			return e
		}
	} else {
		b.dir.dir.Redirect(b.at, a.in.number, a.in.direntType())
	}
	// The old name is searched again: adding the new one to the same directory may have
	// moved it.
	a.dir.dir.Remove(a.at.Name())
	// A directory that moves has another "..", and paths below it are other paths.
	if a.in.isDir() {
		fs.lastDir = nil
		a.in.parent = b.dir
		a.in.dir.SetParent(b.dir.number)
		a.dir.links--
		if b.in == nil {
			b.dir.links++
		}
	}
	// What the new name stood for before has lost a link; a directory goes with its name.
	fs.forgetLink(a.in)
	if b.in != nil {
		fs.forgetLink(b.in)
		if b.in.links--; b.in.isDir() || b.in.links == 0 {
			fs.unname(t, b.dir, b.in)
		}
	}
	return nil
}

// mayMove says whether what a names may move to b.
func mayMove(a, b *place) errno {
	// A directory cannot move below itself.
	if a.in.isDir() {
		for d := b.dir; ; d = d.parent {
			if d == a.in {
				return filesystem.EINVAL
			}
			if d == d.parent {
				break
			}
		}
	}
	// What is replaced cannot be a directory above what moves: it is not empty.
	for d := a.dir; b.in != nil; d = d.parent {
		if d == b.in {
			return filesystem.ENOTEMPTY
		}
		if d == d.parent {
			break
		}
	}
	switch {
	case b.in == nil:
		if a.in.isDir() && a.dir != b.dir && b.dir.links >= maxLinks {
			return filesystem.EMLINK
		}
	case a.in.isDir() && !b.in.isDir():
		return filesystem.ENOTDIR
	case !a.in.isDir() && b.in.isDir():
		return filesystem.EISDIR
	case b.in.isDir() && !b.in.dir.IsEmpty():
		return filesystem.ENOTEMPTY
	}
	return 0
}
