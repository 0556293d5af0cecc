package ext4

import (
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
)

// brief is the short encoding of a fileMap whose blocks are one run from the file's
// start, all in one state, as a file is that was written from its start to its end and
// then written back. Most files never are anything else. It takes a few bytes instead of
// status tree, page cache and extent tree, which unfold makes of it, once and for all,
// when the file becomes something else or somebody asks for one of them.
//
// The invariant: a brief file answers every question, and counts in every statistic, as
// the unfolded one would. TestBrief holds it to that. What the status tree's statistics
// count follows from the state alone (tracked), and changes with it in setBrief only.
type brief struct {
	state briefState
	pblk  block48 // where the run lies, if it is mapped
	n     uint32  // its blocks
}

type briefState uint8

const (
	notBrief       briefState = iota // the inode's fileMap counts
	briefEmpty                       // no block is written, and the status tree holds nothing
	briefDelayed                     // all n blocks are delayed and dirty; the status tree also holds the hole from n to the end (so too in the two states below)
	briefUnwritten                   // all are mapped, clean and unwritten
	briefWritten                     // all are mapped, clean and written
)

// tracked is what the statistics of all status trees count for a file in this state.
func (s briefState) tracked() filesystem.StatusTree {
	switch s {
	case briefDelayed: // the run, and the hole behind it, which alone could be reclaimed
		return filesystem.StatusTree{Extents: 2, Reclaimable: 1, Inodes: 1}
	case briefUnwritten, briefWritten:
		return filesystem.StatusTree{Extents: 2, Reclaimable: 2, Inodes: 1}
	}
	return filesystem.StatusTree{}
}

// setBrief makes the inode's brief b, and the statistics follow.
func (fs *FS) setBrief(in *inode, b brief) {
	was, is := in.brief.state.tracked(), b.state.tracked()
	fs.esStats.Extents += is.Extents - was.Extents
	fs.esStats.Reclaimable += is.Reclaimable - was.Reclaimable
	fs.esStats.Inodes += is.Inodes - was.Inodes
	in.brief = b
}

// briefEnd is the most blocks that a file described briefly has: what writeback maps at
// once.
const briefEnd = maxWritepagesExtent

// mapped says whether the run has its place.
func (b *brief) mapped() bool { return b.state >= briefUnwritten }

// fileMap is where the blocks of an inode are.
func (in *inode) fileMap() *fileMap {
	if in.brief.state != notBrief {
		in.unfold()
	}
	return &in.m
}

// unfold makes a fileMap of the inode's brief. What the inode had allocated for one
// before it is used again.
func (in *inode) unfold() {
	b, m := in.brief, &in.large().m
	in.brief.state = notBrief
	if m.es.ext == nil {
		m.es.ext, m.cache.runs = m.firstES[:0], m.firstRun[:0]
	}
	m.es.ext, m.cache.runs = m.es.ext[:0], m.cache.runs[:0]
	m.es.clu, m.es.reclaimable = nil, 0
	in.resetRoot()
	m.es.reclaimable = int32(b.state.tracked().Reclaimable)
	s := esDelayed
	switch b.state {
	case briefEmpty:
		return
	case briefDelayed:
		m.cache.runs = append(m.cache.runs, dirtyRun{0, b.n, bufDelayed})
	default:
		s = esWritten
		if b.state == briefUnwritten {
			s = esUnwritten
		}
		m.root.ext = append(m.root.ext, extent{len: uint16(b.n), unwritten: b.state == briefUnwritten, pblk: b.pblk.block()})
	}
	m.es.ext = append(m.es.ext, newES(0, b.n, b.pblk.block(), s), newES(b.n, maxBlocks-b.n, 0, esHole))
}

// unfolded is the inode with a fileMap: itself, or a copy that has one.
func (in *inode) unfolded() *inode {
	if in.brief.state == notBrief {
		return in
	}
	c, large := *in, *in.largeInode
	large.m = fileMap{es: esTree{stats: in.m.es.stats}}
	large.common = false
	c.largeInode = &large
	c.unfold()
	return &c
}

// hasDirty says whether the file has dirty blocks.
func (in *inode) hasDirty() bool {
	if in.brief.state != notBrief {
		return in.brief.state == briefDelayed
	}
	return len(in.m.cache.runs) > 0
}

// appends says whether the file stays brief when [lblk, lblk+n) is written and delayed:
// the blocks follow the run, which is delayed too.
func (b *brief) appends(lblk, n uint32) bool {
	return (b.state == briefEmpty || b.state == briefDelayed) && lblk == b.n && lblk+n <= briefEnd
}

// delayBrief makes the next n blocks delayed and dirty (delayHole).
func (fs *FS) delayBrief(in *inode, n uint32) {
	b := in.brief
	fs.countLookups(n, b.state != briefEmpty)
	fs.setBrief(in, brief{state: briefDelayed, n: b.n + n})
}

// mapBrief is mapBlocks for the whole of a file that is delayed: it asks the allocator as
// allocateExtent does. Where that gives less the file gets a fileMap.
func (fs *FS) mapBrief(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	b := &in.brief
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Goal, r.Len = fs.inodeGoal(t, in), b.n
	r.Flags = mballoc.HintData | mballoc.DelallocReserved | mballoc.UseReserved
	fs.esStats.Hits++
	p, e := fs.newBlocks(t, in, r)
	if e != 0 {
		return 0, e
	}
	m.len, m.pblk = r.Len, p
	if r.Len < b.n {
		var p path
		in.find(&p, 0, cacheRead)
		got, e := fs.putNew(t, in, &p, m, f, r.Len)
		if e == 0 {
			fs.rememberNew(in, m, f)
		}
		return got, e
	}
	placed := brief{state: briefWritten, pblk: newBlock48(p), n: b.n}
	m.state = stateNew | stateMapped
	if f&mapUnwritten != 0 {
		placed.state = briefUnwritten
		m.state |= stateUnwritten
		fs.esStats.Hits++ // rememberNew looks whether it was written meanwhile
	}
	fs.setBrief(in, placed)
	fs.dirtyInode(t, in)
	fs.useReserved(t, in, b.n, true)
	return b.n, 0
}

// convertBrief is convertUnwritten for the whole of a file. It reports false where that
// is not what is to be converted.
func (fs *FS) convertBrief(t *task, in *inode, lblk, n uint32) bool {
	b := &in.brief
	if b.state != briefUnwritten || lblk != 0 || n != b.n {
		return false
	}
	fs.esStats.Hits++
	fs.setBrief(in, brief{state: briefWritten, pblk: b.pblk, n: b.n})
	fs.dirtyInode(t, in)
	return true
}

// fiemap is the run as FIEMAP shows it, the last extent.
func (b *brief) fiemap() filesystem.Extent {
	x := filesystem.Extent{Len: uint64(b.n), Flags: filesystem.ExtentLast}
	switch b.state {
	case briefDelayed:
		x.Flags |= filesystem.ExtentDelalloc | filesystem.ExtentUnknown
		return x
	case briefUnwritten:
		x.Flags |= filesystem.ExtentUnwritten
	}
	x.Physical = b.pblk.block()
	return x
}

// releaseBrief is what release does of the blocks of a file (truncate, clearInode).
func (fs *FS) releaseBrief(t *task, in *inode) {
	b := in.brief
	if b.state == briefDelayed {
		fs.cleaned(b.n)
	}
	fs.forgetIO(in)
	fs.j.start()
	in.Size = 0
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	fs.setBrief(in, brief{state: briefEmpty})
	if b.mapped() {
		fs.freeBlocks(t, in, b.pblk.block(), b.n, dataFreeFlags(in)|freeKeepFirst|freeKeepLast)
	} else {
		fs.releaseReserved(t, in, int64(b.n))
	}
}
