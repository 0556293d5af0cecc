package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
)

// The modes of fallocate(2).
const (
	falKeepSize      = 0x01
	falPunchHole     = 0x02
	falCollapseRange = 0x08
	falZeroRange     = 0x10
	falInsertRange   = 0x20
	falUnshareRange  = 0x40
)

// fallocate is fallocate(2) (vfs_fallocate, ext4_fallocate).
func (fs *FS) fallocate(t *task, in *inode, mode uint32, off, n int64) errno {
	// These are the arguments that vfs_fallocate and ext4_fallocate refuse.
	if off < 0 || n <= 0 {
		return filesystem.EINVAL
	}
	if e := fs.checkMode(mode); e != 0 {
		return e
	}
	if off+n > int64(maxBlocks)<<fs.geo.BlockBits || off+n < 0 {
		return filesystem.EFBIG
	}
	// fallocate needs blocks, so data in the inode moves out first.
	if e := fs.convertInline(t, in); e != 0 {
		return e
	}
	if fs.quirks.FallocateTouchesFirst {
		fs.awaitWriteback(t, in)
		fs.touch(t, in)
	}
	switch {
	case mode&falPunchHole != 0:
		return fs.punchHole(t, in, off, n)
	case mode&falCollapseRange != 0:
		return fs.collapseRange(t, in, off, n)
	case mode&falInsertRange != 0:
		return fs.insertRange(t, in, off, n)
	case mode&falZeroRange != 0:
		return fs.zeroRange(t, in, mode, off, n)
	}
	if !in.Extents {
		return filesystem.EOPNOTSUPP
	}
	// Plain preallocation: the blocks that the range touches are allocated and stay
	// unwritten.
	if !fs.quirks.FallocateTouchesFirst {
		fs.touch(t, in)
	}
	lblk, end := uint32(off>>fs.geo.BlockBits), fs.blocksFor(off+n)
	return fs.allocFileBlocks(t, in, lblk, end-lblk, growTo(in, mode, off+n), mapUnwrittenCreate)
}

// checkMode says what is wrong with a mode (vfs_fallocate). Blocks that are shared do not
// exist here, so that to give a file its own ones is not supported either.
func (fs *FS) checkMode(mode uint32) errno {
	const shift = falCollapseRange | falInsertRange
	const all = falKeepSize | falPunchHole | falZeroRange | shift | falUnshareRange
	switch {
	case mode&^all != 0, mode&(falPunchHole|falZeroRange) == falPunchHole|falZeroRange, mode&(falPunchHole|falKeepSize) == falPunchHole:
		return filesystem.EOPNOTSUPP
	// Of two things that exclude each other older kernels say that they are invalid.
	case mode&falCollapseRange != 0 && mode != falCollapseRange, mode&falInsertRange != 0 && mode != falInsertRange,
		mode&falUnshareRange != 0 && mode&^(falUnshareRange|falKeepSize) != 0:
		if fs.quirks.MixedModesUnsupported {
			return filesystem.EOPNOTSUPP
		}
		return filesystem.EINVAL
	case mode&falUnshareRange != 0:
		return filesystem.EOPNOTSUPP
	}
	return 0
}

// growTo is the size in bytes that the file grows to, 0 if its size stays.
func growTo(in *inode, mode uint32, end int64) int64 {
	if mode&falKeepSize == 0 && (end > in.Size || end > in.disksize) {
		return end
	}
	return 0
}

// allocFileBlocks maps [lblk, lblk+n), an extent at a time (ext4_alloc_file_blocks). The
// file grows with it, up to newSize bytes if that is not 0.
func (fs *FS) allocFileBlocks(t *task, in *inode, lblk, n uint32, newSize int64, f mapFlags) errno {
	// A request that fits one extent is not made longer by the allocator.
	if n <= extents.MaxUnwrittenLen {
		f |= mapNoNormalize
	}
	m := mapping{lblk: lblk, len: n}
	old := in.Size
	fs.zeroEndFirst(t, in, newSize)
	retries := 0
	if fs.quirks.OldEndZeroedFirst {
		first := lblk
		defer func() {
			// The file grows to the end of the last piece that was allocated.
			if newSize > 0 && m.lblk > first {
				fs.growFile(t, in, min(int64(m.lblk)<<fs.geo.BlockBits, newSize))
			}
		}()
	}
	for n > 0 {
		fs.journal.Start()
		got, e := fs.mapBlocks(t, in, &m, f)
		if e != 0 || got == 0 {
			fs.dirtyInode(t, in)
			if e == filesystem.ENOSPC && fs.shouldRetry(t, &retries) {
				// The failed try may have cut m.len. The kernel goes on with that length,
				// and so must we.
				continue
			}
			return e
		}
		if fs.quirks.FallocateRetriesEach {
			retries = 0
		}
		// The size follows each piece, so that it is right if a later piece fails.
		n -= got
		m.lblk += got
		m.len = n
		if newSize > 0 && !fs.quirks.OldEndZeroedFirst {
			end := min(int64(m.lblk)<<fs.geo.BlockBits, newSize)
			in.Size = max(in.Size, end)
			in.disksize = max(in.disksize, end)
			fs.zeroOldEnd(t, in, old, end)
		}
		fs.dirtyInode(t, in)
	}
	return 0
}

// growFile lets the file grow to a size that is on disk, unless it is larger
// (ext4_update_inode_size).
func (fs *FS) growFile(t *task, in *inode, size int64) {
	in.Size = max(in.Size, size)
	in.disksize = max(in.disksize, size)
	fs.dirtyInode(t, in)
}

// zeroRange makes the whole blocks of a range unwritten, and writes zeroes to the partial
// ones at its ends (ext4_zero_range).
func (fs *FS) zeroRange(t *task, in *inode, mode uint32, off, n int64) errno {
	if !in.Extents {
		return filesystem.EOPNOTSUPP
	}
	bs := fs.geo.BlockSize()
	// Whole blocks are [first, stop).
	first, stop := fs.blocksFor(off), uint32((off+n)>>fs.geo.BlockBits)
	partial := off&(bs-1) != 0 || (off+n)&(bs-1) != 0
	newSize := growTo(in, mode, off+n)
	if !fs.quirks.FallocateTouchesFirst {
		fs.awaitWriteback(t, in)
		fs.touch(t, in)
	}
	// Partial blocks are allocated too, with all blocks between them.
	if partial {
		from, to := uint32(off>>fs.geo.BlockBits), fs.blocksFor(off+n)
		if e := fs.allocFileBlocks(t, in, from, to-from, newSize, mapUnwrittenCreate); e != 0 {
			return e
		}
	}
	// Whole blocks: their pages are dropped, and written ones become unwritten.
	if stop > first || fs.quirks.ZeroRangeDropsAlways {
		fs.updateDisksize(t, in, off, n)
	}
	if stop > first {
		fs.dropPageRange(in, off, off+n)
		if e := fs.allocFileBlocks(t, in, first, stop-first, newSize, mapUnwrittenCreate|mapConvertUnwritten|mapNoCache); e != 0 {
			return e
		}
	}
	// Partial blocks: the part of the page is zeroed.
	if partial {
		if newSize > 0 {
			in.Size = max(in.Size, newSize)
			in.disksize = max(in.disksize, newSize)
		}
		fs.dirtyInode(t, in)
		fs.zeroPartialBlocks(t, in, off, n)
	}
	return 0
}

// zeroPartialBlocks writes zeroes to the ends of [off, off+n) that do not fill a block
// (ext4_zero_partial_blocks).
func (fs *FS) zeroPartialBlocks(t *task, in *inode, off, n int64) {
	bs := fs.geo.BlockSize()
	last := off + n - 1
	head, tail := off&(bs-1) != 0, last&(bs-1) != bs-1
	// The range lies in one block.
	if off>>fs.geo.BlockBits == last>>fs.geo.BlockBits {
		if head || tail {
			fs.zeroPartial(t, in, off)
		}
		return
	}
	if head {
		fs.zeroPartial(t, in, off)
	}
	if tail {
		fs.zeroPartial(t, in, last)
	}
}

// updateDisksize lets the size on disk follow the file's size before pages are dropped that
// would have brought it up to date (ext4_update_disksize_before_punch). Older kernels do so
// only if the range reaches the end of the file.
func (fs *FS) updateDisksize(t *task, in *inode, off, n int64) {
	if off > in.Size {
		return
	}
	size := in.Size
	if off+n < size {
		if !fs.quirks.PunchedDisksizeGrows {
			return
		}
		size = off + n
	}
	if in.disksize >= size {
		return
	}
	in.disksize = size
	fs.dirtyInode(t, in)
}

// punchHole frees the whole blocks of a range (ext4_punch_hole).
func (fs *FS) punchHole(t *task, in *inode, off, n int64) errno {
	// Dirty pages are written first, as older kernels do.
	if in.hasDirty() && !fs.quirks.PunchWritesNothing {
		if e := fs.flushFile(t, in, off, n); e != 0 {
			return e
		}
	}
	fs.awaitWriteback(t, in)
	n = fs.punchLength(in, off, n)
	if n == 0 {
		return 0
	}
	if !fs.quirks.FallocateTouchesFirst {
		fs.touch(t, in)
	}
	// Pages of whole blocks are dropped: up is the first byte of these, down the last.
	bs := fs.geo.BlockSize()
	up, down := (off+bs-1)&^(bs-1), (off+n)&^(bs-1)-1
	if down > up || fs.quirks.PunchWritesNothing {
		fs.updateDisksize(t, in, off, n)
	}
	if down > up {
		fs.dropPageRange(in, up, down+1)
	}
	fs.journal.Start()
	// The partial blocks at both ends stay, with zeroes in them.
	fs.zeroPartialBlocks(t, in, off, n)
	// The whole blocks [first, stop) are freed, the preallocations before, as they may lie
	// in the hole.
	first, stop := fs.blocksFor(off), uint32((off+n)>>fs.geo.BlockBits)
	var e errno
	if stop > first {
		fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
		fs.forget(t, in, first, stop-first)
		if in.Extents {
			e = fs.removeSpace(t, in, first, stop-1)
		} else {
			fs.punchIndirect(t, in, first, stop)
		}
		// Some kernels remember the hole.
		if e == 0 && fs.quirks.PunchWritesNothing {
			in.fileMap().es.Set(first, stop-first, 0, es.Hole)
		}
	}
	fs.markDirty(in)
	fs.dirtyInode(t, in)
	return e
}

// punchLength is the length of the hole of n bytes that is asked for at byte off, cut at the
// end of the file's last page and at the limit of its size. It is 0 where there is nothing to
// punch.
func (fs *FS) punchLength(in *inode, off, n int64) int64 {
	// Behind the end of the file there is nothing to punch.
	if off >= in.Size {
		return 0
	}
	// Older kernels take the limit of files with indirect blocks for every file.
	limit := fs.maxIndirect - fs.geo.BlockSize()
	if fs.quirks.PunchWritesNothing && in.Extents {
		limit = fs.maxSize(in)
	}
	if fs.quirks.PunchWritesNothing && off >= limit {
		return 0
	}
	// The end of the last page; where the file ends with a page, older kernels take one more.
	end := off + n
	if end > in.Size {
		end = in.Size + fs.pageSize - in.Size&(fs.pageSize-1)
		if fs.quirks.PunchWritesNothing {
			end = (in.Size + fs.pageSize - 1) &^ (fs.pageSize - 1)
		}
	}
	if end >= in.Size && fs.quirks.PunchEndsWithBlock {
		end = int64(fs.blocksFor(in.Size)) << fs.geo.BlockBits
	}
	return min(end, limit) - off
}
