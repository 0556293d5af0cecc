package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/owners"
)

// findInodes lists the inodes in memory by number.
func (c *checker) findInodes() {
	for in := range c.fs.inodes.all() {
		if c.fs.inodes.find(in.Number) != in {
			c.Errorf("inode %d is kept in another's place", in.Number)
		}
		owners.OwnInode(&c.fs.geo, c.inodes, in.Number)
		if in.isDir() {
			owners.OwnInode(&c.fs.geo, c.dirs, in.Number)
		}
		c.live = append(c.live, in)
	}
}

// inodeCounts checks the inode bitmaps, and the counts in descriptors and counters, against
// the files there are now and those there were at mount, was.
func (c *checker) inodeCounts(was *checker) {
	fs := c.fs
	inodes := owners.Inodes{Geometry: &fs.geo, Source: fs.layout, Before: was.inodes, Now: c.inodes, DirsBefore: was.dirs, DirsNow: c.dirs, Group: c.inodeGroup}
	free, dirs := inodes.Check(&c.Report)
	if n := fs.freeInodes.Sum(); n != free {
		c.Errorf("the counter has %d free inodes, the descriptors %d", n, free)
	}
	if n := fs.dirCount.Sum(); n != dirs {
		c.Errorf("the counter has %d directories, the descriptors %d", n, dirs)
	}
	for f := range fs.flexes {
		c.flex(uint32(f))
	}
}

// inodeGroup returns what memory knows about the inodes of group g, false if it knows
// nothing. It also checks that no inode below firstFree is free.
func (c *checker) inodeGroup(g allocator.GroupID) (owners.InodeGroup, bool) {
	page := c.fs.inodeGroups[g/groupsPerPage]
	if page == nil {
		return owners.InodeGroup{}, false
	}
	ig := &page[g%groupsPerPage]
	if first := ig.bits.NextZero(0, len(ig.bits)*64); ig.bits != nil && int(ig.firstFree) > first {
		c.Errorf("group %d: inode %d of it is free, and all before inode %d are taken for used", g, first, ig.firstFree)
	}
	return owners.InodeGroup{Free: ig.free, Dirs: ig.dirs, Bits: ig.bits}, true
}

// flex checks the sums over flex group f, if they have been formed.
func (c *checker) flex(f uint32) {
	fs := c.fs
	x := &fs.flexes[f]
	if !x.known {
		return
	}
	var free, dirs uint32
	first := allocator.GroupID(f << fs.geo.FlexBits)
	for g := first; g < min(first+allocator.GroupID(fs.geo.FlexSize()), fs.geo.Groups); g++ {
		// Groups that were not touched since the mount still have the counts of their
		// descriptors.
		d := fs.layout.Desc(g)
		if page := fs.inodeGroups[g/groupsPerPage]; page != nil {
			d.FreeInodes, d.UsedDirs = page[g%groupsPerPage].free, page[g%groupsPerPage].dirs
		}
		free += d.FreeInodes
		dirs += d.UsedDirs
	}
	if free != x.free || dirs != x.dirs {
		c.Errorf("flex group %d has %d free inodes and %d directories, counted %d and %d", f, free, dirs, x.free, x.dirs)
	}
}

// names checks directories: their blocks, what their names stand for, and the links and
// pins of all inodes.
func (c *checker) names() {
	links := make(map[*inode]uint32)
	pins := make(map[*inode]int)
	for _, in := range c.live {
		c.About("inode", uint64(in.Number))
		// An open file has a pin for each handle, and a pinned inode pins the directory
		// above it.
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
				c.Errorf("%q stands for inode %d, which is free", e.Name, e.Inode)
				continue
			}
			links[kid]++
			if !kid.isDir() {
				continue
			}
			links[in]++ // its ".."
			if kid.parent != in || kid.dir.Parent() != in.Number {
				c.Errorf("%q, inode %d, takes %d for the directory above", e.Name, e.Inode, kid.dir.Parent())
			}
		}
	}
	links[c.fs.root]++ // the root is its own ".."
	// The counts that the names give must be those of the inodes.
	for _, in := range c.live {
		c.About("inode", uint64(in.Number))
		want := links[in]
		if want == 1 && in.isDir() {
			want = 0 // removed, but open or above something open
		}
		if want != in.links {
			c.Errorf("%d links, counted %d", want, in.links)
		}
		// Handles, and children that are pinned, pin an inode; one without name and pin
		// would be freed.
		if pins[in] != int(in.pins) {
			c.Errorf("%d handles and children pin it, counted %d", pins[in], in.pins)
		}
		if want == 0 && in.pins == 0 {
			c.Errorf("neither a name nor a handle")
		}
	}
	c.AboutAll()
}

// directory checks that all blocks of a directory are there and written, and that every
// name is found.
func (c *checker) directory(in *inode) {
	n := uint32(in.dir.Blocks())
	// A directory inside its inode has no blocks.
	if in.inline > 0 {
		n = 0
	} else if in.links > 0 && (in.Size != int64(n)<<c.fs.geo.BlockBits || in.disksize != in.Size) {
		c.Errorf("a directory of %d blocks and %d bytes, %d on disk", n, in.Size, in.disksize)
	}
	// The extents of another must cover exactly its size, without holes.
	if d := c.fs.look(nil, in); in.links > 0 && in.inline == 0 {
		blocks := uint64(0)
		for _, x := range d {
			if x.Flags&^(filesystem.ExtentLast|filesystem.ExtentMerged) != 0 {
				c.Errorf("block %d of a directory has flags %#x", x.Logical, x.Flags)
			}
			blocks += x.Len
		}
		if blocks != uint64(n) || n > 0 && d[len(d)-1].Logical+d[len(d)-1].Len != uint64(n) {
			c.Errorf("a directory of %d blocks has %d", n, blocks)
		}
	}
	for e := range in.dir.Entries() {
		if number, ok := in.dir.Lookup(e.Name); !ok || number != e.Inode {
			c.Errorf("%q stands for inode %d, and is found as %d, %t", e.Name, e.Inode, number, ok)
		}
	}
}
