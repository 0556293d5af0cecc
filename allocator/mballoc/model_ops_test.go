package mballoc

import (
	"mbsim/allocator"
)

// The operations of a model.

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
	n := min(int(m.a.tunables.GroupPrealloc)/2+1, smallSize)
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
		for f.reserved < n && m.a.ClaimFree(cpu, 1, m.rights) {
			f.reserved++
		}
		if f.reserved > 0 {
			n = min(n, f.reserved)
			r.Len = uint32(n)
			r.Flags |= DelallocReserved
		}
	}
	r.Flags |= m.rights
	claimable := r.Flags&DelallocReserved != 0 || m.a.HasFree(1, r.Flags)
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
	f.in.Writers = int32(m.choose("writers", 3))
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
		left >= rsv && (flags == UseRootBlocks || m.rights == 0) ||
		left >= 0 && flags == UseReserved
	if got := m.a.HasFree(n, flags|m.rights); got != want {
		m.fail("%d clusters of %d, %d dirty, %d and %d reserved, flags %v: may be promised %t", n, m.free, dirty, rsv, root, flags, got)
	}
}
