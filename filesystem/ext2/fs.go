package ext2

import (
	"fmt"
	"math/rand/v2"

	"mbsim/allocator"
	"mbsim/allocator/reservation"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/image"
	"mbsim/internal/memory"
)

type (
	task  = filesystem.Task
	errno = filesystem.Errno
)

// FS is a mounted ext2 file system. It implements filesystem.FileSystem.
type FS struct {
	layout *image.Layout
	geo    allocator.Geometry
	opt    Options
	alloc  *reservation.Allocator

	pointerBits uint8              // log2 of the block pointers in a block
	maxBytes    int64              // s_maxbytes: the largest size of a file
	reserve     filesystem.Reserve // who may take the blocks reserved for root
	overhead    int64              // blocks that no file can have, as statfs counts them
	dirOptions  dirent.Options

	inodeGroups []inodeGroup
	freeInodes  *allocator.PerCPUCounter // s_freeinodes_counter
	dirCount    *allocator.PerCPUCounter // s_dirs_counter
	orlov       *rand.Rand

	inodes  [][]*inode
	root    *inode
	atMount []uint32 // the inodes that were there at mount, with a name
	open    int      // handles

	lastDir     *inode // the directory of the last path, if it still has that path
	lastDirPath string

	spareInodes []*inode
	spareLeaves []*node
	request     reservation.Request
}

var _ filesystem.FileSystem = (*FS)(nil)

// The features that the driver can mount with (EXT2_FEATURE_INCOMPAT_SUPP,
// EXT2_FEATURE_RO_COMPAT_SUPP); 0x4 is btree_dir, which no tool sets.
const (
	knownIncompat = image.Filetype | image.MetaBG
	knownROCompat = image.SparseSuper | image.LargeFile | 0x4
)

// groupMemory is the bytes that a mounted group takes at least.
const groupMemory = 120

// Mount mounts the file system that l describes (ext2_fill_super).
func Mount(l *image.Layout, opt Options) (*FS, error) {
	s := &l.Super
	unknown := image.Features{Incompat: s.Incompat &^ knownIncompat, ROCompat: s.ROCompat &^ knownROCompat}
	switch {
	case opt.CPUs < 1:
		return nil, fmt.Errorf("ext2: %d CPUs", opt.CPUs)
	case unknown != image.Features{}:
		return nil, fmt.Errorf("ext2: the file system has features that the driver does not know: %v", unknown)
	case s.BlockSize() > allocator.PageSize:
		return nil, fmt.Errorf("ext2: blocks of %d bytes; a page has %d", s.BlockSize(), allocator.PageSize)
	case s.BlocksPerGroup <= s.InodeTableBlocks()+3:
		return nil, fmt.Errorf("ext2: groups of %d blocks have no room beside %d blocks of inodes", s.BlocksPerGroup, s.InodeTableBlocks())
	}
	// The mount fails here rather than when the memory is gone.
	if err := memory.Check(fmt.Sprintf("ext2: %d groups", s.Groups()), int64(s.Groups())*groupMemory); err != nil {
		return nil, err
	}
	fs := &FS{
		layout: l, geo: l.Geometry(), opt: opt,
		pointerBits: s.BlockBits - 2,
		maxBytes:    maxSize(s.BlockBits),
		overhead:    overhead(s),
		reserve:     opt.Reserve.Over(s.ReservedUID, s.ReservedGID),
		dirOptions:  dirent.Options{BlockSize: int(s.BlockSize()), Ext2: true},
		orlov:       rand.New(rand.NewPCG(opt.Seed, 0x6f726c6f76)), // "orlov"
		inodes:      make([][]*inode, s.Inodes/inodesPerPage+1),
	}
	// noreservation is a window of 0 blocks to the allocator.
	window := opt.Window
	if !opt.Reservation {
		window = 0
	}
	var err error
	fs.alloc, err = reservation.New(reservation.Config{
		Geometry: fs.geo, Source: l, Window: window, CPUs: opt.CPUs,
		RootReserved: uint64(s.ReservedBlocks),
	})
	if err != nil {
		return nil, err
	}
	// The counters need the descriptors, and the tree of files the counters.
	fs.readInodeGroups()
	if err := fs.loadTree(); err != nil {
		return nil, err
	}
	return fs, nil
}

// maxSize is the largest file, in bytes: what the block tree reaches, and no more
// sectors, indirect blocks included, than 32 bits count (ext2_max_size).
func maxSize(bits uint8) int64 {
	// In blocks: per is the pointers of an indirect block, sectors the largest i_blocks
	// (2^32-1 sectors of 512 bytes), reach all that the tree can map.
	per := int64(1) << (bits - 2)
	sectors := (int64(1)<<32 - 1) >> (bits - 9)
	reach := directSlots + per + per*per + per*per*per
	// meta is the indirect blocks of a full tree. If all fits into i_blocks, the tree is the
	// limit.
	if meta := 1 + 1 + per + 1 + per + per*per; reach+meta <= sectors {
		return reach << bits
	}
	// Otherwise the indirect blocks are taken off the largest i_blocks: the single one, then
	// those of the double tree, then those of the triple tree, as far as they are needed.
	up := func(n, d int64) int64 { return (n + d - 1) / d }
	rest := sectors - directSlots - per
	if rest < per*per {
		return (sectors - 1 - 1 - up(rest, per)) << bits
	}
	rest -= per * per
	return (sectors - 1 - (1 + per) - (1 + up(rest, per) + up(rest, per*per))) << bits
}

// overhead counts the blocks of the file system itself (ext2_statfs). The blocks
// reserved for more descriptors are not among them.
func overhead(s *image.Superblock) int64 {
	// A descriptor has 32 bytes.
	perBlock := uint32(s.BlockSize() / 32)
	descriptors := (int64(s.Groups()) + int64(perBlock) - 1) / int64(perBlock)
	// Two bitmaps and the inode table in each group; superblock and descriptors only in
	// groups that have a copy.
	n := int64(s.FirstDataBlock) + int64(s.Groups())*(2+int64(s.InodeTableBlocks()))
	for g := range s.Groups() {
		if s.ROCompat&image.SparseSuper == 0 || sparse(g) {
			n += 1 + descriptors
		}
	}
	return n
}

// sparse reports whether group g has a superblock with sparse_super: groups 0, 1
// and the powers of 3, 5 and 7 (ext2_group_sparse).
func sparse(g allocator.GroupID) bool {
	if g <= 1 {
		return true
	}
	for _, base := range [...]uint64{3, 5, 7} {
		n := base
		for n < uint64(g) {
			n *= base
		}
		if n == uint64(g) {
			return true
		}
	}
	return false
}

// Allocator is the allocator below the file system, for its counters.
func (fs *FS) Allocator() *reservation.Allocator { return fs.alloc }

// Geometry implements filesystem.FileSystem.
func (fs *FS) Geometry() *allocator.Geometry { return &fs.geo }

// Statfs implements filesystem.FileSystem (ext2_statfs).
func (fs *FS) Statfs() filesystem.Statfs {
	// Avail leaves out what is reserved for root. minixdf counts the blocks of the file
	// system itself too (f_blocks).
	free := fs.alloc.CountFreeClusters()
	s := filesystem.Statfs{
		BlockSize: fs.geo.BlockSize(),
		Blocks:    int64(fs.geo.Blocks) - fs.overhead,
		Free:      free,
		Avail:     max(0, free-int64(fs.layout.Super.ReservedBlocks)),
		Inodes:    int64(fs.layout.Super.Inodes), FreeInodes: fs.freeInodes.Sum(),
	}
	if fs.opt.MinixDF {
		s.Blocks = int64(fs.geo.Blocks)
	}
	return s
}

// Sync implements filesystem.FileSystem. All blocks have their places already.
func (fs *FS) Sync(*task) error { return nil }

// Remount implements filesystem.FileSystem: every inode leaves memory, and with
// it what is not on disk, the windows and the last blocks of files.
func (fs *FS) Remount(*task) error {
	if fs.open > 0 {
		return filesystem.EBUSY
	}
	// Inodes lose their windows, and start a new one with the next allocation.
	for _, page := range fs.inodes {
		for _, in := range page {
			if in != nil {
				fs.alloc.DiscardWindow(&in.window)
				in.started = false
			}
		}
	}
	// s_debts is not on disk, so all debts are 0 after a mount.
	for i := range fs.inodeGroups {
		fs.inodeGroups[i].debt = 0
	}
	fs.lastDir = nil
	fs.countInodes()
	return fs.alloc.Remount()
}
