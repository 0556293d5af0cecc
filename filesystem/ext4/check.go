package ext4

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/owners"
	"mbsim/internal/invariants"
)

// Check counts again, slowly, what the file system keeps up to date as it goes, as e2fsck
// does and more: which file holds each block (this file), the trees (check_tree.go), what
// memory knows of files that is not on disk yet (check_memory.go), and inodes, names and
// lists (check_inodes.go, check_lists.go). It returns all contradictions (package owners
// says how many at most), and leaves no trace, as Look does.
//
// Between two operations everything must agree. If several processes run at once, and some
// wait in the middle of an operation, what is on disk must agree all the same; the counters
// need not.
//
// Not checked: blocks of extended attributes, which images may have and nothing here frees.
func (fs *FS) Check() error {
	c := newChecker(fs)
	c.all()
	return c.Err()
}

// checkNow panics if Check finds a contradiction. With the build tag invariants it is
// called after each sync and remount.
func (fs *FS) checkNow() {
	if !invariants.Enabled || fs.host != nil {
		return
	}
	if err := fs.Check(); err != nil {
		panic(fmt.Sprintf("ext4: invariant broken (geometry %+v, options %+v):\n%v", fs.geo, fs.opt, err))
	}
}

// checker is one run of Check, and what it has gathered.
type checker struct {
	owners.Report
	fs           *FS
	blocks       *owners.Set // the clusters that files hold
	inodes, dirs *owners.Set // the inodes in memory, and those of directories
	live         []*inode    // in memory, by number
	attrBlocks   []*attrBlock
	sharers      map[*attrBlock]int // inodes that have their attributes there
}

// newChecker makes a checker that has found nothing yet.
func newChecker(fs *FS) *checker {
	per := fs.geo.InodesPerGroup
	return &checker{fs: fs, blocks: owners.NewSet(fs.geo.ClustersPerGroup), inodes: owners.NewSet(per), dirs: owners.NewSet(per)}
}

// all checks everything, in an order in which each part may rely on what was found before.
func (c *checker) all() {
	c.findInodes()
	var reserved, dirty int64
	var status filesystem.StatusTree
	// Inode by inode: its tree, and what memory knows about it. A brief file is checked as
	// the fileMap that it stands for.
	for _, in := range c.live {
		in = in.expanded()
		c.About("inode", uint64(in.Number))
		t := c.tree(in)
		c.pages(in, t)
		reserved += int64(in.reserved)
		dirty += in.m.cache.Dirty()
		counted := es.Tally(in.m.es.Ranges())
		status.Add(&counted)
	}
	c.AboutAll()
	c.attrSharing()
	// The largeInode that most inodes share must never be written to.
	if l := c.fs.inodes.sharedLarge; l.rareState != (rareState{}) || len(l.m.es.Ranges())+len(l.m.cache.Runs())+l.m.root.Entries() > 0 {
		c.Errorf("somebody has changed what inodes share: %+v", l)
	}
	// The sums over all inodes must be what is counted.
	if n := c.fs.alloc.DirtyClusters().Sum(); n != reserved && !(c.fs.leaksReservations() && n > reserved) {
		c.Errorf("files have %d clusters reserved, the allocator's counter of dirty clusters is %d", reserved, n)
	}
	status.Hits, status.Misses = c.fs.esStats.Hits, c.fs.esStats.Misses
	if status != c.fs.esStats.StatusTree {
		c.Errorf("status trees: %+v, counted %+v", status, c.fs.esStats.StatusTree)
	}
	if dirty != c.fs.dirtyBlocks {
		c.Errorf("files have %d dirty blocks, counted %d", dirty, c.fs.dirtyBlocks)
	}
	if n := len(c.fs.conversions); n > 0 && c.fs.host == nil {
		c.Errorf("%d ranges wait for the end of their IO", n)
	}
	if n := c.fs.holesConverted; n > 0 {
		c.Errorf("blocks were taken away %d times while their data was on its way to them", n)
	}
	for _, x := range c.fs.leaked {
		c.own(x.Pblk, uint64(x.Len))
	}
	// What was on disk at mount, and the changes since, must add up to what there is now.
	if before := c.mountAgain(); before != nil {
		c.bitmaps(before)
		c.inodeCounts(before)
	}
	c.names()
	c.dirtyList()
	c.orphanList()
}

// own notes that the inode being checked holds the n blocks from b on, in whole clusters or
// in the last part of one.
func (c *checker) own(b allocator.Block, n uint64) {
	if err := owners.Own(&c.fs.geo, c.blocks, b, n); err != nil {
		c.Errorf("%v", err)
	}
}

// mountAgain finds out which files there were at mount, and what they held. It returns nil
// if that cannot be mounted.
func (c *checker) mountAgain() *checker {
	fs, err := Mount(c.fs.layout, Options{CPUs: 1, Stripe: -1, Kernel: c.fs.opt.Kernel, NoJournal: c.fs.opt.NoJournal})
	if err != nil {
		c.Errorf("mounting what was at mount: %v", err)
		return nil
	}
	was := newChecker(fs)
	was.findInodes()
	for _, in := range was.live {
		was.About("inode", uint64(in.Number))
		was.tree(in)
	}
	return was
}

// bitmaps compares what files hold with the block bitmaps on disk and in memory.
func (c *checker) bitmaps(was *checker) {
	fs := c.fs
	blocks := owners.Blocks{Geometry: &fs.geo, Source: fs.layout, Allocator: fs.alloc, Before: was.blocks, Now: c.blocks}
	blocks.Check(&c.Report)
}
