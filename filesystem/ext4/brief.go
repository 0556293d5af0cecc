package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
	"mbsim/filesystem/ext4/pagecache"
)

// brief is the short encoding of a fileMap for a file whose blocks are one run from its
// start, all in one state: a file that was written from its start to its end, and perhaps
// written back. Most files never are anything else. It takes a few bytes in place of status
// tree, page cache and extent tree. expandBrief makes those of it, once and for all, when
// the file becomes something else or somebody asks for one of them.
//
// The invariant: a brief file answers every question, and counts in every statistic, as the
// fileMap made of it would. TestBrief tests that. What the statistics of the status tree
// count are the ranges that the tree would hold (run, hole).
type brief struct {
	state briefState
	pblk  allocator.Block48 // where the run lies, if it is mapped
	n     uint32            // its blocks
}

// briefState is the state of all blocks of a brief file.
type briefState uint8

const (
	notBrief       briefState = iota // the inode's fileMap counts
	briefEmpty                       // no block is written, and the status tree holds nothing
	briefDelayed                     // all n blocks are delayed and dirty
	briefUnwritten                   // all are mapped, clean and unwritten
	briefWritten                     // all are mapped, clean and written
)

// statusOfRun is the status of the run of a brief file in each state, 0 where it has none.
var statusOfRun = [...]es.Status{
	briefDelayed:   es.Delayed,
	briefUnwritten: es.Unwritten,
	briefWritten:   es.Written,
}

// run and hole are the two ranges that the file's status tree would hold: the blocks written, and
// from there on as far as a file may reach. Of an empty file it would know nothing.
func (b *brief) run() es.Range {
	return es.NewRange(0, b.n, b.pblk.Block(), statusOfRun[b.state])
}
func (b *brief) hole() es.Range { return es.NewRange(b.n, maxBlocks-b.n, 0, es.Hole) }

// appendRanges appends to list the ranges that the file's status tree would hold.
func (b *brief) appendRanges(list []es.Range) []es.Range {
	if statusOfRun[b.state] == 0 {
		return list
	}
	return append(list, b.run(), b.hole())
}

// find returns the one of these ranges that holds lblk, false if there is none.
func (b *brief) find(lblk uint32) (es.Range, bool) {
	switch {
	case statusOfRun[b.state] == 0:
		return es.Range{}, false
	case lblk < b.n:
		return b.run(), true
	}
	return b.hole(), true
}

// changes is what the statistics of the status trees gain when a brief file goes from one state to
// another. Where the run lies and how long it is makes no difference to them.
var changes = func() (c [len(statusOfRun)][len(statusOfRun)]filesystem.StatusTree) {
	tally := func(s int) filesystem.StatusTree {
		b := brief{state: briefState(s), n: 1}
		return es.Tally(b.appendRanges(nil))
	}
	for old := range c {
		for now := range c[old] {
			before, after := tally(old), tally(now)
			c[old][now].Add(&after)
			c[old][now].Sub(&before)
		}
	}
	return c
}()

// lookupStatus is Lookup of the file's status tree, which need not exist for it.
func (fs *FS) lookupStatus(in *inode, lblk uint32) (es.Range, bool) {
	if in.brief.state == notBrief {
		return in.m.es.Lookup(lblk)
	}
	x, ok := in.brief.find(lblk)
	fs.esStats.CountLookups(1, ok)
	return x, ok
}

// firstDelayed is the first range of the status tree with a delayed block in [lblk, end], false
// if there is none.
func (in *inode) firstDelayed(lblk, end uint32) (es.Range, bool) {
	if in.brief.state == notBrief {
		return in.m.es.FindRange(lblk, end, (*es.Range).IsDelayed)
	}
	// Behind the run no block is delayed.
	x, _ := in.brief.find(lblk)
	return x, x.IsDelayed()
}

// setBrief makes b the inode's brief, and brings the statistics up to date.
func (fs *FS) setBrief(in *inode, b brief) {
	fs.esStats.Add(&changes[in.brief.state][b.state])
	in.brief = b
}

// briefEnd is the most blocks that a brief file has: what writeback maps at once, so that
// its run finds its place in one request.
const briefEnd = maxWritepagesExtent

// mapped says whether the run has its place on disk.
func (b *brief) mapped() bool { return b.state >= briefUnwritten }

// fileMap returns where the blocks of an inode are. A brief file is brief no longer then.
func (in *inode) fileMap() *fileMap {
	if in.brief.state != notBrief {
		in.expandBrief()
	}
	return &in.m
}

// expandBrief makes a fileMap of the inode's brief. It uses again what the inode had
// allocated for one before.
func (in *inode) expandBrief() {
	// All begins empty, over the memory that it has.
	b, m := in.brief, &in.large().m
	in.brief.state = notBrief
	m.cache.Reset()
	in.resetRoot()
	// The status tree takes over the ranges that the brief stood for, and that the
	// statistics count already.
	var ranges [2]es.Range
	m.es.Reset(b.appendRanges(ranges[:0])...)
	// The run is dirty, or it is an extent.
	if b.state == briefDelayed {
		m.cache.Add(0, b.n, pagecache.Delayed)
	} else if b.mapped() {
		m.root.Ext = append(m.root.Ext, extents.Extent{Len: uint16(b.n), Unwritten: b.state == briefUnwritten, Pblk: b.pblk.Block()})
	}
}

// expanded returns the inode with a fileMap: the inode itself, or a copy of a brief one.
// The checker uses it, which must not change what it reads.
func (in *inode) expanded() *inode {
	if in.brief.state == notBrief {
		return in
	}
	c, large := *in, *in.largeInode
	large.m = fileMap{es: in.m.es.Fresh()}
	large.isShared = false
	c.largeInode = &large
	c.expandBrief()
	return &c
}

// hasDirty says whether the file has dirty blocks.
func (in *inode) hasDirty() bool {
	if in.brief.state != notBrief {
		return in.brief.state == briefDelayed
	}
	return len(in.m.cache.Runs()) > 0
}

// appends says whether the file stays brief if [lblk, lblk+n) is written and delayed: the
// blocks must follow the run, which is delayed too or empty.
func (b *brief) appends(lblk, n uint32) bool {
	return (b.state == briefEmpty || b.state == briefDelayed) && lblk == b.n && lblk+n <= briefEnd
}

// delayBrief makes the next n blocks delayed and dirty, as delayHole does for other files.
func (fs *FS) delayBrief(in *inode, n uint32) {
	b := in.brief
	fs.esStats.CountLookups(uint64(n), b.state != briefEmpty)
	fs.setBrief(in, brief{state: briefDelayed, n: b.n + n})
}

// changeBrief does what extentMapBlocks would where a brief file can stay brief: when writeback
// maps all of its run, and when that has become written. It says whether this was such a case;
// if not it does nothing.
func (fs *FS) changeBrief(t *task, in *inode, m *mapping, f mapFlags) (got uint32, was bool, e errno) {
	b := &in.brief
	if m.lblk != 0 || m.len != b.n {
		return 0, false, 0
	}
	const ways = mapCreate | mapDelallocReserve | mapMetadataNofail | mapNoNormalize | mapConvertUnwritten
	switch {
	case b.state == briefDelayed && f&ways == mapCreate|mapDelallocReserve|mapMetadataNofail:
		got, e = fs.mapBrief(t, in, m, f)
		return got, true, e
	case b.state == briefUnwritten && f&mapConvert != 0:
		fs.setBrief(in, brief{state: briefWritten, pblk: b.pblk, n: b.n})
		fs.dirtyInode(t, in)
		m.pblk, m.state = b.pblk.Block(), stateMapped
		return b.n, true, 0
	}
	return 0, false, 0
}

// mapBrief allocates all blocks of a brief file that is delayed. It asks the
// allocator for what allocateExtent would ask for. If it gets less, the file is brief no
// longer.
func (fs *FS) mapBrief(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	// The goal and the flags are those of the first extent of a file in writeback.
	b := &in.brief
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Goal, r.Len = fs.inodeGoal(t, in), b.n
	r.Flags = mballoc.HintData | mballoc.DelallocReserved | mballoc.UseReserved
	p, e := fs.newBlocks(t, in, r)
	if e != 0 {
		return 0, e
	}
	m.len, m.pblk = r.Len, p
	// Only a part has its place: the fileMap is made, and the part is put into it.
	if r.Len < b.n {
		var p extents.Path
		in.find(&p, 0, cacheRead)
		return fs.putNew(t, in, &p, m, f, r.Len)
	}
	// All of it has its place: the state changes.
	placed := brief{state: briefWritten, pblk: allocator.Pack48(p), n: b.n}
	m.state = stateNew | stateMapped
	if f&mapUnwritten != 0 {
		placed.state = briefUnwritten
		m.state |= stateUnwritten
	}
	fs.setBrief(in, placed)
	fs.dirtyInode(t, in)
	fs.useReserved(t, in, b.n, true)
	return b.n, 0
}

// fiemap returns the run as FIEMAP shows it, marked as the last extent.
func (b *brief) fiemap() filesystem.Extent {
	x := filesystem.Extent{Len: uint64(b.n), Flags: filesystem.ExtentLast}
	switch b.state {
	case briefDelayed:
		x.Flags |= filesystem.ExtentDelalloc | filesystem.ExtentUnknown
		return x
	case briefUnwritten:
		x.Flags |= filesystem.ExtentUnwritten
	}
	x.Physical = b.pblk.Block()
	return x
}

// releaseBrief gives up the blocks of a brief file that release frees: what dropPages,
// truncate and clearInode do for other files.
func (fs *FS) releaseBrief(t *task, in *inode) {
	b := in.brief
	// Its pages and what was submitted of it are forgotten.
	if b.state == briefDelayed {
		fs.cleaned(b.n)
	}
	fs.forgetIO(in)
	fs.journal.Start()
	in.Size = 0
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.setBrief(in, brief{state: briefEmpty})
	// The run's blocks are freed, or its reservations given back.
	if b.mapped() {
		fs.freeBlocks(t, in, b.pblk.Block(), b.n, dataFreeFlags(in)|freeKeepFirst|freeKeepLast)
	} else {
		fs.releaseReserved(t, in, int64(b.n))
	}
}
