package metrics

import (
	"fmt"
	"iter"
	"math"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/machine/latency"
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

	// Look lists all files without leaving a trace; nil where FS.Files leaves none.
	Look func() iter.Seq[filesystem.FileInfo]
	// Lost counts the dirty blocks that found no place in writeback, and StatusTree what
	// is remembered of extents. Where one is nil, its metrics have no value.
	Lost       func() int64
	StatusTree func() filesystem.StatusTree
	// Transactions are the figures of the journal, and CutPromised is the most blocks that were
	// promised at a time since it was called before. Where one is nil, its metrics have no value.
	Transactions func() filesystem.Transactions
	CutPromised  func() uint64

	// Metadata counts the reads of metadata. Where it is nil they have no value.
	Metadata func() filesystem.MetadataReads
	// Time, if not nil, puts the metrics of time into a row.
	Time func(Row)
	// Atomic says that operations happen all at once, so that processes never meet: what counts
	// their meeting has no value.
	Atomic bool
	// Times record how long operations take, each operation in one of them. The collector
	// empties them.
	Times []*latency.Recorder

	// Limits of what is kept; 0 for the default.
	Rows, Snapshots, Columns, Bands int
}

// Collector samples a run. It is not safe for concurrent use.
type Collector struct {
	fs      filesystem.FileSystem
	view    watched
	policy  Policy
	time    func(Row)
	look    func() iter.Seq[filesystem.FileInfo]
	lost    func() int64
	status  func() filesystem.StatusTree
	journal func() filesystem.Transactions
	meta    func() filesystem.MetadataReads
	atomic  bool
	geo     *allocator.Geometry
	ops     operations

	base   Row // what counters are counted from
	tally  tallier
	free   *freeMap
	rows   timeline[Row]
	snaps  timeline[*Snapshot]
	maps   timeline[[]float32]
	phases []phase
	times  stopwatch

	visited uint64 // names at the last snapshot: of files, directories and all else
	done    uint64 // operations then
}

// phase is a phase that has begun.
type phase struct {
	name       string
	measured   bool
	start, end int64
	from, to   Row
	times      *span // of the phase
}

// New makes a collector. Counters count from here on.
func New(cfg Config) (*Collector, error) {
	if cfg.FS == nil || (cfg.Policy == nil) != (cfg.Source == nil) {
		return nil, fmt.Errorf("metrics: a collector needs a file system, and a policy together with its source")
	}
	or := func(n, def int) int {
		if n > 0 {
			return max(n, 2) // the first and the last
		}
		return def
	}
	c := &Collector{fs: cfg.FS, atomic: cfg.Atomic, policy: cfg.Policy, time: cfg.Time, look: cfg.Look, lost: cfg.Lost, status: cfg.StatusTree, journal: cfg.Transactions, meta: cfg.Metadata, geo: cfg.FS.Geometry(), base: NewRow(), times: newTimes(cfg.Times, cfg.CutPromised)}
	if c.look == nil {
		c.look = cfg.FS.Files
	}
	c.view = watched{cfg.FS, c}
	c.rows.limit = or(cfg.Rows, defaultRows)
	c.snaps.limit = or(cfg.Snapshots, defaultSnapshots)
	c.maps.limit = or(cfg.Columns, defaultColumns)
	if c.policy != nil {
		c.free = newFreeMap(cfg.Source, c.geo, c.policy, or(cfg.Bands, defaultBands))
	}
	// Counters may have values already, such as those of the mount: keep them as the base.
	// Gauges have none, and ratios are computed from the differences.
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
func (c *Collector) Sample(now int64) { c.sample(now, false) }

// Begin ends the phase before, if any, and begins another. Results count measured
// phases apart from the whole run.
func (c *Collector) Begin(name string, measured bool, now int64) {
	row := c.sample(now, true)
	c.endPhase(now, row)
	c.phases = append(c.phases, phase{name: name, measured: measured, start: now, end: -1, from: row})
}

func (c *Collector) endPhase(now int64, row Row) {
	// What was timed since the phase before is this one's; without one it is nobody's.
	times := c.times.phase.take()
	if n := len(c.phases); n > 0 && c.phases[n-1].to == nil {
		p := &c.phases[n-1]
		p.end, p.to, p.times = now, row, times
	}
}

// sample takes what is due, or everything. It returns the row then.
func (c *Collector) sample(now int64, all bool) Row {
	row, snap, column := all || c.rows.due(now), all || c.snapshotDue(now), all || c.maps.due(now)
	if !row && !snap && !column {
		return nil
	}
	// Counters are counted from the beginning of what is measured; what follows from them comes last.
	r := NewRow()
	c.count(r)
	for id := range r {
		if c.base.Has(ID(id)) {
			r[id] -= c.base[id]
		}
	}
	c.space(r)
	r.computeRatios()
	if snap {
		c.snaps.add(now, c.snapshot(now, r), all)
	}
	if row {
		c.rows.add(now, r, all)
	}
	if row || snap {
		c.times.cut(now, len(c.rows.samples)+len(c.snaps.samples), c.kept)
	}
	if column && c.free != nil {
		c.maps.add(now, c.free.bands.column(), all)
	}
	return r
}

// visitsPerOp bounds the cost of snapshots: how many names they visit, of whatever kind, for each
// operation that processes perform. The inodes of a large tree are no longer in the processor's
// caches, so that a visit costs as much as an operation: there it is fewer.
const (
	visitsPerOp      = 16
	visitsPerOpLarge = 4
	largeTree        = 50_000 // names
)

func (c *Collector) snapshotDue(now int64) bool {
	visits := uint64(visitsPerOp)
	if c.visited > largeTree {
		visits = visitsPerOpLarge
	}
	return c.snaps.due(now) && (c.ops.total()-c.done)*visits >= c.visited
}

// count puts the counters as they are into r.
func (c *Collector) count(r Row) {
	c.ops.count(r)
	if c.policy != nil {
		c.policy.Count(r)
	}
	if c.atomic {
		r[idLost], r[idBusy] = math.NaN(), math.NaN()
	}
	if c.time != nil {
		c.time(r)
	}
	if c.status != nil {
		countStatus(c.status(), r)
	}
	if c.meta != nil {
		m := c.meta()
		r[idMetaReads], r[idMetaBlocks] = float64(m.Requests), float64(m.Blocks)
	}
	if c.journal != nil {
		countTransactions(c.journal(), r)
	}
	if c.lost != nil {
		r[idLostBlocks] = float64(c.lost())
	}
}

// space puts the cheap figures of space into r.
func (c *Collector) space(r Row) {
	s := c.fs.Statfs()
	if s.Blocks > 0 {
		r[idUsedShare] = 1 - float64(s.Free)/float64(s.Blocks)
	}
	r[idUsedInodes], r[idFreeInodes] = float64(s.Inodes-s.FreeInodes), float64(s.FreeInodes)
	if c.free != nil {
		c.free.follow()
		r[idFreeBlocks] = float64(c.free.free << c.geo.ClusterBits)
	}
}

// snapshot goes through all files and all free space, and completes r.
func (c *Collector) snapshot(now int64, r Row) *Snapshot {
	s := &Snapshot{Time: now, row: r}
	t := c.tally.tally(c.look(), c.geo)
	for i := range treeTable {
		r[treeFirst+ID(i)] = treeTable[i].get(t)
	}
	s.FilesByExtents, s.ExtentsBySize = t.FilesByExtents, t.ExtentsBySize
	c.visited, c.done = uint64(t.names), c.ops.total()
	if c.free != nil {
		s.Free = c.free.space()
		for i := range freeTable {
			r[freeFirst+ID(i)] = freeTable[i].get(&s.Free)
		}
	}
	return s
}
