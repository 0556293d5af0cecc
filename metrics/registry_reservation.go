package metrics

import (
	"fmt"

	"mbsim/allocator/reservation"
)

// reservationMetric is a counter of package reservation, of which the kernel
// keeps none.
type reservationMetric struct {
	Metric
	get func(*reservation.Stats) uint64
}

func rsv(name, unit string, better Better, source, doc string, get func(*reservation.Stats) uint64) reservationMetric {
	return reservationMetric{Metric{Name: "rsv_" + name, Unit: unit, Better: better, Kind: Counter, Group: groupWindows, Source: source, Doc: doc}, get}
}

// reservationTable holds every counter of reservation.Stats but those that stay 0 in
// every run; a test holds it to that.
var reservationTable = append([]reservationMetric{
	rsv("reqs", "requests", Neither, "ext2_new_blocks", "Requests for blocks.",
		func(s *reservation.Stats) uint64 { return s.Requests }),
	rsv("enospc", "requests", Neither, "ext2_new_blocks", "Requests that failed for want of space.",
		func(s *reservation.Stats) uint64 { return s.NoSpace }),
	rsv("blocks", "blocks", Neither, "ext2_new_blocks", "Blocks given.",
		func(s *reservation.Stats) uint64 { return s.Blocks }),
	rsv("blocks_freed", "blocks", Neither, "ext2_free_blocks", "Blocks given back.",
		func(s *reservation.Stats) uint64 { return s.Freed }),
	rsv("goal_hits", "requests", Neither, "ext2_new_blocks", "Requests whose first block is their goal.",
		func(s *reservation.Stats) uint64 { return s.GoalHits }),
	rsv("groups_visited", "groups", Neither, "ext2_new_blocks", "Groups whose bitmap was searched.",
		func(s *reservation.Stats) uint64 { return s.GroupsVisited }),
	rsv("groups_skipped", "groups", Neither, "ext2_new_blocks", "Groups passed over for their free count.",
		func(s *reservation.Stats) uint64 { return s.GroupsSkipped }),
	rsv("bitmap_loads", "bitmaps", Neither, "read_block_bitmap", "Block bitmaps read from the device.",
		func(s *reservation.Stats) uint64 { return s.BitmapLoads }),
	rsv("fallbacks", "requests", Neither, "ext2_new_blocks", "Requests repeated without a window, for want of room for one.",
		func(s *reservation.Stats) uint64 { return s.Fallbacks }),
	rsv("windows_made", "windows", Neither, "alloc_new_reservation", "Windows that files were given.",
		func(s *reservation.Stats) uint64 { return s.WindowsMade }),
	rsv("windows_extended", "windows", Neither, "try_to_extend_reservation", "Windows lengthened for a request.",
		func(s *reservation.Stats) uint64 { return s.WindowsExtended }),
	rsv("blocks_extended", "blocks", Neither, "try_to_extend_reservation", "Blocks by which windows were lengthened.",
		func(s *reservation.Stats) uint64 { return s.BlocksExtended }),
	rsv("windows_doubled", "windows", Neither, "alloc_new_reservation", "Windows made twice as large as the file's last.",
		func(s *reservation.Stats) uint64 { return s.WindowsDoubled }),
	rsv("windows_discarded", "windows", Neither, "ext2_discard_reservation", "Windows given back at close, truncate or eviction.",
		func(s *reservation.Stats) uint64 { return s.WindowsDiscarded }),
	rsv("windows_searched", "windows", Neither, "find_next_reservable_window", "Windows looked at in the search for room between them.",
		func(s *reservation.Stats) uint64 { return s.WindowsSearched }),
	rsv("windows_failed", "searches", Neither, "alloc_new_reservation", "Searches for a window that found no room in their group.",
		func(s *reservation.Stats) uint64 { return s.WindowsFailed }),
	rsv("window_blocks", "blocks", Neither, "ext2_try_to_allocate_with_rsv", "Blocks given from windows.",
		func(s *reservation.Stats) uint64 { return s.WindowBlocks }),
}, windowHits()...)

// windowHits are the classes of Stats.HitsAtEnd, named by their smallest count. The first
// is left out: a file gets a window together with a block from it, so that none is gone
// without.
func windowHits() (all []reservationMetric) {
	classes := len(reservation.Stats{}.HitsAtEnd)
	for i := 1; i < classes; i++ {
		least := 1 << (i - 1)
		blocks := fmt.Sprintf("%d to %d blocks", least, 2*least-1)
		switch i {
		case 1:
			blocks = "one block"
		case classes - 1:
			blocks = fmt.Sprintf("%d blocks or more", least)
		}
		all = append(all, rsv(fmt.Sprintf("windows_hit_%d", least), "windows", Neither, "rsv_alloc_hit", "Windows that are gone and gave "+blocks+".",
			func(s *reservation.Stats) uint64 { return s.HitsAtEnd[i] }))
	}
	return all
}

// rsvQuotient makes the entry of a ratio of these counters.
func rsvQuotient(name, unit string, better Better, doc, over, per string) Metric {
	return Metric{Name: "rsv_" + name, Unit: unit, Better: better, Kind: Ratio, Group: groupWindows, Source: fromSimulator, Doc: doc,
		over: []string{"rsv_" + over}, per: []string{"rsv_" + per}}
}

var reservationRatios = []Metric{
	rsvQuotient("blocks_per_req", "blocks/request", Higher, "Blocks given for each request.", "blocks", "reqs"),
	{Name: "rsv_searches_per_req", Unit: "searches/request", Better: Lower, Kind: Ratio, Group: groupWindows, Source: fromSimulator,
		Doc:  "Searches of the groups for each request: 1, and another where a request is repeated without a window.",
		over: []string{"rsv_reqs", "rsv_fallbacks"}, per: []string{"rsv_reqs"}},
	rsvQuotient("groups_visited_per_req", "groups/request", Lower, "Groups searched for each request.", "groups_visited", "reqs"),
	rsvQuotient("goal_hit_share", "share", Higher, "Share of requests whose first block is their goal.", "goal_hits", "reqs"),
	rsvQuotient("window_share", "share", Higher, "Share of the blocks that were given from windows.", "window_blocks", "blocks"),
}
