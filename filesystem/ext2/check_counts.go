package ext2

import (
	"mbsim/allocator"
	"mbsim/filesystem/owners"
)

// atMount reads from the layout which blocks and inodes files had at mount; nil where that
// fails.
func (c *checker) atMount() *tally {
	fs := c.fs
	was := fs.newTally()
	for _, number := range fs.atMount {
		in, err := fs.layout.Inode(number)
		if err != nil {
			c.Errorf("reading what was at mount: %w", err)
			return nil
		}
		owners.OwnInode(&fs.geo, was.inodes, number)
		if in.IsDir() {
			owners.OwnInode(&fs.geo, was.dirs, number)
		}
		// All blocks of the inode: those of its mapping and its data.
		own := func(b allocator.Block, n uint64) {
			if err := owners.Own(&fs.geo, was.blocks, b, n); err != nil {
				c.Errorf("inode %d at mount: %w", number, err)
			}
		}
		for _, m := range in.Meta {
			own(m.Block, 1)
		}
		for _, x := range in.Extents {
			own(x.Physical, x.Len)
		}
	}
	return &was
}

// inodeCounts checks the inode bitmaps, and what descriptors and counters say.
func (c *checker) inodeCounts(before *tally) {
	fs := c.fs
	x := owners.Inodes{
		Geometry: &fs.geo, Source: fs.layout,
		Before: before.inodes, Now: c.inodes, DirsBefore: before.dirs, DirsNow: c.dirs,
		Group: func(g allocator.GroupID) (owners.InodeGroup, bool) {
			x := &fs.inodeGroups[g]
			// takeInode searches from full on, so no inode below it may be free.
			if x.bits != nil {
				if zero := x.bits.NextZero(0, x.full); zero < x.full {
					c.Errorf("group %d: its first %d inodes are said to be in use, number %d is free", g, x.full, zero)
				}
			}
			return owners.InodeGroup{Free: x.free, Dirs: x.dirs, Bits: x.bits}, true
		},
	}
	// The percpu counters must equal the sums over the descriptors.
	free, dirs := x.Check(&c.Report)
	if n := fs.freeInodes.Sum(); n != free {
		c.Errorf("the counter has %d free inodes, the descriptors %d", n, free)
	}
	if n := fs.dirCount.Sum(); n != dirs {
		c.Errorf("the counter has %d directories, the descriptors %d", n, dirs)
	}
}

// spares checks what waits to be used again: indirect blocks without a pointer, and
// inodes that no number leads to.
func (c *checker) spares() {
	for _, n := range c.fs.spareLeaves {
		for _, p := range n.ptr {
			if p != 0 {
				c.Errorf("an indirect block that waits to be used again points to block %d", p)
				break
			}
		}
	}
	for _, in := range c.fs.spareInodes {
		if _, n := in.window.Reserved(); n > 0 || in.opens > 0 || c.fs.peekInode(in.number) == in {
			c.Errorf("inode %d waits to be used again, and is in use", in.number)
		}
	}
}
