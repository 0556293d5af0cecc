package ext4

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/internal/invariants"
)

// Check recounts slowly, like e2fsck and more, all that the file system keeps
// fast: whose every block is (here), the trees (check_tree.go), what memory knows
// of files that is not on disk yet (check_memory.go), inodes, names and lists
// (check_inodes.go). It returns all that contradicts, at most checkLimit of each
// inode. It reads without a trace, as Look does.
//
// Between two operations all of it holds. Where several processes run at once,
// some waiting in the middle of theirs, what is on disk holds all the same, and
// what is counted need not.
//
// Not checked: blocks of extended attributes, which images may have and nothing
// here frees.
func (fs *FS) Check() error {
	words := 8 << fs.geo.BlockBits / 64
	c := checker{fs: fs, owned: make(map[allocator.GroupID][]uint64), words: words, start: make([]uint64, words)}
	c.all()
	return errors.Join(c.errs...)
}

// checkNow panics if anything contradicts. With the build tag invariants it is
// called after each sync and remount.
func (fs *FS) checkNow() {
	if !invariants.Enabled || fs.host != nil {
		return
	}
	if err := fs.Check(); err != nil {
		panic(fmt.Sprintf("ext4: invariant broken (geometry %+v, options %+v):\n%v", fs.geo, fs.opt, err))
	}
}

// checkLimit is how many contradictions of one inode are told.
const checkLimit = 10

// checker is one run of Check.
type checker struct {
	fs    *FS
	words int // of a bitmap
	errs  []error
	owned map[allocator.GroupID][]uint64 // by group, the clusters that files hold
	start []uint64                       // the bitmap of a group as it was at mount

	in   *inode // the one being checked
	told int    // contradictions of it

	live    []*inode // in memory, by number
	atMount []*inode // those in memory then
}

// errorf notes a contradiction of the inode being checked, or of the whole.
func (c *checker) errorf(format string, args ...any) {
	if c.in == nil {
		c.errs = append(c.errs, fmt.Errorf(format, args...))
		return
	}
	if c.told++; c.told <= checkLimit {
		c.errs = append(c.errs, fmt.Errorf("inode %d: "+format, append([]any{c.in.Number}, args...)...))
	}
}

// all checks all.
func (c *checker) all() {
	c.findInodes()
	var reserved, dirty int64
	var status filesystem.StatusTree
	for _, in := range c.live {
		in = in.unfolded()
		c.in, c.told = in, 0
		t := c.tree(in)
		c.pages(in, t)
		reserved += int64(in.reserved)
		dirty += in.m.cache.count()
		in.m.es.recount(&status)
	}
	c.in = nil
	if l := c.fs.inodes.noLarge; l.rareState != (rareState{}) || len(l.m.es.ext)+len(l.m.cache.runs)+l.m.root.entries() > 0 {
		c.errorf("somebody has changed what inodes share: %+v", l)
	}
	if n := c.fs.alloc.DirtyClusters().Sum(); n != reserved && !(c.fs.leaksReservations() && n > reserved) {
		c.errorf("files have %d clusters reserved, the allocator's counter of dirty clusters is %d", reserved, n)
	}
	status.Hits, status.Misses = c.fs.esStats.Hits, c.fs.esStats.Misses
	if status != c.fs.esStats {
		c.errorf("status trees: %+v, counted %+v", status, c.fs.esStats)
	}
	if dirty != c.fs.dirtyBlocks {
		c.errorf("files have %d dirty blocks, counted %d", dirty, c.fs.dirtyBlocks)
	}
	if n := len(c.fs.conversions); n > 0 && c.fs.host == nil {
		c.errorf("%d ranges wait for the end of their IO", n)
	}
	if before := c.mountAgain(); before != nil {
		c.bitmaps(before)
		c.inodeCounts()
	}
	c.names()
	c.dirtyList()
	c.orphanList()
}

// count is the number of dirty blocks.
func (p *pageCache) count() (n int64) {
	for i := range p.runs {
		n += int64(p.runs[i].len)
	}
	return n
}

// own notes that the inode being checked holds the cluster of block b.
func (c *checker) own(b allocator.Block) {
	geo := &c.fs.geo
	if b < geo.FirstDataBlock || b >= geo.Blocks {
		c.errorf("block %d is not on the device", b)
		return
	}
	id, off := geo.GroupOf(b)
	bits := c.owned[id]
	if bits == nil {
		bits = make([]uint64, c.words)
		c.owned[id] = bits
	}
	if bits[off/64]&(1<<(off%64)) != 0 {
		c.errorf("cluster %d of group %d, block %d, has two owners", off, id, b)
	}
	bits[off/64] |= 1 << (off % 64)
}

// mountAgain finds out what files there were at mount, and what they held.
func (c *checker) mountAgain() *checker {
	fs, err := Mount(c.fs.layout, Options{CPUs: 1, Stripe: -1, Profile: c.fs.opt.Profile, NoJournal: c.fs.opt.NoJournal})
	if err != nil {
		c.errorf("mounting what was at mount: %v", err)
		return nil
	}
	was := &checker{fs: fs, owned: make(map[allocator.GroupID][]uint64), words: c.words}
	was.findInodes()
	for _, in := range was.live {
		was.in = in
		was.tree(in)
	}
	c.atMount = was.live
	return was
}

// bitmaps compares what files hold with the bitmaps on disk: a cluster is in use
// if a file holds it, or if it was at mount and no file held it.
func (c *checker) bitmaps(was *checker) {
	var ids []allocator.GroupID
	for id := range c.owned {
		ids = append(ids, id)
	}
	for id := range was.owned {
		ids = append(ids, id)
	}
	for id := range c.fs.alloc.Touched() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		c.group(id, was.owned[id])
	}
	if n, sum := c.fs.alloc.FreeClusters().Sum(), c.fs.alloc.CountFreeClusters(); n != sum {
		c.errorf("the counter has %d free clusters, the descriptors %d", n, sum)
	}
}

// group compares the bitmap of a group; held is what files held at mount. Word by word
// what should be in use is put together, and only where a word differs is it told why:
// a device of terabytes has billions of clusters.
func (c *checker) group(id allocator.GroupID, held []uint64) {
	start := c.start
	clear(start)
	c.fs.layout.BlockBitmap(id, start)
	disk := c.fs.alloc.PeekBitmap(id)
	if disk == nil {
		disk = start
	}
	owned := c.owned[id]
	clusters := c.fs.geo.ClustersIn(id)
	free := uint32(0)
	run := wrongRun{c: c, id: id}
	for w := range (clusters + 63) / 64 {
		valid := ^uint64(0) // all but the last word of the last group
		if rest := clusters - w*64; rest < 64 {
			valid = 1<<rest - 1
		}
		system, file := start[w], uint64(0)
		if held != nil {
			system &^= held[w]
		}
		if owned != nil {
			file = owned[w]
		}
		used := disk[w]
		free += uint32(bits.OnesCount64(^used & valid))
		for wrong := (system&file | (used ^ (system | file))) & valid; wrong != 0; wrong &= wrong - 1 {
			i := uint32(bits.TrailingZeros64(wrong))
			run.add(w*64+i, used>>i&1 != 0, system>>i&1 != 0, file>>i&1 != 0)
		}
	}
	run.tell()
	want, touched := c.fs.alloc.PeekFree(id)
	if !touched {
		want = c.fs.layout.Desc(id).FreeClusters
	}
	if free != want {
		c.errorf("group %d: %d clusters are free, its descriptor says %d", id, free, want)
	}
}

// wrongRun is neighbouring clusters of a group of which the same is wrong. They are told
// of together.
type wrongRun struct {
	c           *checker
	id          allocator.GroupID
	first, next uint32
	what        string
}

// add notes that cluster i is in use on disk or not, and the file system's own, a file's,
// both or nobody's.
func (r *wrongRun) add(i uint32, used, system, file bool) {
	what := "in use and free on disk"
	switch {
	case system && file:
		what = "a file's and the file system's own"
	case used:
		what = "in use and nobody's"
	}
	if what != r.what || i != r.next {
		r.tell()
		r.first, r.what = i, what
	}
	r.next = i + 1
}

// tell tells of the run, if there is one.
func (r *wrongRun) tell() {
	if r.what == "" {
		return
	}
	from := r.c.fs.geo.BlockAt(r.id, allocator.GroupOffset(r.first))
	if r.next-r.first == 1 {
		r.c.errorf("cluster %d of group %d, block %d, is %s", r.first, r.id, from, r.what)
		return
	}
	r.c.errorf("clusters %d to %d of group %d, from block %d on, are %s", r.first, r.next-1, r.id, from, r.what)
}
