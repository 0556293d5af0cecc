package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/pagecache"
)

// maxWritepagesExtent is the longest range writeback maps at once
// (MAX_WRITEPAGES_EXTENT_LEN).
const maxWritepagesExtent = 2048

// writepages writes the dirty pages of a file in [first, last], both inclusive and in pages
// (ext4_writepages). Ranges of delayed or unwritten blocks get their place, at most 2048
// blocks at a time, each range under a journal handle of its own.
//
// Deviates from the kernel: that tries for ever to map a range that cannot be mapped,
// because fewer blocks are free than the range and its indirect blocks take. Here the data
// is lost after several commits that have changed nothing.
func (fs *FS) writepages(t *task, in *inode, first, last uint32) errno {
	// held is what the block layer keeps back of this writer's IO.
	var held plug
	held.start(fs, false)
	e := fs.writepagesHeld(t, in, first, last, &held)
	held.finish()
	return e
}

// writepagesHeld is writepages for a writer whose IO is held back already.
func (fs *FS) writepagesHeld(t *task, in *inode, first, last uint32, held *plug) errno {
	var stuck stuckRange
	// Data that is dirty in the page cache is on its way out of the inode: the inode gets
	// an empty block map first.
	if fs.isInline(in) && in.hasDirty() {
		fs.destroyInline(t, in)
	}
	// From pages to blocks.
	bpp := fs.blocksPerPage
	pos := first * bpp
	end := uint32(maxBlocks)
	if last < maxBlocks/bpp {
		end = (last + 1) * bpp
	}
	// A folio is written as a whole.
	if fs.largeFolios(in) {
		pos, _ = fs.folioOf(in, pos)
		if end < maxBlocks {
			_, end = fs.folioOf(in, end-1)
		}
	}
	for {
		// Nothing behind the end of the file is mapped, and the size may change while the
		// writer waits.
		eof := fs.blocksFor(in.Size)
		x, ok := fs.nextExtent(in, &pos, min(end, eof))
		if !ok {
			// Dirty pages behind the end are no one's: they count as clean from now on.
			if in.pagesDiffer && end > eof {
				fs.cleaned(in.fileMap().cache.Drop(eof, end))
			}
			return 0
		}
		// IO that has ended meanwhile is converted before this range is mapped, as its
		// conversion can change the extent tree.
		held.convertSent(t, x.Len)
		held.next()
		fs.journal.Start()
		next, e := fs.mapAndSubmit(t, in, x, held, stuck.hopeless())
		pos = next
		// Want of space may be mended by a commit, which frees blocks. The pages stay
		// dirty, and the loop tries them again from pos on. The writer waits for the
		// commit, so its IO leaves.
		if e == filesystem.ENOSPC && fs.journal != nil {
			stuck.failed(pos, fs.alloc.CountFreeClusters())
			fs.journal.Commit()
			held.next()
			held.flush()
			continue
		}
		if e != 0 {
			return e
		}
	}
}

// stuckRange counts how often in a row writeback has found no place at the same block with
// the same number of free clusters.
type stuckRange struct {
	pos   uint32
	free  int64
	times int
}

func (s *stuckRange) hopeless() bool { return s.times > 3 }

// failed notes that no place was found at block pos with so many free clusters.
func (s *stuckRange) failed(pos uint32, free int64) {
	if s.times == 0 || pos != s.pos || free != s.free {
		*s = stuckRange{pos: pos, free: free}
	}
	s.times++
}

// nextExtent cleans the pages from *pos on that need no mapping, and returns the first
// range of blocks before end that does need one, false if there is none
// (mpage_prepare_extent_to_map). *pos moves to the page where that range begins.
func (fs *FS) nextExtent(in *inode, pos *uint32, end uint32) (pagecache.Run, bool) {
	// A brief file is one run. It stays brief only if all of the run is asked for at once.
	if b := &in.brief; b.state != notBrief {
		if b.state != briefDelayed {
			return pagecache.Run{}, false
		}
		if *pos == 0 && b.n <= end {
			return pagecache.Run{Lblk: 0, Len: b.n, State: pagecache.Delayed}, true
		}
	}
	// Runs whose blocks have their place need only be written.
	c := &in.fileMap().cache
	i := c.At(*pos)
	for i < len(c.Runs()) && c.Runs()[i].State == pagecache.Mapped && c.Runs()[i].Lblk < end {
		i++
	}
	// Nothing else needs a mapping: all pages up to the end are written now.
	if i == len(c.Runs()) || c.Runs()[i].Lblk >= end {
		if end > *pos {
			fs.cleaned(c.Drop(*pos, end))
		}
		return pagecache.Run{}, false
	}
	// The run is cut to what lies behind *pos, to what is mapped at once, and to the end.
	r := c.Runs()[i]
	if r.Lblk < *pos {
		r.Len -= *pos - r.Lblk
		r.Lblk = *pos
	}
	r.Len = min(r.Len, maxWritepagesExtent, end-r.Lblk)
	// The whole pages or folios before the run are written. The one that it begins in stays, since
	// it can be written only once the run has its place.
	if page, _ := fs.folioOf(in, r.Lblk); page > *pos {
		fs.cleaned(c.Drop(*pos, page))
		*pos = page
	}
	return r, true
}

// pageStart is the first block of the page or folio that block b lies in.
func (fs *FS) pageStart(in *inode, b uint32) uint32 {
	start, _ := fs.folioOf(in, b)
	return start
}

// pageEnd is the end of the page or folio that block b lies in; b itself if it is the first
// block of one.
func (fs *FS) pageEnd(in *inode, b uint32) uint32 {
	start, end := fs.folioOf(in, b)
	if start == b {
		return b
	}
	return end
}

// mapAndSubmit gives the range x its place, and also what else needs one in the page that x
// ends in, and submits the pages (mpage_map_and_submit_extent). It returns the block to go
// on from. With giveUp the data of a range that finds no place is lost, as it always is
// when nothing is free.
func (fs *FS) mapAndSubmit(t *task, in *inode, x pagecache.Run, held *plug, giveUp bool) (uint32, errno) {
	start := x.Lblk
	for {
		// The allocator may give fewer blocks than x has; the rest is asked for below or by
		// the caller.
		got, e := fs.mapOne(t, in, x, held)
		if e == 0 && in.brief.mapped() { // a brief file has got its whole run
			fs.cleaned(got)
			fs.extendDisksize(t, in, got)
			return got, 0
		}
		if e != 0 {
			// On an error the caller goes on from the page in which the range began.
			if e == filesystem.ENOSPC && (giveUp || fs.alloc.CountFreeClusters() == 0) {
				// The kernel logs that the data is lost, and drops the pages
				// (mpage_release_unused_pages with invalidate).
				from, to := fs.pageStart(in, start), fs.pageEnd(in, x.Next())
				fs.forget(t, in, from, to-from)
				fs.cleaned(in.fileMap().cache.Drop(from, to))
				fs.lost += int64(x.Len)
			}
			return fs.pageStart(in, start), e
		}
		// The page in which the mapped blocks end can be written once all of its blocks
		// have a place.
		done := x.Lblk + got
		rest := fs.pageEnd(in, done)
		y, more := in.firstUnmapped(done, min(rest, fs.blocksFor(in.Size)))
		// All pages up to here have their blocks: they are submitted.
		if !more {
			fs.cleaned(in.fileMap().cache.Drop(fs.pageStart(in, start), rest))
			fs.extendDisksize(t, in, rest)
			return rest, 0
		}
		// The page holds another range without a place: that is mapped next.
		fs.submitted(in, x.Lblk, done)
		x = y
	}
}

// submitted marks [lblk, end) as mapped in the page that still holds blocks without a
// place, so that only those are left to map; they are all counted dirty until the page is
// written.
func (fs *FS) submitted(in *inode, lblk, end uint32) {
	fs.cleaned(in.fileMap().cache.Drop(lblk, end))
	in.fileMap().cache.Add(lblk, end-lblk, pagecache.Mapped)
	fs.dirtied(int64(end - lblk))
}

// firstUnmapped returns the first dirty range in [lblk, end) that has no place yet.
func (in *inode) firstUnmapped(lblk, end uint32) (pagecache.Run, bool) {
	c := &in.fileMap().cache
	for i := c.At(lblk); lblk < end && i < len(c.Runs()) && c.Runs()[i].Lblk < end; i++ {
		r := c.Runs()[i]
		if r.State == pagecache.Mapped {
			continue
		}
		from, to := max(r.Lblk, lblk), min(r.Next(), end)
		return pagecache.Run{Lblk: from, Len: to - from, State: r.State}, true
	}
	return pagecache.Run{}, false
}

// mapOne asks for the place of x (mpage_map_one_extent). It returns how many of its blocks
// have got one.
func (fs *FS) mapOne(t *task, in *inode, x pagecache.Run, held *plug) (uint32, errno) {
	if fs.turns != nil {
		mapper := *t
		mapper.CPU = fs.takeRangeOf(t, in)
		t = &mapper
	}
	if fs.obs != nil {
		fs.obs.WritePagesExtent(in.Number, x.Lblk, x.Len)
	}
	// Writeback may use reserved blocks for the extent tree. With dioread_nolock new blocks
	// are unwritten until their IO has ended. Delayed blocks have their space reserved.
	f := mapCreate | mapMetadataNofail
	nolock := fs.dioreadNolock(in)
	if nolock {
		f |= mapIOCreate
		if fs.quirks.SplitAfterIO {
			f &^= mapPreIO
		}
	}
	if fs.quirks.WritebackCachesNothing {
		f |= mapNoCache
	}
	if x.State == pagecache.Delayed && !fs.quirks.StatusTreeSettles {
		f |= mapDelallocReserve
	}
	m := mapping{lblk: x.Lblk, len: x.Len}
	got, e := fs.mapBlocks(t, in, &m, f)
	if fs.host != nil {
		fs.keepData(m.pblk, got)
		fs.host.Submitted(m.pblk, got)
	}
	if e != 0 {
		return 0, e
	}
	// These blocks become written when the IO has ended; until then the plug may hold it
	// back.
	if nolock && m.state&stateUnwritten != 0 {
		held.add(conversion{in: in, lblk: m.lblk, len: m.len, pblk: m.pblk})
	}
	return got, 0
}

// extendDisksize lets the size on disk grow to what has been submitted, up to block end,
// but not beyond the size of the file.
func (fs *FS) extendDisksize(t *task, in *inode, end uint32) {
	size := min(int64(end)<<fs.geo.BlockBits, in.Size)
	if size > in.disksize {
		in.disksize = size
		fs.dirtyInode(t, in)
	}
}

// flushFile writes the dirty pages of in that hold bytes of [off, off+n), and waits for the
// IO (filemap_write_and_wait_range).
func (fs *FS) flushFile(t *task, in *inode, off, n int64) errno {
	// From bytes to pages.
	first := uint32(off / fs.pageSize)
	last := uint32(min((off+n-1)/fs.pageSize, maxBlocks))
	e := fs.writepages(t, in, first, last)
	fs.endIO(t, in, in)
	return e
}

// writebackAll writes all dirty files in the order in which they became dirty
// (writeback_inodes_sb), without waiting for the IO. A caller that holds the lock of a file
// names it as held; then files that others have locked are passed over, as waiting could be
// a deadlock.
func (fs *FS) writebackAll(t *task, held *inode) {
	// The list is copied first, since writing changes it.
	var queue []*inode
	if n := len(fs.spareQueues); n > 0 {
		queue, fs.spareQueues = fs.spareQueues[n-1][:0], fs.spareQueues[:n-1]
	}
	for in := range fs.dirty.all() {
		queue = append(queue, in)
	}
	// The flusher keeps its IO back from one file to the next (wb_writeback).
	var plug plug
	plug.start(fs, true)
	for _, in := range queue {
		// A caller without a lock waits for each file's; one with a lock only tries.
		if held == nil {
			fs.lock(in)
		} else if in != held {
			locked := fs.tryLock(in)
			if !locked {
				continue
			}
		}
		// Another process may have written the file meanwhile. The result of writepages has
		// no one to go to: what could not be written stays dirty, and the file goes to the
		// end of the list, or its loss is counted.
		if in.onDirtyList() {
			fs.writepagesHeld(t, in, 0, maxBlocks, &plug)
			fs.cleanInode(in)
			if in.hasDirty() {
				fs.markDirty(in)
			}
		}
		if in != held {
			fs.unlock(in)
		}
	}
	plug.finish()
	fs.spareQueues = append(fs.spareQueues, queue)
}
