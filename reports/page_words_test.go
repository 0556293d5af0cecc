package reports

import (
	"math"
	"testing"

	"mbsim/metrics"
)

// run3 is a run of three samples with the metrics given.
func run3(values map[string][3]float64) *Run {
	r := made("three", 3, 90e9, 4, func(name string, x float64) float64 {
		v, ok := values[name]
		if !ok {
			return math.NaN()
		}
		return v[int(math.Round(x*2))]
	})
	for i, s := range r.Result.Snapshots {
		s.Free.Sizes = metrics.Bins{}
		s.Free.Blocks = 0
		if i == 0 {
			s.Free.Sizes[12] = metrics.Bin{Count: 1, Sum: 4096}
			s.Free.Blocks = 4096
		} else {
			s.Free.Sizes[3], s.Free.Sizes[11] = metrics.Bin{Count: 9, Sum: 72}, metrics.Bin{Count: 1, Sum: 2048}
			s.Free.Blocks = 2120
			s.FilesByExtents[0], s.FilesByExtents[1] = metrics.Bin{Count: 6, Sum: 6}, metrics.Bin{Count: 2, Sum: 5}
			s.ExtentsBySize[0], s.ExtentsBySize[4] = metrics.Bin{Count: 7, Sum: 7}, metrics.Bin{Count: 4, Sum: 80}
		}
	}
	r.Result.Map.Used = [][]float32{{0, 0, 0, 0}, {0.95, 0.05, 0.5, 0.9999}}
	return r
}

func TestWords(t *testing.T) {
	r := run3(map[string][3]float64{
		"extents_per_file_mean": {1, 1.25, 1.5}, "extents_per_file_p99": {1, 2, 3}, "extents_per_file_max": {1, 9, 12},
		"layout_score": {1, 0.99, 0.987}, "dynamic_layout_score": {1, 1, 0.5}, "used_share": {0, 0.5, 0.25},
		"free_extents": {1, 5, 10}, "free_extent_max": {4096, 2048, 2048},
		"mb_reqs": {0, 100, 200}, "mb_cr0_hits": {0, 70, 90}, "mb_cr1_hits": {0, 0, 0}, "mb_cr2_hits": {0, 10, 10}, "mb_cr3_hits": {0, 0, 0},
		"mb_groups_considered": {0, 100, 500},
		"mb_preallocated":      {0, 256, 512}, "mb_pa_blocks_used": {0, 128, 256}, "mb_discarded": {0, 0, 128}, "mb_lost": {0, 0, 1},
		"mb_bitmap_loads": {0, 1, 2}, "mb_prefetch_ios": {0, 1, 1}, "mb_buddies_generated": {0, 1, 1},
	})
	ext2 := run3(map[string][3]float64{
		"rsv_reqs": {0, 5, 10}, "rsv_groups_visited": {0, 5, 25}, "rsv_windows_made": {0, 2, 4}, "rsv_windows_discarded": {0, 1, 3}, "rsv_windows_failed": {0, 0, 1},
	})
	timed := run3(map[string][3]float64{
		"time_s": {0, 45, 90}, "ops": {0, 450, 1350}, "wait_io_s": {0, 1, 6}, "wait_commit_s": {0, 1, 3}, "wait_bitmap_s": {0, 0, 1}, "wait_inode_lock_s": {0, 0, 0},
		"latency_fsync_p99_us": {1, 1, 12500}, "latency_write_p99_us": {1, 1, 80}, "latency_create_p99_us": {1, 1, 2e6},
		"device_busy_s": {0, 40, 45}, "device_bytes_read": {0, 1, 4096}, "device_bytes_written": {0, 1, 3 << 20},
	})
	idle := run3(map[string][3]float64{"time_s": {0, 0, 0}})
	none := run3(map[string][3]float64{"mb_reqs": {0, 3, 3}, "mb_lost": {}, "mb_preallocated": {}, "used_share": {0.5, 0.5, 0.5}})
	none.Result.Snapshots[1] = &metrics.Snapshot{Time: 90e9}
	for _, c := range []struct {
		words func(*Run) string
		r     *Run
		want  string
	}{
		{extentWords, r, "At the end a file is in 1.5 extents in the mean, 99% of the files are in at most 3, and the most fragmented is in 12."},
		{layoutWords, r, "At the end 98.7% of the blocks lie right behind the block before them in their file; with all files read in order of path it is 50.0%."},
		{usedWords, r, "At the start 0.0% of the device is in use, at the end 25.0%; the most is 50.0%, after 45 s."},
		{pieceWords, r, "The free space is in 1 piece at the start and in 10 at the end, the longest of which has 8 MiB."},
		{criteriaWords, r, "200 requests needed 100 searches: 90.0% ended in criteria 0 and 10.0% ended in criteria 2."},
		{groupWords, r, "A request looks at 2.5 groups in the mean of the whole run; around 67.5 s it was 4."},
		{preallocWords, r, "2 MiB were set aside; later requests used 1 MiB, and 512 KiB (25.0%) were given back unused."},
		{lostWords, r, "1 chunk was taken by another CPU after the search and before the use: 0.5% of all requests."},
		{bitmapWords, r, "2 bitmaps were read, 1 of them ahead; 1 buddy was built, on a device of 4 groups."},
		{mapWords, r, "At the end 2 of 4 groups are at least 90% full and 1 at most 10%; the fullest is group 3, more than 99.9% of it in use."},
		{freeWords, r, "96.6% of the free space is in pieces of at least 8 MiB at the end, and 100.0% at the start."},
		{fileWords, r, "At the end 6 of 8 files with blocks (75.0%) lie in one extent."},
		{extentSizeWords, r, "At the end at least half of the data of files lies in extents of 64 KiB or more."},
		{windowWords, ext2, "4 windows were made, 3 given back unused, and 1 found no room."},
		{visitedWords, ext2, "A request visits 2.5 groups in the mean of the whole run."},

		{speedWords, timed, "15 operations a second in the mean of the whole run; around 67.5 s it was 20."},
		{waitWords, timed, "Processes waited 10 s in all, each on its own: 60.0% of it for data to or from the device, 30.0% of it for a commit and 10.0% of it for a block bitmap."},
		{latencyWords, timed, "In the whole run 99% of fsyncs took at most 12.5 ms, 99% of writes took at most 80 µs and 99% of creations took at most 2 s."},
		{deviceWords, timed, "The device was busy for 50.0% of the time; 4 KiB were read from it and 3 MiB written to it."},
		{speedWords, idle, "No time has passed."},
		{waitWords, idle, "No process had to wait for another, nor for the device."},
		{latencyWords, idle, "No call was timed."},
		{deviceWords, idle, "No time has passed."},

		{extentWords, none, "No file has a block."},
		{layoutWords, none, "No file has two blocks."},
		{usedWords, none, "At the start 50.0% of the device is in use, at the end 50.0%."},
		{pieceWords, none, "The free space was not looked at."},
		{criteriaWords, none, "No request needed a search: preallocations or the goal itself served all of them."},
		{preallocWords, none, "Nothing was preallocated."},
		{lostWords, none, "No chunk was lost: no CPU took what another had found."},
		{bitmapWords, none, "No bitmap was read from the device."},
		{freeWords, none, "At the end there is no free space."},
		{fileWords, none, "At the end no file has a block."},
		{extentSizeWords, none, "At the end no file has a block."},
		{windowWords, none, "No file was given a window."},
		{visitedWords, none, "There was no request for blocks."},
	} {
		if got := c.words(c.r); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestRelative(t *testing.T) {
	for _, c := range []struct {
		a, b float64
		unit string
		want string
	}{
		{2, 3, "", "+50.0%"}, {3, 2, "", "−33.3%"}, {2, 2, "", "the same"}, {0, 2, "", "from 0"}, {1000, 1000.1, "", "+<0.1%"}, {-2, -1, "", "+50.0%"},
		{1, 31, "", "+3,000%"}, {0.5, 0.51, "share", "+1.00 pp"}, {0.5, 0.50001, "share", "+<0.01 pp"}, {0, 0.2, "share", "+20.00 pp"},
	} {
		if got := relative(c.a, c.b, c.unit); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	r := run3(map[string][3]float64{"free_extents": {1, 5, 10}})
	s := run3(map[string][3]float64{"free_extents": {1, 5, 12}})
	got := compareWords(&chartLine{subject: "pieces of free space", metric: "free_extents"}, "", []*Run{r, s, r, run3(nil)}, []string{"a", "b", "c", "d"})
	if want := "At the end, pieces of free space: a 10, b 12 (+20.0%), c 10 (the same), d has none."; got != want {
		t.Error(got)
	}
}
