package ext4

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/ext4/pagecache"
)

// inode is an inode in memory (struct ext4_inode_info). It holds what every file uses; what
// only few files use is in largeInode, which exists where it has been needed. There are
// many inodes, and to read one costs about two lines of the processor's cache.
type inode struct {
	mballoc.Inode
	mode         uint16
	live         bool // it is in memory; where not, the rest of this means nothing
	resident     bool // read since mount
	onOrphanList bool
	allocOnClose bool // EXT4_STATE_DA_ALLOC_CLOSE
	mayInline    bool // a write may put data into it (EXT4_STATE_MAY_INLINE_DATA)
	// pagesDiffer marks two rare states in which the dirty pages do not fit the rest:
	// delayed blocks without dirty pages or the reverse (after truncateInline), and dirty pages
	// behind the end of the file (after moveInline). Check must allow them, and writepages cleans the
	// latter.
	pagesDiffer bool
	links       uint32
	pins        int32  // handles that hold it, and what is pinned below a directory
	dirtyPlace  int32  // on the list of dirty inodes, counted from 1; 0 where it is not
	syncTid     uint32 // i_sync_tid: the transaction that last changed it, the low bits

	brief       brief
	reserved    uint32      // clusters reserved for delayed blocks
	disksize    int64       // i_disksize: the size the disk knows, bytes
	blocks      int64       // i_blocks in file-system blocks: data and metadata, whole clusters
	parent      *inode      // the directory of its name
	dir         *dirent.Dir // entries, of a directory
	dirtied     int64       // when it was put on the list of dirty inodes, ns
	*largeInode             // shared and read-only until large or fileMap gives this inode its own
}

// largeInode is what directories, large files and files of other kinds need. All other
// inodes share one in which nothing is set (inodeCache.sharedLarge).
type largeInode struct {
	isShared bool    // it is the shared one, which nobody may change
	m        fileMap // ask inode.fileMap for it, which makes it of a brief first
	rareState
}

// fileMap is where the blocks of a file are. firstExt is where the extents of the
// root begin: most files need no more.
type fileMap struct {
	es       es.Tree
	cache    pagecache.Cache
	firstExt [1]extents.Extent
	root     extents.Node // of the extent tree
}

// rareState is what only few inodes have beside a fileMap.
type rareState struct {
	topdir         bool  // EXT4_INODE_TOPDIR
	started        bool  // it was there when the file system was first mounted
	lastAllocGroup int32 // i_last_alloc_group of a directory, and one; 0 for none
	inlineState
	ind             *indirect   // block pointers of an inode without extents
	newer, older    *inode      // on the list of orphans
	attrs           int64       // blocks of extended attributes, which count in inode.blocks
	writebackIndex  uint32      // the page where range-cyclic writeback goes on
	target          string      // what a symbolic link holds, "" where that is not known
	attributes      *attributes // extended attributes, nil for none that are known
	fromImage       bool        // it may have attributes that are not known
	defaultACLKnown bool        // of a directory (xattr.go)
}

// large gives the inode a largeInode of its own, unless it has one: an earlier inode of the
// same number may have left it.
func (in *inode) large() *largeInode {
	if l := in.largeInode; l.isShared {
		in.largeInode = &largeInode{m: fileMap{es: l.m.es.Fresh()}}
	}
	return in.largeInode
}

// isDir says whether the inode is a directory.
func (in *inode) isDir() bool { return filesystem.IsDir(uint32(in.mode)) }

// readInode brings an inode into memory that a path leads to (__ext4_iget). When it is
// first read, the running transaction may hold changes of it, and the kernel assumes so:
// fsync then commits that transaction.
func (fs *FS) readInode(number uint32) *inode {
	in := fs.inodes.at(number)
	if !in.resident {
		in.resident = true
		fs.useTable(number, false)
		if fs.journal.Running() {
			in.syncTid = uint32(fs.journal.Current())
		}
	}
	return in
}

// makeInode takes an inode number, and makes an empty inode in memory (ext4_new_inode).
func (fs *FS) makeInode(t *task, parent *inode, mode uint32, name string) (*inode, errno) {
	number, e := fs.allocInode(t, parent, filesystem.IsDir(mode), name)
	if e != 0 {
		return nil, e
	}
	// The file system's features decide whether it begins with an extent tree or with
	// inline data.
	fs.useTable(number, true)
	in := fs.blankInode(number, mode)
	in.Extents = fs.extents
	in.resident = true
	if fs.inlineData {
		in.mayInline, in.inlineMax = true, fs.inlineMax
	}
	fs.stampMade(in)
	if fs.obs != nil {
		fs.obs.InodeAllocated(number, parent.Number, mode)
	}
	fs.looksForDefaultACL(parent, mode)
	fs.dirtyInode(t, in)
	return in, 0
}

// blankInode makes an empty inode in memory. It keeps the largeInode that an earlier inode
// of this number had.
func (fs *FS) blankInode(number, mode uint32) *inode {
	in := fs.inodes.place(number)
	large := in.largeInode
	if large == nil {
		large = fs.inodes.sharedLarge
	}
	*in = inode{largeInode: large, live: true}
	in.Number = number
	in.Regular = filesystem.IsRegular(mode)
	in.mode = uint16(mode)
	in.links = 1
	// Every file begins brief. Directories, and all files where brief does not apply, get
	// their fileMap at once.
	in.brief.state = briefEmpty
	if !fs.briefFiles || !in.Regular {
		in.fileMap()
	}
	return in
}

// pin holds an inode in memory, and with it the directories above it: an open file keeps
// its directory, even one that was removed (dget).
func (fs *FS) pin(in *inode) {
	in.pins++
	// Only the first pin of an inode also pins the directory above it.
	for in.pins == 1 && in.parent != in {
		in = in.parent
		in.pins++
	}
}

// unpin undoes pin: it gives up the inode, and after the last pin also the directories
// above it (dput). Inodes without a name are freed then.
func (fs *FS) unpin(t *task, in *inode) {
	for {
		// Read before release, which ends the inode.
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

// release frees an inode if neither a name nor a handle holds it (iput, ext4_evict_inode).
func (fs *FS) release(t *task, in *inode) {
	if in.links > 0 || in.pins > 0 {
		return
	}
	fs.lock(in)
	// A conversion that had no turn yet would come too late.
	if fs.turns != nil {
		fs.awaitWriteback(t, in)
	}
	if in.brief.state != notBrief {
		fs.releaseBrief(t, in)
	} else {
		// As ext4_evict_inode does: pages, then blocks by a truncate to 0, then what is in
		// memory. An inode without blocks needs no truncate.
		fs.dropPages(in, 0)
		fs.forgetIO(in)
		fs.journal.Start()
		in.Size = 0
		if in.blocks != 0 && !in.isFastLink() {
			fs.truncate(t, in)
		} else if fs.quirks.CutInlineForgetsDelayed && in.Extents {
			fs.noteLeak(&in.fileMap().root)
		}
		fs.clearInode(t, in)
	}
	fs.dropAttributes(t, in)
	fs.orderedInline = slices.DeleteFunc(fs.orderedInline, func(x *inode) bool { return x == in })
	// It leaves the lists and the inode bitmap; its memory waits for the next inode of this
	// number.
	fs.orphanDel(t, in)
	fs.freeInode(t, in)
	fs.cleanInode(in)
	if !in.isShared {
		in.rareState, in.dir = rareState{}, nil
	}
	in.live = false
	fs.forgetFolios(in)
	fs.unlock(in)
}

// noteLeak notes the blocks of a file that goes and keeps them, as its count of blocks is 0:
// for one, its reservation was forgotten (Quirks.CutInlineForgetsDelayed). Only Check asks.
func (fs *FS) noteLeak(n *extents.Node) {
	fs.leaked = append(fs.leaked, n.Ext...)
	for i := range n.Idx {
		fs.leaked = append(fs.leaked, extents.Extent{Pblk: n.Idx[i].Child.Blk, Len: 1})
		fs.noteLeak(n.Idx[i].Child)
	}
}

// groupOf is the block group of an inode (i_block_group).
func (fs *FS) groupOf(in *inode) allocator.GroupID {
	return allocator.GroupID((in.Number - 1) / fs.geo.InodesPerGroup)
}

// clearInode gives up what memory knows of an inode's blocks: its preallocations and its
// status tree with the reservations in it (ext4_clear_inode).
func (fs *FS) clearInode(t *task, in *inode) {
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.forget(t, in, 0, maxBlocks)
}
