package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/pagecache"
)

// blocksFor is the number of blocks that size bytes take.
func (fs *FS) blocksFor(size int64) uint32 {
	return uint32((size + fs.geo.BlockSize() - 1) >> fs.geo.BlockBits)
}

// bufferedWrite writes [off, off+n) through the page cache, a page at a time
// (generic_perform_write). It returns the number of bytes written, or an error if none
// were.
func (fs *FS) bufferedWrite(t *task, in *inode, off, n int64) (int64, errno) {
	var done int64
	for done < n {
		// Many pages of a hole are written at once where the result is the same; with Turns somebody
		// else may come in between.
		if fs.turns != nil {
			fs.takeTurns(t)
		} else if k := fs.writeMany(t, in, off+done, n-done); k > 0 {
			done += k
			fs.balance(t)
			continue
		}
		// The part of the write that lies in the next page, or in the next folio.
		pos := off + done
		part := fs.writeUnit(in, pos, n-done)
		if e := fs.writePage(t, in, pos, part); e != 0 {
			// What was written before the error counts, and the error itself is lost, as
			// with write(2).
			if done == 0 {
				return 0, e
			}
			break
		}
		done += part
		fs.balance(t)
	}
	return done, 0
}

// writePage writes [pos, pos+n), which lies in one page or folio: delayed (ext4_da_write_begin,
// ext4_da_write_end), or with blocks allocated now where delayed allocation is off or
// space is short (ext4_write_begin, ext4_write_end).
func (fs *FS) writePage(t *task, in *inode, pos, n int64) errno {
	// The target of a symbolic link gets its block at once.
	delayed := fs.opt.Delalloc && !fs.shortOfSpace(t, in) && in.Regular
	// The data may fit into the inode itself.
	if in.mayInline {
		if done, e := fs.writeInline(t, in, pos, n, delayed); done || e != 0 {
			return e
		}
	}
	prepare := fs.prepareNow
	if delayed {
		prepare = fs.prepareDelayed
	}
	end := pos + n
	// Want of space is tried again after a commit, up to three times.
	for retries := 0; ; {
		fs.journal.Start()
		last, e := fs.prepareBlocks(t, in, pos, n, prepare)
		if e == 0 {
			// Where the last block has no place yet, writeback says what of the size is on disk.
			if !delayed || end > in.Size && (last == pagecache.Mapped || in.inline > 0) {
				in.disksize = max(in.disksize, end)
			}
			old := in.Size
			in.Size = max(in.Size, end)
			fs.markDirty(in)
			fs.zeroOldEnd(t, in, old, pos)
			fs.dirtyInode(t, in)
			return 0
		}
		// Blocks that the failed write has added behind the end go again.
		if end > in.Size {
			fs.truncateFailedWrite(t, in)
		}
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}

// prepareBlocks makes every block of [pos, pos+n) dirty, and asks prepare for the state of
// the buffers of those that are clean. It returns the state of the last one. After an error
// the blocks before the failed one stay dirty (page_zero_new_buffers).
func (fs *FS) prepareBlocks(t *task, in *inode, pos, n int64, prepare func(*task, *inode, uint32) (pagecache.State, errno)) (pagecache.State, errno) {
	first := uint32(pos >> fs.geo.BlockBits)
	last := uint32((pos + n - 1) >> fs.geo.BlockBits)
	var s pagecache.State
	for b := first; b <= last; b++ {
		// A dirty block keeps the state it has.
		s = in.fileMap().cache.State(b)
		if s != 0 {
			continue
		}
		var e errno
		s, e = prepare(t, in, b)
		if e != 0 {
			if b > first {
				fs.markDirty(in) // writeback on the way may have cleaned it
			}
			return 0, e
		}
		in.fileMap().cache.Add(b, 1, s)
		fs.dirtied(1)
	}
	return s, 0
}

// prepareNow allocates block lblk now (ext4_get_block, ext4_get_block_unwritten).
func (fs *FS) prepareNow(t *task, in *inode, lblk uint32) (pagecache.State, errno) {
	if in.inline > 0 {
		// The data is on its way out of the inode, which has no block map yet. The kernel fails
		// with the same error.
		return 0, filesystem.ERANGE
	}
	// With dioread_nolock the block stays unwritten until its data is on disk.
	f := mapCreate
	if fs.dioreadNolock(in) {
		f = mapIOCreate
		if fs.quirks.NowTakesUnwritten {
			f = mapUnwrittenCreate
		}
	}
	m := mapping{lblk: lblk, len: 1}
	if _, e := fs.mapBlocks(t, in, &m, f); e != 0 {
		return 0, e
	}
	if m.state&stateUnwritten != 0 {
		return pagecache.Unwritten, 0
	}
	return pagecache.Mapped, 0
}

// dioreadNolock says whether blocks of this file are allocated unwritten, and become
// written only once their data is on disk (ext4_should_dioread_nolock).
func (fs *FS) dioreadNolock(in *inode) bool {
	return fs.opt.DioreadNolock && fs.opt.Delalloc && in.Regular && in.Extents
}

// manyPages is the most that writeMany writes at once. Between two calls bufferedWrite
// looks whether too much is dirty (balance).
const manyPages = 1024

// writeMany does what writePage would do for many pages in turn, where all of them lie in a
// hole and space is far from short: every block becomes delayed. The hole is one that the
// status tree knows, or the whole of a file without a block. It returns the number of bytes
// written, 0 where the pages must be written one by one.
func (fs *FS) writeMany(t *task, in *inode, pos, n int64) int64 {
	// Inline data has rules of its own for each block.
	if !fs.opt.Delalloc || in.mayInline || fs.isInline(in) {
		return 0
	}
	// Whole pages, at most manyPages of them; the first and the last may be partial.
	total := n
	n = min(n, manyPages*fs.pageSize-pos&(fs.pageSize-1))
	lblk := uint32(pos >> fs.geo.BlockBits)
	// From bytes to blocks, the partial ones at both ends included.
	blocks := uint32((pos+n-1)>>fs.geo.BlockBits) - lblk + 1
	room := fs.delayMany(t, in, lblk, blocks)
	if room == 0 {
		return 0
	}
	// Only a part was made delayed. It ends with a page, and n becomes the bytes up to
	// there.
	if room < blocks {
		blocks = room
		n = int64(lblk+room)<<fs.geo.BlockBits - pos
	}
	fs.journal.Start()
	fs.dirtied(int64(blocks))
	fs.coverFolios(in, pos, n, total)
	old := in.Size
	in.Size = max(in.Size, pos+n)
	fs.markDirty(in)
	fs.zeroOldEnd(t, in, old, pos)
	fs.dirtyInode(t, in)
	return n
}

// delayMany makes [lblk, lblk+blocks), if it is a hole, delayed and dirty, and claims its
// space. It returns for how many blocks it did so, 0 where they must be written one by one.
func (fs *FS) delayMany(t *task, in *inode, lblk, blocks uint32) uint32 {
	// A brief file has no clusters that blocks could share.
	if fs.geo.ClusterBits > 0 || !in.brief.appends(lblk, blocks) {
		return fs.delayHole(t, in, lblk, blocks)
	}
	if !fs.alloc.ClaimEach(t.CPU, int64(blocks)) {
		return 0
	}
	in.reserved += blocks
	fs.delayBrief(in, blocks)
	return blocks
}

// delayHole is delayMany for a file that is not brief, or does not stay so. If the hole is
// shorter than the range, as many whole pages as fit are taken.
func (fs *FS) delayHole(t *task, in *inode, lblk, blocks uint32) uint32 {
	m := in.fileMap()
	// Two cases are fast: a hole that the status tree knows, cut to whole pages, and a file
	// without a block of which nothing is known.
	x, known := m.es.Peek(lblk)
	switch {
	case known && x.Status == es.Hole:
		if room := x.Last() - lblk + 1; room < blocks {
			end := (lblk + room) &^ (fs.blocksPerPage - 1)
			if end <= lblk {
				return 0
			}
			blocks = end - lblk
		}
	// In any other case the extent tree may map the blocks.
	case known || !in.Extents || m.root.Entries() > 0 || len(m.es.Ranges()) > 0:
		return 0
	}
	c := &m.cache
	// None of the blocks may be dirty, since a dirty block keeps its state and its space
	// (prepareBlocks).
	if i := c.At(lblk); i < len(c.Runs()) && c.Runs()[i].Lblk < lblk+blocks {
		return 0
	}
	// The space is claimed last: from here on nothing fails.
	clusters, shared := fs.clustersOf(in, lblk, blocks)
	if !fs.alloc.ClaimEach(t.CPU, int64(clusters)) {
		return 0
	}
	in.reserved += clusters
	fs.esStats.CountLookups(uint64(blocks), known)
	if !known {
		// The look-up in the empty extent tree makes the whole file a known hole.
		m.es.Set(0, maxBlocks, 0, es.Hole)
	}
	m.es.Set(lblk, blocks, 0, es.Delayed)
	for _, cluster := range shared.list[:shared.n] {
		m.es.AddPending(cluster)
	}
	c.Add(lblk, blocks, pagecache.Delayed)
	return blocks
}

// truncateFailedWrite drops the pages and blocks that a failed write has left beyond the
// end of the file (ext4_truncate_failed_write).
func (fs *FS) truncateFailedWrite(t *task, in *inode) {
	fs.dropPages(in, in.Size)
	fs.truncate(t, in)
}

// shouldRetry says whether a request that has found no space may succeed if it is repeated
// (ext4_should_retry_alloc), at most three times. If a running transaction has freed
// blocks, it is committed, so that they become free.
func (fs *FS) shouldRetry(t *task, retries *int) bool {
	// Without a journal freed blocks are free at once, so nothing can change.
	if fs.journal == nil {
		return false
	}
	*retries++
	if *retries > 3 {
		return false
	}
	// Nothing waits for a commit: space may still have come from elsewhere.
	if fs.alloc.FreePending() == 0 {
		return fs.alloc.HasFree(1, fs.rights(t))
	}
	fs.journal.Commit()
	return true
}
