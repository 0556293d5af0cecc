package ext4

// What the flusher thread does besides sync: writeback of old dirty files, and
// of the oldest ones when too much is dirty. Whoever runs the clock calls it.
//
// Deviates from the kernel: what was submitted completes at once, and the
// bandwidth that a chunk's size follows is a constant.

// DirtyBlocks is the number of blocks of file data not yet written.
func (fs *FS) DirtyBlocks() int64 { return fs.dirtyBlocks }

// WritebackOld writes the files that became dirty at the time before, in ns, or
// earlier (wb_check_old_data_flush).
func (fs *FS) WritebackOld(t *task, before int64) {
	if fs.flushing {
		return
	}
	queue := fs.flushQueue[:0]
	// The list is in the order in which files became dirty.
	for in := range fs.dirty.all() {
		if in.dirtied > before {
			break
		}
		queue = append(queue, in)
	}
	fs.writeback(t, queue, 0)
}

// WritebackBackground writes the oldest dirty files until no more than keep
// blocks are dirty (wb_check_background_flush).
func (fs *FS) WritebackBackground(t *task, keep int64) {
	if !fs.flushing {
		fs.writeback(t, fs.dirty.appendPlaces(fs.flushQueue[:0]), keep)
	}
}

// writeback writes the files of a queue, which may have gaps, a chunk of each in turn,
// until no more than keep blocks are dirty (wb_writeback). keep 0 writes all.
func (fs *FS) writeback(t *task, queue []*inode, keep int64) {
	fs.flushing = true
	for i := 0; i < len(queue) && (keep == 0 || fs.dirtyBlocks > keep); i++ {
		// A file that another process has cleaned or locked is passed over.
		in := queue[i]
		queue[i] = nil
		if in == nil || !in.onDirtyList() {
			continue
		}
		locked := fs.tryLock(in)
		if !locked {
			continue
		}
		// A file with further dirty pages goes to the end of the queue (requeue_io). After
		// an error it does not, so that the loop ends; it stays on the list of dirty
		// inodes.
		e := fs.writeChunk(t, in)
		fs.unlock(in)
		if !in.hasDirty() {
			fs.cleanInode(in)
		} else if e == 0 {
			queue = append(queue, in) // more of it later
		}
	}
	fs.endIO(t, nil, nil)
	fs.flushQueue = queue[:0]
	fs.flushing = false
}

// writeChunk writes the next chunk of a file's dirty pages, going round from the end to the
// start (ext4_writepages with range_cyclic).
func (fs *FS) writeChunk(t *task, in *inode) errno {
	if fs.opt.WritebackChunk == 0 {
		return fs.writepages(t, in, 0, maxBlocks)
	}
	// It goes on at the page where the last chunk ended, or at the start if nothing
	// follows. left is in blocks.
	c := &in.fileMap().cache
	bpp := fs.blocksPerPage
	left := fs.opt.WritebackChunk * bpp
	first := in.writebackIndex
	i := c.At(first * bpp)
	if i == len(c.Runs()) {
		i, first = 0, 0
	}
	// The runs are followed until the chunk is full: end is the block behind it.
	end := first * bpp
	for ; i < len(c.Runs()) && left > 0; i++ {
		r := c.Runs()[i]
		from := max(r.Lblk, first*bpp)
		n := min(r.Next()-from, left)
		left -= n
		end = from + n
	}
	if end == first*bpp {
		return 0
	}
	// Back in pages, for writepages and for the next chunk.
	last := (end - 1) / bpp
	in.writebackIndex = last + 1
	return fs.writepages(t, in, first, last)
}

// balance starts writeback if a write has made too much dirty (balance_dirty_pages).
func (fs *FS) balance(t *task) {
	if limit := fs.opt.DirtyBackground; limit > 0 && fs.dirtyBlocks > limit {
		fs.WritebackBackground(t, limit)
	}
}

// CommitOld commits the running transaction if it began at the time before, in
// ns, or earlier (kjournald2).
func (fs *FS) CommitOld(_ *task, before int64) {
	if fs.journal.BeganBy(before) {
		fs.journal.Commit()
	}
}
