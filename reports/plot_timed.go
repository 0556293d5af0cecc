package reports

import (
	"slices"

	"gonum.org/v1/plot/vg/draw"

	"mbsim/metrics"
)

// leastShare is the share of the usual interval of a curve below which an interval says nothing of
// a rate: the last one is cut off where the run ends.
const leastShare = 0.25

// wholeIntervals leaves out the points of a curve whose interval is much shorter than the usual
// one, which would show as spikes.
func wholeIntervals(c curve) curve {
	if len(c.x) < 3 {
		return c
	}
	gaps := make([]float64, 0, len(c.x)-1)
	for i := 1; i < len(c.x); i++ {
		gaps = append(gaps, c.x[i]-c.x[i-1])
	}
	slices.Sort(gaps)
	usual := gaps[len(gaps)/2]
	out := curve{name: c.name}
	for i := range c.x {
		if i == 0 || c.x[i]-c.x[i-1] >= leastShare*usual {
			out.x, out.y = append(out.x, c.x[i]), append(out.y, c.y[i])
		}
	}
	return out
}

// spans are curves of what each interval came to; metrics that the run has no values of are left
// out.
func (k *clock) spans(s *metrics.Series, scale float64, pairs ...string) ([]curve, error) {
	all, err := k.curves(s, scale, pairs...)
	for i := range all {
		all[i] = wholeIntervals(all[i])
	}
	return slices.DeleteFunc(all, func(c curve) bool { return len(c.x) == 0 }), err
}

// drawLatency draws how long calls take, the slow ones of each kind.
func drawLatency(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	calls, err := k.spans(r.Result.Series, 1e-3, "create", "latency_create_p99_us", "write", "latency_write_p99_us", "fsync", "latency_fsync_p99_us", "unlink", "latency_unlink_p99_us")
	if err != nil {
		return err
	}
	blocks, err := k.spans(r.Result.Series, 1, "half at most", "latency_allocation_p50_us", "99% at most", "latency_allocation_p99_us")
	if err != nil {
		return err
	}
	pic.stack(c, []*panel{
		{curves: calls, label: "99% at most (ms)", empty: "no call was timed"},
		{curves: blocks, label: "allocator (µs)", empty: "the allocator was not called"},
	}, &k)
	return nil
}

// drawThroughput draws operations and bytes written a second.
func drawThroughput(pic *picture, c draw.Canvas, r *Run) error {
	k := clockOf(r.Result)
	// Over windows of several points: intervals differ in length, and a very short one has no rate
	// that means anything.
	ops, err := k.rate(r.Result.Series, "", "time_s", "ops")
	if err != nil {
		return err
	}
	bytes, err := k.rate(r.Result.Series, "", "time_s", "bytes_written")
	if err != nil {
		return err
	}
	for i := range bytes.y {
		bytes.y[i] /= 1 << 20
	}
	pic.stack(c, []*panel{
		{curves: []curve{ops}, label: "operations/s", fromZero: true, noLog: true, empty: "no operation was performed"},
		{curves: []curve{bytes}, label: "MiB written/s", fromZero: true, noLog: true, empty: "nothing was written"},
	}, &k)
	return nil
}
