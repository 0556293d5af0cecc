package run

import (
	"fmt"
	"testing"
)

// filled is a scenario in which one process fills a device of 262,144 blocks, of which half are
// reserved for root.
const filled = `
device: {mkfs: {size: 1G, reserved: 50}}
profile: %s
%s
workload:
  classes: [{name: p, %s mix: {create: 1}, file_size: 1M, on_full: stop}]
stop: {out_of_space: true}
`

// TestReserveIsRoots: a process that is not root finds the device full while the blocks reserved
// for root, and ext4's pool, are free; a process of root's, or of who is named, goes on.
func TestReserveIsRoots(t *testing.T) {
	const (
		device, reserved, pool = 262144, 131072, 4096
		named                  = "mount: [resuid=1001, resgid=27]"
	)
	for _, c := range []struct {
		profile, user, more string
		free                int
	}{
		{"5.10", "", "", reserved + pool},
		{"7.2", "", "", reserved + pool},
		{"5.10", "user: root,", "", pool},
		{"5.10", "user: 1001,", named, pool},
		{"5.10", "user: '1002:1002,27',", named, pool},
		{"5.10", "user: 1002,", named, reserved + pool},
		{"5.10", "", "tunables: {reserved_clusters: 10000}", reserved + 10000},
		{"5.10", "user: root,", "tunables: {reserved_clusters: 0}", 0},
		{"ext2", "", "", reserved},
		{"ext2", "user: root,", "", 0},
		{"ext2", "user: 1001,", named, 0},
		{"ext2", "user: 1002,", named, reserved},
	} {
		what := fmt.Sprintf("%s, %s %s", c.profile, c.user, c.more)
		out := playScenario(t, load(t, fmt.Sprintf(filled, c.profile, c.more, c.user)), Options{})
		free, err := out.Result.Value("free_blocks")
		if err != nil {
			t.Fatal(err)
		}
		// The driver of ext2 asks only whether one block is free beside the reserve, however many
		// are wanted. Kernel 7.2 promises those of a large folio all at once or not at all.
		slack := map[string][2]float64{"ext2": {-1, 0}, "7.2": {0, 255}}[c.profile]
		if more := free - float64(c.free); more < slack[0] || more > slack[1] {
			t.Errorf("%s: %.0f blocks free in the end, want %d", what, free, c.free)
		}
		if c.free == reserved+pool {
			if used := 1 - free/device; used < 0.48 || used > 0.49 {
				t.Errorf("%s: %.3f of the device in use, want just over 0.48", what, used)
			}
		}
	}
}

// TestReserveOfScript: scripts are root's, as the recorder's are, unless the scenario names a user.
func TestReserveOfScript(t *testing.T) {
	// Of 65,536 blocks of 1K 40% are root's, and 2% the pool's.
	const reserved, pool = 26214, 1310
	for user, want := range map[string]float64{"": pool, "  user: root\n": pool, "  user: 7\n": reserved + pool} {
		s := load(t, "device: {mkfs: {size: 64M, reserved: 40}}\nworkload:\n"+user+"  script: |\n    creat f f\n    write f 0 67108864\n")
		free, err := playScenario(t, s, Options{}).Result.Value("free_blocks")
		if err != nil {
			t.Fatal(err)
		}
		// A page is four blocks, which are promised together or not at all.
		if free < want || free > want+3 {
			t.Errorf("%q: %.0f blocks free, want %.0f", user, free, want)
		}
	}
}
