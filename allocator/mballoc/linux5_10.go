package mballoc

import "mbsim/allocator"

// Linux5_10 is Linux 5.10.223.
var Linux5_10 = Kernel{
	Name: "5.10", Doc: "Linux 5.10.223",
	Ladder:      ladder5_10,
	Order:       newLinearOrder,
	Preallocs:   recentFirst{},
	StreamGoals: func(int, allocator.GroupID) int { return 1 }, // s_mb_last_group
	Tunables:    tunables5_10,
	Stats:       statLines(ladder5_10, Counters{}),
	Quirks: Quirks{
		MergeGoal: true, ThreeStepPlacement: true, GoalOnlyTriesGoal: true, ClampTinyGroups: true, DiscardRetries: 3,
		SimpleWraps: true,
	},
}

// Linux5_10Seed is the kernel that the project's first seed shows, from before the
// corrections of 5.10.223.
var Linux5_10Seed = Kernel{
	Name: "5.10-seed", Doc: "Linux 5.10 of about 5.10.28 to 5.10.100, as the project's first seed shows it",
	Ladder:      Linux5_10.Ladder,
	Order:       Linux5_10.Order,
	Preallocs:   Linux5_10.Preallocs,
	StreamGoals: Linux5_10.StreamGoals,
	Tunables:    Linux5_10.Tunables,
	Stats:       Linux5_10.Stats,
}

var ladder5_10 = []Rung{
	{Key: "cr0", Label: "criteria 0", Doc: "the buddy of just the right size", Cheap: true, Scan: scanBuddy, Lists: byLargest, limits: wantBuddy},
	{Key: "cr1", Label: "criteria 1", Doc: "a group whose mean free extent is long enough", Cheap: true, Scan: scanStripes, Lists: byMean, limits: wantMeanFragment},
	{Key: "cr2", Label: "criteria 2", Doc: "a group with enough free clusters", Scan: scanComplex, limits: wantFree},
	{Key: "cr3", Label: "criteria 3", Doc: "anything at all", Scan: scanComplex, limits: wantAnything},
}

var tunables5_10 = []Tunable{
	maxToScan, minToScan, order2Reqs, streamRequest, groupPrealloc, maxInodePrealloc, prefetch, prefetchLimit,
}
