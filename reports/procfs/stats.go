package procfs

import (
	"bufio"
	"fmt"
	"io"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// TimeUsed is the line of mb_stats that a simulator has no value for: the
// nanoseconds that generating buddies took. WriteStats says 0.
const TimeUsed = "buddies_time_used"

// WriteStats writes mb_stats of a file system of n groups
// (ext4_seq_mb_stats_show of 5.10.223).
func WriteStats(w io.Writer, s *mballoc.Stats, n allocator.GroupID) error {
	b := bufio.NewWriter(w) // Flush reports the error
	fmt.Fprintln(b, "mballoc:")
	line := func(depth int, name string, v uint64) {
		fmt.Fprintf(b, "%.*s%s: %d\n", depth, "\t\t", name, v)
	}
	line(1, "reqs", s.Requests)
	line(1, "success", s.Success)
	line(1, "groups_scanned", s.GroupsScanned)
	for cr := range s.CrHits {
		fmt.Fprintf(b, "\tcr%d_stats:\n", cr)
		line(2, "hits", s.CrHits[cr])
		line(2, "groups_considered", s.GroupsConsidered[cr])
		line(2, "useless_loops", s.UselessLoops[cr])
	}
	line(1, "extents_scanned", s.ExtentsScanned)
	line(2, "goal_hits", s.GoalHits)
	line(2, "2^n_hits", s.Pow2Hits)
	line(2, "breaks", s.Breaks)
	line(2, "lost", s.Lost)
	fmt.Fprintf(b, "\tbuddies_generated: %d/%d\n", s.BuddiesGenerated, n)
	line(1, TimeUsed, 0)
	line(1, "preallocated", s.Preallocated)
	line(1, "discarded", s.Discarded)
	return b.Flush()
}
