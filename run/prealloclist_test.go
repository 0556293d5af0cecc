package run

import "testing"

// TestPreallocationsCostTime: random writes to a sparse file leave thousands of preallocations. A
// kernel that keeps them in a list takes less time where mb_max_inode_prealloc keeps it short; for
// one with a tree they are no matter.
func TestPreallocationsCostTime(t *testing.T) {
	const sparse = `
device: {mkfs: {size: 50G}}
mount: nodelalloc
timing: {storage: none}
workload:
  phases:
    - name: sparse
      classes:
        - {name: p, files: 1, sparse: true, keep_open: true, mix: {overwrite: 1}, file_size: 40G, overwrite_size: 4K, align: 4K}
      until: {operations: 6000}
`
	busy := func(sets ...string) float64 {
		v, err := playScenario(t, load(t, sparse, sets...), Options{}).Result.Value("cpu_busy_s")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	short, long := busy("s_mb_max_inode_prealloc=64"), busy("s_mb_max_inode_prealloc=1000000")
	if long < 3*short {
		t.Errorf("%.3f s with a short list, %.3f with a long one: want several times as much", short, long)
	}
	if tree := busy("profile=6.12"); tree > short {
		t.Errorf("%.3f s with a tree, %.3f with a short list", tree, short)
	}
}
