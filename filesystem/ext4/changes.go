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
// which they were made.
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
		Name:    "odd-stripe-dropped",
		Doc:     "A stripe that is not a whole number of clusters is turned off.",
		Where:   "ext4_is_stripe_incompatible",
		Kernels: since("6.12"),
		Apply:   func(k *Kernel) { k.Quirks.DropOddStripe = true },
	},
}
