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

// inode is an inode in memory (struct ext4_inode_info).
type inode struct {
	mballoc.Inode
	mode     uint32
	links    uint32
	pins     int   // handles that hold it, and what is pinned below a directory
	disksize int64 // i_disksize: the size the disk knows, bytes
	blocks   int64 // i_blocks in file-system blocks: data and metadata, whole clusters
	reserved uint32

	group          allocator.GroupID // i_block_group
	lastAllocGroup int64             // i_last_alloc_group, -1 for none
	topdir         bool
	allocOnClose   bool   // EXT4_STATE_DA_ALLOC_CLOSE
	syncTid        uint64 // i_sync_tid: the transaction that last changed it
	resident       bool   // read since mount
	inlineState

	root     node // of the extent tree
	rootExt  [rootEntries]extent
	ind      *indirect // block pointers of an inode without extents
	es       esTree
	cache    pageCache
	firstES  [2]esExtent // where es and cache begin: most files need no more
	firstRun [2]dirtyRun

	onOrphanList         bool
	newer, older         *inode // on the list of orphans
	onDirtyList          bool
	dirtied              int64 // when it was put there, ns
	dirtyNext, dirtyPrev *inode

	dir    *dirent.Dir // entries, of a directory
	parent *inode      // the directory of its name
}

func (in *inode) isDir() bool { return in.mode&modeFmt == modeDir }

// inodePage groups inodes in memory by number, so that finding one takes no map.
const inodesPerPage = 1024

// inodeOf is the inode with this number, which must be in memory.
func (fs *FS) inodeOf(number uint32) *inode {
	return fs.inodes[number/inodesPerPage][number%inodesPerPage]
}

// readInode brings an inode into memory that a path leads to. fsync cannot know
// whether the running transaction holds changes of one just read, so it assumes
// that (__ext4_iget).
func (fs *FS) readInode(number uint32) *inode {
	in := fs.inodeOf(number)
	if !in.resident {
		in.resident = true
		if fs.j != nil && fs.j.running {
			in.syncTid = fs.j.tid
		}
	}
	return in
}

func (fs *FS) setInode(number uint32, in *inode) {
	page := &fs.inodes[number/inodesPerPage]
	if *page == nil {
		*page = make([]*inode, inodesPerPage)
	}
	(*page)[number%inodesPerPage] = in
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
	fs.setInode(number, in)
	if fs.obs != nil {
		fs.obs.InodeAllocated(number, parent.Number, mode)
	}
	fs.dirtyInode(t, in)
	return in, 0
}

// blankInode makes an inode in memory, from those that are no longer used where
// there are any.
func (fs *FS) blankInode(number, mode uint32) *inode {
	var in *inode
	if n := len(fs.spare); n > 0 {
		in = fs.spare[n-1]
		fs.spare = fs.spare[:n-1]
		es, runs := in.es.ext[:0], in.cache.runs[:0]
		*in = inode{}
		in.es.ext, in.cache.runs = es, runs
	} else {
		in = new(inode)
		in.es.ext, in.cache.runs = in.firstES[:0], in.firstRun[:0]
	}
	in.es.stats = &fs.esStats
	in.Number = number
	in.Regular = mode&modeFmt == modeReg
	in.mode = mode
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
	fs.setInode(in.Number, nil)
	fs.spare = append(fs.spare, in)
}

// clearInode gives up what an inode holds in memory (ext4_clear_inode).
func (fs *FS) clearInode(t *task, in *inode) {
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.forget(t, in, 0, maxBlocks)
}
