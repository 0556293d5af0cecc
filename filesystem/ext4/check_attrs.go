package ext4

import "slices"

// attrBlock counts who shares the inode's block of attributes. The first of them owns it.
func (c *checker) attrBlock(in *inode) {
	want := int64(0)
	if a := in.attributes; a != nil && a.block != nil {
		want = int64(c.fs.geo.ClusterRatio())
		if c.sharers == nil {
			c.sharers = make(map[*attrBlock]int)
		}
		if c.sharers[a.block]++; c.sharers[a.block] == 1 {
			c.own(a.block.place, 1)
			c.attrBlocks = append(c.attrBlocks, a.block)
		}
	}
	if !in.fromImage && in.attrs != want {
		c.Errorf("%d blocks of attributes, counted %d", want, in.attrs)
	}
}

// attrSharing compares what attrBlock has counted with what the blocks say, and looks for each block that
// others may share.
func (c *checker) attrSharing() {
	for _, b := range c.attrBlocks {
		if n := c.sharers[b]; n != b.refs || n > maxAttrRefs {
			c.Errorf("%d inodes have their attributes in block %d, which counts %d", n, b.place, b.refs)
		}
		if b.cached && !slices.Contains(c.fs.attrs[attrKey(b.entries)], b) {
			c.Errorf("the attributes in block %d are not found", b.place)
		}
	}
	cached := 0
	for _, list := range c.fs.attrs {
		cached += len(list)
	}
	for _, b := range c.attrBlocks {
		if b.cached {
			cached--
		}
	}
	if cached != 0 {
		c.Errorf("%d blocks of attributes too many can be shared", cached)
	}
}
