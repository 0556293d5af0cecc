package ext4

import "mbsim/filesystem"

// maxWritepagesExtent is the longest range writeback maps at once
// (MAX_WRITEPAGES_EXTENT_LEN).
const maxWritepagesExtent = 2048

// writepages writes the dirty pages of a file in [first, last], both inclusive
// (ext4_writepages). Ranges of delayed or unwritten blocks get their place, up
// to 2048 blocks at a time and each in a transaction of its own.
//
// Deviates from the kernel: that tries a range without end which can never be
// mapped, because what is free is less than the range and its indirect blocks
// take. Here the data is lost when several commits have changed nothing.
func (fs *FS) writepages(t *task, in *inode, first, last uint32) errno {
	var stuck stuckRange
	if fs.isInline(in) && in.hasDirty() {
		fs.destroyInline(t, in)
	}
	bpp := fs.blocksPerPage
	pos := first * bpp
	end := uint32(maxBlocks)
	if last < maxBlocks/bpp {
		end = (last + 1) * bpp
	}
	var held plug
	held.start(fs)
	for {
		eof := fs.blocksFor(in.Size)
		x, ok := fs.nextExtent(in, &pos, min(end, eof))
		if !ok {
			if in.stray && end > eof {
				fs.cleaned(in.fileMap().cache.drop(eof, end))
			}
			return 0
		}
		held.convertSent(t, x.len)
		fs.j.start()
		next, e := fs.mapAndSubmit(t, in, x, &held, stuck.hopeless())
		pos = next
		if e == filesystem.ENOSPC && fs.j != nil {
			stuck.failed(pos, fs.alloc.CountFreeClusters())
			fs.commit(t)
			held.flush()
			continue
		}
		if e != 0 {
			return e
		}
	}
}

// stuckRange counts how often in a row writeback found no place at the same block
// with the same number of free clusters.
type stuckRange struct {
	pos   uint32
	free  int64
	times int
}

func (s *stuckRange) hopeless() bool { return s.times > 3 }

func (s *stuckRange) failed(pos uint32, free int64) {
	if s.times == 0 || pos != s.pos || free != s.free {
		*s = stuckRange{pos: pos, free: free}
	}
	s.times++
}

// nextExtent cleans the pages from *pos on that need no mapping, and returns
// the first range that does, before end (mpage_prepare_extent_to_map).
func (fs *FS) nextExtent(in *inode, pos *uint32, end uint32) (dirtyRun, bool) {
	switch b := &in.brief; {
	case b.state == notBrief:
	case b.state != briefDelayed:
		return dirtyRun{}, false
	case *pos == 0 && b.n <= end:
		return dirtyRun{0, b.n, bufDelayed}, true
	}
	c := &in.fileMap().cache
	i := c.at(*pos)
	for i < len(c.runs) && c.runs[i].state == bufMapped && c.runs[i].lblk < end {
		i++
	}
	if i == len(c.runs) || c.runs[i].lblk >= end {
		if end > *pos {
			fs.cleaned(c.drop(*pos, end))
		}
		return dirtyRun{}, false
	}
	r := c.runs[i]
	if r.lblk < *pos {
		r.len -= *pos - r.lblk
		r.lblk = *pos
	}
	r.len = min(r.len, maxWritepagesExtent, end-r.lblk)
	if page := r.lblk &^ (fs.blocksPerPage - 1); page > *pos {
		fs.cleaned(c.drop(*pos, page))
		*pos = page
	}
	return r, true
}

// pageEnd is where the page ends that block b, if it is not the first of one, lies in.
// The last page of the largest file has one block less than others, as no file has
// 2^32 blocks.
func (fs *FS) pageEnd(b uint32) uint32 {
	mask := uint64(fs.blocksPerPage - 1)
	end := (uint64(b) + mask) &^ mask
	return uint32(min(end, maxBlocks))
}

// mapAndSubmit gives the range x its place, and the rest of the page it ends in
// too, and submits the pages (mpage_map_and_submit_extent). It returns the
// block to go on from. With giveUp data that finds no place is lost, as it is where
// nothing is free.
func (fs *FS) mapAndSubmit(t *task, in *inode, x dirtyRun, held *plug, giveUp bool) (uint32, errno) {
	pageMask := fs.blocksPerPage - 1
	start := x.lblk
	for {
		got, e := fs.mapOne(t, in, x, held)
		if e == 0 && in.brief.mapped() { // all of it
			fs.cleaned(got)
			fs.extendDisksize(t, in, got)
			return got, 0
		}
		if e != 0 {
			if e == filesystem.ENOSPC && (giveUp || fs.alloc.CountFreeClusters() == 0) {
				// Data is lost: the kernel logs it and drops the pages.
				from, to := start&^pageMask, fs.pageEnd(x.next())
				fs.forget(t, in, from, to-from)
				fs.cleaned(in.fileMap().cache.drop(from, to))
				fs.lost += int64(x.len)
			}
			return start &^ pageMask, e
		}
		done := x.lblk + got
		rest := fs.pageEnd(done)
		y, more := in.firstUnmapped(done, min(rest, fs.blocksFor(in.Size)))
		if !more {
			fs.cleaned(in.fileMap().cache.drop(start&^pageMask, rest))
			fs.extendDisksize(t, in, rest)
			return rest, 0
		}
		fs.submitted(in, x.lblk, done)
		x = y
	}
}

// submitted marks [lblk, end) mapped, in pages that still hold blocks to map,
// and cleans the pages before those.
func (fs *FS) submitted(in *inode, lblk, end uint32) {
	fs.cleaned(in.fileMap().cache.drop(lblk, end))
	in.fileMap().cache.add(lblk, end-lblk, bufMapped)
	fs.dirtied(int64(end - lblk))
}

// firstUnmapped is the first range in [lblk, end) that needs a place.
func (in *inode) firstUnmapped(lblk, end uint32) (dirtyRun, bool) {
	c := &in.fileMap().cache
	for i := c.at(lblk); lblk < end && i < len(c.runs) && c.runs[i].lblk < end; i++ {
		r := c.runs[i]
		if r.state == bufMapped {
			continue
		}
		from, to := max(r.lblk, lblk), min(r.next(), end)
		return dirtyRun{from, to - from, r.state}, true
	}
	return dirtyRun{}, false
}

// mapOne asks for the place of x (mpage_map_one_extent). It returns how many of
// its blocks have got one.
func (fs *FS) mapOne(t *task, in *inode, x dirtyRun, held *plug) (uint32, errno) {
	if fs.obs != nil {
		fs.obs.WritePagesExtent(in.Number, x.lblk, x.len)
	}
	f := mapCreate | mapMetadataNofail
	nolock := fs.dioreadNolock(in)
	if nolock {
		f |= mapIOCreate
	}
	if x.state == bufDelayed {
		f |= mapDelallocReserve
	}
	m := mapping{lblk: x.lblk, len: x.len}
	var got uint32
	var e errno
	if in.brief.state == briefDelayed {
		got, e = fs.mapBrief(t, in, &m, f)
	} else {
		got, e = fs.mapBlocks(t, in, &m, f)
	}
	if fs.host != nil {
		fs.host.Submitted(m.pblk, got)
	}
	if e != 0 {
		return 0, e
	}
	if nolock && m.state&stateUnwritten != 0 {
		held.add(m.pblk, m.len)
		fs.conversions = append(fs.conversions, conversion{in, m.lblk, m.len})
	}
	return got, 0
}

// extendDisksize lets the size on disk follow what was submitted, up to block
// end.
func (fs *FS) extendDisksize(t *task, in *inode, end uint32) {
	size := min(int64(end)<<fs.geo.BlockBits, in.Size)
	if size > in.disksize {
		in.disksize = size
		fs.dirtyInode(t, in)
	}
}

// flushFile writes the dirty pages of in and waits for them
// (filemap_write_and_wait_range).
func (fs *FS) flushFile(t *task, in *inode, off, n int64) errno {
	first := uint32(off / fs.pageSize)
	last := uint32(min((off+n-1)/fs.pageSize, maxBlocks))
	e := fs.writepages(t, in, first, last)
	fs.endIO(t, in, in)
	return e
}

// writebackAll writes all dirty files in the order in which they became dirty
// (writeback_inodes_sb), without waiting for the IO. A caller that has locked a
// file, held, passes over those that others have locked.
func (fs *FS) writebackAll(t *task, held *inode) {
	var queue []*inode
	if n := len(fs.spareQueues); n > 0 {
		queue, fs.spareQueues = fs.spareQueues[n-1][:0], fs.spareQueues[:n-1]
	}
	for in := range fs.dirty.all() {
		queue = append(queue, in)
	}
	for _, in := range queue {
		switch {
		case in == held:
		case held == nil:
			fs.lock(in)
		case !fs.tryLock(in):
			continue
		}
		if in.onDirtyList() {
			fs.writepages(t, in, 0, maxBlocks)
			fs.cleanInode(in)
			if in.hasDirty() {
				fs.markDirty(in)
			}
		}
		if in != held {
			fs.unlock(in)
		}
	}
	fs.spareQueues = append(fs.spareQueues, queue)
}
