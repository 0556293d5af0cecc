package run

import "testing"

// TestInodesAreCounted: used_inodes and free_inodes are all inodes, and a device without a free
// one takes no file although most of its blocks are free.
func TestInodesAreCounted(t *testing.T) {
	for _, profile := range []string{"5.10", "7.2", "ext2"} {
		s := load(t, `
device: {mkfs: {size: 64M, inodes: 128}}
workload:
  classes: [{name: p, mix: {create: 1}, file_size: 4K, directories: {count: 2}, on_full: stop}]
stop: {out_of_space: true}
profile: `+profile+"\n")
		r := playScenario(t, s, Options{}).Result
		// mke2fs keeps inodes 1 to 10 for the file system, and makes lost+found.
		for name, want := range map[string]float64{"used_inodes": 128, "free_inodes": 0, "files": 128 - 11 - 2} {
			if v, err := r.Value(name); err != nil || v != want {
				t.Errorf("%s: %s is %v, %v, want %v", profile, name, v, err, want)
			}
		}
		if used, err := r.Value("used_share"); err != nil || used > 0.2 {
			t.Errorf("%s: %v of the blocks are in use, %v", profile, used, err)
		}
	}
}
