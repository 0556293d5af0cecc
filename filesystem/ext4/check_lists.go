package ext4

// dirtyList checks the list of dirty inodes: the oldest is first, each is at the place that
// it notes, and the list counts them right.
func (c *checker) dirtyList() {
	fs := c.fs
	on := make(map[*inode]bool)
	var prev *inode
	for i, in := range fs.dirty.places {
		if in == nil {
			if i == fs.dirty.head || i == len(fs.dirty.places)-1 {
				c.Errorf("the list of dirty inodes begins or ends with a gap")
			}
			continue
		}
		c.About("inode", uint64(in.Number))
		on[in] = true
		if in.dirtyPlace != int32(i)+1 || i < fs.dirty.head || c.fs.inodes.find(in.Number) != in {
			c.Errorf("at place %d of the list of dirty inodes, and says %d", i+1, in.dirtyPlace)
		}
		if prev != nil && prev.dirtied > in.dirtied {
			c.Errorf("dirty since %d, behind one that is since %d", in.dirtied, prev.dirtied)
		}
		prev = in
	}
	c.AboutAll()
	// The count, and the other direction: who is not on the list must not believe to be.
	if fs.dirty.count != len(on) {
		c.Errorf("the list of dirty inodes counts %d, and has %d", fs.dirty.count, len(on))
	}
	for _, in := range c.live {
		if in.onDirtyList() != on[in] {
			c.Errorf("inode %d is not on the list of dirty inodes, and says so", in.Number)
		}
	}
}

// orphanList checks the list of orphans: it has every inode without a name, as long as
// something holds that inode. Without a journal it is empty.
func (c *checker) orphanList() {
	fs := c.fs
	on := make(map[*inode]bool)
	var newer *inode
	for in := fs.orphans; in != nil; newer, in = in, in.older {
		c.About("inode", uint64(in.Number))
		if on[in] {
			c.Errorf("twice on the list of orphans")
			break
		}
		on[in] = true
		if in.newer != newer || !in.onOrphanList || in.links != 0 || c.fs.inodes.find(in.Number) != in || fs.journal == nil {
			c.Errorf("on the list of orphans with %d links, the flag %t", in.links, in.onOrphanList)
		}
	}
	c.AboutAll()
	// The count, and the other direction: every inode without a name is on the list.
	if len(on) != fs.orphanCount {
		c.Errorf("the list of orphans counts %d, and has %d", fs.orphanCount, len(on))
	}
	for _, in := range c.live {
		if in.onOrphanList != on[in] || fs.journal != nil && in.links == 0 && !on[in] {
			c.Errorf("inode %d has %d links, and on the list of orphans it is %t", in.Number, in.links, on[in])
		}
	}
}
