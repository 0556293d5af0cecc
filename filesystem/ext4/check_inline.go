package ext4

// inlineData checks what an inode holds itself. Such an inode has no blocks, and has dirty
// ones only while its data is on its way out.
func (c *checker) inlineData(in *inode) {
	if !c.fs.inlineData && (in.inline > 0 || in.mayInline) {
		c.Errorf("holds %d bytes itself without inline_data, and more: %t", in.inline, in.mayInline)
	}
	// An inode that holds nothing itself has nothing more to check.
	if in.inline == 0 {
		return
	}
	if in.inline < inlineBlockBytes || in.inline > in.inlineMax {
		c.Errorf("holds %d bytes itself, has room for %d", in.inline, in.inlineMax)
	}
	// The space of the block map holds data, so no block may be mapped.
	if in.Extents || in.ind != nil && !allZero(in.ind.pointers) || in.m.root.Entries() > 0 || in.blocks != in.attrs {
		c.Errorf("holds %d bytes itself, and has %d blocks, extents: %t", in.inline, in.blocks, in.Extents)
	}
	// As long as writes may still go into the inode, no page is dirty.
	if in.mayInline && (len(in.m.cache.Runs()) > 0 || in.isDir() && in.dir.InlineSize() != int(in.inline)) {
		c.Errorf("holds %d bytes itself, and has dirty blocks: %v", in.inline, in.m.cache.Runs())
	}
	if in.isDir() && in.links > 0 && (in.Size != int64(in.inline) || in.disksize != in.Size) {
		c.Errorf("a directory of %d bytes in the inode has a size of %d, %d on disk", in.inline, in.Size, in.disksize)
	}
}
