package mballoc

import (
	"fmt"

	"mbsim/allocator"
)

// chooser draws a number from 0 to n-1.
type chooser func(what string, n int) int

// between draws a number from lo to hi.
func (c chooser) between(what string, lo, hi int) int { return lo + c(what, hi-lo+1) }

// chance is true once in n times.
func (c chooser) chance(what string, n int) bool { return c(what, n) == n-1 }

// pick draws one of values.
func pick[T any](c chooser, what string, values ...T) T { return values[c(what, len(values))] }

// modelFile is a file as the model keeps it: for each logical cluster 1 + the
// number of the cluster it lies in, 0 for a hole.
type modelFile struct {
	in       Inode
	at       []uint64
	next     int // the cluster behind the one last written
	reserved int // clusters promised to delayed writes
}

// A model has large files, and small ones that are written once.
const (
	largeFiles, largeSize = 6, 3000 // files, clusters
	smallFiles, smallSize = 60, 40
)

// model drives an allocator as a file system would, and knows who has each
// cluster. Its state is as plain as can be: an array of owners.
type model struct {
	freeLocks
	a       *Allocator
	geo     *allocator.Geometry
	choose  chooser
	owner   []int32 // by cluster of the disk: 0 free, 1 metadata, 2 freed but not committed, 3 + i file i
	free    int64   // clusters that are free on disk
	pending int64   // of these, not committed
	files   []*modelFile
	tid     uint64
	journal bool
	rights  Flags // Unprivileged where processes may not take root's reserve

	rnd    uint32 // for what the locks do
	cpu    int    // the CPU whose request is under way, -1 for none
	file   int    // and the file it is for
	inner  bool   // a request of another CPU is being served meanwhile
	nested int    // how many were
}

const (
	ownerMeta    = 1
	ownerPending = 2
	ownerFile    = 3
)

// newModel draws a geometry, a layout, tunables and a profile.
func newModel(choose chooser) *model {
	blockBits := pick[uint8](choose, "blockBits", 12, 10, 11, 12, 13, 14, 15, 16)
	clusterBits := pick[uint8](choose, "clusterBits", 0, 0, 0, 4)
	clusters := pick[uint32](choose, "clusters", 256, 512, 2048, 4096, 8192)
	groups := choose.between("groups", 1, 24)
	if blockBits == 16 {
		groups = min(groups, 4)
	}
	flexBits := pick[uint8](choose, "flexBits", 0, 1, 2, 4)
	last := uint32(choose.between("last", 1, int(clusters)))
	d := NewDisk(blockBits, clusterBits, flexBits, clusters, allocator.GroupID(groups), last)
	d.Geo.Stripe = pick[uint32](choose, "stripe", 0, 0, 0, 16, 24, 100)
	m := &model{geo: &d.Geo, choose: choose, rnd: 1, cpu: -1, journal: !choose.chance("no journal", 4)}
	m.owner = make([]int32, groups*int(clusters))
	m.layOut(d)
	cfg := d.ConfigOf(m.chooseKernel(&d.Geo, blockBits))
	cfg.OptimizeScan = choose.chance("optimize scan", 2)
	cfg.CPUs = choose.between("cpus", 1, 4)
	cfg.ImmediateFree = !m.journal
	cfg.RootReserved = uint64(choose("root reserve", 100))
	if choose.chance("unprivileged", 3) {
		m.rights = Unprivileged
	}
	if choose.chance("reserve pool", 2) {
		cfg.ReservePool = DefaultReservePool(&d.Geo)
	}
	cfg.FlexFeature = flexBits > 0 || choose.chance("flex feature", 3)
	m.tune(&cfg)
	if choose.chance("locks", 2) {
		cfg.Locks = m
	}
	a, err := New(cfg)
	if err != nil {
		panic(err)
	}
	m.a = a
	for i := range largeFiles + smallFiles {
		f := &modelFile{in: Inode{Number: uint32(12 + i), Regular: i != 0, Extents: i != 1}}
		f.at = make([]uint64, smallSize)
		if i < largeFiles {
			f.at = make([]uint64, largeSize)
		}
		m.files = append(m.files, f)
	}
	return m
}

// chooseKernel draws a kernel. With groups below 8 MB the seed's normalization meets a BUG_ON
// of its own.
func (m *model) chooseKernel(geo *allocator.Geometry, blockBits uint8) Kernel {
	k := pick(m.choose, "kernel", Kernels()...)
	if k.Name == Linux5_10Seed.Name && int64(geo.BlocksPerGroup)<<blockBits < 8<<20 {
		return Linux5_10
	}
	return k
}

// layOut takes random ranges of the disk for metadata.
func (m *model) layOut(d *Disk) {
	per := int(d.Geo.ClustersPerGroup)
	full := m.choose.chance("nearly full", 2)
	m.take(d, 0, 0, 1) // block 0 is no file's: a request says 0 for none
	for id := range d.Geo.Groups {
		n := int(d.Geo.ClustersIn(id))
		kind := m.choose("group", 4)
		switch {
		case kind == 0 && id > 0 && id+1 < d.Geo.Groups:
			d.Uninit[id] = true
		case kind == 1 || full:
			m.take(d, id, 0, n/2)
			m.take(d, id, n/2+1+m.choose("gap", 30), n)
		case kind == 2:
			for c := m.choose("first", 9); c < n; c += 2 + m.choose("step", 40) {
				m.take(d, id, c, 1+m.choose("run", 20))
			}
		}
		for c := range per {
			o := &m.owner[int(id)*per+c]
			switch {
			case c >= n:
				*o = ownerMeta
			case *o == 0:
				m.free++
			}
		}
	}
}

// take marks up to n clusters of a group from start on as metadata.
func (m *model) take(d *Disk, id allocator.GroupID, start, n int) {
	n = min(n, int(d.Geo.ClustersIn(id))-start)
	if n <= 0 {
		return
	}
	d.Take(id, start, n)
	for c := start; c < start+n; c++ {
		m.owner[int(id)*int(d.Geo.ClustersPerGroup)+c] = ownerMeta
	}
}

func (m *model) tune(cfg *Config) {
	t := &cfg.Tunables
	t.MaxToScan = pick[uint32](m.choose, "max_to_scan", 200, 200, 3, 0)
	t.MinToScan = pick[uint32](m.choose, "min_to_scan", 10, 10, 0, 50)
	t.Order2Reqs = pick[uint32](m.choose, "order2_req", 2, 2, 5, 0, 9)
	t.StreamRequest = pick[uint32](m.choose, "stream_req", 16, 16, 0, 200)
	t.GroupPrealloc = pick(m.choose, "group_prealloc", t.GroupPrealloc, t.GroupPrealloc, 0, 8, 60)
	t.MaxInodePrealloc = pick[uint32](m.choose, "max_inode_prealloc", 512, 512, 0, 4)
	t.Prefetch = pick(m.choose, "prefetch", t.Prefetch, t.Prefetch, 1, 0)
	t.MaxLinearGroups = pick[uint32](m.choose, "max_linear_groups", 4, 0, 1, 30)
	t.BestAvailMaxTrimOrder = pick[uint32](m.choose, "best_avail_max_trim_order", 3, 0, 8)
	t.PrefetchLimit = pick(m.choose, "prefetch_limit", t.PrefetchLimit, t.PrefetchLimit, 1)
}

// place is the cluster of the disk that block b lies in.
func (m *model) place(b allocator.Block) int {
	id, off := m.geo.GroupOf(b)
	return int(id)*int(m.geo.ClustersPerGroup) + int(off)
}

// block is the first block of cluster c of the disk.
func (m *model) block(c int) allocator.Block {
	per := int(m.geo.ClustersPerGroup)
	return m.geo.BlockAt(allocator.GroupID(c/per), allocator.GroupOffset(c%per))
}

func (m *model) fail(format string, args ...any) {
	panic(fmt.Sprintf("model: "+format+" (geometry %+v)", append(args, *m.geo)...))
}

// The locks of a model are always free, but a CPU seems to have waited for one
// group lock in four, or found it taken, and sometimes another CPU's request is served meanwhile.

func (m *model) LockGroup(allocator.GroupID) bool {
	m.interrupt(40)
	return m.random(4) == 0
}
func (m *model) GroupLocked(allocator.GroupID) bool { return m.random(8) == 0 }
func (m *model) TryLockGroup(allocator.GroupID) bool {
	m.interrupt(40)
	return m.random(8) != 0
}
func (m *model) BeforeBest() { m.interrupt(2) }

// random draws a number from 0 to n-1, without a choice that would be shrunk.
func (m *model) random(n uint32) uint32 {
	m.rnd = m.rnd*1664525 + 1013904223
	return (m.rnd >> 8) % n
}

// interrupt serves, once in n times, requests of another CPU for another file.
func (m *model) interrupt(n uint32) {
	if m.cpu < 0 || m.inner || m.a.cfg.CPUs == 1 || m.random(n) != 0 {
		return
	}
	cpu, file := m.cpu, m.file
	m.inner = true
	for range 1 + m.random(3) {
		i := int(m.random(largeFiles))
		if at, n := m.hole(m.files[i]); i != file && n > 0 {
			m.nested++
			m.ask((cpu+1)%m.a.cfg.CPUs, i, m.request(m.files[i], at, n))
		}
	}
	m.inner = false
}
