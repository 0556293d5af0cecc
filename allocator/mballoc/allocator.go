package mballoc

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// Config is what an Allocator is made of.
type Config struct {
	Geometry allocator.Geometry
	// Source is the file system as it lies on disk. If it has a method
	// FreeClusters() uint64, the sum over its descriptors, New asks that rather
	// than every group.
	Source   allocator.Source
	Kernel   Kernel
	Tunables Tunables
	CPUs     int

	FlexFeature    bool   // the flex_bg feature, whatever the flex size
	GroupChecksums bool   // metadata_csum or uninit_bg: groups may be uninitialized
	RootReserved   uint64 // clusters kept for root (r_blocks_count)
	ReservePool    uint64 // clusters that only requests with UseReserved may take (s_resv_clusters)
	ImmediateFree  bool   // freed blocks are free at once: there is no journal
	OptimizeScan   bool   // mb_optimize_scan: keep lists of groups, if the kernel can

	Observer Observer // nil for nobody
	Locks    Locks    // nil where one CPU runs at a time
}

// Allocator is ext4's multi-block allocator over one mounted file system.
type Allocator struct {
	cfg      Config
	geo      allocator.Geometry
	kernel   *Kernel // cfg.Kernel
	order    Order   // of the kernel, made at mount
	quirks   Quirks  // of the kernel
	tunables Tunables
	src      allocator.Source
	obs      Observer
	locks    Locks
	stats    Stats
	past     Stats // of the mounts before

	orders             int // BlockBits+2
	maxClusters        int // bits of a bitmap
	groupsPerBuddyPage int
	blockfileGroups    allocator.GroupID // those that indirect files can reach
	pages              []*page
	lgs                []localityGroup
	streamGoals        []streamGoal // where streams ended (s_mb_last_group, s_mb_last_start)
	lockBusy           int
	discardSeq         uint64 // changes when the free space does (discard_pa_seq)

	freeClusters, dirtyClusters *allocator.PerCPUCounter
	rootReserved, reserved      int64
	srcFree                     int64   // free clusters of the Source
	flexFree                    []int64 // by flex group, unsummed until asked for

	shapes    map[freeRun]*shape
	spareDisk bitmap.Bits // all zero, nil for none
	changes   allocator.Changes

	freed   freedRanges
	pending int64

	sparePAs         *prealloc
	spareAllocations []*allocation
	decision         Decision
	check            checker // with the build tag invariants
}

// streamGoal is a place at which a stream ended.
type streamGoal struct {
	group allocator.GroupID
	start int // cluster
}

// New mounts: groups are read on first touch.
func New(cfg Config) (*Allocator, error) {
	// What no file system has is refused, since everything below relies on it.
	g := &cfg.Geometry
	switch {
	case cfg.CPUs < 1:
		return nil, fmt.Errorf("mballoc: %d CPUs", cfg.CPUs)
	case g.BlockBits < 10 || g.BlockBits > 16:
		return nil, fmt.Errorf("mballoc: blocks of 2^%d bytes", g.BlockBits)
	case g.Groups == 0:
		return nil, fmt.Errorf("mballoc: no groups")
	case len(cfg.Kernel.Ladder) == 0 || len(cfg.Kernel.Ladder) > MaxRungs:
		return nil, fmt.Errorf("mballoc: a ladder of %d rungs", len(cfg.Kernel.Ladder))
	}
	// The largest order is BlockBits+1: a quarter of the clusters that a bitmap of one block
	// can describe. A page of the buddy cache holds blocks in pairs, a bitmap and a buddy.
	a := &Allocator{
		cfg: cfg, geo: cfg.Geometry, quirks: cfg.Kernel.Quirks, tunables: cfg.Tunables, src: cfg.Source, obs: cfg.Observer, locks: cfg.Locks,
		orders:             int(g.BlockBits) + 2,
		maxClusters:        8 << g.BlockBits,
		groupsPerBuddyPage: max(1, allocator.PageSize>>g.BlockBits>>1),
		blockfileGroups:    g.Groups,
		pages:              make([]*page, (g.Groups+groupsPerPage-1)/groupsPerPage),
		flexFree:           make([]int64, uint32(g.Groups)>>g.FlexBits+1),
		rootReserved:       int64(cfg.RootReserved),
		shapes:             make(map[freeRun]*shape),
		changes:            allocator.NewChanges(g.Groups),
		reserved:           int64(cfg.ReservePool),
	}
	a.kernel = &a.cfg.Kernel
	a.streamGoals = make([]streamGoal, a.kernel.StreamGoals(cfg.CPUs, g.Groups))
	// Files without extents reach only the groups in front of the one that holds block
	// 2^32-1.
	if g.Blocks > maxFileBlock {
		id, _ := g.GroupOf(maxFileBlock)
		a.blockfileGroups = id
	}
	// The counter of free clusters begins with the sum over all descriptors. Flex groups
	// are summed when somebody asks for them.
	a.forgetFlexes()
	a.srcFree = a.sourceFree()
	a.freeClusters = allocator.NewPerCPUCounter(a.CountFreeClusters(), cfg.CPUs)
	a.dirtyClusters = allocator.NewPerCPUCounter(0, cfg.CPUs)
	a.lgs = make([]localityGroup, cfg.CPUs)
	a.order = a.kernel.Order(a)
	return a, nil
}

// freeCounter is a Source that knows the sum over its descriptors. Asking a
// petabyte's eight million groups one by one takes seconds.
type freeCounter interface{ FreeClusters() uint64 }

// sourceFree is the free clusters of all groups as the Source has them.
func (a *Allocator) sourceFree() int64 {
	if c, ok := a.src.(freeCounter); ok {
		return int64(c.FreeClusters())
	}
	var n int64
	for id := range a.geo.Groups {
		n += int64(a.src.Desc(id).FreeClusters)
	}
	return n
}

// Remount forgets what is in memory: buddies, preallocations, the stream goal,
// counters (ext4_mb_release, ext4_mb_init). Inodes must have discarded their
// preallocations, and freed blocks must be committed.
func (a *Allocator) Remount() error {
	if len(a.freed.list) > 0 {
		return fmt.Errorf("mballoc: remount with %d ranges not committed", len(a.freed.list))
	}
	// Groups forget their buddies and that their bitmap was read. Bitmaps themselves and
	// descriptors stay: they are what is on disk.
	for _, p := range a.pages {
		if p == nil {
			continue
		}
		p.ahead = 0
		for i := range p.all() {
			p.groups[i].pas = paList{}
			p.groups[i].reset()
		}
	}
	a.order = a.kernel.Order(a)
	// Locality groups are gone with the mount, and streams begin in the first group again.
	a.lgs = make([]localityGroup, a.cfg.CPUs)
	clear(a.streamGoals)
	a.lockBusy = 0
	// The statistics begin anew, and those of this mount are kept for Total.
	a.past.add(&a.stats)
	a.stats = Stats{}
	a.forgetFlexes()
	a.check = checker{}
	// The counter of free clusters is summed from the descriptors, exact for all CPUs.
	a.freeClusters = allocator.NewPerCPUCounter(a.CountFreeClusters(), a.cfg.CPUs)
	a.dirtyClusters.Fold()
	return nil
}

// forgetFlexes has the flex groups summed anew when they are next asked for.
func (a *Allocator) forgetFlexes() {
	for i := range a.flexFree {
		a.flexFree[i] = unsummed
	}
}

// Stats are the counters since mount.
func (a *Allocator) Stats() Stats { return a.stats }

// Total are the counters since New, over all mounts. What an unmount makes the
// allocator count, writing delayed blocks and discarding preallocations, is in
// no Stats that anyone can read, but in these.
func (a *Allocator) Total() Stats {
	s := a.past
	s.add(&a.stats)
	return s
}

// Tunables are the settings in force.
func (a *Allocator) Tunables() Tunables { return a.tunables }

// Kernel is the kernel whose allocator this is.
func (a *Allocator) Kernel() *Kernel { return a.kernel }

// GroupInfo is the line of mb_groups for group id. Reading it loads the buddy
// (ext4_mb_seq_groups_show).
func (a *Allocator) GroupInfo(id allocator.GroupID) GroupInfo {
	g := a.load(id)
	return GroupInfo{
		Free: uint32(g.free), Fragments: uint32(g.fragments), FirstFree: uint32(g.firstFree),
		Counters: g.counters, Orders: a.orders,
	}
}

// dump describes the state around a broken invariant.
func (a *Allocator) dump(what string, g *group, x, y int) string {
	s := fmt.Sprintf("mballoc: %s: %d, %d (geometry %+v)", what, x, y, a.geo)
	if g != nil {
		s += fmt.Sprintf("; group free %d fragments %d first %d counters %v desc %d uncommitted %d",
			g.free, g.fragments, g.firstFree, g.counters[:a.orders], g.descFree, g.uncommitted)
	}
	return s
}
