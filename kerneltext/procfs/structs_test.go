package procfs

import (
	"strings"
	"testing"
)

// TestWriteStructs: the text has a line for each list, by both orders, also where no lists
// are kept.
func TestWriteStructs(t *testing.T) {
	const want = `optimize_scan: 1
max_free_order_lists:
	list_order_0_groups: 0
	list_order_1_groups: 34
avg_fragment_size_lists:
	list_order_0_groups: 31
	list_order_1_groups: 5
`
	var b strings.Builder
	if err := WriteStructs(&b, []int{0, 34}, []int{31, 5}, true); err != nil || b.String() != want {
		t.Errorf("%v, %s", err, b.String())
	}
	b.Reset()
	if err := WriteStructs(&b, []int{0}, []int{0}, false); err != nil || !strings.HasPrefix(b.String(), "optimize_scan: 0\n") {
		t.Errorf("%v, %s", err, b.String())
	}
}
