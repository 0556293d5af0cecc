package mballoc

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
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
	blockBits := pick[uint8](choose, "blockBits", 12, 10, 12, 12, 16)
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
	cfg := d.Config()
	cfg.CPUs = choose.between("cpus", 1, 4)
	cfg.ImmediateFree = !m.journal
	cfg.RootReserved = uint64(choose("root reserve", 100))
	cfg.Unprivileged = choose.chance("unprivileged", 3)
	cfg.ReservePool = choose.chance("reserve pool", 2)
	cfg.FlexFeature = flexBits > 0 || choose.chance("flex feature", 3)
	m.tune(&cfg)
	if choose.chance("locks", 2) {
		cfg.Locks = m
	}
	// With groups below 8 MB the seed's normalization meets a BUG_ON of its own.
	if int64(d.Geo.BlocksPerGroup)<<blockBits >= 8<<20 && choose.chance("seed", 2) {
		cfg.Profile = Linux5_10Seed
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

// allocate makes one request for a large file.
func (m *model) allocate() {
	i := m.choose("file", largeFiles)
	if at, n := m.hole(m.files[i]); n > 0 {
		r := m.request(m.files[i], at, n)
		m.ask(m.choose("cpu", m.a.cfg.CPUs), i, r)
	}
}

// create writes a small file.
func (m *model) create() {
	i, cpu := m.choose("file", smallFiles), m.choose("cpu", m.a.cfg.CPUs)
	m.small(cpu, i, m.choose.between("length", 1, smallSize))
}

// flood writes small files on one CPU, each a little longer than half of a
// locality group's preallocation, so that every one leaves a rest behind.
func (m *model) flood() {
	i, cpu := m.choose("file", smallFiles), m.choose("cpu", m.a.cfg.CPUs)
	n := min(int(m.a.t.GroupPrealloc)/2+1, smallSize)
	for range m.choose.between("files", 1, 12) {
		m.small(cpu, i, n)
		i = (i + 1) % smallFiles
	}
}

// small writes small file i of n clusters, over one that is removed if it was
// there.
func (m *model) small(cpu, i, n int) {
	i += largeFiles
	f := m.files[i]
	m.clear(cpu, f, 0, smallSize)
	ratio := m.geo.ClusterRatio()
	f.in.Size = int64(n) * int64(ratio) << m.geo.BlockBits
	f.in.Writers = 1
	r := Request{Inode: &f.in, Len: uint32(n), Goal: m.geo.GroupStart(allocator.GroupID(m.choose("group", int(m.geo.Groups)))), Flags: HintData}
	m.ask(cpu, i, r)
}

// ask makes a request for file i on CPU cpu and checks the answer.
func (m *model) ask(cpu, i int, r Request) {
	f, at, n := m.files[i], int(r.Logical/m.geo.ClusterRatio()), int(r.Len)
	if m.choose.chance("delayed", 2) {
		for f.reserved < n && m.a.ClaimFree(cpu, 1, 0) {
			f.reserved++
		}
		if f.reserved > 0 {
			n = min(n, f.reserved)
			r.Len = uint32(n)
			r.Flags |= DelallocReserved
		}
	}
	claimable := r.Flags&DelallocReserved != 0 || m.a.HasFree(cpu, 1, r.Flags)
	outer, outerFile, nested := m.cpu, m.file, m.nested
	made := m.a.stats.InodePAs
	m.cpu, m.file = cpu, i
	b, ok := m.a.NewBlocks(cpu, &r)
	m.cpu, m.file = outer, outerFile
	if !ok {
		if r.Len != 0 {
			m.fail("no space, but %d clusters", r.Len)
		}
		if claimable && r.Flags&HintGoalOnly == 0 && m.free > m.pending && nested == m.nested && outer < 0 {
			m.fail("no space with %d clusters free of which %d wait for a commit", m.free, m.pending)
		}
		return
	}
	if r.Len == 0 || int(r.Len) > n {
		m.fail("%d clusters where %d were asked for", r.Len, n)
	}
	m.give(i, at, b, int(r.Len))
	if m.a.stats.InodePAs > made && nested == m.nested {
		m.prepared(f)
	}
	if r.Flags&DelallocReserved != 0 {
		f.reserved -= int(r.Len)
		m.a.DirtyClusters().Add(cpu, -int64(r.Len))
	}
}

// give records that file i has n clusters at block b for logical cluster at.
func (m *model) give(i, at int, b allocator.Block, n int) {
	c := m.place(b)
	if b != m.block(c) || c/int(m.geo.ClustersPerGroup) != (c+n-1)/int(m.geo.ClustersPerGroup) {
		m.fail("%d clusters at block %d", n, b)
	}
	for k := range n {
		if o := m.owner[c+k]; o != 0 {
			m.fail("cluster %d given to file %d, but its owner is %d", c+k, i, o)
		}
		m.owner[c+k] = int32(ownerFile + i)
		m.files[i].at[at+k] = uint64(c+k) + 1
	}
	m.files[i].next = at + n
	m.free -= int64(n)
}

// hole draws a hole of a file: its first cluster and how many to ask for.
func (m *model) hole(f *modelFile) (at, n int) {
	at = m.choose("logical", len(f.at))
	switch m.choose("where", 3) {
	case 1:
		at = m.choose("logical", 20)
	case 2:
		at = f.next
	}
	for at < len(f.at) && f.at[at] != 0 {
		at++
	}
	n = 1 << m.choose("log length", 12)
	if m.choose.chance("odd", 2) {
		n = m.choose.between("length", 1, n)
	}
	for k := range n {
		if at+k >= len(f.at) || f.at[at+k] != 0 {
			return at, k
		}
	}
	return at, n
}

// request makes a request as ext4 would: the mapped neighbours and a goal beside
// them, or, sometimes, any.
func (m *model) request(f *modelFile, at, n int) Request {
	ratio := m.geo.ClusterRatio()
	r := Request{Inode: &f.in, Logical: uint32(at) * ratio, Len: uint32(n)}
	goal := allocator.Block(m.choose("goal", int(m.geo.Blocks)+5))
	for l := at - 1; l >= 0; l-- {
		if f.at[l] != 0 {
			r.Lleft = uint32(l+1)*ratio - 1
			r.Pleft = m.block(int(f.at[l]-1)) + allocator.Block(ratio) - 1
			goal = r.Pleft + allocator.Block(r.Logical-r.Lleft)
			break
		}
	}
	r.Lright = r.Logical
	for l := at + n; l < len(f.at); l++ {
		if f.at[l] != 0 {
			r.Lright = uint32(l) * ratio
			r.Pright = m.block(int(f.at[l] - 1))
			break
		}
	}
	r.Goal = goal
	if f.in.Regular {
		r.Flags |= HintData
	}
	for _, rare := range []Flags{HintTryGoal, UseReserved, HintNoPrealloc, StrictCheck, HintMerge | HintTryGoal, HintGoalOnly, HintFirst, UseRootBlocks} {
		if m.choose.chance(rare.String(), 12) {
			r.Flags |= rare
		}
	}
	f.in.Writers = m.choose("writers", 3)
	if m.choose.chance("size", 2) {
		f.in.Size = max(f.in.Size, int64(at+n)*int64(ratio)<<m.geo.BlockBits)
	}
	return r
}

// truncate frees a range of a file, as truncation and hole punching do: with its
// preallocations discarded first.
func (m *model) truncate() {
	f := m.files[m.choose("file", largeFiles)]
	cpu := m.choose("cpu", m.a.cfg.CPUs)
	from := m.choose("from", len(f.at))
	to := len(f.at)
	if m.choose.chance("punch", 2) {
		to = min(from+m.choose("count", 600), len(f.at))
	} else {
		f.in.Size = min(f.in.Size, int64(from)*int64(m.geo.ClusterRatio())<<m.geo.BlockBits)
	}
	m.clear(cpu, f, from, to)
}

// clear frees the clusters [from, to) of a file.
func (m *model) clear(cpu int, f *modelFile, from, to int) {
	m.a.DiscardInode(cpu, &f.in, 0)
	for l := from; l < to; {
		if f.at[l] == 0 {
			l++
			continue
		}
		n := 1
		for l+n < to && f.at[l+n] == f.at[l]+uint64(n) {
			n++
		}
		m.freeRun(cpu, f, l, n)
		l += n
	}
}

// freeRun frees n clusters of a file that lie together, from logical cluster l
// on. With clusters of several blocks it may begin and end inside of one.
func (m *model) freeRun(cpu int, f *modelFile, l, n int) {
	b := m.block(int(f.at[l] - 1))
	count := n << m.geo.ClusterBits
	var flags FreeFlags
	keepFirst, keepLast := false, false
	cut := int(m.geo.ClusterRatio())
	if len(f.at) == smallSize {
		cut = 1 // small files are removed as a whole
	}
	if off := m.choose("offset", cut); off > 0 && off < count {
		b += allocator.Block(off)
		count -= off
		if keepFirst = m.choose.chance("keep first", 2); keepFirst {
			flags |= FreeKeepFirstCluster
		}
	}
	if off := m.choose("tail", cut); off > 0 && off < count {
		count -= off
		if keepLast = m.choose.chance("keep last", 2); keepLast {
			flags |= FreeKeepLastCluster
		}
	}
	if keepFirst {
		l++
		n--
	}
	if keepLast && n > 0 {
		n--
	}
	rereserve := n == 1 && m.choose.chance("rereserve", 8)
	if rereserve {
		flags |= FreeRereserveCluster
	}
	if got := m.a.FreeBlocks(cpu, &f.in, b, uint32(count), flags, m.tid); int(got) != n {
		m.fail("freed %d clusters, want %d: %d blocks at %d, flags %b", got, n, count, b, flags)
	}
	if rereserve {
		f.reserved++
		m.a.DirtyClusters().Add(cpu, 1)
		m.a.FreeClusters().Add(cpu, 1)
	}
	for k := range n {
		o := &m.owner[f.at[l+k]-1]
		f.at[l+k] = 0
		m.free++
		*o = 0
		if m.journal {
			*o = ownerPending
			m.pending++
		}
	}
}

// commit commits the running transaction.
func (m *model) commit() {
	m.a.Committed(m.tid)
	m.tid++
	for c := range m.owner {
		if m.owner[c] == ownerPending {
			m.owner[c] = 0
		}
	}
	m.pending = 0
}

// discard gives up some preallocations of a file.
func (m *model) discard() {
	f := m.files[m.choose("file", largeFiles)]
	m.a.DiscardInode(m.choose("cpu", m.a.cfg.CPUs), &f.in, uint32(m.choose("needed", 3)))
}

// release gives back what was promised to a file's delayed writes.
func (m *model) release() {
	f := m.files[m.choose("file", len(m.files))]
	m.a.DirtyClusters().Add(m.choose("cpu", m.a.cfg.CPUs), -int64(f.reserved))
	f.reserved = 0
}

// remount unmounts and mounts.
func (m *model) remount() {
	for _, f := range m.files {
		m.a.DiscardInode(0, &f.in, 0)
		m.a.DirtyClusters().Add(0, -int64(f.reserved))
		f.reserved = 0
	}
	if m.pending > 0 {
		if m.a.Remount() == nil {
			m.fail("remount with %d clusters not committed", m.pending)
		}
		m.commit()
	}
	if err := m.a.Remount(); err != nil {
		m.fail("%v", err)
	}
}

// read reads what must change nothing.
func (m *model) read() {
	id := allocator.GroupID(m.choose("group", int(m.geo.Groups)))
	if m.choose.chance("load", 2) {
		m.a.GroupInfo(id)
	}
	m.a.FlexFreeClusters(m.geo.Flex(id))
	m.claim()
}

// claim asks whether clusters may be promised, and answers from the sums: that
// the allocator reads its counters cheaply where they are high makes no
// difference.
func (m *model) claim() {
	n := int64(m.choose("claim", int(m.free)+3))
	flags := pick(m.choose, "claim flags", 0, UseRootBlocks, UseReserved)
	dirty := m.a.DirtyClusters().Sum()
	rsv, root := m.a.ReservedClusters(), int64(m.a.cfg.RootReserved)
	left := m.free - dirty - n
	want := left >= rsv+root ||
		left >= rsv && (flags == UseRootBlocks || !m.a.cfg.Unprivileged) ||
		left >= 0 && flags == UseReserved
	if got := m.a.HasFree(m.choose("cpu", m.a.cfg.CPUs), n, flags); got != want {
		m.fail("%d clusters of %d, %d dirty, %d and %d reserved, flags %v: may be promised %t", n, m.free, dirty, rsv, root, flags, got)
	}
}

// counts compares the counters.
func (m *model) counts() {
	reserved := 0
	for _, f := range m.files {
		reserved += f.reserved
	}
	if n := m.a.FreeClusters().Sum(); n != m.free {
		m.fail("%d clusters free by the counter, %d by the owners", n, m.free)
	}
	if n := m.a.DirtyClusters().Sum(); n != int64(reserved) {
		m.fail("%d clusters dirty, %d reserved", n, reserved)
	}
	if n := m.a.FreePending(); n != m.pending {
		m.fail("%d clusters pending, want %d", n, m.pending)
	}
}

// compare compares every cluster of the disk.
func (m *model) compare() {
	per := int(m.geo.ClustersPerGroup)
	total := int64(0)
	for id := range m.geo.Groups {
		b := m.a.BitmapOf(id)
		free := uint32(0)
		for c := range per {
			o := m.owner[int(id)*per+c]
			used := b[c/64]>>(c%64)&1 != 0
			if used != (o != 0 && o != ownerPending) {
				m.fail("cluster %d of group %d: in use %t, owner %d", c, id, used, o)
			}
			if !used {
				free++
			}
		}
		if n := m.a.FreeClustersOf(id); n != free {
			m.fail("group %d: %d free by its descriptor, %d by the owners", id, n, free)
		}
		total += int64(free)
		m.regenerate(id)
	}
	if n := m.a.CountFreeClusters(); n != total {
		m.fail("%d free by all descriptors, %d by the owners", n, total)
	}
	m.a.checkAll()
	for _, f := range m.files {
		m.a.checkInode(&f.in)
	}
}

// prepared looks whether the preallocation a file just got is for clusters that
// it has elsewhere. The profile 5.10-seed makes such. Later requests may begin
// before a preallocation and end in it: they get new clusters for all of that.
func (m *model) prepared(f *modelFile) {
	p := f.in.pas.head
	if p == nil || !m.a.p.ThreeStepPlacement {
		return
	}
	l := int(p.lstart / m.geo.ClusterRatio())
	for k := range min(p.len, len(f.at)-l) {
		if f.at[l+k] != 0 && int(f.at[l+k]-1) != m.place(p.pstart)+k {
			m.fail("inode %d has cluster %d elsewhere than in its preallocation of %d for %d", f.in.Number, l+k, p.len, l)
		}
	}
}

// regenerate makes the buddy of a group anew: nothing changes.
func (m *model) regenerate(id allocator.GroupID) {
	g := m.a.at(id)
	if g.needInit {
		return
	}
	was := *g
	for k := range m.a.orders {
		was.buddy[k] = append(bitmap.Bits(nil), g.buddy[k]...)
	}
	m.a.generate(id, g)
	if was.free != g.free || was.fragments != g.fragments || was.counters != g.counters || was.largest != g.largest || was.firstFree > g.firstFree {
		m.fail("group %d: %+v, generated anew %+v", id, was, *g)
	}
	for k := range m.a.orders {
		if fmt.Sprint(was.buddy[k]) != fmt.Sprint(g.buddy[k]) {
			m.fail("group %d: order %d generated anew differs", id, k)
		}
	}
}

// The locks of a model are always free, but a CPU seems to have waited for one
// group lock in four, and sometimes another CPU's request is served meanwhile.

func (m *model) LockGroup(allocator.GroupID) bool {
	m.interrupt(40)
	return m.random(4) == 0
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
