package procfs

import (
	"bufio"
	"fmt"
	"io"

	"mbsim/filesystem"
)

// WriteShrinkerInfo writes es_shrinker_info: the figures of the extent status trees
// (ext4_seq_es_shrinker_info_show). The shrinker, which memory pressure wakes, has never run.
func WriteShrinkerInfo(w io.Writer, s *filesystem.ShrinkerInfo) error {
	b := bufio.NewWriter(w) // Flush reports the error
	fmt.Fprintf(b, "stats:\n  %d objects\n  %d reclaimable objects\n  %d/%d cache hits/misses\n", s.Extents, s.Reclaimable, s.Hits, s.Misses)
	if s.Inodes > 0 {
		fmt.Fprintf(b, "  %d inodes on list\n", s.Inodes)
	}
	fmt.Fprintf(b, "average:\n  0 us scan time\n  0 shrunk objects\n")
	if s.Inodes > 0 {
		fmt.Fprintf(b, "maximum:\n  %d inode (%d objects, %d reclaimable)\n  0 us max scan time\n", s.Largest.Inode, s.Largest.Extents, s.Largest.Reclaimable)
	}
	return b.Flush()
}
