package ext4

import "mbsim/filesystem"

// maxDirectBlocks is the most that direct IO maps at once (DIO_MAX_BLOCKS).
const maxDirectBlocks = 4096

// sector is the size of the device's logical block, to which direct IO must be aligned, in
// bytes.
const sector = 512

// directWrite writes [off, off+n) past the page cache (ext4_dio_write_iter). It returns the
// number of bytes written.
//
// Deviates from the kernel: the alignment of the caller's memory is not modelled, and pages
// of the cache can always be dropped.
func (fs *FS) directWrite(t *task, in *inode, off, n int64) (int64, errno) {
	// The write grows the file, in memory or on disk.
	extend := off+n > in.Size || off+n > in.disksize
	fs.touch(t, in)
	in.mayInline = false
	done, fallback, e := fs.directExtents(t, in, off, n)
	if extend && (off+n > in.disksize || e != 0 && fs.quirks.FailedDirectTruncates) {
		e = fs.extendAfterDirect(t, in, off, n, done, e)
	}
	if e != 0 {
		return 0, e
	}
	if !fallback {
		return done, 0
	}
	// The rest goes through the page cache, and then to disk at once.
	k, e := fs.bufferedWrite(t, in, off+done, n-done)
	if e != 0 {
		return 0, e
	}
	// What cannot be written stays dirty; the write itself has succeeded.
	fs.flushFile(t, in, off+done, k)
	return done + k, 0
}

// directExtents maps and writes one extent after another (iomap_dio_rw, ext4_iomap_begin).
// fallback says that a hole of a file with indirect blocks must be filled through the page
// cache. An error undoes nothing, but what was written before it does not count: unwritten
// blocks stay unwritten. A misaligned write is refused only once its first extent is
// mapped.
func (fs *FS) directExtents(t *task, in *inode, off, n int64) (done int64, fallback bool, e errno) {
	// Dirty pages of the range are written first, and IO on its way is awaited.
	if in.hasDirty() {
		if e := fs.flushFile(t, in, off, n); e != 0 {
			return 0, false, e
		}
	}
	fs.awaitWriteback(t, in)
	fs.dropFolios(in, off, off+n)
	unwritten := false
	for done < n {
		// Each turn maps from pos on, as far as the write goes.
		pos := off + done
		m := mapping{lblk: uint32(pos >> fs.geo.BlockBits)}
		m.len = fs.blocksFor(off+n) - m.lblk
		var got uint32
		// A write inside the file looks for blocks before it allocates any.
		if pos+n-done <= in.Size {
			if got, e = fs.mapBlocks(t, in, &m, 0); e != 0 {
				break
			}
		}
		// Kernels that split after IO take unwritten blocks as they are.
		found := stateMapped
		if fs.quirks.SplitAfterIO {
			found |= stateUnwritten
		}
		if got == 0 || m.state&found == 0 {
			if fs.quirks.SplitAfterIO {
				m.len = fs.blocksFor(off+n) - m.lblk
			}
			if got, e = fs.directAlloc(t, in, &m); e != 0 {
				break
			}
			if got == 0 {
				// A file without extents has got no block, since direct IO does not fill
				// its holes.
				fallback = true
				break
			}
		}
		// Unwritten blocks are converted at the end.
		unwritten = unwritten || m.state&stateUnwritten != 0
		end := min(int64(m.lblk+m.len)<<fs.geo.BlockBits, off+n)
		// The device takes whole sectors: of what is left of the write, or of this extent alone.
		checked := off + n - pos
		if fs.quirks.DirectChecksExtent {
			checked = end - pos
		}
		if (pos|checked)%sector != 0 {
			e = filesystem.EINVAL
			break
		}
		done = end - off
	}
	if e != 0 {
		return 0, false, e
	}
	// The data is on disk: its blocks become written, all in one go
	// (ext4_dio_write_end_io).
	if unwritten && done > 0 {
		first := uint32(off >> fs.geo.BlockBits)
		fs.convertUnwritten(t, in, first, fs.blocksFor(off+done)-first)
	}
	if done > 0 {
		in.Size = max(in.Size, off+done)
	}
	return done, fallback, e
}

// directAlloc allocates for direct IO (ext4_iomap_alloc): written blocks behind the end of
// the file, and unwritten ones inside it. Holes of a file with indirect blocks stay, which
// it reports by 0 blocks.
func (fs *FS) directAlloc(t *task, in *inode, m *mapping) (uint32, errno) {
	m.len = min(m.len, maxDirectBlocks)
	for retries := 0; ; {
		fs.journal.Start()
		// Inside the file a reader could see old data in written blocks, so they begin as
		// unwritten.
		var f mapFlags
		switch {
		case int64(m.lblk)<<fs.geo.BlockBits >= in.Size:
			f = mapCreate
		case in.Extents && fs.quirks.SplitAfterIO:
			f = mapUnwrittenCreate
		case in.Extents:
			f = mapIOCreate
		}
		got, e := fs.mapBlocks(t, in, m, f)
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return got, e
		}
	}
}

// extendAfterDirect brings the size on disk up to date after a write behind the end, and
// frees the blocks beyond what was written (ext4_handle_inode_extension). e is the error of
// the write, which it returns.
func (fs *FS) extendAfterDirect(t *task, in *inode, off, n, done int64, e errno) errno {
	if e == 0 {
		in.Size = max(in.Size, off+done)
		in.disksize = max(in.disksize, off+done)
		fs.dirtyInode(t, in)
	}
	if e != 0 || fs.blocksFor(off+done) < fs.blocksFor(off+n) && !fs.quirks.FailedDirectTruncates {
		fs.truncateFailedWrite(t, in)
	}
	return e
}
