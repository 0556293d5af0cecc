package metrics

import (
	"math"
	"slices"

	"mbsim/machine/latency"
)

// span is what happened in a stretch of time.
type span struct {
	times *latency.Recorder // how long operations took
	// promised is the most blocks that were promised at a time, -1 where nobody counts them.
	promised int64
}

// newSpan is a stretch in which nothing has happened.
func newSpan() *span { return &span{latency.New(), -1} }

// add joins another stretch.
func (s *span) add(o *span) {
	s.times.Add(o.times)
	s.promised = max(s.promised, o.promised)
}

// take returns what happened, and begins anew.
func (s *span) take() *span {
	out := *s
	*s = *newSpan()
	return &out
}

// stopwatch keeps what happened in stretches of time: in the run, in the phase, and between each
// two points of the curve over time.
type stopwatch struct {
	from       []*latency.Recorder // emptied at each cut
	promised   func() uint64       // begins anew at each cut; nil where nothing is promised
	run, phase *span
	cuts       []timesCut
}

// timesCut is what happened up to a time, since the cut before.
type timesCut struct {
	time int64
	span *span
}

// newTimes begins: what the recorders hold already is forgotten, and what was promised at most.
func newTimes(from []*latency.Recorder, promised func() uint64) stopwatch {
	for _, r := range from {
		r.Cut()
	}
	if promised != nil {
		promised()
	}
	return stopwatch{from: from, promised: promised, run: newSpan(), phase: newSpan()}
}

// cut takes what happened since the cut before. points is how many points the curve has
// now, and kept says whether it has one at a time: thinning leaves fewer points than cuts.
func (t *stopwatch) cut(now int64, points int, kept func(int64) bool) {
	all := newSpan()
	for _, r := range t.from {
		all.times.Add(r.Cut())
	}
	if t.promised != nil {
		all.promised = int64(t.promised())
	}
	t.run.add(all)
	t.phase.add(all)
	// A second cut at a time belongs to the same point.
	if n := len(t.cuts); n > 0 && t.cuts[n-1].time == now {
		t.cuts[n-1].span.add(all)
	} else {
		t.cuts = append(t.cuts, timesCut{now, all})
	}
	if len(t.cuts) > 2*points+2 {
		t.fold(kept)
	}
}

// fold joins cuts at times at which there is no point any more to the next that has one.
func (t *stopwatch) fold(kept func(int64) bool) {
	out := t.cuts[:0]
	joined := newSpan()
	for i, c := range t.cuts {
		joined.add(c.span)
		if i == len(t.cuts)-1 || kept(c.time) {
			out = append(out, timesCut{c.time, joined.take()})
		}
	}
	clear(t.cuts[len(out):])
	t.cuts = out
}

// kept says whether the curve has a point at a time.
func (c *Collector) kept(at int64) bool { return has(c.rows.samples, at) || has(c.snaps.samples, at) }

// has says whether one of the samples, which are in order, is of a time.
func has[T any](samples []sample[T], at int64) bool {
	_, found := slices.BinarySearchFunc(samples, at, func(s sample[T], at int64) int {
		switch {
		case s.time < at:
			return -1
		case s.time > at:
			return 1
		}
		return 0
	})
	return found
}

// putSpan puts what happened in a stretch of time into a row.
func (r Row) putSpan(s *span) {
	if s.promised >= 0 {
		r[idPromised] = float64(s.promised)
	}
	r.putLatencies(s.times)
}

// putLatencies puts the latencies that a recorder holds into a row. What never happened has
// none: its metrics are absent.
func (r Row) putLatencies(rec *latency.Recorder) {
	const microsecond = 1e3
	for op := range latency.Ops {
		at := r[latencyFirst+3*ID(op):][:3]
		if rec.Count(op) == 0 {
			at[0], at[1], at[2] = math.NaN(), math.NaN(), math.NaN()
			continue
		}
		at[0] = float64(rec.Percentile(op, 50)) / microsecond
		at[1] = float64(rec.Percentile(op, 99)) / microsecond
		at[2] = float64(rec.Max(op)) / microsecond
	}
}

// intervals makes what a series says of time that of the interval since the point before:
// latencies, and the ratios that divide by time.
func (c *Collector) intervals(s *Series) {
	c.times.fold(c.kept)
	cuts := c.times.cuts
	var before Row
	for i, row := range s.Rows {
		// The rows are also what phases begin and end with, so the series gets its own.
		own := slices.Clone(row)
		for len(cuts) > 0 && cuts[0].time < s.Times[i] {
			cuts = cuts[1:]
		}
		if len(cuts) > 0 && cuts[0].time == s.Times[i] {
			own.putSpan(cuts[0].span)
		}
		if before != nil {
			own.timeRatios(before)
		}
		s.Rows[i], before = own, row
	}
}

// timeRatios makes the ratios of the group of times those of the interval since a row.
func (r Row) timeRatios(before Row) {
	for i := range quotient {
		q := &quotient[i]
		if !ofInterval(q.id) {
			continue
		}
		r[q.id] = math.NaN()
		if per := r.sum(q.per) - before.sum(q.per); per != 0 {
			r[q.id] = (r.sum(q.over) - before.sum(q.over)) / per
		}
	}
}

// ofInterval says whether a point of the metric's curve is of the interval since the point
// before.
func ofInterval(id ID) bool {
	m := &registry[id]
	return m.Kind == Span || m.Kind == Ratio && m.Group == groupTime
}
