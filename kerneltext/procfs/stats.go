package procfs

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// WriteStats writes mb_stats of a file system of n groups as the kernel does
// (ext4_seq_mb_stats_show).
func WriteStats(w io.Writer, k *mballoc.Kernel, s *mballoc.Stats, n allocator.GroupID) error {
	b := bufio.NewWriter(w) // Flush reports the error
	fmt.Fprintln(b, "mballoc:")
	for _, l := range k.Stats {
		fmt.Fprintf(b, "%s%s:", strings.Repeat("\t", l.Depth), l.Name)
		switch {
		case l.Value == nil: // a heading
		case l.Name == mballoc.BuddiesGenerated:
			fmt.Fprintf(b, " %d/%d", l.Value(s), n)
		default:
			fmt.Fprintf(b, " %d", l.Value(s))
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}
