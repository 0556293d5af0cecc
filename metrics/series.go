package metrics

import "math"

// Series holds rows at increasing times. A row lacks what was not taken then.
type Series struct {
	Times []int64 // nanoseconds
	Rows  []Row
}

// series merges the cheap rows and those of the snapshots in the order of time.
func (c *Collector) series() *Series {
	s := &Series{}
	rows, snaps := c.rows.samples, c.snaps.samples
	for len(rows) > 0 || len(snaps) > 0 {
		// At the same time the snapshot's row wins: it has all values of the cheap one and more.
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

// mean is the mean of a metric, weighted by time: between two samples the value is taken
// to go in a straight line from one to the other. NaN where there is no value.
func (s *Series) mean(id ID) float64 {
	var area, span, only float64
	last := -1
	n := 0
	// Add up the area under the line between each two neighbouring values.
	for i, r := range s.Rows {
		if !r.Has(id) {
			continue
		}
		if last >= 0 {
			dt := float64(s.Times[i] - s.Times[last])
			area += dt * (r[id] + s.Rows[last][id]) / 2
			span += dt
		}
		last, only = i, r[id]
		n++
	}
	// A single value, or several at one time, enclose no area.
	switch {
	case n == 0:
		return math.NaN()
	case span == 0:
		return only
	}
	return area / span
}

// extreme is the largest or the smallest value, NaN where there is none.
func (s *Series) extreme(id ID, largest bool) float64 {
	best := math.NaN()
	for _, r := range s.Rows {
		if v := r[id]; r.Has(id) && (math.IsNaN(best) || largest == (v > best)) {
			best = v
		}
	}
	return best
}
