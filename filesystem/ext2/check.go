package ext2

import (
	"mbsim/allocator"
	"mbsim/filesystem/owners"
)

// Check recounts slowly, like e2fsck and more, all that the file system keeps
// fast: whose every block and inode is, by package owners; the trees and windows
// of inodes (here); what descriptors and counters say (check_counts.go); names,
// links and orphans (check_names.go). The error joins all that contradicts. It
// reads without a trace: what it looks at is not loaded or counted.
//
// It holds whenever no operation is under way. An operation never gives way to
// another process before it has ended, so that is at every moment.
//
// Its time goes by the inodes and blocks in use, twice those that were there at
// mount, and the number of groups.
//
// Not checked: blocks of extended attributes, which images may have and nothing
// here frees.
func (fs *FS) Check() error {
	c := newChecker(fs)
	c.all(c.atMount())
	return c.Err()
}

// tally is who has what: the blocks of files, and the inodes.
type tally struct{ blocks, inodes, dirs *owners.Set }

func (fs *FS) newTally() tally {
	per := fs.geo.InodesPerGroup
	return tally{owners.NewSet(fs.geo.ClustersPerGroup), owners.NewSet(per), owners.NewSet(per)}
}

// checker is one run of Check.
type checker struct {
	owners.Report
	tally // what files have now
	fs    *FS
	live  []*inode // in memory, by number
	held  int      // windows that are not empty
	n     int64    // blocks of the inode being checked, indirect ones included
	data  int64    // of these, those with data
	end   uint64   // behind its last block of data
}

func newChecker(fs *FS) *checker {
	return &checker{fs: fs, tally: fs.newTally()}
}

// peekInode is the inode of this number, nil where it is not in use.
func (fs *FS) peekInode(number uint32) *inode {
	if page := number / inodesPerPage; int(page) < len(fs.inodes) && fs.inodes[page] != nil {
		return fs.inodes[page][number%inodesPerPage]
	}
	return nil
}

// all checks everything, given who had what at mount.
func (c *checker) all(before *tally) {
	fs := c.fs
	opens := 0
	for i, page := range fs.inodes {
		for k, in := range page {
			if in == nil {
				continue
			}
			c.live = append(c.live, in)
			c.About("inode", uint64(in.number))
			if want := uint32(i*inodesPerPage + k); in.number != want || want == 0 || want > fs.layout.Super.Inodes {
				c.Errorf("kept in the place of inode %d of %d", want, fs.layout.Super.Inodes)
				continue
			}
			c.inode(in)
			opens += in.opens
		}
	}
	c.AboutAll()
	if opens != fs.open {
		c.Errorf("%d handles, counted %d", opens, fs.open)
	}
	c.windows()
	c.spares()
	if before != nil {
		blocks := owners.Blocks{Geometry: &fs.geo, Source: fs.layout, Allocator: fs.alloc, Stuck: fs.alloc.Stuck, Before: before.blocks, Now: c.blocks}
		blocks.Check(&c.Report)
		c.inodeCounts(before)
	}
	c.names()
}

// inode checks one inode by itself.
func (c *checker) inode(in *inode) {
	owners.OwnInode(&c.fs.geo, c.inodes, in.number)
	if in.isDir() {
		owners.OwnInode(&c.fs.geo, c.dirs, in.number)
	}
	c.tree(in)
	if c.n+in.attrs != in.blocks {
		c.Errorf("its pointers lead to %d blocks, %d more are of attributes, it counts %d", c.n, in.attrs, in.blocks)
	}
	bits := c.fs.geo.BlockBits
	if in.size < 0 || in.size > c.fs.maxBytes {
		c.Errorf("a size of %d bytes, the largest is %d", in.size, c.fs.maxBytes)
	} else if end := uint64(in.size+c.fs.geo.BlockSize()-1) >> bits; c.end > end {
		c.Errorf("block %d has a place, and %d bytes end with block %d", c.end-1, in.size, int64(end)-1)
	}
	if in.opens < 0 || in.opens > 0 && !in.isFile() {
		c.Errorf("%d handles, with mode %o", in.opens, in.mode)
	}
	if in.dir != nil {
		if blocks := int64(in.dir.Blocks()); in.size != blocks<<bits || c.data != blocks {
			c.Errorf("a directory of %d blocks has %d bytes, and pointers to %d", blocks, in.size, c.data)
		}
	}
	c.window(in)
}

// window checks the reservation of an inode: only a regular file that is open has
// one, and it begins on the device. It may end behind that, as in the kernel.
func (c *checker) window(in *inode) {
	start, n := in.window.Reserved()
	if n == 0 {
		return
	}
	c.held++
	if geo := &c.fs.geo; start < geo.FirstDataBlock || start >= geo.Blocks {
		c.Errorf("its window of %d blocks begins at block %d, the device has %d", n, start, geo.Blocks)
	}
	if !in.isFile() || !in.started || in.opens == 0 {
		c.Errorf("has a window at block %d, with mode %o and %d handles", start, in.mode, in.opens)
	}
}

// windows checks the allocator's set of windows: they are those of the inodes,
// each once. Windows that differ are at different places, so their number decides.
func (c *checker) windows() {
	if err := c.fs.alloc.CheckWindows(); err != nil {
		c.Errorf("%w", err)
		return
	}
	n := 0
	for w := range c.fs.alloc.Windows() {
		if _, blocks := w.Reserved(); blocks == 0 {
			c.Errorf("an empty window is in the set of windows")
		}
		n++
	}
	if n != c.held {
		c.Errorf("%d inodes have windows, the allocator has %d", c.held, n)
	}
}

// tree checks the pointers of an inode, and claims the blocks they lead to.
func (c *checker) tree(in *inode) {
	c.n, c.data, c.end = 0, 0, 0
	c.leaf(&in.top, 0, in.top.ptr[:directSlots])
	lblk := uint64(directSlots)
	for i := directSlots; i < inodeSlots; i++ {
		levels := i - directSlots + 1
		c.slot(&in.top, i, levels, lblk)
		lblk += 1 << (int(c.fs.pointerBits) * levels)
	}
	for i, kid := range in.top.kid[:directSlots] {
		if kid != nil {
			c.Errorf("slot %d, of a block of data, has an array below it", i)
		}
	}
}

// leaf claims the data that ptr, pointers of n, lead to: from block lblk of the file
// on, those in a row at once.
func (c *checker) leaf(n *node, lblk uint64, ptr []uint32) {
	for i := 0; i < len(ptr); {
		first := i
		for i++; i < len(ptr) && ptr[first] != 0 && ptr[i] == ptr[first]+uint32(i-first); i++ {
		}
		if ptr[first] == 0 {
			continue
		}
		c.claim(n, first, allocator.Block(ptr[first]), uint64(i-first))
		c.data += int64(i - first)
		c.end = lblk + uint64(i)
	}
}

// claim notes that the inode being checked has the blocks that slots of n from slot on
// point to.
func (c *checker) claim(n *node, slot int, b allocator.Block, blocks uint64) {
	if err := owners.Own(&c.fs.geo, c.blocks, b, blocks); err != nil {
		c.Errorf("slot %d of block %d: %w", slot, n.blk, err)
	}
	c.n += int64(blocks)
}

// slot checks slot i of n, which points to an array of pointers; the data, from lblk
// on, lies as many levels below.
func (c *checker) slot(n *node, i, levels int, lblk uint64) {
	b, kid := allocator.Block(n.ptr[i]), n.kid[i]
	if (kid != nil) != (b != 0) || kid != nil && (kid.blk != b || len(kid.ptr) != 1<<c.fs.pointerBits || (kid.kid == nil) != (levels == 1)) {
		c.Errorf("slot %d of block %d points to block %d, %d levels above the data, and not to the array that is kept for it", i, n.blk, b, levels)
		return
	}
	if b == 0 {
		return
	}
	c.claim(n, i, b, 1)
	have := c.n
	if levels == 1 {
		c.leaf(kid, lblk, kid.ptr)
	} else {
		for k := range kid.ptr {
			c.slot(kid, k, levels-1, lblk+uint64(k)<<(int(c.fs.pointerBits)*(levels-1)))
		}
	}
	if c.n == have && !kid.bare {
		c.Errorf("the indirect block %d is empty", b)
	}
}
