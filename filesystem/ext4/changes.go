package ext4

import "mbsim/allocator"

// since are the kernels of this program from the named one on, the oldest first.
func since(kernel string) []string {
	all := []string{"6.1", "6.12", "6.18", "7.2", "7.3"}
	for all[0] != kernel {
		all = all[1:]
	}
	return all
}

// Changes are what kernels after Linux5_10 do otherwise above the allocator, in the order in
// which this program's kernels got them.
var Changes = []allocator.Change[Kernel]{
	{
		Name:    "orlov-clamps-clusters",
		Doc:     "A directory's search for a flex group of average state asks for 0 free clusters where its limit came out negative, instead of for more than any group has.",
		Where:   "find_group_orlov",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.ClampMinClusters = true },
	},
	{
		Name:    "bitmaps-prefetched-by-default",
		Doc:     "All block bitmaps are read in the background after each mount, unless no_prefetch_block_bitmaps is given.",
		Where:   "ext4_register_li_request",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Defaults.PrefetchBlockBitmaps = true },
	},
	{
		Name:    "optimize-scan-option",
		Doc:     "The mount option mb_optimize_scan lets the allocator find groups by lists of them, which is the default from 16 groups on.",
		Where:   "ext4_fill_super",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Defaults.OptimizeScanGroups = 16 },
	},
	{
		Name:    "write-now-takes-unwritten",
		Doc:     "A write that allocates at once uses a part of an unwritten extent as it is, without making it an extent of its own.",
		Where:   "ext4_get_block_unwritten",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.NowTakesUnwritten = true },
	},
	{
		Name:    "punch-updates-disksize",
		Doc:     "Punching or zeroing a range inside a file brings its size on disk up to the end of the range.",
		Where:   "ext4_update_disksize_before_punch",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.PunchedDisksizeGrows = true },
	},
	{
		Name:    "split-caches-nothing",
		Doc:     "What a split reads of the extent tree does not go into the status tree.",
		Where:   "ext4_split_extent",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.SplitCachesNothing = true },
	},
	{
		Name:    "grown-root-verified",
		Doc:     "The block that takes over the root's entries counts as checked, so that its first read puts nothing into the status tree.",
		Where:   "ext4_ext_grow_indepth",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.GrownRootIsVerified = true },
	},
	{
		Name:    "fallocate-retries-each",
		Doc:     "Each piece of an fallocate has its own three tries after want of space.",
		Where:   "ext4_alloc_file_blocks",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.FallocateRetriesEach = true },
	},
	{
		Name:    "growing-moves-inline",
		Doc:     "A file that is truncated to more than its inode holds gets its data in a block.",
		Where:   "ext4_setattr",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.GrowingMovesInline = true },
	},
	{
		Name:    "direct-write-cleans-up",
		Doc:     "A direct write beyond the end truncates the file if it fails, whatever the size on disk, and not if it was only short.",
		Where:   "ext4_inode_extension_cleanup",
		Kernels: since("6.1"),
		Apply:   func(k *Kernel) { k.Quirks.FailedDirectTruncates = true },
	},
	{
		Name:    "dioread-nolock-for-small-blocks",
		Doc:     "Blocks that are smaller than a page are allocated unwritten by default too (dioread_nolock).",
		Commit:  "ext4: enable dioread_nolock as default option for small blocksize",
		Where:   "ext4_set_def_opts",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Defaults.DioreadNolock = true },
	},
	{
		Name:    "odd-stripe-dropped",
		Doc:     "A stripe that is not a whole number of clusters is turned off.",
		Where:   "ext4_is_stripe_incompatible",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.DropOddStripe = true },
	},
	{
		Name:    "status-tree-settles",
		Doc:     "A range that becomes mapped uses up the reservations of its delayed blocks and is delayed no more, whoever maps it.",
		Where:   "ext4_es_insert_extent",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.StatusTreeSettles = true },
	},
	{
		Name:    "growing-zeroes-old-end",
		Doc:     "A file that grows beyond its end has the rest of its last block zeroed, which makes that block dirty.",
		Where:   "ext4_da_do_write_end",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.GrowingZeroesOldEnd = true },
	},
	{
		Name:    "punch-writes-nothing",
		Doc:     "Punching a hole drops its dirty pages without writing them, and remembers the hole.",
		Where:   "ext4_punch_hole",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.PunchWritesNothing = true },
	},
	{
		Name:    "fallocate-touches-first",
		Doc:     "fallocate updates the times of a file before it looks at anything else.",
		Where:   "ext4_fallocate",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.FallocateTouchesFirst = true },
	},
	{
		Name:    "zero-range-drops-always",
		Doc:     "Zeroing a range brings the size on disk up to date also where the range has no whole block.",
		Where:   "ext4_zero_range",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.ZeroRangeDropsAlways = true },
	},
	{
		Name:    "endio-may-use-reserve",
		Doc:     "The split of an extent after its IO may take tree blocks from the reserved pool.",
		Where:   "ext4_convert_unwritten_extents_endio",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.EndIOMayUseReserve = true },
	},
	{
		Name:    "split-before-io-keeps-data",
		Doc:     "Where a split finds no block for the tree, zeroes are written only over what holds no data, and the status tree forgets the extent.",
		Where:   "ext4_split_extent_at",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.SplitBeforeIOKeepsData = true },
	},
	{
		Name:    "indirect-holes-remembered",
		Doc:     "The holes of files without extents are put into the status tree.",
		Where:   "ext4_ind_map_blocks",
		Kernels: []string{"6.12", "7.3"},
		Apply:   func(k *Kernel) { k.Quirks.IndirectHolesRemembered = true },
	},
	{
		Name:    "writeback-caches-nothing",
		Doc:     "What writeback and the end of its IO read of the extent tree does not go into the status tree.",
		Where:   "mpage_map_one_extent",
		Kernels: since("6.18"),
		Apply:   func(k *Kernel) { k.Quirks.WritebackCachesNothing = true },
	},
	{
		Name:    "split-after-io",
		Doc:     "An unwritten extent that data is written to is split when the IO has ended, not before.",
		Where:   "ext4_split_convert_extents",
		Kernels: since("7.2"),
		Needs:   []string{"status-tree-settles"},
		Apply:   func(k *Kernel) { k.Quirks.SplitAfterIO = true },
	},
	{
		Name:    "large-folios",
		Doc:     "The page cache keeps the pages of a write together, in folios of up to 2 MiB; a write and writeback go folio by folio.",
		Where:   "ext4_set_inode_mapping_order",
		Kernels: since("6.18"),
		Apply:   func(k *Kernel) { k.Quirks.LargeFolios = true },
	},
	{
		Name:    "writer-goes-on",
		Doc:     "A writer on one CPU maps all chunks of a file before the worker converts what has been written; found in recordings, not in one commit.",
		Where:   "ext4_end_io_rsv_work",
		Kernels: since("6.18"),
		Apply:   func(k *Kernel) { k.Quirks.WriterGoesOn = true },
	},
	{
		Name:    "old-end-zeroed-first",
		Doc:     "The rest of a file's last block is zeroed before a write beyond the end or an fallocate, and the size follows an fallocate at its end.",
		Where:   "ext4_block_zero_eof",
		Kernels: since("7.2"),
		Needs:   []string{"growing-zeroes-old-end"},
		Apply:   func(k *Kernel) { k.Quirks.OldEndZeroedFirst = true },
	},
	{
		Name:    "punch-ends-with-block",
		Doc:     "A hole that reaches the end of the file ends with its last block, not with its last page.",
		Where:   "ext4_punch_hole",
		Kernels: since("7.2"),
		Needs:   []string{"punch-writes-nothing"},
		Apply:   func(k *Kernel) { k.Quirks.PunchEndsWithBlock = true },
	},
}
