package scenarios

import "testing"

func TestIsDefault(t *testing.T) {
	for _, c := range []struct {
		key, value string
		want       bool
	}{
		{"s_mb_order2_reqs", "2", true}, {"mb_order2_req", "2", true}, {"tunables.s_mb_order2_reqs", "2", true},
		{"s_mb_order2_reqs", "9", false}, {"cpus", "1", false}, {"s_mb_group_prealloc", "512", false},
	} {
		if got := IsDefault(c.key, c.value); got != c.want {
			t.Errorf("%s=%s: %v", c.key, c.value, got)
		}
	}
}
