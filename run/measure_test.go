package run

import (
	"math"
	"testing"

	"mbsim/metrics"
)

// slowThenQuick has two slow fsyncs in a phase that is not measured, and then quick ones.
const slowThenQuick = `
device: {mkfs: {size: 4G}}
timing: {storage: hdd}
workload:
  phases:
    - name: age
      measure: false
      classes:
        - {name: big, mix: {create: 1}, file_size: 256M, fsync_on_close: 100%}
      until: {operations: 2}
      then: sync
    - name: small
      classes:
        - {name: s, mix: {create: 1}, file_size: 4K, fsync_on_close: 100%}
      until: {operations: 20}
`

// TestMeasureHoldsForTimes: what took long in a phase that is not measured is no part of the
// measured latencies, neither of the last nor of the largest on the curve.
func TestMeasureHoldsForTimes(t *testing.T) {
	r := playScenario(t, load(t, slowThenQuick), Options{}).Result
	for _, x := range []struct {
		name, stat string
		low, high  float64
	}{
		{"latency_fsync_max_us", "last", 16_000, 17_500}, {"latency_fsync_p99_us", "last", 16_000, 17_500},
		{"latency_fsync_max_us", "max", 16_000, 17_500}, {"latency_write_max_us", "last", 0, 100},
	} {
		if v, err := r.Stat(x.name, x.stat); err != nil || v < x.low || v > x.high {
			t.Errorf("%s of %s is %v, %v: want %v to %v", x.stat, x.name, v, err, x.low, x.high)
		}
	}
	// Of the whole run the slow ones count, and each phase has its own.
	if v, err := r.Value("latency_fsync_max_us"); err != nil || v < 1_000_000 {
		t.Errorf("the slowest of the whole run took %v us, %v", v, err)
	}
	id := metricID("latency_fsync_max_us")
	if a, b := r.Phases[0].Values[id], r.Phases[1].Values[id]; a < 1_000_000 || b > 17_500 {
		t.Errorf("the slowest took %v us in the first phase and %v in the second", a, b)
	}
}

// TestCurveIsOfIntervals: a point of a curve of time is of the time since the point before.
func TestCurveIsOfIntervals(t *testing.T) {
	r := playScenario(t, load(t, slowThenQuick), Options{}).Result
	id, rate := metricID("latency_fsync_max_us"), metricID("ops_per_s")
	ops, second := metricID("ops"), metricID("time_s")
	slow := 0
	var before metrics.Row
	for i, row := range r.Series.Rows {
		if row[id] > 1_000_000 {
			slow++
		}
		// Rates are what the counters of two points say.
		if before != nil {
			want := (row[ops] - before[ops]) / (row[second] - before[second])
			if row.Has(rate) && math.Abs(row[rate]-want) > 1e-9*want {
				t.Errorf("at %d ns %v operations a second, want %v", r.Series.Times[i], row[rate], want)
			}
		}
		before = row
	}
	if slow == 0 || slow > 2 {
		t.Errorf("%d points show an fsync of more than a second: there are two of these", slow)
	}
}

// TestSeveralMeasured: of several measured phases counters add up, latencies are those of
// all, and gauges the last's.
func TestSeveralMeasured(t *testing.T) {
	s := load(t, slowThenQuick, "workload.phases.age.measure=true")
	r := playScenario(t, s, Options{}).Result
	a, b := r.Phases[0].Values, r.Phases[1].Values
	for _, name := range []string{"ops_fsync", "mb_reqs", "time_s", "cpu_busy_s"} {
		id := metricID(name)
		if got, want := r.Measured[id], a[id]+b[id]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s is %v, and %v in the two phases", name, got, want)
		}
	}
	if id := metricID("latency_fsync_max_us"); r.Measured[id] != a[id] {
		t.Errorf("the slowest took %v us, and %v in the first phase", r.Measured[id], a[id])
	}
	if id := metricID("files"); r.Measured[id] != b[id] {
		t.Errorf("%v files, and %v at the end of the last phase", r.Measured[id], b[id])
	}
}
