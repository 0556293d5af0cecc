package mballoc

import (
	"slices"

	"mbsim/allocator"
)

// Linux5_10 is Linux 5.10.223.
var Linux5_10 = Kernel{
	Name: "5.10", Doc: "Linux 5.10.223",
	Ladder:      ladder5_10,
	Order:       linearOrder{},
	Preallocs:   recentFirst{},
	StreamGoals: func(int, allocator.GroupID) int { return 1 }, // s_mb_last_group
	Tunables:    tunables5_10,
	Stats:       stats5_10,
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
	{Key: "cr0", Label: "criteria 0", Doc: "the buddy of just the right size", Cheap: true, Scan: scanBuddy, limits: wantBuddy},
	{Key: "cr1", Label: "criteria 1", Doc: "a group whose mean free extent is long enough", Cheap: true, Scan: scanStripes, limits: wantMeanFragment},
	{Key: "cr2", Label: "criteria 2", Doc: "a group with enough free clusters", Scan: scanComplex, limits: wantFree},
	{Key: "cr3", Label: "criteria 3", Doc: "anything at all", Scan: scanComplex, limits: wantAnything},
}

var tunables5_10 = []Tunable{
	maxToScan, minToScan, order2Reqs, streamRequest, groupPrealloc, maxInodePrealloc, prefetch, prefetchLimit,
}

// stats5_10 is what ext4_seq_mb_stats_show prints.
var stats5_10 = slices.Concat(
	[]StatLine{
		{1, "reqs", func(s *Stats) uint64 { return s.Requests }},
		{1, "success", func(s *Stats) uint64 { return s.Success }},
		{1, "groups_scanned", func(s *Stats) uint64 { return s.GroupsScanned }},
	},
	rungLines5_10(),
	[]StatLine{
		{1, "extents_scanned", func(s *Stats) uint64 { return s.ExtentsScanned }},
		{2, "goal_hits", func(s *Stats) uint64 { return s.GoalHits }},
		{2, "2^n_hits", func(s *Stats) uint64 { return s.Pow2Hits }},
		{2, "breaks", func(s *Stats) uint64 { return s.Breaks }},
		{2, "lost", func(s *Stats) uint64 { return s.Lost }},
		{1, BuddiesGenerated, func(s *Stats) uint64 { return s.BuddiesGenerated }},
		{1, BuddiesTimeUsed, func(*Stats) uint64 { return 0 }},
		{1, "preallocated", func(s *Stats) uint64 { return s.Preallocated }},
		{1, "discarded", func(s *Stats) uint64 { return s.Discarded }},
	},
)

// rungLines5_10 are the lines of mb_stats of each rung.
func rungLines5_10() []StatLine {
	var lines []StatLine
	for i, r := range ladder5_10 {
		lines = append(lines,
			StatLine{1, r.Key + "_stats", nil},
			StatLine{2, "hits", func(s *Stats) uint64 { return s.RungHits[i] }},
			StatLine{2, "groups_considered", func(s *Stats) uint64 { return s.GroupsConsidered[i] }},
			StatLine{2, "useless_loops", func(s *Stats) uint64 { return s.UselessLoops[i] }},
		)
	}
	return lines
}
