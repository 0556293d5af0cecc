package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/dirent"
)

// File types of st_mode.
const (
	modeFmt = 0o170000
	modeDir = 0o040000
	modeReg = 0o100000
)

// inode is an inode in memory (struct ext4_inode_info): what every file uses, and, only
// where it has been needed, what few do. There are many inodes, and each line of the
// processor's cache that need not be read counts: this is about two.
type inode struct {
	mballoc.Inode
	mode         uint16
	live         bool // it is in memory; where not, the rest of this means nothing
	resident     bool // read since mount
	onOrphanList bool
	allocOnClose bool // EXT4_STATE_DA_ALLOC_CLOSE
	mayInline    bool // a write may put data into it (EXT4_STATE_MAY_INLINE_DATA)
	// stray says that delayed blocks lost their pages and stayed (truncateInline),
	// or that an empty file got a block (moveInline): the one may be delayed and
	// not dirty, the other dirty behind the end.
	stray      bool
	links      uint32
	pins       int32  // handles that hold it, and what is pinned below a directory
	dirtyPlace int32  // on the list of dirty inodes, counted from 1; 0 where it is not
	syncTid    uint32 // i_sync_tid: the transaction that last changed it, the low bits

	brief       brief
	reserved    uint32      // clusters reserved for delayed blocks
	disksize    int64       // i_disksize: the size the disk knows, bytes
	blocks      int64       // i_blocks in file-system blocks: data and metadata, whole clusters
	parent      *inode      // the directory of its name
	dir         *dirent.Dir // entries, of a directory
	dirtied     int64       // when it was put on the list of dirty inodes, ns
	*largeInode             // to read; who writes to it asks large or fileMap first
}

// largeInode is what directories, large files and those of other kinds need. All other
// inodes share one, in which nothing is set.
type largeInode struct {
	common bool
	m      fileMap // see inode.fileMap
	rareState
}

// fileMap is where the blocks of a file are. Where a slice and an array of its elements
// stand together, the slice begins there: most files need no more.
type fileMap struct {
	es       esTree
	firstES  [2]esExtent
	cache    pageCache
	firstRun [1]dirtyRun
	firstExt [1]extent
	root     node // of the extent tree
}

// rareState is what else few inodes have.
type rareState struct {
	topdir         bool  // EXT4_INODE_TOPDIR
	lastAllocGroup int32 // i_last_alloc_group of a directory, and one; 0 for none
	inlineState
	ind            *indirect // block pointers of an inode without extents
	newer, older   *inode    // on the list of orphans
	attrs          int64     // blocks of extended attributes, which count in inode.blocks
	writebackIndex uint32    // the page where range-cyclic writeback goes on
}

// large is the inode's own largeInode. One of its number may have had it before.
func (in *inode) large() *largeInode {
	if l := in.largeInode; l.common {
		in.largeInode = &largeInode{m: fileMap{es: esTree{stats: l.m.es.stats}}}
	}
	return in.largeInode
}

func (in *inode) isDir() bool { return in.mode&modeFmt == modeDir }

// readInode brings an inode into memory that a path leads to. fsync cannot know
// whether the running transaction holds changes of one just read, so it assumes
// that (__ext4_iget).
func (fs *FS) readInode(number uint32) *inode {
	in := fs.inodes.at(number)
	if !in.resident {
		in.resident = true
		if fs.j != nil && fs.j.running {
			in.syncTid = uint32(fs.j.tid)
		}
	}
	return in
}

// makeInode takes a number and makes an empty inode in memory.
func (fs *FS) makeInode(t *task, parent *inode, mode uint32, name string) (*inode, errno) {
	number, e := fs.allocInode(t, parent, mode&modeFmt == modeDir, name)
	if e != 0 {
		return nil, e
	}
	in := fs.blankInode(number, mode)
	in.Extents = fs.extents
	in.resident = true
	if fs.inlineData {
		in.mayInline, in.inlineMax = true, fs.inlineMax
	}
	if fs.obs != nil {
		fs.obs.InodeAllocated(number, parent.Number, mode)
	}
	fs.dirtyInode(t, in)
	return in, 0
}

// blankInode makes an inode in memory. What one of its number had allocated before
// it takes over.
func (fs *FS) blankInode(number, mode uint32) *inode {
	in := fs.inodes.place(number)
	large := in.largeInode
	if large == nil {
		large = fs.inodes.noLarge
	}
	*in = inode{largeInode: large, live: true}
	in.Number = number
	in.Regular = mode&modeFmt == modeReg
	in.mode = uint16(mode)
	in.links = 1
	in.brief.state = briefEmpty
	if !fs.briefFiles || !in.Regular {
		in.fileMap()
	}
	return in
}

// pin holds an inode, and the directories above it: a file that is open keeps
// its directory in memory, even one that was removed (dget).
func (fs *FS) pin(in *inode) {
	for in.pins++; in.pins == 1 && in.parent != in; in.pins++ {
		in = in.parent
	}
}

// unpin gives an inode up, then the directories above it (dput).
func (fs *FS) unpin(t *task, in *inode) {
	for {
		parent := in.parent
		in.pins--
		if in.pins > 0 {
			return
		}
		if in.links == 0 {
			fs.release(t, in)
		}
		if parent == in {
			return
		}
		in = parent
	}
}

// release is what happens when the last handle or name of an inode goes: it is
// freed if it has neither (iput, ext4_evict_inode).
func (fs *FS) release(t *task, in *inode) {
	if in.links > 0 || in.pins > 0 {
		return
	}
	fs.lock(in)
	if in.brief.state != notBrief {
		fs.releaseBrief(t, in)
	} else {
		fs.dropPages(in, 0)
		fs.forgetIO(in)
		fs.j.start()
		in.Size = 0
		if in.blocks > 0 {
			fs.truncate(t, in)
		}
		fs.clearInode(t, in)
	}
	fs.orphanDel(t, in)
	fs.freeInode(t, in)
	fs.cleanInode(in)
	if !in.common {
		in.rareState, in.dir = rareState{}, nil
	}
	in.live = false
	fs.unlock(in)
}

// groupOf is the group of an inode (i_block_group).
func (fs *FS) groupOf(in *inode) allocator.GroupID {
	return allocator.GroupID((in.Number - 1) / fs.geo.InodesPerGroup)
}

// clearInode gives up what an inode holds in memory (ext4_clear_inode).
func (fs *FS) clearInode(t *task, in *inode) {
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.forget(t, in, 0, maxBlocks)
}
