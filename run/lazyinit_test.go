package run

import "testing"

// lazy has groups whose bitmaps must be read, a process that thinks for long, and
// nothing else that reads bitmaps ahead of their use in time.
const lazy = `
device: {mkfs: {size: 2G, options: -b 4096 -O ^metadata_csum -O ^flex_bg -g 2048}}
workload:
  classes:
    - name: writer
      count: 1
      think: {constant: 50ms}
      mix: {create: 1}
      file_size: {constant: 8K}
stop: {operations: 200}
sample: 100ms
`

// TestLazyInit looks for the moment at which the thread for lazy initialization
// has read all bitmaps: within five seconds, where the mount option asks for it.
func TestLazyInit(t *testing.T) {
	const delay, many = 5_000_000_000, 240
	begun := make(map[int64]bool)
	for _, set := range [][]string{{"seed=1"}, {"seed=2"}, {"seed=3"}, {"seed=3", "timing.storage=ssd"}} {
		with := playScenario(t, load(t, lazy, append(set, "mount=prefetch_block_bitmaps")...), Options{}).Result
		times, loads, err := with.Series.Points("mb_prefetch_ios")
		if err != nil {
			t.Fatal(err)
		}
		all := int64(-1)
		for i := range times {
			if loads[i] >= many && all < 0 {
				all = times[i]
			}
		}
		if all < 0 || all > delay+200_000_000 {
			t.Errorf("%s: all bitmaps are read at %d ns", set, all)
		}
		begun[all] = true
		without := playScenario(t, load(t, lazy, set...), Options{}).Result
		_, few, err := without.Series.Points("mb_prefetch_ios")
		if err != nil || few[len(few)-1] >= many {
			t.Errorf("%s: without the option %v bitmaps are read ahead, %v", set, few[len(few)-1], err)
		}
	}
	if len(begun) < 2 {
		t.Errorf("all seeds begin at the same time: %v", begun)
	}
}
