package ext4

import (
	"math/bits"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// findInodes lists the inodes in memory, by number.
func (c *checker) findInodes() {
	for in := range c.fs.inodes.all() {
		if c.fs.inodes.find(in.Number) != in {
			c.errorf("inode %d is kept in another's place", in.Number)
		}
		c.live = append(c.live, in)
	}
}

// inodeCounts checks the inode bitmaps, and what descriptors and counters say:
// an inode is in use if it is in memory, or if it was at mount and no file's.
func (c *checker) inodeCounts() {
	fs := c.fs
	ipg := fs.geo.InodesPerGroup
	live := make(map[allocator.GroupID][]*inode)
	for _, in := range c.live {
		g := allocator.GroupID((in.Number - 1) / ipg)
		live[g] = append(live[g], in)
	}
	var free, dirs int64
	for g := range fs.geo.Groups {
		d := fs.layout.Desc(g)
		if page := fs.inodeGroups[g/groupsPerPage]; page != nil {
			ig := &page[g%groupsPerPage]
			d.FreeInodes, d.UsedDirs = ig.free, ig.dirs
			c.inodeGroup(g, ig, live[g])
		}
		free += int64(d.FreeInodes)
		dirs += int64(d.UsedDirs)
	}
	if n := fs.freeInodes.Sum(); n != free {
		c.errorf("the counter has %d free inodes, the descriptors %d", n, free)
	}
	if n := fs.dirCount.Sum(); n != dirs {
		c.errorf("the counter has %d directories, the descriptors %d", n, dirs)
	}
	for f := range fs.flexes {
		c.flex(uint32(f))
	}
}

// inodeGroup checks one group, of which these inodes are in memory.
func (c *checker) inodeGroup(g allocator.GroupID, ig *inodeGroup, live []*inode) {
	ipg := c.fs.geo.InodesPerGroup
	inUse := ig.bits
	if inUse == nil {
		inUse = make([]uint64, (ipg+63)/64)
		c.fs.layout.InodeBitmap(g, inUse)
	}
	used, first := uint32(0), ipg
	for i := range ipg {
		if inUse[i/64]&(1<<(i%64)) != 0 {
			used++
		} else if first == ipg {
			first = i
		}
	}
	if ipg-used != ig.free || ig.firstFree > first {
		c.errorf("group %d: %d inodes are free, from %d on; counted %d, from %d on", g, ipg-used, first, ig.free, ig.firstFree)
	}
	dirs := uint32(0)
	for _, in := range live {
		i := (in.Number - 1) % ipg
		if inUse[i/64]&(1<<(i%64)) == 0 {
			c.errorf("inode %d is in use, and free on disk", in.Number)
		}
		if in.isDir() {
			dirs++
		}
	}
	// What dumpe2fs printed counts directories that nobody knows.
	strays := c.fs.layout.Desc(g).UsedDirs - c.dirsAtMount(g)
	if dirs+strays != ig.dirs {
		c.errorf("group %d has %d directories, counted %d", g, dirs+strays, ig.dirs)
	}
	c.strays(g, inUse, uint32(len(live)))
}

// dirsAtMount is the number of directories of group g that were in memory at mount.
func (c *checker) dirsAtMount(g allocator.GroupID) (n uint32) {
	for _, in := range c.atMount {
		if in.isDir() && c.fs.groupOf(in) == g {
			n++
		}
	}
	return n
}

// strays checks that as many inodes of a group are in use and not in memory as
// there were at mount.
func (c *checker) strays(g allocator.GroupID, inUse []uint64, live uint32) {
	before := make([]uint64, len(inUse))
	c.fs.layout.InodeBitmap(g, before)
	was := uint32(0)
	for _, in := range c.atMount {
		if c.fs.groupOf(in) == g {
			was++
		}
	}
	if n, m := ones(inUse)-live, ones(before)-was; n != m {
		c.errorf("group %d: %d inodes are in use and nobody's, at mount %d were", g, n, m)
	}
}

func ones(words []uint64) (n uint32) {
	for _, w := range words {
		n += uint32(bits.OnesCount64(w))
	}
	return n
}

// flex checks the sums over a flex group, where they are known.
func (c *checker) flex(f uint32) {
	fs := c.fs
	x := &fs.flexes[f]
	if !x.known {
		return
	}
	var free, dirs uint32
	first := allocator.GroupID(f << fs.geo.FlexBits)
	for g := first; g < min(first+allocator.GroupID(fs.geo.FlexSize()), fs.geo.Groups); g++ {
		d := fs.layout.Desc(g)
		if page := fs.inodeGroups[g/groupsPerPage]; page != nil {
			d.FreeInodes, d.UsedDirs = page[g%groupsPerPage].free, page[g%groupsPerPage].dirs
		}
		free += d.FreeInodes
		dirs += d.UsedDirs
	}
	if free != x.free || dirs != x.dirs {
		c.errorf("flex group %d has %d free inodes and %d directories, counted %d and %d", f, free, dirs, x.free, x.dirs)
	}
}

// names checks directories: their blocks, what their names stand for, and the
// links and pins of all inodes.
func (c *checker) names() {
	links := make(map[*inode]uint32)
	pins := make(map[*inode]int)
	for _, in := range c.live {
		c.in, c.told = in, 0
		pins[in] += int(in.Writers)
		if in.pins > 0 && in.parent != in {
			pins[in.parent]++
		}
		if !in.isDir() {
			continue
		}
		links[in]++ // "."
		c.directory(in)
		for e := range in.dir.Entries() {
			kid := c.fs.inodes.find(e.Inode)
			if kid == nil {
				c.errorf("%q stands for inode %d, which is free", e.Name, e.Inode)
				continue
			}
			links[kid]++
			if !kid.isDir() {
				continue
			}
			links[in]++ // its ".."
			if kid.parent != in || kid.dir.Parent() != in.Number {
				c.errorf("%q, inode %d, takes %d for the directory above", e.Name, e.Inode, kid.dir.Parent())
			}
		}
	}
	links[c.fs.root]++ // the root is its own ".."
	for _, in := range c.live {
		c.in, c.told = in, 0
		want := links[in]
		if want == 1 && in.isDir() {
			want = 0 // removed, but open or above something open
		}
		if want != in.links {
			c.errorf("%d links, counted %d", want, in.links)
		}
		if pins[in] != int(in.pins) {
			c.errorf("%d handles and children pin it, counted %d", pins[in], in.pins)
		}
		if want == 0 && in.pins == 0 {
			c.errorf("neither a name nor a handle")
		}
	}
	c.in = nil
}

// directory checks that all blocks of a directory are there and written.
func (c *checker) directory(in *inode) {
	n := uint32(in.dir.Blocks())
	if in.inline > 0 {
		n = 0
	} else if in.links > 0 && (in.Size != int64(n)<<c.fs.geo.BlockBits || in.disksize != in.Size) {
		c.errorf("a directory of %d blocks and %d bytes, %d on disk", n, in.Size, in.disksize)
	}
	if d := c.fs.look(nil, in); in.links > 0 && in.inline == 0 {
		blocks := uint64(0)
		for _, x := range d {
			if x.Flags&^(filesystem.ExtentLast|filesystem.ExtentMerged) != 0 {
				c.errorf("block %d of a directory has flags %#x", x.Logical, x.Flags)
			}
			blocks += x.Len
		}
		if blocks != uint64(n) || n > 0 && d[len(d)-1].Logical+d[len(d)-1].Len != uint64(n) {
			c.errorf("a directory of %d blocks has %d", n, blocks)
		}
	}
	for e := range in.dir.Entries() {
		if number, ok := in.dir.Lookup(e.Name); !ok || number != e.Inode {
			c.errorf("%q stands for inode %d, and is found as %d, %t", e.Name, e.Inode, number, ok)
		}
	}
}
