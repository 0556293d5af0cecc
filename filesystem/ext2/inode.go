package ext2

import (
	"mbsim/allocator"
	"mbsim/allocator/reservation"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// topdirFlag is EXT2_TOPDIR_FL: what is below this directory is spread as what
// is below the root is.
const topdirFlag = 0x20000

// inode is an inode in memory (struct ext2_inode_info).
type inode struct {
	number  uint32
	mode    uint32
	links   uint32
	opens   int   // handles that hold it
	size    int64 // bytes
	blocks  int64 // i_blocks in file-system blocks: data, indirect blocks, attributes
	attrs   int64 // those of extended attributes
	topdir  bool
	atStart bool // it was there when the file system was first mounted

	// What the kernel keeps from the first allocation of a regular file on
	// (struct ext2_block_alloc_info).
	started      bool
	window       reservation.Window
	lastLogical  uint32          // the block allocated last, 0 for none
	lastPhysical allocator.Block // where it lies, 0 for none

	top   node // the block pointers in the inode
	slots [inodeSlots]uint32
	kids  [inodeSlots]*node

	target string      // what a symbolic link holds, "" where that is not known
	dir    *dirent.Dir // entries, of a directory
	parent *inode      // of a directory; of an orphan the directory its last name was in
	// An orphan has no name any more but is still held, and holds its parent, as
	// its dentry does: a directory removed stays while a file unlinked in it is
	// open.
	orphan  bool
	orphans int // that have this directory as their parent
}

func (in *inode) isDir() bool  { return filesystem.IsDir(in.mode) }
func (in *inode) isFile() bool { return filesystem.IsRegular(in.mode) }

// group is the group whose inode table holds the inode (i_block_group).
func (fs *FS) groupOf(in *inode) allocator.GroupID {
	return allocator.GroupID((in.number - 1) / fs.geo.InodesPerGroup)
}

// inodesPerPage inodes in memory share a page, made on first touch, so that
// finding one by number takes no map.
const inodesPerPage = 1024

// inodeAt is where the inode of this number is, nil where it is not in use.
func (fs *FS) inodeAt(number uint32) **inode {
	page := &fs.inodes[number/inodesPerPage]
	if *page == nil {
		*page = make([]*inode, inodesPerPage)
	}
	return &(*page)[number%inodesPerPage]
}

// addInode puts an empty inode into memory.
func (fs *FS) addInode(number, mode uint32) *inode {
	var in *inode
	if n := len(fs.spareInodes); n > 0 {
		in = fs.spareInodes[n-1]
		fs.spareInodes = fs.spareInodes[:n-1]
		*in = inode{}
	} else {
		in = new(inode)
	}
	in.number, in.mode, in.links = number, mode, 1
	in.top = node{ptr: in.slots[:], kid: in.kids[:]}
	*fs.inodeAt(number) = in
	return in
}

// newInode makes an inode below parent (ext2_new_inode).
func (fs *FS) newInode(t *task, parent *inode, mode uint32) (*inode, errno) {
	number, e := fs.takeInode(t, parent, filesystem.IsDir(mode))
	if e != 0 {
		return nil, e
	}
	return fs.addInode(number, mode), 0
}

// unname takes the last name of an inode, which was in dir (d_delete).
func (fs *FS) unname(t *task, dir, in *inode) {
	in.links = 0
	if in.opens > 0 || in.orphans > 0 {
		in.parent, in.orphan = dir, true
		dir.orphans++
		return
	}
	fs.evict(t, in)
}

// release deletes an inode that has neither a name nor handles nor orphans any more (iput).
// It is called when one of its handles is closed, or an orphan that it held was deleted.
func (fs *FS) release(t *task, in *inode) {
	if in.links > 0 || in.opens > 0 || in.orphans > 0 {
		return
	}
	// in is reused once it is evicted, so what is needed of it is read before.
	parent := in.parent
	orphan := in.orphan
	fs.evict(t, in)
	// An orphan held its directory, which may go with it.
	if orphan {
		parent.orphans--
		fs.release(t, parent)
	}
}

// evict deletes an inode that nothing holds (ext2_evict_inode).
func (fs *FS) evict(t *task, in *inode) {
	in.size = 0
	if in.blocks > 0 {
		fs.truncateBlocks(t, in, 0)
	}
	fs.alloc.DiscardWindow(&in.window)
	fs.freeInode(t, in)
	*fs.inodeAt(in.number) = nil
	fs.spareInodes = append(fs.spareInodes, in)
}
