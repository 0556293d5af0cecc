package metrics

import (
	"fmt"
	"math"

	"mbsim/filesystem"
)

// Result is what a run comes to.
type Result struct {
	Start, End int64 // nanoseconds

	BlockSize     int64 // bytes
	ClusterBlocks int64 // blocks a cluster
	Blocks        int64 // of the file system
	Groups        int

	Final    Row // at the end; counters of the whole run
	Measured Row // of the measured phases: counters in them, gauges at the end of the last; nil where none is
	Phases   []Phase

	Series    *Series
	Snapshots []*Snapshot
	Map       *BlockMap // nil where nothing is known of the free space

	system filesystem.FileSystem
}

// Phase is a part of a run.
type Phase struct {
	Name       string
	Measured   bool
	Start, End int64
	Values     Row // counters in the phase, gauges at its end
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
	// Everything is sampled once more, so that the result ends with the run.
	row := c.sample(now, true)
	c.endPhase(now, row)
	r := &Result{
		Start: c.rows.samples[0].time, End: now,
		BlockSize: c.geo.BlockSize(), ClusterBlocks: int64(c.geo.ClusterRatio()), Blocks: int64(c.geo.Blocks), Groups: int(c.geo.Groups),
		Final: row, Series: c.series(), system: c.fs,
	}
	// The snapshots, without the places where they lie in their timeline.
	for _, s := range c.snaps.samples {
		r.Snapshots = append(r.Snapshots, s.value)
	}
	// Each phase's own values, and those of the measured ones together.
	for i := range c.phases {
		p := &c.phases[i]
		v := p.to.Since(p.from)
		r.Phases = append(r.Phases, Phase{p.name, p.measured, p.start, p.end, v})
		switch {
		case p.measured && r.Measured == nil:
			r.Measured = v
		case p.measured:
			r.Measured = r.Measured.plus(v)
		}
	}
	// The block map, time by time.
	if c.bands != nil {
		r.Map = &BlockMap{Groups: r.Groups, PerBand: int(c.bands.per)}
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

// AbsentError says that the metric exists but has no value in this run.
type AbsentError struct{ Metric string }

func (e *AbsentError) Error() string {
	return fmt.Sprintf("metric %q has no value in this run", e.Metric)
}

// Stats are the names that Stat knows.
var Stats = []string{"last", "mean", "max", "min"}

// Stat is a figure over the time of a run, as expectations ask for it: last,
// mean, max or min of the metric. The last of a run with measured phases is that
// of these phases; the others are over the whole series, the mean weighted by
// time.
func (r *Result) Stat(name, stat string) (float64, error) {
	id, err := Find(name)
	if err != nil {
		return 0, err
	}
	// NaN stands for "no value" until the end.
	var v float64
	switch stat {
	case "last":
		row := r.Final
		if r.Measured != nil {
			row = r.Measured
		}
		v = row[id]
	case "mean":
		v = r.Series.mean(id)
	case "max", "min":
		v = r.Series.extreme(id, stat == "max")
	default:
		return 0, fmt.Errorf("unknown statistic %q: want one of %v", stat, Stats)
	}
	if math.IsNaN(v) {
		return 0, &AbsentError{name}
	}
	return v, nil
}
