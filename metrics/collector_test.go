package metrics

import (
	"errors"
	"math"
	"testing"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/workload"
)

// A run in three phases: the operations are counted as the script has them, the
// allocator's counters are those it ends with, and measured phases stand apart.
func TestCollector(t *testing.T) {
	r := start(t, "testdata/small-files-1")
	c := r.watch(t, Config{})
	third := len(r.c.Ops) / 3
	c.Begin("age", false, 0)
	now := r.perform(t, r.c.Ops[:third], 0, c.Sample)
	c.Begin("first", true, now)
	now = r.perform(t, r.c.Ops[third:2*third], now, c.Sample)
	middle := r.fs.Allocator().Stats()
	c.Begin("second", true, now)
	now = r.perform(t, r.c.Ops[2*third:], now, c.Sample)
	res := c.Finish(now)

	kinds := map[workload.Kind]float64{}
	var written float64
	for _, op := range r.c.Ops {
		kinds[op.Kind]++
		if op.Kind == workload.Write {
			written += float64(op.Len)
		}
	}
	s := r.fs.Allocator().Stats()
	for name, want := range map[string]float64{
		"ops": float64(len(r.c.Ops)) - kinds[workload.CPU] - kinds[workload.Stat], "ops_write": kinds[workload.Write], "ops_create": kinds[workload.Creat], "ops_unlink": kinds[workload.Unlink],
		"ops_mkdir": kinds[workload.Mkdir], "bytes_written": written, "ops_failed": 0,
		"mb_reqs": float64(s.Requests), "mb_cr1_hits": float64(s.RungHits[1]), "mb_preallocated": float64(s.Preallocated),
		"mb_success_share": float64(s.Success) / float64(s.Requests),
		"free_blocks":      float64(r.fs.Allocator().CountFreeClusters()),
		"files":            kinds[workload.Creat] - kinds[workload.Unlink],
	} {
		if got, err := res.Value(name); err != nil || !same(got, want) {
			t.Errorf("%s is %v (%v), want %v", name, got, err, want)
		}
	}
	if len(res.Phases) != 3 || res.Phases[1].Name != "first" || res.Phases[1].Start != int64(third)*1e6 || res.Phases[2].End != res.End {
		t.Fatalf("phases %+v", res.Phases)
	}
	reqs := must("mb_reqs")
	if got, want := res.Phases[2].Values[reqs], float64(s.Requests-middle.Requests); got != want {
		t.Errorf("requests in the last phase: %v, want %v", got, want)
	}
	if got, want := res.Measured[reqs], res.Final[reqs]-res.Phases[0].Values[reqs]; got != want {
		t.Errorf("requests measured: %v, want %v", got, want)
	}
	checkShape(t, res)
}

// checkShape checks what holds for any result.
func checkShape(t *testing.T, r *Result) {
	t.Helper()
	s := r.Series
	for i := 1; i < len(s.Times); i++ {
		if s.Times[i] <= s.Times[i-1] {
			t.Fatalf("times %d and %d of the series", s.Times[i-1], s.Times[i])
		}
		for id, m := range registry {
			if m.Kind == Counter && s.Rows[i].Has(ID(id)) && s.Rows[i][id] < s.Rows[i-1][id] {
				t.Errorf("%s falls from %v to %v", m.Name, s.Rows[i-1][id], s.Rows[i][id])
			}
			if v := s.Rows[i][id]; m.Unit == "share" && (v < 0 || v > 1) && m.Name != "mb_discarded_share" {
				t.Errorf("%s is %v", m.Name, v)
			}
		}
	}
	if n := len(s.Times); n > 400+2*len(r.Phases)+2 || len(r.Snapshots) > 60+len(r.Phases)+2 || len(r.Map.Times) > 240+len(r.Phases)+2 {
		t.Errorf("%d rows, %d snapshots, %d columns", n, len(r.Snapshots), len(r.Map.Times))
	}
	if s.Times[0] != r.Start || s.Times[len(s.Times)-1] != r.End {
		t.Errorf("the series is of %d to %d, the run of %d to %d", s.Times[0], s.Times[len(s.Times)-1], r.Start, r.End)
	}
	for id := range registry {
		if registry[id].Kind == Span {
			continue // the last point is of an interval, the result of the run
		}
		if last := s.Rows[len(s.Rows)-1][id]; !same(last, r.Final[id]) {
			t.Errorf("%s ends with %v in the series, %v in the result", registry[id].Name, last, r.Final[id])
		}
	}
	for i, used := range r.Map.Used {
		if len(used) != r.Map.Bands() {
			t.Fatalf("column %d has %d bands of %d", i, len(used), r.Map.Bands())
		}
		for _, u := range used {
			if u < 0 || u > 1 {
				t.Errorf("column %d: used %v", i, u)
			}
		}
	}
}

// The policy's counters begin anew when it is mounted again; the result does not.
func TestRemountKeepsCounters(t *testing.T) {
	r := start(t, "testdata/cold-1")
	c := r.watch(t, Config{})
	remounts := 0.
	forgotten := uint64(0)
	now := int64(0)
	for i := range r.c.Ops {
		if r.c.Ops[i].Kind == workload.Remount {
			forgotten += r.fs.Allocator().Stats().Requests
			remounts++
		}
		now = r.perform(t, r.c.Ops[i:i+1], now, c.Sample)
	}
	res := c.Finish(now)
	checkShape(t, res)
	want := float64(forgotten + r.fs.Allocator().Stats().Requests)
	if got, _ := res.Value("mb_reqs"); got != want || forgotten == 0 {
		t.Errorf("%v requests, want %v (%d before remounts)", got, want, forgotten)
	}
	if got, _ := res.Value("ops_remount"); got != remounts || remounts == 0 {
		t.Errorf("%v remounts, want %v", got, remounts)
	}
}

// What an unmount makes the policy count, in writing what is delayed, is counted.
func TestUnmountCounts(t *testing.T) {
	r := start(t, "testdata/cold-1")
	c := r.watch(t, Config{})
	task := &filesystem.Task{PID: 1}
	h, err := c.FileSystem().Create(task, "late")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Write(task, 0, 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Close(task), c.FileSystem().Remount(task)); err != nil {
		t.Fatal(err)
	}
	if s := r.fs.Allocator().Stats(); s != (mballoc.Stats{}) {
		t.Errorf("after a remount the allocator has counted %+v", s)
	}
	res := c.Finish(1)
	if got, _ := res.Value("mb_blocks_allocated"); got != 256 {
		t.Errorf("%v blocks allocated, want 256", got)
	}
}

// A collector that comes late counts from there on.
func TestCountsFromHereOn(t *testing.T) {
	r := start(t, "testdata/small-files-1")
	half := len(r.c.Ops) / 2
	now := r.perform(t, r.c.Ops[:half], 0, nil)
	before := r.fs.Allocator().Stats().Requests
	c := r.watch(t, Config{})
	now = r.perform(t, r.c.Ops[half:], now, nil)
	res := c.Finish(now)
	if got, want := res.Final[must("mb_reqs")], float64(r.fs.Allocator().Stats().Requests-before); got != want {
		t.Errorf("%v requests, want %v", got, want)
	}
}

// Failures are told apart, and a write that ends early is not one.
func TestFailuresAreCounted(t *testing.T) {
	r := start(t, "testdata/tunable-1")
	c := r.watch(t, Config{})
	fs, task := c.FileSystem(), &filesystem.Task{}
	h, err := fs.Create(task, "big")
	if err != nil {
		t.Fatal(err)
	}
	var wrote int64
	short, noSpace := 0., 0.
	for off := int64(0); noSpace == 0; off += 4 << 20 {
		n, err := h.Write(task, off, 4<<20)
		wrote += n
		switch {
		case errors.Is(err, filesystem.ENOSPC):
			noSpace++
		case err != nil:
			t.Fatal(err)
		case n < 4<<20:
			short++
		}
	}
	if _, err := fs.Open(task, "nothing", 0); !errors.Is(err, filesystem.ENOENT) {
		t.Fatal(err)
	}
	if err := h.Close(task); err != nil {
		t.Fatal(err)
	}
	res := c.Finish(1)
	for name, want := range map[string]float64{
		"ops_enospc": noSpace, "ops_failed": noSpace + 1, "ops_short_write": short, "bytes_written": float64(wrote), "ops_open": 1, "ops_close": 1,
	} {
		if got, err := res.Value(name); err != nil || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, err, want)
		}
	}
}

func TestStat(t *testing.T) {
	s := &Series{}
	used, reqs := must("used_share"), must("mb_reqs")
	for i, v := range []float64{0, 1, 0.5, nan, 0.5} {
		r := NewRow()
		r[used] = v
		s.add([]int64{0, 10, 20, 25, 40}[i], r)
	}
	res := &Result{Series: s, Final: s.Rows[4]}
	for stat, want := range map[string]float64{"last": 0.5, "max": 1, "min": 0, "mean": (10*0.5 + 10*0.75 + 20*0.5) / 40} {
		if got, err := res.Stat("used_share", stat); err != nil || !same(got, want) {
			t.Errorf("%s is %v (%v), want %v", stat, got, err, want)
		}
	}
	res.Measured = NewRow()
	res.Measured[used], res.Measured[reqs] = 0.25, 7
	if got, _ := res.Stat("used_share", "last"); got != 0.25 {
		t.Errorf("last of the measured phases is %v", got)
	}
	var absent *AbsentError
	if _, err := res.Stat("layout_score", "mean"); !errors.As(err, &absent) {
		t.Errorf("a metric with no value: %v", err)
	}
	if _, err := res.Stat("used_share", "median"); err == nil {
		t.Error("an unknown statistic was taken")
	}
	if _, err := res.Stat("used", "last"); err == nil || errors.As(err, &absent) {
		t.Errorf("an unknown metric: %v", err)
	}
	if m := mean([]*Series{{}}, used); !math.IsNaN(m) {
		t.Errorf("mean of nothing is %v", m)
	}
}

// The same run gives the same result.
func TestDeterminism(t *testing.T) {
	var results [2]*Result
	for i := range results {
		r := start(t, "testdata/tunable-1")
		c := r.watch(t, Config{Rows: 20, Snapshots: 5})
		results[i] = c.Finish(r.perform(t, r.c.Ops, 0, c.Sample))
	}
	a, b := results[0].Series, results[1].Series
	if len(a.Times) != len(b.Times) {
		t.Fatalf("%d and %d rows", len(a.Times), len(b.Times))
	}
	for i := range a.Rows {
		for id := range registry {
			if !same(a.Rows[i][id], b.Rows[i][id]) {
				t.Errorf("row %d: %s is %v and %v", i, registry[id].Name, a.Rows[i][id], b.Rows[i][id])
			}
		}
	}
}
