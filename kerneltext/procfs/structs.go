package procfs

import (
	"bufio"
	"fmt"
	"io"
)

// WriteStructs writes mb_structs_summary: whether the allocator keeps lists of groups, and
// how many groups are on each, by the order of the largest free buddy and of the mean free
// fragment (ext4_seq_mb_structs_summary_show).
func WriteStructs(w io.Writer, largest, mean []int, lists bool) error {
	b := bufio.NewWriter(w) // Flush reports the error
	on := 0
	if lists {
		on = 1
	}
	fmt.Fprintf(b, "optimize_scan: %d\n", on)
	for _, kind := range []struct {
		name   string
		groups []int
	}{{"max_free_order_lists", largest}, {"avg_fragment_size_lists", mean}} {
		fmt.Fprintf(b, "%s:\n", kind.name)
		for order, n := range kind.groups {
			fmt.Fprintf(b, "\tlist_order_%d_groups: %d\n", order, n)
		}
	}
	return b.Flush()
}
