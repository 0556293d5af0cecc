package metrics

import (
	"math"
	"slices"

	"mbsim/allocator/mballoc"
)

// mballocMetric is a counter of package mballoc.
type mballocMetric struct {
	Metric
	get  func(*mballoc.Stats) uint64
	rung string // of the counters by rung: its key; count picks from counters by rung then
	pick func(*mballoc.Stats) *[mballoc.MaxRungs]uint64
	// has, if not nil, says whether a kernel has the counter.
	has func(*mballoc.Kernel) bool
}

// count is the counter's value for a kernel, NaN where it lacks the counter or its rung.
func (m *mballocMetric) count(k *mballoc.Kernel, s *mballoc.Stats) float64 {
	if m.has != nil && !m.has(k) {
		return math.NaN()
	}
	if m.rung == "" {
		return float64(m.get(s))
	}
	if i := k.RungOf(m.rung); i >= 0 {
		return float64(m.pick(s)[i])
	}
	return math.NaN()
}

// mb makes the entry of a counter. The source names the line of mb_stats, or the
// kernel's event.
func mb(group, name, unit string, better Better, source, doc string, get func(*mballoc.Stats) uint64) mballocMetric {
	return mballocMetric{Metric: Metric{Name: name, Unit: unit, Better: better, Kind: Counter, Group: group, Source: source, Doc: doc}, get: get}
}

// Criterion is a rung of a kernel's ladder: how it is named in pictures and tables, and the
// metrics that count for it.
type Criterion struct {
	Label      string // "criteria 0"
	Hits       string // the metric that counts searches which ended in it
	Considered string // the metric that counts groups looked at in it
}

// Criteria lists the rungs of all kernels, each once, the most demanding first.
func Criteria() []Criterion {
	var all []Criterion
	for _, r := range mballoc.Rungs() {
		all = append(all, Criterion{Label: r.Label, Hits: rungMetric(r.Key, "hits"), Considered: rungMetric(r.Key, "groups_considered")})
	}
	return all
}

// hitNames lists the metrics that count searches which ended in a criterion.
func hitNames() []string {
	var names []string
	for _, c := range Criteria() {
		names = append(names, c.Hits)
	}
	return names
}

func rungMetric(key, what string) string { return "mb_" + key + "_" + what }

// rungMetrics are the counters of each rung: all hits, then all groups considered, and so on.
func rungMetrics() []mballocMetric {
	rungs := mballoc.Rungs()
	var all []mballocMetric
	add := func(i int, what, unit string, better Better, source, doc string, pick func(*mballoc.Stats) *[mballoc.MaxRungs]uint64) {
		m := mb(groupSearch, rungMetric(rungs[i].Key, what), unit, better, "mb_stats: "+rungs[i].Key+"_stats: "+source, doc, nil)
		m.rung, m.pick = rungs[i].Key, pick
		all = append(all, m)
	}
	for i, r := range rungs {
		add(i, "hits", "requests", Neither, "hits", "Searches that ended in "+r.Label+", "+r.Doc+".",
			func(s *mballoc.Stats) *[mballoc.MaxRungs]uint64 { return &s.RungHits })
	}
	for i, r := range rungs {
		add(i, "groups_considered", "groups", Neither, "groups_considered", "Groups looked at in "+r.Label+".",
			func(s *mballoc.Stats) *[mballoc.MaxRungs]uint64 { return &s.GroupsConsidered })
	}
	for i, r := range rungs {
		add(i, "useless_loops", "loops", Neither, "useless_loops (s_bal_cX_failed)", "Passes over all groups in "+r.Label+" that found nothing.",
			func(s *mballoc.Stats) *[mballoc.MaxRungs]uint64 { return &s.UselessLoops })
	}
	for i, r := range rungs {
		add(i, "extents_scanned", "extents", Neither, "extents_scanned (s_bal_cX_ex_scanned)", "Free extents measured in "+r.Label+".",
			func(s *mballoc.Stats) *[mballoc.MaxRungs]uint64 { return &s.ExtentsByRung })
	}
	// Only rungs that take groups from lists can be given one in vain, and not all kernels that
	// have lists count that.
	for i, r := range rungs {
		if r.Lists == mballoc.NoLists || !countsBadSuggestions(r.Key) {
			continue
		}
		add(i, "bad_suggestions", "groups", Neither, "bad_suggestions", "Groups that "+r.Label+" took from a list in vain.",
			func(s *mballoc.Stats) *[mballoc.MaxRungs]uint64 { return &s.BadSuggestions })
		all[len(all)-1].has = func(k *mballoc.Kernel) bool { return k.Counters.BadSuggestions }
	}
	return all
}

// countsBadSuggestions says whether a kernel counts them for the rung with this key.
func countsBadSuggestions(key string) bool {
	return slices.ContainsFunc(mballoc.Kernels(), func(k mballoc.Kernel) bool { return k.Counters.BadSuggestions && k.RungOf(key) >= 0 })
}

// totalConsidered sums the groups looked at in all criteria.
func totalConsidered(s *mballoc.Stats) (n uint64) {
	for _, c := range s.GroupsConsidered {
		n += c
	}
	return n
}

// mballocTable holds every counter of mballoc.Stats; a test holds it to that.
var mballocTable = slices.Concat(mballocFirstTable, rungMetrics(), mballocLastTable)

// mballocFirstTable is the part of mballocTable before the counters by rung.
var mballocFirstTable = []mballocMetric{
	mb(groupRequests, "mb_reqs", "requests", Neither, "mb_stats: reqs (s_bal_reqs)",
		"Requests for blocks.", func(s *mballoc.Stats) uint64 { return s.Requests }),
	mb(groupRequests, "mb_success", "requests", Neither, "mb_stats: success (s_bal_success)",
		"Requests that got all they asked for at once.", func(s *mballoc.Stats) uint64 { return s.Success }),
	mb(groupRequests, "mb_goal_hits", "requests", Neither, "mb_stats: goal_hits (s_bal_goals)",
		"Requests served at their goal.", func(s *mballoc.Stats) uint64 { return s.GoalHits }),
	mb(groupRequests, "mb_blocks_allocated", "blocks", Neither, "s_bal_allocated",
		"Blocks handed out.", func(s *mballoc.Stats) uint64 { return s.BlocksAllocated }),
	mb(groupRequests, "mb_enospc", "requests", Neither, "event ext4_allocate_blocks with no block",
		"Requests that failed for want of space.", func(s *mballoc.Stats) uint64 { return s.NoSpace }),
	mb(groupRequests, "mb_lost", "chunks", Neither, "mb_stats: lost (s_mb_lost_chunks)",
		"Chunks another CPU took between the search that found them and their use.", func(s *mballoc.Stats) uint64 { return s.Lost }),
	mb(groupRequests, "mb_busy", "requests", Neither, "ext4_fs_is_busy",
		"Requests for closed files that got a preallocation as CPUs waited for each other's groups.", func(s *mballoc.Stats) uint64 { return s.Busy }),

	mb(groupSearch, "mb_searches", "searches", Neither, fromSimulator,
		"Searches of the groups: none for a request that a preallocation serves, and several for one that found nothing until preallocations were discarded.",
		func(s *mballoc.Stats) uint64 { return s.Searches }),
	mb(groupSearch, "mb_groups_considered", "groups", Neither, "mb_stats: groups_considered of all criteria",
		"Groups looked at, in all criteria.", totalConsidered),
	mb(groupSearch, "mb_groups_scanned", "groups", Neither, "mb_stats: groups_scanned (s_bal_groups_scanned)",
		"Groups whose buddy was searched.", func(s *mballoc.Stats) uint64 { return s.GroupsScanned }),
}

// mballocLastTable is the part behind them.
var mballocLastTable = []mballocMetric{
	mb(groupSearch, "mb_extents_scanned", "extents", Neither, "mb_stats: extents_scanned (s_bal_ex_scanned)",
		"Free extents measured in searches.", func(s *mballoc.Stats) uint64 { return s.ExtentsScanned }),
	mb(groupSearch, "mb_stream_goal_hits", "requests", Neither, "mb_stats: stream_goal_hits (s_bal_stream_goals)",
		"Searches for streams that ended in the group in which the stream before had ended.", func(s *mballoc.Stats) uint64 { return s.StreamGoalHits }),
	mb(groupSearch, "mb_len_goal_hits", "requests", Neither, "mb_stats: len_goal_hits (s_bal_len_goals)",
		"Searches that found the whole length that the request was normalized to.", func(s *mballoc.Stats) uint64 { return s.LenGoalHits }),
	mb(groupSearch, "mb_2n_hits", "requests", Neither, "mb_stats: 2^n_hits (s_bal_2orders)",
		"Requests for a power of two served from the buddy.", func(s *mballoc.Stats) uint64 { return s.Pow2Hits }),
	mb(groupSearch, "mb_breaks", "requests", Neither, "mb_stats: breaks (s_bal_breaks)",
		"Searches cut short by mb_max_to_scan.", func(s *mballoc.Stats) uint64 { return s.Breaks }),

	mb(groupPrealloc, "mb_preallocated", "clusters", Neither, "mb_stats: preallocated (s_mb_preallocated)",
		"Clusters set aside beyond what was asked for.", func(s *mballoc.Stats) uint64 { return s.Preallocated }),
	mb(groupPrealloc, "mb_discarded", "clusters", Neither, "mb_stats: discarded (s_mb_discarded)",
		"Clusters of preallocations given back unused.", func(s *mballoc.Stats) uint64 { return s.Discarded }),
	mb(groupPrealloc, "mb_pa_hits", "requests", Neither, "event ext4_mballoc_prealloc",
		"Requests served from a preallocation.", func(s *mballoc.Stats) uint64 { return s.PAHits }),
	mb(groupPrealloc, "mb_pa_blocks_used", "blocks", Neither, "event ext4_mballoc_prealloc",
		"Blocks these requests got.", func(s *mballoc.Stats) uint64 { return s.PABlocksUsed }),
	mb(groupPrealloc, "mb_inode_pas", "preallocations", Neither, "event ext4_mb_new_inode_pa",
		"Preallocations made for an inode.", func(s *mballoc.Stats) uint64 { return s.InodePAs }),
	mb(groupPrealloc, "mb_group_pas", "preallocations", Neither, "event ext4_mb_new_group_pa",
		"Preallocations made for a CPU's locality group.", func(s *mballoc.Stats) uint64 { return s.GroupPAs }),
	mb(groupPrealloc, "mb_pas_discarded", "preallocations", Neither, "events ext4_mb_release_inode_pa, ext4_mb_release_group_pa",
		"Preallocations discarded.", func(s *mballoc.Stats) uint64 { return s.PAsDiscarded }),
	mb(groupPrealloc, "mb_discards_for_space", "rounds", Neither, "event ext4_mb_discard_preallocations",
		"Rounds of discarding forced by a search that found no space.", func(s *mballoc.Stats) uint64 { return s.DiscardsForSpace }),

	mb(groupBitmaps, "mb_bitmap_loads", "bitmaps", Neither, "event ext4_read_block_bitmap_load",
		"Block bitmaps read from the device.", func(s *mballoc.Stats) uint64 { return s.BitmapLoads }),
	mb(groupBitmaps, "mb_prefetch_ios", "bitmaps", Neither, "event ext4_read_block_bitmap_load, prefetch",
		"Of these, bitmaps read ahead.", func(s *mballoc.Stats) uint64 { return s.PrefetchIOs }),
	mb(groupBitmaps, "mb_buddies_generated", "groups", Neither, "mb_stats: buddies_generated (s_mb_buddies_generated)",
		"Buddies built from a bitmap.", func(s *mballoc.Stats) uint64 { return s.BuddiesGenerated }),
}

// quotientOf makes the entry of a ratio of mballoc's counters.
func quotientOf(group, name, unit string, better Better, doc string, per string, over ...string) Metric {
	return Metric{Name: name, Unit: unit, Better: better, Kind: Ratio, Group: group, Source: "mb_stats", Doc: doc, over: over, per: []string{per}}
}

var mballocRatios = []Metric{
	quotientOf(groupRequests, "mb_success_share", "share", Higher, "Share of requests that got all they asked for at once.", "mb_reqs", "mb_success"),
	quotientOf(groupRequests, "mb_blocks_per_req", "blocks/request", Higher, "Blocks handed out for each request.", "mb_reqs", "mb_blocks_allocated"),
	quotientOf(groupSearch, "mb_searches_per_req", "searches/request", Lower, "Searches of the groups for each request: retries make it more, preallocations less.", "mb_reqs", "mb_searches"),
	quotientOf(groupSearch, "mb_groups_scanned_per_req", "groups/request", Lower, "Groups searched for each request.", "mb_reqs", "mb_groups_scanned"),
	quotientOf(groupSearch, "mb_groups_considered_per_req", "groups/request", Lower, "Groups looked at, in all criteria, for each request.",
		"mb_reqs", "mb_groups_considered"),
	quotientOf(groupSearch, "mb_extents_scanned_per_req", "extents/request", Lower, "Free extents measured for each request.", "mb_reqs", "mb_extents_scanned"),
	quotientOf(groupPrealloc, "mb_pa_hit_share", "share", Higher, "Share of requests served from a preallocation.", "mb_reqs", "mb_pa_hits"),
	quotientOf(groupPrealloc, "mb_discarded_share", "share", Lower, "Clusters given back for each cluster preallocated.", "mb_preallocated", "mb_discarded"),
}
