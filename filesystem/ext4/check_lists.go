package ext4

// dirtyList checks the list of dirty inodes: linked both ways, the oldest first,
// and of inodes that say they are on it.
func (c *checker) dirtyList() {
	fs := c.fs
	on := make(map[*inode]bool)
	var prev *inode
	for in := fs.dirtyHead; in != nil; prev, in = in, in.dirtyNext {
		c.in, c.told = in, 0
		if on[in] {
			c.errorf("twice on the list of dirty inodes")
			break
		}
		on[in] = true
		if in.dirtyPrev != prev || !in.onDirtyList || c.fs.inodes.find(in.Number) != in {
			c.errorf("on the list of dirty inodes, with the flag %t", in.onDirtyList)
		}
		if prev != nil && prev.dirtied > in.dirtied {
			c.errorf("dirty since %d, behind one that is since %d", in.dirtied, prev.dirtied)
		}
	}
	c.in = nil
	if fs.dirtyTail != prev {
		c.errorf("the list of dirty inodes has another end")
	}
	for _, in := range c.live {
		if in.onDirtyList != on[in] {
			c.errorf("inode %d is not on the list of dirty inodes, and says so", in.Number)
		}
	}
}

// orphanList checks the list of orphans: every inode without a name, as long as
// something holds it. Without a journal there is none.
func (c *checker) orphanList() {
	fs := c.fs
	on := make(map[*inode]bool)
	var newer *inode
	for in := fs.orphans; in != nil; newer, in = in, in.older {
		c.in, c.told = in, 0
		if on[in] {
			c.errorf("twice on the list of orphans")
			break
		}
		on[in] = true
		if in.newer != newer || !in.onOrphanList || in.links != 0 || c.fs.inodes.find(in.Number) != in || fs.j == nil {
			c.errorf("on the list of orphans with %d links, the flag %t", in.links, in.onOrphanList)
		}
	}
	c.in = nil
	for _, in := range c.live {
		if in.onOrphanList != on[in] || fs.j != nil && in.links == 0 && !on[in] {
			c.errorf("inode %d has %d links, and on the list of orphans it is %t", in.Number, in.links, on[in])
		}
	}
}
