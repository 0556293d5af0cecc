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

// inode is an inode in memory (struct ext4_inode_info). What creating, writing and
// removing a file touches comes first: there are many, and each line of the cache
// that need not be read counts.
type inode struct {
	mballoc.Inode
	mode         uint16
	live         bool // it is in memory; where not, the rest of this means nothing
	resident     bool // read since mount
	onOrphanList bool
	allocOnClose bool // EXT4_STATE_DA_ALLOC_CLOSE
	topdir       bool // EXT4_INODE_TOPDIR
	links        uint32
	pins         int32 // handles that hold it, and what is pinned below a directory

	disksize int64  // i_disksize: the size the disk knows, bytes
	blocks   int64  // i_blocks in file-system blocks: data and metadata, whole clusters
	syncTid  uint64 // i_sync_tid: the transaction that last changed it
	reserved uint32
	group    allocator.GroupID // i_block_group
	parent   *inode            // the directory of its name
	dir      *dirent.Dir       // entries, of a directory
	inlineState
	dirtyPlace int32 // on the list of dirty inodes, counted from 1; 0 where it is not

	// Where a slice and then an array of its elements stand, it begins there: most
	// files need no more.
	cache    pageCache
	firstRun [2]dirtyRun
	dirtied  int64 // when it was put on the list of dirty inodes, ns
	es       esTree
	firstES  [2]esExtent
	root     node // of the extent tree
	firstExt [1]extent

	newer, older   *inode    // on the list of orphans
	ind            *indirect // block pointers of an inode without extents
	lastAllocGroup int32     // i_last_alloc_group of a directory, -1 for none
}

func (in *inode) isDir() bool { return in.mode&modeFmt == modeDir }

// readInode brings an inode into memory that a path leads to. fsync cannot know
// whether the running transaction holds changes of one just read, so it assumes
// that (__ext4_iget).
func (fs *FS) readInode(number uint32) *inode {
	in := fs.inodes.at(number)
	fs.foreseen += in.spread()
	if !in.resident {
		in.resident = true
		if fs.j != nil && fs.j.running {
			in.syncTid = fs.j.tid
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
	in.mayInline, in.inlineMax = fs.inlineData, fs.inlineMax
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
	es, runs, ext := in.es.ext[:0], in.cache.runs[:0], in.root.ext[:0]
	*in = inode{}
	in.es.ext, in.cache.runs, in.root.ext = es, runs, ext
	if in.es.ext == nil {
		in.es.ext, in.cache.runs = in.firstES[:0], in.firstRun[:0]
	}
	in.live = true
	in.es.stats = &fs.esStats
	in.Number = number
	in.Regular = mode&modeFmt == modeReg
	in.mode = uint16(mode)
	in.links = 1
	in.group = allocator.GroupID((number - 1) / fs.geo.InodesPerGroup)
	in.lastAllocGroup = -1
	in.resetRoot()
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
		fs.release(t, in)
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
	defer fs.unlock(in)
	fs.dropPages(in, 0)
	fs.forgetIO(in)
	fs.j.start()
	in.Size = 0
	if in.blocks > 0 {
		fs.truncate(t, in)
	}
	fs.clearInode(t, in)
	fs.orphanDel(t, in)
	fs.freeInode(t, in)
	fs.cleanInode(in)
	in.live = false
}

// clearInode gives up what an inode holds in memory (ext4_clear_inode).
func (fs *FS) clearInode(t *task, in *inode) {
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.forget(t, in, 0, maxBlocks)
}
