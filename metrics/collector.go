package metrics

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// Limits of what a collector keeps, where its Config says nothing.
const (
	defaultRows      = 340 // samples of everything that is cheap
	defaultSnapshots = 60  // samples of the whole tree and every bitmap
	defaultColumns   = 240 // of the block map
	defaultBands     = 512 // of the block map: groups, or runs of groups
)

// Config is what a Collector is made of.
type Config struct {
	FS filesystem.FileSystem
	// Policy and Source are the allocator below FS and the file system as it
	// was at mount. Without them there is no figure of the free space.
	Policy Policy
	Source allocator.Source

	// Time, if not nil, puts the metrics of time into a row.
	Time func(Row)

	// Limits of what is kept; 0 for the default.
	Rows, Snapshots, Columns, Bands int
}

// Collector samples a run. It is not safe for concurrent use.
type Collector struct {
	fs     filesystem.FileSystem
	view   watched
	policy Policy
	time   func(Row)
	geo    *allocator.Geometry
	ops    operations

	base   Row // value of each counter when the collector was made, subtracted from later ones
	tally  tallier
	free   *freeMap
	bands  *bands
	rows   timeline[Row]
	snaps  timeline[*Snapshot]
	maps   timeline[[]float32]
	phases []phase

	visited uint64 // files that the last snapshot visited
	done    uint64 // operations performed before it
}

// phase is a phase that has begun.
type phase struct {
	name       string
	measured   bool
	start, end int64
	from, to   Row // at start and at end; to is nil while the phase lasts
}

// New makes a collector. Counters count from here on.
func New(cfg Config) (*Collector, error) {
	if cfg.FS == nil || (cfg.Policy == nil) != (cfg.Source == nil) {
		return nil, fmt.Errorf("metrics: a collector needs a file system, and a policy together with its source")
	}
	// or is a limit of Config, or its default. Two samples, the first and the last, are the
	// least that a timeline can hold.
	or := func(n, def int) int {
		if n > 0 {
			return max(n, 2) // the first and the last
		}
		return def
	}
	// The timelines, each with its limit.
	c := &Collector{fs: cfg.FS, policy: cfg.Policy, time: cfg.Time, geo: cfg.FS.Geometry(), base: NewRow()}
	c.view = watched{cfg.FS, c}
	c.rows.limit = or(cfg.Rows, defaultRows)
	c.snaps.limit = or(cfg.Snapshots, defaultSnapshots)
	c.maps.limit = or(cfg.Columns, defaultColumns)
	// Free space needs the allocator as well as the file system as it was at mount.
	if c.policy != nil {
		c.free = newFreeMap(cfg.Source, c.geo)
		c.bands = newBands(c.free, or(cfg.Bands, defaultBands))
	}
	// Counters may have values already, such as those of aging before this collector: keep
	// them as the base. Gauges have none, and ratios are computed from the differences.
	start := NewRow()
	c.count(start)
	for id := range start {
		if registry[id].Kind == Counter && start.Has(ID(id)) {
			c.base[id] = start[id]
		}
	}
	return c, nil
}

// FileSystem is the file system for those who perform operations: it counts them.
func (c *Collector) FileSystem() filesystem.FileSystem { return &c.view }

// Sample takes what is due at the time now, in nanoseconds. It may be called as
// often as one likes; most calls do nothing.
func (c *Collector) Sample(now int64) {
	c.tell(now)
	c.sample(now, false)
}

// Begin ends the phase before, if any, and begins another. Results count measured
// phases apart from the whole run.
func (c *Collector) Begin(name string, measured bool, now int64) {
	// Everything is sampled at the border, which ends one phase and begins the next.
	row := c.sample(now, true)
	c.endPhase(now, row)
	c.phases = append(c.phases, phase{name: name, measured: measured, start: now, end: -1, from: row})
}

// endPhase ends the phase that is open, if any, with the values in row.
func (c *Collector) endPhase(now int64, row Row) {
	if n := len(c.phases); n > 0 && c.phases[n-1].to == nil {
		c.phases[n-1].end, c.phases[n-1].to = now, row
	}
}

// sample takes the samples that are due at now, or all kinds of them if all is true. It
// returns the row taken, nil if nothing was due.
func (c *Collector) sample(now int64, all bool) Row {
	row, snap, column := all || c.rows.due(now), all || c.snapshotDue(now), all || c.maps.due(now)
	if !row && !snap && !column {
		return nil
	}
	// Counters count from the collector's start: subtract what they were then.
	r := NewRow()
	c.count(r)
	for id := range r {
		if c.base.Has(ID(id)) {
			r[id] -= c.base[id]
		}
	}
	// The cheap figures of space first: the ratios need them and the counters.
	c.space(r)
	r.computeRatios()
	// A snapshot completes r, so that it comes before r is kept in any timeline.
	if snap {
		c.snaps.add(now, c.snapshot(now, r), all)
	}
	if row {
		c.rows.add(now, r, all)
	}
	if column && c.bands != nil {
		c.maps.add(now, c.bands.column(c.policy), all)
	}
	return r
}

// visitsPerOp bounds the cost of snapshots: how many files they visit for each
// operation that processes perform.
const visitsPerOp = 16

// snapshotDue says whether a snapshot is due at now: its time has come, and enough
// operations were performed since the last to pay for the files it visits.
func (c *Collector) snapshotDue(now int64) bool {
	return c.snaps.due(now) && (c.ops.total() == 0 || (c.ops.total()-c.done)*visitsPerOp >= c.visited)
}

// count puts the values of the counters, from the first mount on, into r.
func (c *Collector) count(r Row) {
	c.ops.count(r)
	if c.policy != nil {
		c.policy.Count(r)
	}
	if c.time != nil {
		c.time(r)
	}
	countStatus(c.fs, r)
	if l, ok := c.fs.(loser); ok {
		r[idLostBlocks] = float64(l.LostBlocks())
	}
}

// space puts the cheap figures of space into r.
func (c *Collector) space(r Row) {
	if s := c.fs.Statfs(); s.Blocks > 0 {
		r[idUsedShare] = 1 - float64(s.Free)/float64(s.Blocks)
	}
	if c.bands != nil {
		r[idFreeBlocks] = float64(c.bands.freeClusters(c.policy) << c.geo.ClusterBits)
	}
}

// snapshot goes through all files and all free space, and completes r.
func (c *Collector) snapshot(now int64, r Row) *Snapshot {
	s := &Snapshot{Time: now, row: r}
	// The tree of files.
	t := c.tally.tally(files(c.fs), c.geo)
	for i := range treeTable {
		r[treeFirst+ID(i)] = treeTable[i].get(t)
	}
	s.FilesByExtents, s.ExtentsBySize = t.FilesByExtents, t.ExtentsBySize
	// What this snapshot has cost decides when the next is due.
	c.visited, c.done = uint64(t.Files), c.ops.total()
	// The free space, from the bitmaps on disk.
	if c.free != nil {
		s.Free = c.free.scan(c.policy.PeekBitmap)
		for i := range freeTable {
			r[freeFirst+ID(i)] = freeTable[i].get(&s.Free)
		}
	}
	return s
}
