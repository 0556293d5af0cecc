package ext4

import (
	"fmt"
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/ext4/journal"
	"mbsim/filesystem/image"
)

type task = filesystem.Task

// FS is a mounted ext4 file system. It implements filesystem.FileSystem.
type FS struct {
	layout  *image.Layout
	geo     allocator.Geometry
	opt     Options
	quirks  Quirks // of opt.Kernel
	obs     Observer
	alloc   *mballoc.Allocator
	journal *journal.Journal // nil without a journal

	pageSize      int64
	pageBits      uint8 // logarithm of pageSize
	blocksPerPage uint32
	maxFolioOrder uint8
	maxIndirect   int64 // s_bitmap_maxbytes

	extents        bool // new inodes have extent trees
	dirNlink       bool
	orphanFile     bool  // it notes inodes without a name in a file
	inlineData     bool  // new inodes may hold their data themselves
	inlineMax      int32 // the most they can hold, bytes
	briefFiles     bool  // new files have a brief (brief.go)
	groupChecksums bool  // metadata_csum or uninit_bg: groups may be uninitialized
	dirOptions     dirent.Options

	inodesCount uint32
	goalTunable uint32             // s_inode_goal: the inode to take next, 0 for none
	reserve     filesystem.Reserve // who may take the blocks reserved for root
	inodeGroups [][]inodeGroup
	flexes      []flexInodes
	freeInodes  *allocator.PerCPUCounter // s_freeinodes_counter
	dirCount    *allocator.PerCPUCounter // s_dirs_counter

	inodes  inodeCache
	stamps  stamps    // nil where nobody wants them
	esStats es.Shared // of all inodes
	// esAtMount is what their statistics were when the file system was last mounted.
	esAtMount filesystem.StatusTree
	// mountPrefetch is mb_prefetch as it is at each mount: only then can somebody set it.
	mountPrefetch uint32
	root          *inode

	dentries dentries
	attrs    attrCache // the blocks of extended attributes that can be shared

	orphans     *inode // inodes without a name that are open, newest first
	orphanCount int
	dirty       dirtyList
	dirtyBlocks int64
	conversions []conversion
	// orderedInline are inodes with data inside whose pages the running transaction's commit has to
	// write.
	orderedInline []*inode
	firstOfFile   map[*inode]int // for byFile
	ending        []*ioEnd       // what processes have taken over of them
	// holesConverted counts conversions of blocks that were gone: it must stay 0.
	holesConverted int64
	spareEnds      []*ioEnd
	spareQueues    [][]*inode
	flushing       bool             // the flusher is at work
	flushQueue     []*inode         // its queue, kept for the next time
	lost           int64            // blocks of data lost to ENOSPC in writeback
	leaked         []extents.Extent // blocks that files have kept that are gone (noteLeak)

	host          Host // nil where one process runs at a time
	metadataReads filesystem.MetadataReads
	turns         *turnTaker // nil where rules decide
	spareRequests []*mballoc.Request
	spareHandles  []*handle
	observerTask  task // for lookups that no process makes
}

var _ filesystem.FileSystem = (*FS)(nil)

// Mount mounts the file system that l describes (ext4_fill_super). It fails if a tunable,
// the directory tree or the number of CPUs is not valid.
func Mount(l *image.Layout, opt Options) (*FS, error) {
	// What is not given gets its default.
	if opt.CPUs < 1 {
		return nil, fmt.Errorf("ext4: %d CPUs", opt.CPUs)
	}
	if opt.PageSize == 0 {
		opt.PageSize = allocator.PageSize
	}
	if opt.Kernel.Name == "" {
		opt.Kernel = DefaultKernel
	}
	// The geometry is the image's; only the stripe may be another.
	s := &l.Super
	if err := opt.Kernel.CanWrite(s.Features); err != nil {
		return nil, err
	}
	geo := l.Geometry()
	if opt.Stripe >= 0 {
		geo.Stripe = s.Stripe(uint32(opt.Stripe))
	}
	if opt.Kernel.Quirks.DropOddStripe {
		dropOddStripe(&geo, s, opt.Stripe)
	}
	// The features of the superblock decide how new files are made.
	fs := &FS{
		layout: l, geo: geo, opt: opt, quirks: opt.Kernel.Quirks, obs: opt.Observer, host: opt.Host,
		pageSize:       max(opt.PageSize, geo.BlockSize()),
		extents:        s.Incompat&image.ExtentTree != 0,
		dirNlink:       s.ROCompat&image.DirNlink != 0,
		groupChecksums: s.ROCompat&(image.MetadataCsum|image.UninitBG) != 0,
		inodesCount:    s.Inodes,
		goalTunable:    opt.Tunables[inodeGoal],
		reserve:        opt.Reserve.Over(s.ReservedUID, s.ReservedGID),
		orphanFile:     s.Compat&image.OrphanFile != 0 && opt.Kernel.Quirks.OrphanFile,
		inlineData:     s.Incompat&image.InlineData != 0,
		inlineMax:      maxInline(s),
		firstOfFile:    make(map[*inode]int),
	}
	if opt.Turns != nil {
		fs.turns = &turnTaker{Turns: *opt.Turns}
	}
	// A page holds one block or more. Files are described briefly where all that makes them
	// complicated is absent: inline data, clusters, allocation at the time of the write.
	fs.blocksPerPage = uint32(fs.pageSize >> geo.BlockBits)
	fs.setupFolios()
	fs.briefFiles = fs.extents && !fs.inlineData && geo.ClusterBits == 0 && opt.Delalloc
	fs.maxIndirect = maxIndirectBytes(geo.BlockBits, s.ROCompat&image.HugeFile != 0)
	// Without a journal fs.journal stays nil, and freed blocks are free at once.
	if s.Compat&image.HasJournal != 0 && !opt.NoJournal {
		fs.journal = fs.newJournal()
	}
	// The caches are empty, and the allocator stands, before the tree is loaded into them.
	fs.setupDirectories()
	fs.inodeGroups = make([][]inodeGroup, (geo.Groups+groupsPerPage-1)/groupsPerPage)
	fs.flexes = make([]flexInodes, geo.FlexGroups())
	fs.esStats.CacheReplacesSame = fs.quirks.CacheReplacesSame
	fs.inodes = newInodeCache(s.Inodes, &fs.esStats)
	if opt.Stamps {
		fs.stamps = make(stamps, s.Inodes/stampsPerPage+1)
	}
	if err := fs.newAllocator(); err != nil {
		return nil, err
	}
	fs.countInodes()
	if err := fs.loadTree(); err != nil {
		return nil, err
	}
	fs.mounted()
	return fs, nil
}

// setupFolios sets the size of the largest folio, in kernels that have large ones
// (EXT4_MAX_PAGECACHE_ORDER).
func (fs *FS) setupFolios() {
	fs.pageBits = uint8(bits.TrailingZeros64(uint64(fs.pageSize)))
	if fs.quirks.LargeFolios {
		fs.maxFolioOrder = max(fs.pageBits, min(maxFolioBits, 11+fs.geo.BlockBits)) - fs.pageBits
	}
}

// newAllocator makes the allocator over the layout, with the tunables that were given in
// place of the kernel's defaults.
func (fs *FS) newAllocator() error {
	s := &fs.layout.Super
	flex := s.Incompat&image.FlexBG != 0
	kernel := fs.opt.Kernel.Allocator
	t := kernel.DefaultTunables(&fs.geo, flex)
	fs.mountPrefetch = t.Prefetch
	// Groups next to each other are no nearer than others where no head moves (bdev_nonrot).
	if fs.opt.NonRotational {
		t.MaxLinearGroups = 0
	}
	for name, v := range fs.opt.Tunables {
		// The file system's own tunables are not the allocator's.
		if name == inodeGoal || name == reservedClusters {
			continue
		}
		if err := kernel.SetTunable(&t, name, v); err != nil {
			return err
		}
	}
	pool, err := fs.reservePool()
	if err != nil {
		return err
	}
	// An interface that holds a nil Host would not be nil itself, so it is set only for a
	// Host.
	var locks mballoc.Locks
	if fs.host != nil {
		locks = fs.host
	}
	a, err := mballoc.New(mballoc.Config{
		Geometry:       fs.geo,
		Source:         fs.layout,
		Kernel:         kernel,
		Tunables:       t,
		CPUs:           fs.opt.CPUs,
		FlexFeature:    flex,
		GroupChecksums: fs.groupChecksums,
		RootReserved:   uint64(s.ReservedBlocks) >> fs.geo.ClusterBits,
		ReservePool:    pool,
		ImmediateFree:  fs.journal == nil,
		OptimizeScan:   fs.optimizeScan(),
		Observer:       fs.opt.Blocks,
		Locks:          locks,
	})
	fs.alloc = a
	return err
}

// reservePool is the size of the reserved pool, in clusters: the tunable's, or without it the
// kernel's, which keeps one only for extent trees (ext4_set_resv_clusters).
func (fs *FS) reservePool() (uint64, error) {
	clusters := uint64(fs.geo.Blocks) >> fs.geo.ClusterBits
	v, set := fs.opt.Tunables[reservedClusters]
	switch {
	case set && uint64(v) >= clusters:
		return 0, fmt.Errorf("tunable %s: %d: the file system has %d clusters, and the pool must be smaller", reservedClusters, v, clusters)
	case set:
		return uint64(v), nil
	case fs.extents:
		return mballoc.DefaultReservePool(&fs.geo), nil
	}
	return 0, nil
}

// rights is the flag of requests of processes that may not take the blocks reserved for root.
func (fs *FS) rights(t *task) mballoc.Flags {
	if fs.reserve.OpenTo(t.User) {
		return 0
	}
	return mballoc.Unprivileged
}

// dropOddStripe turns off a stripe that is not a whole number of clusters
// (ext4_is_stripe_incompatible). One that the user asks for is set to 0 when the options are
// read; then the superblock's counts, as if none had been asked for.
func dropOddStripe(geo *allocator.Geometry, s *image.Superblock, asked int64) {
	odd := func(n int64) bool { return n > 0 && geo.ClusterBits > 0 && n&int64(geo.ClusterRatio()-1) != 0 }
	if odd(asked) {
		geo.Stripe = s.Stripe(0)
	}
	if odd(int64(geo.Stripe)) {
		geo.Stripe = 0
	}
}

// optimizeScan says whether the allocator finds groups by lists of them
// (ext4_fill_super): as the mount option says, or from a number of groups on.
func (fs *FS) optimizeScan() bool {
	if fs.opt.OptimizeScan >= 0 {
		return fs.opt.OptimizeScan > 0
	}
	least := fs.opt.Kernel.Defaults.OptimizeScanGroups
	return least > 0 && uint32(fs.geo.Groups) >= least
}

// setupDirectories takes from the superblock how directories are stored and hashed.
func (fs *FS) setupDirectories() {
	s := &fs.layout.Super
	fs.dirOptions = dirent.Options{
		BlockSize: int(fs.geo.BlockSize()),
		Checksums: s.ROCompat&image.MetadataCsum != 0,
		DirIndex:  s.Compat&image.DirIndex != 0,
		LargeDir:  s.Incompat&image.LargeDir != 0,
		Hash:      dirent.HashVersion(s.HashVersion),
		Seed:      dirent.SeedOf(s.HashSeed),

		SplitsAfterFirst: fs.quirks.DirSplitsAfterFirst,
	}
	// The hash treats characters as unsigned where the file system was made on such a
	// machine (EXT2_FLAGS_UNSIGNED_HASH).
	if s.Flags&image.FlagUnsignedHash != 0 {
		fs.dirOptions.Hash = fs.dirOptions.Hash.Unsigned()
	}
}

// countInodes sets the counters of free inodes and of directories to the sums over the
// descriptors (ext4_count_free_inodes, ext4_count_dirs). The superblock's own counts are
// not used.
func (fs *FS) countInodes() {
	var free, dirs int64
	for g := range fs.geo.Groups {
		d := fs.layout.Desc(g)
		free += int64(d.FreeInodes)
		dirs += int64(d.UsedDirs)
	}
	fs.freeInodes = allocator.NewPerCPUCounter(free, fs.opt.CPUs)
	fs.dirCount = allocator.NewPerCPUCounter(dirs, fs.opt.CPUs)
}

// maxIndirectBytes is the largest size of a file with indirect blocks, in bytes
// (ext4_max_bitmap_size). bits is the logarithm of the block size, huge the feature
// huge_file.
func maxIndirectBytes(bits uint8, huge bool) int64 {
	// An indirect block has so many pointers of 4 bytes. i_blocks limits a file to 2^32-1
	// sectors, or with huge_file to 2^48-1 blocks; both are counted in blocks here.
	per := int64(1) << (bits - 2)
	most := int64(1)<<32 - 1
	if huge {
		most = 1<<48 - 1
	} else {
		most >>= bits - 9
	}
	// Of these blocks, a full tree takes one indirect block, one double indirect one with
	// its indirect blocks, and one triple indirect one with those below it.
	limit := most - (1 + 1 + per + 1 + per + per*per)
	if limit < 0 {
		// With blocks of 32K and more and no huge_file a whole tree has more indirect
		// blocks than a file may have blocks. The kernel's limit is below zero then, and
		// no file can be written. Here the tree counts as far as the blocks need it,
		// which is not beyond the double indirect one.
		limit = most - (1 + 1 + (most-directSlots-per+per-1)/per)
	}
	// The other limit is what the pointers of the inode lead to.
	return min(pointedBlocks(bits), limit) << bits
}

// pointedBlocks is how many blocks the pointers of an inode lead to. Blocks of a file are numbered
// in 32 bits, which a triple indirect block of 8K and more reaches beyond.
func pointedBlocks(bits uint8) int64 {
	per := int64(1) << (bits - 2)
	return min(directSlots+per+per*per+per*per*per, maxBlocks)
}

// freeBlocks frees n blocks of an inode from block b on, in the running transaction
// (ext4_free_blocks).
func (fs *FS) freeBlocks(t *task, in *inode, b allocator.Block, n uint32, f mballoc.FreeFlags) {
	fs.journal.Start()
	clusters := fs.alloc.FreeBlocks(t.CPU, &in.Inode, b, n, f, fs.journal.Current())
	fs.noteBitmapJournalled(b)
	fs.touchBitmaps(b, n)
	// i_blocks shrinks by the clusters freed, unless they were never counted in it, or stay
	// counted as a reservation (rereserveCluster subtracts them itself).
	if f&(freeNoQuota|freeRereserve) == 0 {
		fs.addBlocks(t, in, -int64(clusters)<<fs.geo.ClusterBits)
	}
}

// The flags of freeBlocks, in the allocator's words.
const (
	freeMetadata  = mballoc.FreeMetadata
	freeForget    = mballoc.FreeForget
	freeKeepFirst = mballoc.FreeKeepFirstCluster
	freeKeepLast  = mballoc.FreeKeepLastCluster
	freeRereserve = mballoc.FreeRereserveCluster
	freeNoQuota   = mballoc.FreeNoQuota
)

// dirtyMeta records a change of metadata block b in the running transaction
// (ext4_handle_dirty_metadata).
func (fs *FS) dirtyMeta(t *task, b allocator.Block) {
	fs.journal.Start()
	fs.newMetadata(b)
	fs.journal.Note(journal.MappingBlock, uint64(b))
}

// dirtied and cleaned keep the count of dirty data blocks, fs.dirtyBlocks, up to date.
func (fs *FS) dirtied(n int64)  { fs.dirtyBlocks += n }
func (fs *FS) cleaned(n uint32) { fs.dirtyBlocks -= int64(n) }

// The tunables above the allocator: which inode to take next, and how many clusters only the
// metadata of writes that must not fail may take.
const (
	inodeGoal        = "inode_goal"
	reservedClusters = "reserved_clusters"
)

// Allocator is the allocator below the file system, for its counters.
func (fs *FS) Allocator() *mballoc.Allocator { return fs.alloc }

// Geometry implements filesystem.FileSystem.
func (fs *FS) Geometry() *allocator.Geometry { return &fs.geo }

// Statfs implements filesystem.FileSystem (ext4_statfs).
func (fs *FS) Statfs() filesystem.Statfs {
	bits := fs.geo.ClusterBits
	s := &fs.layout.Super
	// What is promised to delayed blocks is not free. Of the rest, the blocks reserved for
	// root and the pool for metadata are free but not available.
	free := max(0, fs.alloc.FreeClusters().SumPositive()-fs.alloc.DirtyClusters().SumPositive()) << bits
	reserved := int64(s.ReservedBlocks) + fs.alloc.ReservedClusters()<<bits
	return filesystem.Statfs{
		BlockSize: fs.geo.BlockSize(),
		Blocks:    int64(fs.geo.Blocks) - int64(s.Overhead)<<bits,
		Free:      free,
		Avail:     max(0, free-reserved),
		Inodes:    int64(fs.inodesCount), FreeInodes: fs.freeInodes.SumPositive(),
	}
}
