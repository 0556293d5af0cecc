package metrics

import (
	"fmt"
	"math"
	"slices"
)

// Result is what a run comes to.
type Result struct {
	Start, End int64 // nanoseconds

	BlockSize     int64 // bytes
	ClusterBlocks int64 // blocks a cluster
	Blocks        int64 // of the file system
	Groups        int

	Final    Row // at the end; counters of the whole run
	Measured Row // of the measured phases: counters and times in them, gauges at the end of the last; nil where none is
	Phases   []Phase

	Series    *Series
	Snapshots []*Snapshot
	Warnings  []string  // what makes the result doubtful
	Map       *BlockMap // nil where nothing is known of the free space

}

// Phase is a part of a run.
type Phase struct {
	Name       string
	Measured   bool
	Start, End int64
	Values     Row // counters and times in the phase, gauges at its end
}

// Snapshot is what the whole tree and all free space come to at a time.
type Snapshot struct {
	Time           int64
	Free           FreeSpace
	FilesByExtents Bins // files by the number of their pieces
	ExtentsBySize  Bins // pieces of files by their length in blocks

	row Row
}

// Finish takes the last samples and ends the run.
func (c *Collector) Finish(now int64) *Result {
	row := c.sample(now, true)
	c.endPhase(now, row)
	final := slices.Clone(row)
	final.putSpan(c.times.run)
	r := &Result{
		Start: c.rows.samples[0].time, End: now,
		BlockSize: c.geo.BlockSize(), ClusterBlocks: int64(c.geo.ClusterRatio()), Blocks: int64(c.geo.Blocks), Groups: int(c.geo.Groups),
		Final: final, Series: c.series(),
	}
	for _, s := range c.snaps.samples {
		r.Snapshots = append(r.Snapshots, s.value)
	}
	measured := newSpan()
	for i := range c.phases {
		p := &c.phases[i]
		v := p.to.Since(p.from)
		v.putSpan(p.times)
		r.Phases = append(r.Phases, Phase{p.name, p.measured, p.start, p.end, v})
		if !p.measured {
			continue
		}
		// Counters and latencies are those of all measured phases, gauges those of the last.
		measured.add(p.times)
		if r.Measured == nil {
			r.Measured = slices.Clone(v)
		} else {
			r.Measured = r.Measured.plus(v)
		}
		r.Measured.putSpan(measured)
	}
	if c.free != nil {
		r.Map = &BlockMap{Groups: r.Groups, PerBand: int(c.free.bands.per)}
		for _, s := range c.maps.samples {
			r.Map.Times = append(r.Map.Times, s.time)
			r.Map.Used = append(r.Map.Used, s.value)
		}
	}
	return r
}

// Value is the final value of the metric of this name.
func (r *Result) Value(name string) (float64, error) {
	id, err := Find(name)
	if err != nil {
		return 0, err
	}
	if !r.Final.Has(id) {
		return 0, &AbsentError{name}
	}
	return r.Final[id], nil
}

// Applies says whether a metric exists for what was run: its kernel and policy, with or
// without time. One that exists may still have no value, such as a latency of calls that
// nobody made.
func (r *Result) Applies(name string) bool {
	id, err := Find(name)
	if err != nil {
		return false
	}
	switch registry[id].Kind {
	case Span:
		// Of what takes time there is a value only where something happened.
		return r.Final.Has(id) || registry[id].Group == groupTime && r.Final.Has(must("time_s"))
	case Ratio:
		// It exists where all that it is computed from does.
		for i := range quotient {
			if q := &quotient[i]; q.id == id {
				return !math.IsNaN(r.Final.sum(q.over)) && !math.IsNaN(r.Final.sum(q.per))
			}
		}
	}
	return r.Final.Has(id)
}

// AbsentError says that a metric exists, but that this run has no value for it.
type AbsentError struct{ Metric string }

func (e *AbsentError) Error() string {
	return fmt.Sprintf("metric %q has no value in this run", e.Metric)
}

// Stats are the names that Stat knows.
var Stats = []string{"last", "mean", "max", "min"}

// Stat is a figure over the time of a run, as expectations ask for it: last,
// mean, max or min of the metric, over the measured phases where there are any, the
// mean weighted by time. Where the curve is of intervals (latencies, rates), mean, max and
// min are of the intervals' values, and last is of all the time together.
func (r *Result) Stat(name, stat string) (float64, error) {
	id, err := Find(name)
	if err != nil {
		return 0, err
	}
	var v float64
	switch stat {
	case "last":
		row := r.Final
		if r.Measured != nil {
			row = r.Measured
		}
		v = row[id]
	case "mean":
		v = mean(r.measured(), id)
	case "max", "min":
		v = extreme(r.measured(), id, stat == "max")
	default:
		return 0, fmt.Errorf("unknown statistic %q: want one of %v", stat, Stats)
	}
	if math.IsNaN(v) {
		return 0, &AbsentError{name}
	}
	return v, nil
}
