package kernels

// partOf names, for an entry of a list of changes that is a part of a change with another
// name, that change: upstream one commit made both, and users switch both at once.
var partOf = map[string]string{
	"optimize-scan-option": "order-lists",
}

// upstream is where changes above the allocator come from, by the names of their entries.
var upstream = map[string]struct{ commit, since, stable string }{
	"orlov-clamps-clusters": {
		"ext4: avoid negative min_clusters in find_group_orlov()", "6.12", "5.4 and later, from November 2024 on",
	},
	"bitmaps-prefetched-by-default": {"ext4: make prefetch_block_bitmaps default", "5.13", ""},
	"odd-stripe-dropped": {
		"ext4: treat stripe in block unit; ext4: check stripe size compatibility on remount as well (6.12)", "6.5", "",
	},
}
