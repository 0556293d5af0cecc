package ext4

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// Kernel is everything in which ext4 of one kernel differs from ext4 of another: the part
// above the allocator, and the allocator itself. A difference of one line is a field of
// Quirks, and its zero value is what Linux5_10 does; a different algorithm is a function
// that is chosen once, when the kernel is made. A kernel is Linux5_10 and the changes that
// were made since (changes.go). No other file names a version.
type Kernel struct {
	Name string // as scenarios and flags name it
	Doc  string // which kernel it is

	// Allocator is the part below.
	Allocator mballoc.Kernel
	// Defaults are the mount options that hold where the user gives none.
	Defaults MountDefaults
	// Quirks are the differences of one line.
	Quirks Quirks
}

// MountDefaults are mount options as a kernel has them where the user gives none.
type MountDefaults struct {
	// DioreadNolock allocates blocks unwritten whatever their size; without it only blocks
	// of the size of a page.
	DioreadNolock bool
	// PrefetchBlockBitmaps reads all bitmaps in the background after each mount.
	PrefetchBlockBitmaps bool
	// OptimizeScanGroups is the number of groups from which on the allocator finds groups
	// by lists of them (mb_optimize_scan), 0 where the kernel does not have that option.
	OptimizeScanGroups uint32
}

// Quirks are differences between kernels that one line of code makes. Each says what a
// kernel does that has it.
type Quirks struct {
	// DropOddStripe turns the stripe off where it is not a whole number of clusters
	// (ext4_is_stripe_incompatible).
	DropOddStripe bool
	// ClampMinClusters lets Orlov's limit of free clusters be 0 where it came out
	// negative, so that every group meets it (find_group_orlov).
	ClampMinClusters bool
	// LinkTargetsInBlocks makes the block of a symbolic link whose target its inode has no room for
	// metadata, and tries again after a commit where there is no space (ext4_init_symlink_block).
	// Otherwise the target is a page of data.
	LinkTargetsInBlocks bool
	// NowTakesUnwritten lets a write that allocates at once use a part of an unwritten extent
	// as it is, without making it an extent of its own (ext4_get_block_unwritten).
	NowTakesUnwritten bool
	// PunchedDisksizeGrows lets the size on disk follow to the end of a range that is punched
	// or zeroed inside the file, not only to the end of the file
	// (ext4_update_disksize_before_punch).
	PunchedDisksizeGrows bool
	// SplitCachesNothing keeps what a split reads of the extent tree out of the status tree
	// (ext4_split_extent, ext4_split_extent_at).
	SplitCachesNothing bool
	// GrownRootIsVerified counts the block that took over the root's entries as checked, so
	// that its first read caches nothing (ext4_ext_grow_indepth).
	GrownRootIsVerified bool
	// FallocateRetriesEach allows each piece of an fallocate its own tries after want of
	// space (ext4_alloc_file_blocks).
	FallocateRetriesEach bool
	// GrowingMovesInline moves data out of the inode when the file is truncated to more than
	// the inode holds (ext4_setattr).
	GrowingMovesInline bool
	// FailedDirectTruncates frees what a failed direct write has added behind the end, even
	// where the size on disk had caught up with it, and nothing after one that was only short
	// (ext4_inode_extension_cleanup).
	FailedDirectTruncates bool

	// DirSplitsAfterFirst lets a block of a hashed directory be split behind its first name
	// (do_split).
	DirSplitsAfterFirst bool
	// OrphanFile notes inodes without a name in the orphan file of a file system that has one,
	// where no other inode changes when one of them goes, and not on the list of orphans
	// (ext4_orphan_add).
	// It also mounts a file system whose file may hold some (orphan_present).
	OrphanFile bool
	// CutInlineForgetsDelayed gives up the delayed block of data on its way out of the inode when
	// the file is cut, with its reservation (ext4_inline_data_truncate).
	CutInlineForgetsDelayed bool

	// StatusTreeSettles lets the status tree account for reservations: a range that becomes
	// mapped uses up the reservations of the delayed blocks in it, and is not delayed any
	// more, whoever maps it (ext4_es_insert_extent). Otherwise writeback uses as many as it
	// has allocated clusters, and what fallocate has mapped stays delayed too.
	StatusTreeSettles bool
	// GrowingZeroesOldEnd makes the block at the old end of a file dirty when the file grows
	// beyond it (ext4_zero_partial_blocks in ext4_da_do_write_end, ext4_alloc_file_blocks and
	// ext4_setattr).
	GrowingZeroesOldEnd bool
	// PunchWritesNothing drops the dirty pages of a hole without writing them first, and
	// remembers the hole (ext4_punch_hole).
	PunchWritesNothing bool
	// FallocateTouchesFirst updates the times before anything else is looked at
	// (ext4_fallocate).
	FallocateTouchesFirst bool
	// MixedModesUnsupported answers EOPNOTSUPP to an fallocate that is to do two things that
	// exclude each other, and not EINVAL (vfs_fallocate).
	MixedModesUnsupported bool
	// ZeroRangeDropsAlways brings the size on disk up to date and drops pages for every range
	// that is zeroed, also for one without a whole block (ext4_zero_range).
	ZeroRangeDropsAlways bool
	// EndIOMayUseReserve lets the split after IO take tree blocks from the reserved pool
	// (ext4_convert_unwritten_extents_endio).
	EndIOMayUseReserve bool
	// SplitBeforeIOKeepsData writes zeroes to a whole extent where a split before IO finds no
	// block for the tree, as it holds no data yet; and of one that holds some forgets what it
	// has zeroed (ext4_split_extent_at).
	SplitBeforeIOKeepsData bool
	// IndirectHolesRemembered puts the holes of files without extents into the status tree
	// (ext4_ind_map_blocks).
	IndirectHolesRemembered bool
	// SplitAfterIO splits an unwritten extent that data is written to when the IO has ended,
	// and not before (ext4_split_convert_extents).
	SplitAfterIO bool
	// WritebackCachesNothing keeps what writeback, and the end of its IO, read of the extent
	// tree out of the status tree (EXT4_EX_NOCACHE in mpage_map_one_extent and
	// ext4_convert_unwritten_extents).
	WritebackCachesNothing bool
	// OldEndZeroedFirst does what GrowingZeroesOldEnd does before a write, or an fallocate, and
	// sets the size after all blocks of an fallocate are there (ext4_block_zero_eof,
	// ext4_alloc_file_blocks).
	OldEndZeroedFirst bool
	// PunchEndsWithBlock cuts a hole that reaches the end of the file at the end of its last
	// block, not of its last page (ext4_punch_hole).
	PunchEndsWithBlock bool
	// CacheReplacesSame lets what is read of the extent tree take the place of what the status
	// tree knows where that is of the same kind, and nowhere else (ext4_es_cache_extent).
	CacheReplacesSame bool
	// WriterGoesOn lets a writer on a machine with one CPU map its chunks before the worker
	// that converts extents gets the CPU. In recordings of such kernels 42 of 3700 chunks were
	// converted before the next one was mapped; in those of earlier ones one of ten. With the
	// flusher the worker takes turns all the same (settleRanges in plug.go).
	WriterGoesOn bool
	// DirectChecksExtent tests whether a direct write is aligned extent by extent, so that a
	// write with a misaligned end allocates as far as that (iomap_dio_bio_iter).
	DirectChecksExtent bool
	// FallocateNormalized widens the requests of fallocate like those of writes. No kernel that
	// has a profile does; the change shows what it was taken out for (ext4_ext_map_blocks).
	FallocateNormalized bool
	// LargeFolios keeps the pages of a write together in the page cache (folios.go).
	LargeFolios bool
}

// Kernels lists all kernels, the one to use where none is named first: what is above each
// allocator is Linux5_10's with the changes that the kernel of that name has.
func Kernels() []Kernel {
	var all []Kernel
	for _, a := range mballoc.Kernels() {
		all = append(all, Over(a, func(c *allocator.Change[Kernel]) bool { return c.In(a.Name) }))
	}
	return all
}

// Over is the kernel whose allocator is a and which has those of Changes that has selects.
func Over(a mballoc.Kernel, has func(*allocator.Change[Kernel]) bool) Kernel {
	k := Linux5_10
	k.Name, k.Doc, k.Allocator = a.Name, a.Doc, a
	return allocator.WithChanges(k, Changes, has)
}

// DefaultKernel is used where none is named.
var DefaultKernel = Linux5_10

// KernelByName finds a kernel.
func KernelByName(name string) (Kernel, error) {
	for _, k := range Kernels() {
		if k.Name == name {
			return k, nil
		}
	}
	return Kernel{}, fmt.Errorf("unknown kernel %q", name)
}
