package ext4

// markDirty puts in at the end of the list of dirty inodes, unless it is on it
// (__mark_inode_dirty).
func (fs *FS) markDirty(in *inode) {
	if in.onDirtyList {
		return
	}
	in.onDirtyList = true
	if fs.opt.Clock != nil {
		in.dirtied = fs.opt.Clock()
	}
	in.dirtyPrev, in.dirtyNext = fs.dirtyTail, nil
	if fs.dirtyTail != nil {
		fs.dirtyTail.dirtyNext = in
	} else {
		fs.dirtyHead = in
	}
	fs.dirtyTail = in
}

// cleanInode takes in off the list of dirty inodes.
func (fs *FS) cleanInode(in *inode) {
	if !in.onDirtyList {
		return
	}
	in.onDirtyList = false
	if in.dirtyPrev != nil {
		in.dirtyPrev.dirtyNext = in.dirtyNext
	} else {
		fs.dirtyHead = in.dirtyNext
	}
	if in.dirtyNext != nil {
		in.dirtyNext.dirtyPrev = in.dirtyPrev
	} else {
		fs.dirtyTail = in.dirtyPrev
	}
	in.dirtyPrev, in.dirtyNext = nil, nil
}
