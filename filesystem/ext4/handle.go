package ext4

import "mbsim/filesystem"

// handle is an open file. After Close its in is nil, and FS.openInode may give it to
// another file.
type handle struct {
	fs    *FS
	in    *inode
	flags filesystem.OpenFlags
}

// Inode implements filesystem.Handle.
func (h *handle) Inode() uint32 { return h.in.Number }

// Flags implements filesystem.Handle.
func (h *handle) Flags() filesystem.OpenFlags { return h.flags }

// Size implements filesystem.Handle.
func (h *handle) Size() int64 { return h.in.Size }

// openInode opens an inode by a name in dir.
func (fs *FS) openInode(dir, in *inode, flags filesystem.OpenFlags) *handle {
	// The first handle pins the directory of the name by which the file is opened. A file
	// with several names may have had another one as its parent.
	if in.pins == 0 {
		in.parent = dir
	}
	fs.pin(in)
	in.Writers++
	if n := len(fs.spareHandles); n > 0 {
		h := fs.spareHandles[n-1]
		fs.spareHandles = fs.spareHandles[:n-1]
		*h = handle{fs, in, flags}
		return h
	}
	return &handle{fs, in, flags}
}

// Write implements filesystem.Handle. It writes n bytes at off, and returns how many were
// written.
func (h *handle) Write(t *task, off, n int64) (int64, error) {
	if off < 0 || n < 0 {
		return 0, filesystem.EINVAL
	}
	if n == 0 {
		return 0, nil
	}
	// A write ends at the largest size; one that begins behind it fails.
	limit := h.fs.maxSize(h.in)
	if h.flags&filesystem.Append != 0 {
		off = h.in.Size
	}
	if off >= limit {
		return 0, filesystem.EFBIG
	}
	n = min(n, limit-off)
	// Copying the data takes time, before the file is locked.
	if h.fs.host != nil {
		h.fs.host.Copy(n)
	}
	h.fs.lock(h.in)
	defer h.fs.unlock(h.in)
	// O_APPEND: another process may have appended before this one had the lock.
	if h.flags&filesystem.Append != 0 {
		off = h.in.Size
		n = min(n, limit-off)
	}
	h.fs.looksForCapability(h.in, true)
	var done int64
	var e errno
	// Direct IO is not for data inside an inode, which goes through the page cache
	// (ext4_should_use_dio, ext4_dio_write_iter).
	if h.flags&filesystem.Direct != 0 && h.in.inline == 0 {
		done, e = h.fs.directWrite(t, h.in, off, n)
	} else {
		h.fs.touch(t, h.in)
		h.fs.zeroEndFirst(t, h.in, off)
		done, e = h.fs.bufferedWrite(t, h.in, off, n)
	}
	return done, asError(e)
}

// Read implements filesystem.Handle. It changes no data, but brings mappings into the
// status tree, as a read does in the kernel.
func (h *handle) Read(t *task, off, n int64) (int64, error) {
	if off < 0 || n < 0 {
		return 0, filesystem.EINVAL
	}
	n = max(0, min(n, h.in.Size-off))
	if h.fs.host != nil {
		h.fs.host.Copy(n)
	}
	h.fs.lock(h.in)
	h.fs.readMappings(t, h.in, off, n, h.flags&filesystem.Direct != 0)
	h.fs.unlock(h.in)
	return n, nil
}

// Fsync implements filesystem.Handle.
func (h *handle) Fsync(t *task) error { return asError(h.fs.fsync(t, h.in)) }

// Truncate implements filesystem.Handle.
func (h *handle) Truncate(t *task, size int64) error {
	h.fs.lock(h.in)
	defer h.fs.unlock(h.in)
	h.fs.looksForCapability(h.in, false)
	return asError(h.fs.setSize(t, h.in, size))
}

// Fallocate implements filesystem.Handle.
func (h *handle) Fallocate(t *task, mode uint32, off, n int64) error {
	h.fs.lock(h.in)
	defer h.fs.unlock(h.in)
	h.fs.looksForCapability(h.in, true)
	return asError(h.fs.fallocate(t, h.in, mode, off, n))
}

// Close implements filesystem.Handle (ext4_release_file). The handle may be another file's
// afterwards, as a file descriptor may.
func (h *handle) Close(t *task) error {
	in := h.in
	if in == nil {
		return filesystem.EBADF
	}
	h.in = nil
	h.fs.lock(in)
	// auto_da_alloc: a file that was truncated gets its new blocks now.
	if in.allocOnClose {
		h.fs.allocDelayed(t, in)
		in.allocOnClose = false
	}
	// The last writer gives the preallocations back, unless delayed blocks may still use
	// them.
	if in.Writers == 1 && in.reserved == 0 {
		h.fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	}
	in.Writers--
	h.fs.unlock(in)
	h.fs.unpin(t, in)
	h.fs.spareHandles = append(h.fs.spareHandles, h)
	return nil
}

// touch updates the times of a file that is about to change, and so makes its inode dirty
// (file_modified).
func (fs *FS) touch(t *task, in *inode) {
	fs.stampModified(in)
	fs.markDirty(in)
	fs.dirtyInode(t, in)
}

// readMappings looks up what lies in [off, off+n), as reading it does
// (ext4_mpage_readpages). n is in bytes. direct says that the read passes by the page cache.
func (fs *FS) readMappings(t *task, in *inode, off, n int64, direct bool) {
	if in.inline > 0 {
		return // read from the inode
	}
	end := fs.blocksFor(off + n)
	// Mapping after mapping; a hole is passed over by its length.
	for b := uint32(off >> fs.geo.BlockBits); b < end; {
		m := mapping{lblk: b, len: end - b}
		got, e := fs.mapBlocks(t, in, &m, 0)
		// Reading goes no further than mapping can. The data is not modelled, so there is
		// nothing to report.
		if e != 0 || m.len == 0 {
			return
		}
		// Only written blocks are read from the device.
		if fs.host != nil && got > 0 && m.state&stateMapped != 0 {
			fs.readData(m.pblk, got, direct)
		}
		b += m.len
	}
}

// asError turns an errno into an error, 0 into nil: an errno of 0 in an interface would not
// be nil.
func asError(e errno) error {
	if e == 0 {
		return nil
	}
	return e
}
