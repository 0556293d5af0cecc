package mballoc

import (
	"slices"

	"mbsim/allocator"
)

// later are the kernels after Linux 5.10, the oldest first. Each stands for the stable release
// that Debian ships, so that it may have a change that is younger than its series.
var later = []struct{ name, doc string }{
	{"6.1", "Linux 6.1.176"},
	{"6.12", "Linux 6.12.107"},
	{"6.18", "Linux 6.18.15"},
	{"7.2", "Linux 7.2.12"},
	{"7.3", "Linux 7.3.4"},
}

// From are the names of the kernels from the named one on, the oldest first. It is there for
// lists of changes, and panics where there is no such kernel.
func From(kernel string) []string {
	var names []string
	for i := range later {
		if names != nil || later[i].name == kernel {
			names = append(names, later[i].name)
		}
	}
	if names == nil {
		panic("mballoc: there is no kernel " + kernel)
	}
	return names
}

// laterKernels are the kernels after Linux 5.10, each made of that and its changes.
func laterKernels() []Kernel {
	var all []Kernel
	for _, k := range later {
		all = append(all, Linux5_10.With(k.name, k.doc, func(c *allocator.Change[Kernel]) bool { return c.In(k.name) }))
	}
	return all
}

// With is the kernel with those changes that has selects, under a new name.
func (k Kernel) With(name, doc string, has func(*allocator.Change[Kernel]) bool) Kernel {
	k = allocator.WithChanges(k, Changes, has)
	k.Name, k.Doc = name, doc
	// Which lines mb_stats has follows from the ladder and the counters.
	k.Stats = statLines(k.Ladder, k.Counters)
	return k
}

// editRungs gives the kernel a ladder that edit has changed, and leaves that of other kernels
// as it is.
func (k *Kernel) editRungs(edit func([]Rung) []Rung) {
	k.Ladder = edit(slices.Clone(k.Ladder))
}

// Changes are the changes of the allocator after Linux 5.10, in the order in which they came.
var Changes = []allocator.Change[Kernel]{
	{
		Name: "order-lists", Since: "5.13", Kernels: From("6.1"), Where: "allocator/mballoc/order_lists.go",
		Doc:    "With mb_optimize_scan cheap criteria take groups from lists by their largest free buddy, and from a tree by their mean free fragment.",
		Commit: "ext4: improve cr 0 / cr 1 group scanning",
		Apply: func(k *Kernel) {
			k.Order = newTreeOrder
			k.Tunables = append(slices.Clone(k.Tunables), maxLinearGroups)
			k.Counters.BadSuggestions, k.Counters.StructsSummary = true, true
		},
	},
	{
		Name: "closed-files-share", Since: "6.0", Stable: "5.19", Kernels: From("6.1"), Where: "allocator/mballoc/normalize.go",
		Doc:    "A small file that nobody has open for writing uses the locality group.",
		Commit: "ext4: use locality group preallocation for small closed files",
		Apply:  func(k *Kernel) { k.Quirks.ClosedFilesShare = true },
	},
	{
		Name: "stripe-of-block", Since: "6.5", Stable: "6.1.105", Kernels: From("6.1"), Where: "allocator/mballoc/scan.go",
		Doc:    "With bigalloc a goal of one stripe is taken where a stripe begins at its block, not at its cluster's number.",
		Commit: "ext4: fix wrong unit use in ext4_mb_find_by_goal",
		Apply:  func(k *Kernel) { k.Quirks.StripeOfBlock = true },
	},
	{
		Name: "fragment-buckets", Since: "6.0", Stable: "5.19", Kernels: From("6.1"), Needs: []string{"order-lists"}, Where: "allocator/mballoc/order_lists.go",
		Doc:    "Groups are in lists by the order of their mean free fragment, where a tree had sorted them by its length.",
		Commit: "ext4: use buckets for cr 1 block scan instead of rbtree",
		Apply:  func(k *Kernel) { k.Order = newListOrder },
	},
	{
		Name: "preallocated-whole", Since: "6.4", Kernels: From("6.12"), Where: "allocator/mballoc/prealloc.go",
		Doc:    "mb_stats counts all of a new inode preallocation as preallocated, with the part that its first request takes.",
		Commit: "ext4: correct calculation of s_mb_preallocated",
		Apply:  func(k *Kernel) { k.Quirks.PreallocatedWhole = true },
	},
	{
		Name: "prealloc-tree", Since: "6.4", Kernels: From("6.12"), Where: "allocator/mballoc/pas_sorted.go",
		Doc:    "The preallocations of an inode are kept in a tree by their place in the file, without a limit to their number.",
		Commit: "ext4: Use rbtrees to manage PAs instead of inode i_prealloc_list; ext4: Remove the logic to trim inode PAs",
		Apply: func(k *Kernel) {
			k.Preallocs = sortedByStart{}
			k.Tunables = slices.DeleteFunc(slices.Clone(k.Tunables), func(t Tunable) bool { return t.Sysfs == maxInodePrealloc.Sysfs })
		},
	},
	{
		Name: "named-criteria", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/changes.go",
		Doc:    "The criteria have names instead of numbers, and mb_stats counts extents for each and requests that got the normalized length.",
		Commit: "ext4: Convert mballoc cr (criteria) to enum; ext4: Add per CR extent scanned counter; ext4: Add counter to track successful allocation of goal length; ext4: Give symbolic names to mballoc criterias",
		Apply: func(k *Kernel) {
			k.editRungs(func(l []Rung) []Rung {
				for i, name := range [][3]string{
					{"cr_p2_aligned", "power of 2 aligned", "CR_POWER2_ALIGNED"}, {"cr_goal_fast", "goal length, fast", "CR_GOAL_LEN_FAST"},
					{"cr_goal_slow", "goal length, slow", "CR_GOAL_LEN_SLOW"}, {"cr_any_free", "any free", "CR_ANY_FREE"},
				} {
					l[i].Key, l[i].Label, l[i].Traced = name[0], name[1], name[2]
				}
				return l
			})
			k.Counters.ExtentsByRung, k.Counters.LenGoalHits = true, true
			// mb_stats no longer shows what lists suggested in vain under these names.
		},
	},
	{
		Name: "best-avail-len", Since: "6.5", Kernels: From("6.12"), Needs: []string{"fragment-buckets", "named-criteria"}, Where: "allocator/mballoc/lists.go",
		Doc:    "Before all groups are searched for the goal's length, the goal is cut down by up to mb_best_avail_max_trim_order powers of two.",
		Commit: "ext4: Add allocation criteria 1.5 (CR1_5)",
		Apply: func(k *Kernel) {
			k.editRungs(func(l []Rung) []Rung {
				return slices.Insert(l, 2, Rung{
					Key: "cr_best_avail", Label: "best available length", Traced: "CR_BEST_AVAIL_LEN", Doc: "a group whose mean free extent is long enough for a shorter goal",
					Cheap: true, Scan: scanStripes, Lists: byTrimmed, limits: wantMeanFragment,
				})
			})
			k.Tunables = append(slices.Clone(k.Tunables), bestAvailMaxTrimOrder)
		},
	},
	{
		Name: "skip-short-runs", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/scan.go",
		Doc:    "Cheap criteria pass over free runs that are shorter than the goal without examining them.",
		Commit: "ext4: Avoid scanning smaller extents in BG during CR1",
		Apply:  func(k *Kernel) { k.Quirks.SkipShortRuns = true },
	},
	{
		Name: "prefetch-all", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/search.go",
		Doc:    "The buddies of all groups of a batch that was read ahead are made, each judged by its own descriptor.",
		Commit: "ext4: Ensure ext4_mb_prefetch_fini() is called for all prefetched BGs; ext4: get correct ext4_group_info in ext4_mb_prefetch_fini (6.4)",
		Apply:  func(k *Kernel) { k.Quirks.PrefetchAll = true },
	},
	{
		Name: "prefetch-uninit", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/readahead.go",
		Doc:    "Reading ahead does not leave out uninitialized groups.",
		Commit: "ext4: Don't skip prefetching BLOCK_UNINIT groups",
		Apply:  func(k *Kernel) { k.Quirks.PrefetchUninit = true },
	},
	{
		Name: "window-of-blocks", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/normalize.go",
		Doc:    "With bigalloc normalization compares the blocks of a request with 8 MiB, not its clusters.",
		Commit: "ext4: fix wrong unit use in ext4_mb_normalize_request",
		Apply:  func(k *Kernel) { k.Quirks.WindowOfBlocks = true },
	},
	{
		Name: "stripe-clusters", Since: "6.5", Kernels: From("6.12"), Where: "allocator/mballoc/scan.go",
		Doc:    "With bigalloc the stripe is converted to clusters wherever it is compared with lengths of clusters.",
		Commit: "ext4: treat stripe in block unit",
		Apply: func(k *Kernel) {
			k.Quirks.StripeClusters = true
			k.Tunables = slices.Clone(k.Tunables)
			k.Tunables[slices.IndexFunc(k.Tunables, func(t Tunable) bool { return t.Sysfs == groupPrealloc.Sysfs })] = groupPreallocClusters
		},
	},
	{
		Name: "stripe-fallback", Since: "6.8", Kernels: From("6.12"), Where: "allocator/mballoc/search.go",
		Doc:    "A group in which no whole stripe is free is scanned for other extents.",
		Commit: "ext4: fallback to complex scan if aligned scan doesn't work",
		Apply:  func(k *Kernel) { k.Quirks.StripeFallback = true },
	},
	{
		Name: "skip-locked", Since: "6.17", Stable: "6.12.77", Kernels: From("6.12"), Where: "allocator/mballoc/search.go",
		Doc:    "A search passes over groups that another CPU has locked, but with the last criterion.",
		Commit: "ext4: add ext4_try_lock_group() to skip busy groups",
		Apply:  func(k *Kernel) { k.Quirks.SkipLocked = true },
	},
	{
		Name: "circular-order", Since: "6.17", Stable: "6.12.77", Kernels: From("6.12"), Needs: []string{"fragment-buckets"}, Where: "allocator/mballoc/order_circular.go",
		Doc:    "The groups of a list are met by their numbers from the goal on, as in a linear search, not in the order in which they joined.",
		Commit: "ext4: convert free groups order lists to xarrays; ext4: refactor choose group to scan group; ext4: implement linear-like traversal across order xarrays",
		Apply: func(k *Kernel) {
			k.Order = newCircularOrder
			k.Counters.BadSuggestions = false
			k.Quirks.HitsBehindLadder = true
		},
	},
	{
		Name: "stream-goals", Since: "6.17", Kernels: From("6.18"), Where: "allocator/mballoc/search.go",
		Doc:    "There are several stream goals, one for each CPU or for four groups, of which an inode uses the one of its number; a goal is a group.",
		Commit: "ext4: utilize multiple global goals to reduce contention; ext4: separate stream goal hits from s_bal_goals for better tracking; ext4: remove unnecessary s_mb_last_start",
		Apply: func(k *Kernel) {
			k.StreamGoals = func(cpus int, groups allocator.GroupID) int { return max(1, min(cpus, (int(groups)+3)/4)) }
			k.Quirks.StreamGoalGroup = true
			k.Counters.StreamGoalHits = true
		},
	},
}
