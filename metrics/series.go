package metrics

import "math"

// Series holds rows at increasing times. A row lacks what was not taken then.
type Series struct {
	Times []int64 // nanoseconds
	Rows  []Row
}

// series joins the cheap rows and those of the snapshots.
func (c *Collector) series() *Series {
	s := &Series{}
	rows, snaps := c.rows.samples, c.snaps.samples
	for len(rows) > 0 || len(snaps) > 0 {
		if len(rows) == 0 || len(snaps) > 0 && snaps[0].time <= rows[0].time {
			if len(rows) > 0 && rows[0].time == snaps[0].time {
				rows = rows[1:]
			}
			s.add(snaps[0].time, snaps[0].value.row)
			snaps = snaps[1:]
			continue
		}
		s.add(rows[0].time, rows[0].value)
		rows = rows[1:]
	}
	c.intervals(s)
	return s
}

func (s *Series) add(t int64, r Row) {
	s.Times = append(s.Times, t)
	s.Rows = append(s.Rows, r)
}

// Columns are the metrics that any row has a value for, in the registry's order.
func (s *Series) Columns() []ID {
	var ids []ID
	for id := range registry {
		for _, r := range s.Rows {
			if r.Has(ID(id)) {
				ids = append(ids, ID(id))
				break
			}
		}
	}
	return ids
}

// Points are the times and values of a metric, where it has one.
func (s *Series) Points(name string) (times []int64, values []float64, err error) {
	id, err := Find(name)
	if err != nil {
		return nil, nil, err
	}
	for i, r := range s.Rows {
		if r.Has(id) {
			times = append(times, s.Times[i])
			values = append(values, r[id])
		}
	}
	return times, values, nil
}

// mean is that over several series. It is weighted by time: each value counts half of the
// way to its neighbours, and a value of an interval for the interval.
func mean(all []*Series, id ID) float64 {
	// area is the sum of values by time, span that time; of one value alone there is no span.
	var area, span, only float64
	n := 0
	for _, s := range all {
		last := -1
		for i, r := range s.Rows {
			if !r.Has(id) {
				continue
			}
			if last >= 0 {
				dt := float64(s.Times[i] - s.Times[last])
				v := (r[id] + s.Rows[last][id]) / 2
				if ofInterval(id) {
					v = r[id]
				}
				area += dt * v
				span += dt
			}
			last, only = i, r[id]
			n++
		}
	}
	switch {
	case n == 0:
		return math.NaN()
	case span == 0:
		return only
	}
	return area / span
}

// measured is the parts of the series that lie in measured phases, the whole of it where
// there are none. Counters count what happened in these phases.
func (r *Result) measured() []*Series {
	if r.Measured == nil {
		return []*Series{r.Series}
	}
	var out []*Series
	var done Row // in the measured phases before
	for i := range r.Phases {
		p := &r.Phases[i]
		if !p.Measured {
			continue
		}
		part := r.Series.within(p, done)
		out = append(out, part)
		if done == nil {
			done = p.Values
		} else {
			done = done.plus(p.Values)
		}
	}
	return out
}

// within is the part of the series that lies in a phase, with counters as of the measured
// phases so far: done is what those before come to.
func (s *Series) within(p *Phase, done Row) *Series {
	out := &Series{}
	var base Row
	for i, at := range s.Times {
		if at < p.Start || at > p.End {
			continue
		}
		if base == nil {
			base = s.Rows[i]
		}
		row := s.Rows[i].Since(base)
		if done != nil {
			row = done.plus(row)
		}
		// What is of an interval stays as it is. The interval that ends where the phase begins is
		// not the phase's.
		for id := range row {
			if ofInterval(ID(id)) {
				row[id] = s.Rows[i][id]
				if at == p.Start && p.End > p.Start {
					row[id] = math.NaN()
				}
			}
		}
		out.add(at, row)
	}
	return out
}

// extreme is the largest or the smallest value of several series, NaN where there is none.
func extreme(all []*Series, id ID, largest bool) float64 {
	best := math.NaN()
	for _, s := range all {
		for _, r := range s.Rows {
			if v := r[id]; r.Has(id) && (math.IsNaN(best) || largest == (v > best)) {
				best = v
			}
		}
	}
	return best
}
