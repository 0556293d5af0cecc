package ext2

import "mbsim/filesystem"

// handle is an open file.
type handle struct {
	fs    *FS
	in    *inode // nil once closed
	flags filesystem.OpenFlags
}

// Inode implements filesystem.Handle.
func (h *handle) Inode() uint32 { return h.in.number }

// Flags implements filesystem.Handle.
func (h *handle) Flags() filesystem.OpenFlags { return h.flags }

// Size implements filesystem.Handle.
func (h *handle) Size() int64 { return h.in.size }

func (fs *FS) newHandle(in *inode, flags filesystem.OpenFlags) *handle {
	in.opens++
	fs.open++
	return &handle{fs, in, flags}
}

// maxTransfer is the most that one read or write moves, in bytes (MAX_RW_COUNT).
const maxTransfer = 0x7fff_f000

// Write implements filesystem.Handle.
func (h *handle) Write(t *task, off, n int64) (int64, error) {
	if h.in != nil && h.flags&filesystem.Append != 0 {
		off = h.in.size
	}
	switch {
	case h.in == nil:
		return 0, filesystem.EBADF
	case off < 0 || n < 0:
		return 0, filesystem.EINVAL
	case n == 0:
		return 0, nil
	case off >= h.fs.maxBytes:
		return 0, filesystem.EFBIG
	}
	// The write is shortened to what one call moves and what a file can hold
	// (generic_write_checks).
	n = min(n, maxTransfer, h.fs.maxBytes-off)
	write := h.fs.bufferedWrite
	if h.flags&filesystem.Direct != 0 {
		write = h.fs.directWrite
	}
	done, e := write(t, h.in, off, n)
	return done, asError(e)
}

// Read implements filesystem.Handle. It changes nothing.
func (h *handle) Read(_ *task, off, n int64) (int64, error) {
	switch {
	case h.in == nil:
		return 0, filesystem.EBADF
	case off < 0 || n < 0:
		return 0, filesystem.EINVAL
	}
	return max(0, min(n, maxTransfer, h.in.size-off)), nil
}

// Fsync implements filesystem.Handle. The file's blocks have their places
// already.
func (h *handle) Fsync(*task) error {
	if h.in == nil {
		return filesystem.EBADF
	}
	return nil
}

// Truncate implements filesystem.Handle.
func (h *handle) Truncate(t *task, size int64) error {
	if h.in == nil {
		return filesystem.EBADF
	}
	return asError(h.fs.setSize(t, h.in, size))
}

// The modes of fallocate(2) (FALLOC_FL_*).
const (
	keepSize   = 0x1
	punchHole  = 0x2
	collapse   = 0x8
	zeroRange  = 0x10
	insert     = 0x20
	unshare    = 0x40
	knownModes = keepSize | punchHole | collapse | zeroRange | insert | unshare
)

// Fallocate implements filesystem.Handle: ext2 cannot, but what is wrong with the
// request is found first (vfs_fallocate).
func (h *handle) Fallocate(_ *task, mode uint32, off, n int64) error {
	both := func(a, b uint32) bool { return mode&a != 0 && mode&b != 0 }
	switch {
	case h.in == nil:
		return filesystem.EBADF
	case off < 0 || n <= 0:
		return filesystem.EINVAL
	case mode&^knownModes != 0, both(punchHole, zeroRange), mode&punchHole != 0 && mode&keepSize == 0:
		return filesystem.EOPNOTSUPP
	case both(collapse, ^uint32(collapse)), both(insert, ^uint32(insert)), both(unshare, ^uint32(unshare|keepSize)):
		return filesystem.EINVAL
	case h.fs.maxBytes-off < n:
		return filesystem.EFBIG
	}
	return filesystem.EOPNOTSUPP
}

// Close implements filesystem.Handle: the reservation goes with every handle
// (ext2_release_file).
func (h *handle) Close(t *task) error {
	in := h.in
	if in == nil {
		return filesystem.EBADF
	}
	h.in = nil
	h.fs.open--
	h.fs.alloc.DiscardWindow(&in.window)
	in.opens--
	h.fs.release(t, in)
	return nil
}

// asError turns an error number into an error, nil for 0.
func asError(e errno) error {
	if e == 0 {
		return nil
	}
	return e
}
