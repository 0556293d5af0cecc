package kernels

// partOf names, for an entry of a list of changes that is a part of a change with another
// name, that change: upstream one commit made both, and users switch both at once.
var partOf = map[string]string{
	"optimize-scan-option": "order-lists",
}

// upstream is where changes above the allocator come from, by the names of their entries, as
// far as their entries do not say so.
var upstream = map[string]struct{ commit, since, stable string }{
	"orlov-clamps-clusters":           {"ext4: avoid negative min_clusters in find_group_orlov()", "6.12", "5.4 and later, from November 2024 on"},
	"bitmaps-prefetched-by-default":   {"ext4: make prefetch_block_bitmaps default", "5.13", ""},
	"write-now-takes-unwritten":       {"ext4: Improve write performance with disabled delalloc", "6.0", ""},
	"punch-updates-disksize":          {"", "", "6.1, in October 2025"},
	"split-caches-nothing":            {"", "", "6.1, in spring 2026"},
	"growing-moves-inline":            {"ext4: convert inline data to extents when truncate exceeds inline size", "7.0", "6.6 and others, in March 2026"},
	"direct-write-cleans-up":          {"ext4: properly sync file size update after O_SYNC direct IO (taken from what it changes, not confirmed)", "6.7", "6.1"},
	"dioread-nolock-for-small-blocks": {"ext4: enable dioread_nolock as default for bs < ps case", "6.8", ""},
	"odd-stripe-dropped":              {"ext4: treat stripe in block unit; ext4: check stripe size compatibility on remount as well (6.12)", "6.5", ""},
	"status-tree-settles":             {"ext4: update delalloc data reserve spcae in ext4_es_insert_extent()", "", ""},
	"punch-writes-nothing":            {"", "", "6.12"},
	"fallocate-touches-first":         {"", "", "6.12"},
	"zero-range-drops-always":         {"", "", "6.12"},
	"endio-may-use-reserve":           {"ext4: use reserved metadata blocks when splitting extent on endio", "7.0", "6.12"},
	"split-before-io-keeps-data":      {"", "", "6.12"},
}

// notIdentified is what stands for the title of a commit that nobody has found yet: its Since
// is then the first kernel of this program that has it.
const notIdentified = "not identified yet: since is the first kernel here that has the change"
