package mballoc

// Stats counts what the allocator did since mount. The first part is what
// /proc/fs/ext4/DEV/mb_stats shows, in its order; the rest is what the kernel
// only shows through trace events.
type Stats struct {
	Requests         uint64           // reqs: requests for blocks (s_bal_reqs)
	Success          uint64           // of these, those that got all of the normalized length (s_bal_success)
	GroupsScanned    uint64           // groups whose buddy was searched (s_bal_groups_scanned)
	RungHits         [MaxRungs]uint64 // searches that ended with a rung (s_bal_cX_hits)
	GroupsConsidered [MaxRungs]uint64 // groups met by a rung (s_bal_cX_groups_considered)
	UselessLoops     [MaxRungs]uint64 // whole passes of a rung that found nothing (s_bal_cX_failed)
	BadSuggestions   [MaxRungs]uint64 // groups that a rung took from a list in vain (s_bal_cX_bad_suggestions)
	ExtentsByRung    [MaxRungs]uint64 // free extents examined with a rung (s_bal_cX_ex_scanned)
	ExtentsScanned   uint64           // free extents examined (s_bal_ex_scanned)
	GoalHits         uint64           // requests that got the goal's place (s_bal_goals)
	StreamGoalHits   uint64           // searches of streams that ended in the goal's group (s_bal_stream_goals)
	LenGoalHits      uint64           // requests that got the normalized length (s_bal_len_goals)
	Pow2Hits         uint64           // 2^n_hits: searches that ended with a buddy (s_bal_2orders)
	Breaks           uint64           // searches ended by mb_max_to_scan (s_bal_breaks)
	Lost             uint64           // chunks taken by another CPU between search and use (s_mb_lost_chunks)
	BuddiesGenerated uint64           // s_mb_buddies_generated
	Preallocated     uint64           // clusters preallocated (s_mb_preallocated)
	Discarded        uint64           // clusters of preallocations given back (s_mb_discarded)

	BlocksAllocated  uint64 // blocks handed out (s_bal_allocated)
	Searches         uint64 // searches of the groups for a request: none where a preallocation serves, several where preallocations were discarded in between
	BitmapLoads      uint64 // block bitmaps read from the device
	PrefetchIOs      uint64 // of these, read ahead by prefetch
	InodePAs         uint64 // inode preallocations made
	GroupPAs         uint64 // locality-group preallocations made
	PAHits           uint64 // requests served from a preallocation
	PABlocksUsed     uint64 // blocks these got
	PAsDiscarded     uint64 // preallocations discarded
	DiscardsForSpace uint64 // rounds of discarding forced by ENOSPC
	NoSpace          uint64 // requests that failed with ENOSPC
	Busy             uint64 // requests for closed files treated as if open, as groups were contended (ext4_fs_is_busy)
}

// add adds the counters of t.
func (s *Stats) add(t *Stats) {
	// What mb_stats counts of a search.
	s.Requests += t.Requests
	s.Success += t.Success
	s.GroupsScanned += t.GroupsScanned
	// What it counts for each criterion.
	for i := range s.RungHits {
		s.RungHits[i] += t.RungHits[i]
		s.GroupsConsidered[i] += t.GroupsConsidered[i]
		s.UselessLoops[i] += t.UselessLoops[i]
		s.BadSuggestions[i] += t.BadSuggestions[i]
		s.ExtentsByRung[i] += t.ExtentsByRung[i]
	}
	// How searches ended, and what became of buddies and preallocations.
	s.ExtentsScanned += t.ExtentsScanned
	s.GoalHits += t.GoalHits
	s.StreamGoalHits += t.StreamGoalHits
	s.LenGoalHits += t.LenGoalHits
	s.Pow2Hits += t.Pow2Hits
	s.Breaks += t.Breaks
	s.Lost += t.Lost
	s.BuddiesGenerated += t.BuddiesGenerated
	s.Preallocated += t.Preallocated
	s.Discarded += t.Discarded

	// What no kernel prints.
	s.BlocksAllocated += t.BlocksAllocated
	s.Searches += t.Searches
	s.BitmapLoads += t.BitmapLoads
	s.PrefetchIOs += t.PrefetchIOs
	s.InodePAs += t.InodePAs
	s.GroupPAs += t.GroupPAs
	s.PAHits += t.PAHits
	s.PABlocksUsed += t.PABlocksUsed
	s.PAsDiscarded += t.PAsDiscarded
	s.DiscardsForSpace += t.DiscardsForSpace
	s.NoSpace += t.NoSpace
	s.Busy += t.Busy
}

// StatLine is a line of mb_stats: a counter, or a heading where Value is nil.
type StatLine struct {
	Depth int // tabs before it
	Name  string
	Value func(*Stats) uint64
}

// statLines are what ext4_seq_mb_stats_show prints with a ladder and these counters.
func statLines(ladder []Rung, has Counters) []StatLine {
	lines := []StatLine{
		{1, "reqs", func(s *Stats) uint64 { return s.Requests }},
		{1, "success", func(s *Stats) uint64 { return s.Success }},
		{1, "groups_scanned", func(s *Stats) uint64 { return s.GroupsScanned }},
	}
	add := func(there bool, depth int, name string, value func(*Stats) uint64) {
		if there {
			lines = append(lines, StatLine{depth, name, value})
		}
	}
	// A paragraph for each rung.
	for i, r := range ladder {
		add(true, 1, r.Key+"_stats", nil)
		add(true, 2, "hits", func(s *Stats) uint64 { return s.RungHits[i] })
		add(true, 2, "groups_considered", func(s *Stats) uint64 { return s.GroupsConsidered[i] })
		add(has.ExtentsByRung, 2, "extents_scanned", func(s *Stats) uint64 { return s.ExtentsByRung[i] })
		add(true, 2, "useless_loops", func(s *Stats) uint64 { return s.UselessLoops[i] })
		add(has.BadSuggestions && r.Lists != NoLists, 2, "bad_suggestions", func(s *Stats) uint64 { return s.BadSuggestions[i] })
	}
	// Then the counters of all searches, and of buddies and preallocations.
	add(true, 1, "extents_scanned", func(s *Stats) uint64 { return s.ExtentsScanned })
	add(true, 2, "goal_hits", func(s *Stats) uint64 { return s.GoalHits })
	add(has.StreamGoalHits, 2, "stream_goal_hits", func(s *Stats) uint64 { return s.StreamGoalHits })
	add(has.LenGoalHits, 2, "len_goal_hits", func(s *Stats) uint64 { return s.LenGoalHits })
	add(true, 2, "2^n_hits", func(s *Stats) uint64 { return s.Pow2Hits })
	add(true, 2, "breaks", func(s *Stats) uint64 { return s.Breaks })
	add(true, 2, "lost", func(s *Stats) uint64 { return s.Lost })
	add(true, 1, BuddiesGenerated, func(s *Stats) uint64 { return s.BuddiesGenerated })
	add(true, 1, BuddiesTimeUsed, func(*Stats) uint64 { return 0 })
	add(true, 1, "preallocated", func(s *Stats) uint64 { return s.Preallocated })
	add(true, 1, "discarded", func(s *Stats) uint64 { return s.Discarded })
	return lines
}

// Two lines of mb_stats are special. BuddiesGenerated is followed by the number of groups
// of the file system. BuddiesTimeUsed is the nanoseconds that making buddies took, which a
// simulator does not spend, so it is always 0 here.
const (
	BuddiesGenerated = "buddies_generated"
	BuddiesTimeUsed  = "buddies_time_used"
)

// GroupInfo is what one line of /proc/fs/ext4/DEV/mb_groups shows: the group's
// free space as the buddy sees it. Counts are clusters.
type GroupInfo struct {
	Free      uint32
	Fragments uint32
	FirstFree uint32     // a lower bound of the first free cluster
	Counters  [18]uint32 // free buddies by order; Orders of them count
	Orders    int        // BlockBits+2
}
