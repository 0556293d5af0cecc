package ext2

import (
	"mbsim/filesystem"

	"mbsim/allocator"
)

// bufferedWrite writes [off, off+n) through the page cache, a page at a time
// (generic_perform_write). It returns the bytes written, or an error if none
// were.
func (fs *FS) bufferedWrite(t *task, in *inode, off, n int64) (int64, errno) {
	var done int64
	for done < n {
		// part ends at the end of the page, or of what is to be written.
		pos := off + done
		part := min(allocator.PageSize-pos&(allocator.PageSize-1), n-done)
		if e := fs.writePage(t, in, pos, part); e != 0 {
			if done == 0 {
				return 0, e
			}
			// A write that has got somewhere is short instead of failing.
			break
		}
		done += part
	}
	return done, 0
}

// writePage writes [pos, pos+n), which lies in one page, allocating each of its
// blocks for itself (ext2_write_begin, ext2_write_end). Where one finds no space
// the whole page fails; blocks it got inside the file stay, as zeros.
func (fs *FS) writePage(t *task, in *inode, pos, n int64) errno {
	last := uint32((pos + n - 1) >> fs.geo.BlockBits)
	for b := uint32(pos >> fs.geo.BlockBits); b <= last; b++ {
		if _, e := fs.mapBlocks(t, in, b, 1, true); e != 0 {
			fs.writeFailed(t, in, pos+n)
			return e
		}
	}
	in.size = max(in.size, pos+n)
	return 0
}

// writeFailed frees what a failed write to end left behind the end of the file
// (ext2_write_failed).
func (fs *FS) writeFailed(t *task, in *inode, end int64) {
	if end > in.size {
		fs.truncateBlocks(t, in, in.size)
	}
}

// sectorSize is the logical block size of the device, in bytes.
const sectorSize = 512

// directWrite writes [off, off+n) past the page cache, then through it from the
// first hole inside the file on (__generic_file_write_iter with IOCB_DIRECT,
// ext2_direct_IO, __blockdev_direct_IO with DIO_SKIP_HOLES).
func (fs *FS) directWrite(t *task, in *inode, off, n int64) (int64, errno) {
	if (off|n)&(sectorSize-1) != 0 {
		fs.writeFailed(t, in, off+n)
		return 0, filesystem.EINVAL
	}
	// Units: pos and end are bytes, b and last blocks of the file.
	pos, end := off, off+n
	bits := fs.geo.BlockBits
	for pos < end {
		b, last := uint32(pos>>bits), uint32((end-1)>>bits)
		// Holes inside the file are left to the page cache: who reads meanwhile
		// must not see what the disk held before.
		behind := in.size == 0 || int64(b) > (in.size-1)>>bits
		m, e := fs.mapBlocks(t, in, b, last-b+1, behind)
		if e != 0 {
			fs.writeFailed(t, in, end)
			return 0, e
		}
		if m.n == 0 {
			break
		}
		pos = min(end, (int64(b)+int64(m.n))<<bits)
	}
	in.size = max(in.size, pos)
	if pos == end {
		return n, 0
	}
	// The rest goes through the page cache. An error counts only if nothing was written.
	k, e := fs.bufferedWrite(t, in, pos, end-pos)
	if k == 0 && pos == off {
		return 0, e
	}
	return pos - off + k, 0
}
