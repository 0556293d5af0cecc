package metrics

import (
	"slices"

	"mbsim/machine/latency"
)

// build is the registry: the tables of this package, one after the other.
func build() []Metric {
	// The order is that of tables and docs: space and files, then the allocator, then time.
	all := append([]Metric(nil), spaceMetrics...)
	for i := range treeTable {
		all = append(all, treeTable[i].Metric)
	}
	all = append(all, readMetrics...)
	for i := range freeTable {
		all = append(all, freeTable[i].Metric)
	}
	all = append(all, opMetrics()...)
	for i := range mballocTable {
		all = append(all, mballocTable[i].Metric)
	}
	all = append(all, mballocRatios...)
	for i := range statusTable {
		all = append(all, statusTable[i].Metric)
	}
	for i := range journalTable {
		all = append(all, journalTable[i].Metric)
	}
	all = append(all, journalRatios...)
	for i := range reservationTable {
		all = append(all, reservationTable[i].Metric)
	}
	all = append(all, reservationRatios...)
	all = append(all, timeTable...)
	all = append(all, timeRatios...)
	for i := range all {
		all[i].Headline = slices.Contains(headlines, all[i].Name)
	}
	return all
}

// headlines are the metrics that a person wants first.
var headlines = slices.Concat([]string{
	"used_share", "lost_blocks", "files", "file_bytes",
	"extents_per_file_mean", "extents_per_file_p99", "one_extent_share", "layout_score", "dynamic_layout_score", "related_distance",
	"metadata_amplification", "free_extents", "free_extent_mean", "free_in_8m_share",
	"ops", "ops_enospc", "bytes_written",
	"mb_reqs", "mb_blocks_per_req", "mb_success_share", "mb_goal_hits", "mb_enospc", "mb_lost",
}, hitNames(), []string{
	"mb_groups_scanned_per_req", "mb_groups_considered_per_req", "mb_breaks",
	"mb_pa_hit_share", "mb_preallocated", "mb_discarded", "mb_bitmap_loads", "mb_prefetch_ios",
	"rsv_reqs", "rsv_blocks_per_req", "rsv_goal_hit_share", "rsv_enospc", "rsv_groups_visited_per_req", "rsv_bitmap_loads",
	"ops_per_s", "write_rate", "cpus_busy", "device_use", "latency_allocation_p50_us", "latency_allocation_p99_us",
	"latency_write_p99_us", "latency_fsync_p50_us", "latency_fsync_p99_us", "wait_group_lock_s", "wait_commit_s", "wait_io_s", "wait_bitmap_s",
	"read_back_s", "read_back_rate",
	"rsv_windows_made", "rsv_windows_discarded", "rsv_windows_failed", "rsv_window_share",
})

// Places in the registry of single metrics, and of the first metric of each table.
var (
	idUsedShare  = must("used_share")
	idFreeBlocks = must("free_blocks")
	idMetaReads  = must("metadata_reads")
	idMetaBlocks = must("metadata_blocks_read")
	idUsedInodes = must("used_inodes")
	idFreeInodes = must("free_inodes")
	idLostBlocks = must("lost_blocks")
	idPromised   = must("promised_blocks_max")
	treeFirst    = must(treeTable[0].Name)
	freeFirst    = must(freeTable[0].Name)
	opFirst      = must(opTotals[0].Name)
	mballocFirst = must(mballocTable[0].Name)
	idLost       = must("mb_lost")
	idBusy       = must("mb_busy")
	statusFirst  = must(statusTable[0].Name)
	journalFirst = must(journalTable[0].Name)
	rsvFirst     = must(reservationTable[0].Name)
	latencyFirst = must("latency_" + latency.Op(0).String() + "_p50_us")
)

// The groups of the registry: headings in tables.
const (
	groupSpace    = "Space"
	groupFiles    = "Files"
	groupLayout   = "Fragmentation of files"
	groupMetadata = "Metadata"
	groupFree     = "Free space"
	groupOps      = "Operations"
	groupRequests = "Requests to the allocator"
	groupSearch   = "Search by criteria"
	groupPrealloc = "Preallocation"
	groupBitmaps  = "Bitmaps and buddies"
	groupStatus   = "Extent status trees"
	groupJournal  = "Transactions of the journal"
	groupWindows  = "Reservation windows (ext2)"
	groupTime     = "Time"
)

// Sources named more than once.
const (
	fromStatfs    = "statfs(2)"
	fromStat      = "stat(2)"
	fromFiemap    = "FIEMAP"
	fromFilefrag  = "filefrag"
	fromFreefrag  = "e2freefrag"
	fromSmith     = "Smith and Seltzer, A Comparison of FFS Disk Allocation Policies, USENIX 1996"
	fromConway    = "Conway et al., File Systems Fated for Senescence?, FAST 2017"
	fromSimulator = "simulator"
)

// spaceMetrics are read at every sample.
var spaceMetrics = []Metric{
	{Name: "used_share", Unit: "share", Better: Neither, Kind: Gauge, Group: groupSpace, Source: fromStatfs,
		Doc: "Share of the file system's blocks that are in use or promised to delayed writes, as df shows it."},
	{Name: "free_blocks", Unit: "blocks", Better: Neither, Kind: Gauge, Group: groupSpace, Source: "bg_free_blocks_count",
		Doc: "Blocks free on disk: the sum over all group descriptors."},
	{Name: "used_inodes", Unit: "inodes", Better: Neither, Kind: Gauge, Group: groupSpace, Source: fromStatfs,
		Doc: "Inodes in use, those that the file system keeps for itself included, as df -i shows them."},
	{Name: "free_inodes", Unit: "inodes", Better: Neither, Kind: Gauge, Group: groupSpace, Source: fromStatfs,
		Doc: "Inodes that are free: with none left no file can be made, however many blocks are free."},
	{Name: "promised_blocks_max", Unit: "blocks", Better: Neither, Kind: Span, Group: groupSpace, Source: "s_dirtyclusters_counter",
		Doc: "Most blocks that were promised at a time, to delayed writes and to requests under way: statfs counts them as in use, and the disk does not have them yet."},
	{Name: "lost_blocks", Unit: "blocks", Better: Neither, Kind: Counter, Group: groupSpace, Source: fromSimulator,
		Doc: "Dirty blocks that found no place at writeback: data lost to ENOSPC."},
}

// readMetrics are counted by a file system that knows what memory holds.
var readMetrics = []Metric{
	{Name: "metadata_reads", Unit: "reads", Better: Neither, Kind: Counter, Group: groupMetadata, Source: fromSimulator,
		Doc: "Reads of metadata that was not in memory: inode tables, with what is read ahead of them, inode bitmaps, blocks of directories, extent trees and indirect blocks (block bitmaps are in mb_bitmap_loads)."},
	{Name: "metadata_blocks_read", Unit: "blocks", Better: Neither, Kind: Counter, Group: groupMetadata, Source: fromSimulator,
		Doc: "Blocks that these reads brought into memory."},
}

// treeMetric is a figure of the file tree.
type treeMetric struct {
	Metric
	get func(*Tree) float64
}

// tree makes an entry that is taken from the whole tree.
func tree(group, name, unit string, better Better, source, doc string, get func(*Tree) float64) treeMetric {
	return treeMetric{Metric{Name: name, Unit: unit, Better: better, Kind: Gauge, Group: group, Source: source, Doc: doc, Expensive: true}, get}
}

var treeTable = []treeMetric{
	tree(groupFiles, "files", "files", Neither, fromStat, "Regular files.",
		func(t *Tree) float64 { return float64(t.Files) }),
	tree(groupFiles, "directories", "directories", Neither, fromStat, "Directories, the root included.",
		func(t *Tree) float64 { return float64(t.Directories) }),
	tree(groupFiles, "file_bytes", "bytes", Neither, fromStat, "Sum of the sizes of all files (st_size).",
		func(t *Tree) float64 { return float64(t.Bytes) }),
	tree(groupFiles, "data_blocks", "blocks", Neither, fromFiemap, "Blocks that hold data of files: the length of all their extents.",
		func(t *Tree) float64 { return float64(t.DataBlocks) }),
	tree(groupFiles, "unwritten_blocks", "blocks", Neither, fromFiemap, "Of these, blocks allocated ahead and not yet written.",
		func(t *Tree) float64 { return float64(t.UnwrittenBlocks) }),
	tree(groupFiles, "delayed_blocks", "blocks", Neither, fromFiemap, "Blocks written to memory that have no place yet.",
		func(t *Tree) float64 { return float64(t.DelayedBlocks) }),

	tree(groupLayout, "extents_per_file_mean", "extents/file", Lower, fromFilefrag,
		"Mean number of contiguous pieces of the files that have blocks.", func(t *Tree) float64 { return t.ExtentsMean() }),
	tree(groupLayout, "extents_per_file_p50", "extents/file", Lower, fromFilefrag,
		"Half of the files have at most so many pieces.", func(t *Tree) float64 { return t.ExtentsQuantile(50) }),
	tree(groupLayout, "extents_per_file_p90", "extents/file", Lower, fromFilefrag,
		"90% of the files have at most so many pieces.", func(t *Tree) float64 { return t.ExtentsQuantile(90) }),
	tree(groupLayout, "extents_per_file_p99", "extents/file", Lower, fromFilefrag,
		"99% of the files have at most so many pieces.", func(t *Tree) float64 { return t.ExtentsQuantile(99) }),
	tree(groupLayout, "extents_per_file_max", "extents/file", Lower, fromFilefrag,
		"Pieces of the most fragmented file.", func(t *Tree) float64 { return t.ExtentsQuantile(100) }),
	tree(groupLayout, "one_extent_share", "share", Higher, fromFilefrag,
		"Share of the files with blocks that lie in one piece.", func(t *Tree) float64 { return t.OneExtentShare() }),
	tree(groupLayout, "extent_blocks_mean", "blocks", Higher, fromFilefrag,
		"Mean length of a contiguous piece of a file.", func(t *Tree) float64 { return quot(t.DataBlocks, t.Extents) }),
	tree(groupLayout, "layout_score", "share", Higher, fromSmith,
		"Share of the blocks, the first of each file left out, that lie right behind the file's block before: 1 is contiguous.",
		func(t *Tree) float64 { return t.Layout.Score() }),
	tree(groupLayout, "layout_score_mean", "share", Higher, fromSmith,
		"Mean of the files' own layout scores, over files of at least two blocks: small files count as much as large ones.",
		func(t *Tree) float64 { return t.Layout.Mean() }),
	tree(groupLayout, "dynamic_layout_score", "share", Higher, fromConway,
		"Layout score of all files read one after the other, ordered by path: the next file's first block should lie right behind the last file's last.",
		func(t *Tree) float64 { return t.Dynamic.Score() }),
	tree(groupLayout, "related_distance", "blocks", Lower, fromSimulator,
		"Mean distance from the end of a file to the start of the next one in its directory, by name.",
		func(t *Tree) float64 { return t.RelatedDistance() }),

	tree(groupMetadata, "mapping_blocks", "blocks", Lower, "st_blocks, FIEMAP",
		"Blocks of files beyond their data: extent tree or indirect blocks, extended attributes.",
		func(t *Tree) float64 { return float64(t.MappingBlocks) }),
	tree(groupMetadata, "directory_blocks", "blocks", Lower, "st_blocks", "Blocks of directories.",
		func(t *Tree) float64 { return float64(t.DirectoryBlocks) }),
	tree(groupMetadata, "cluster_slack_blocks", "blocks", Lower, "st_blocks, FIEMAP",
		"Blocks of clusters in use that hold no data (bigalloc).", func(t *Tree) float64 { return float64(t.SlackBlocks) }),
	tree(groupMetadata, "metadata_amplification", "ratio", Lower, "st_blocks, FIEMAP",
		"Blocks that files and directories take for each block of data: 1 is no metadata.",
		func(t *Tree) float64 { return quot(t.UsedBlocks(), t.DataBlocks) }),
}

// freeMetric is a figure of the free space.
type freeMetric struct {
	Metric
	get func(*FreeSpace) float64
}

func free(name, unit string, better Better, doc string, get func(*FreeSpace) float64) freeMetric {
	return freeMetric{Metric{Name: name, Unit: unit, Better: better, Kind: Gauge, Group: groupFree, Source: fromFreefrag, Doc: doc, Expensive: true}, get}
}

var freeTable = []freeMetric{
	free("free_extents", "extents", Lower, "Pieces that the free space on disk is in, across group borders.",
		func(f *FreeSpace) float64 { return float64(f.Extents) }),
	free("free_extent_min", "blocks", Neither, "Shortest piece of free space.",
		func(f *FreeSpace) float64 { return float64(f.Min) }),
	free("free_extent_mean", "blocks", Higher, "Mean length of a piece of free space.",
		func(f *FreeSpace) float64 { return quot(int64(f.Blocks), int64(f.Extents)) }),
	free("free_extent_max", "blocks", Higher, "Longest piece of free space.",
		func(f *FreeSpace) float64 { return float64(f.Max) }),
	free("free_in_8m_share", "share", Higher, "Share of the free space in pieces of at least 8 MiB.",
		func(f *FreeSpace) float64 { return f.ShareFrom(8 << 20) }),
}
