package ext2

// namesCheck is the links, orphans and parents of inodes, counted from the directories.
type namesCheck struct {
	links   map[*inode]uint32
	orphans map[*inode]int
	parents map[*inode]*inode // of directories, the directory that names it
}

// names checks directories: what their names stand for, that they are a tree, and
// the links and orphans of all inodes.
func (c *checker) names() {
	n := namesCheck{make(map[*inode]uint32), make(map[*inode]int), map[*inode]*inode{c.fs.root: c.fs.root}}
	n.links[c.fs.root]++ // the root is its own ".."
	// Every directory is read first, since a link may be in any of them.
	for _, in := range c.live {
		c.About("inode", uint64(in.number))
		if in.orphan {
			n.orphans[in.parent]++
		}
		if in.isDir() {
			c.directory(in, &n)
		}
	}
	// Then each inode's own numbers are compared with what was counted.
	for _, in := range c.live {
		c.About("inode", uint64(in.number))
		c.holders(in, &n)
	}
	c.AboutAll()
	c.reach(&n)
	// The directory that find remembers must be the one its path leads to.
	if fs := c.fs; fs.lastDir != nil {
		if in, e := fs.walkTo(fs.lastDirPath); in != fs.lastDir {
			c.Errorf("%q is remembered as directory %d, and leads to another (%v)", fs.lastDirPath, fs.lastDir.number, e)
		}
	}
}

// directory checks what the names of a directory stand for.
func (c *checker) directory(in *inode, n *namesCheck) {
	if in.dir == nil {
		c.Errorf("a directory without entries")
		return
	}
	n.links[in]++ // "."
	// Each name must be found by a lookup, and stand for an inode that is in use.
	for e := range in.dir.Entries() {
		if number, ok := in.dir.Lookup(e.Name); !ok || number != e.Inode {
			c.Errorf("%q stands for inode %d, and is found as %d, %t", e.Name, e.Inode, number, ok)
		}
		kid := c.fs.peekInode(e.Inode)
		if kid == nil {
			c.Errorf("%q stands for inode %d, which is free", e.Name, e.Inode)
			continue
		}
		// A directory has one name, in the directory that is its parent.
		n.links[kid]++
		if !kid.isDir() {
			continue
		}
		n.links[in]++ // its ".."
		if above := n.parents[kid]; above != nil {
			c.Errorf("%q is a second name of directory %d, which has one in directory %d", e.Name, e.Inode, above.number)
			continue
		}
		n.parents[kid] = in
		if kid.parent != in || kid.dir != nil && kid.dir.Parent() != in.number {
			c.Errorf("%q, directory %d, takes another for the directory above", e.Name, e.Inode)
		}
	}
}

// holders checks what holds an inode: its links, and without any its handles and the
// orphans that were in it.
func (c *checker) holders(in *inode, n *namesCheck) {
	// Links are names, and for a directory also its "." and the ".." of those below.
	want := n.links[in]
	if in.isDir() && n.parents[in] == nil && want == 1 {
		want = 0 // removed: its "." does not count
	}
	if want != in.links {
		c.Errorf("%d links, counted %d", want, in.links)
	}
	if n.orphans[in] != in.orphans {
		c.Errorf("%d orphans were in it, counted %d", n.orphans[in], in.orphans)
	}
	// An inode without links is an orphan, which handles or orphans below it must hold, and
	// which holds the directory it was in.
	switch gone := in.links == 0; {
	case gone != in.orphan:
		c.Errorf("%d links, and an orphan: %t", in.links, in.orphan)
	case !gone:
	case in.opens == 0 && in.orphans == 0:
		c.Errorf("neither a name nor a handle")
	case in.parent == nil || c.fs.peekInode(in.parent.number) != in.parent:
		c.Errorf("an orphan of a directory that is gone")
	}
}

// reach checks that every directory with a name is below the root.
func (c *checker) reach(n *namesCheck) {
	below := map[*inode]bool{c.fs.root: true}
	for _, in := range c.live {
		if !in.isDir() || below[in] || in.links == 0 {
			continue
		}
		// Up to what is known to be below the root; a circle comes back to itself.
		var way []*inode
		on := make(map[*inode]bool)
		at := in
		for at != nil && !below[at] && !on[at] {
			on[at] = true
			way = append(way, at)
			at = n.parents[at]
		}
		if at != nil && below[at] {
			for _, x := range way {
				below[x] = true
			}
		}
		if !below[in] {
			c.Errorf("directory %d is not below the root", in.number)
		}
	}
}
