package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// An inode may hold its data itself (inline_data, fs/ext4/inline.c): 60 bytes where the
// block map would be, and the rest as the value of an extended attribute in the space
// behind the inode's fields. A new file does so until a write does not fit, or until
// something asks for blocks (direct IO, fallocate). With delayed allocation the data then
// becomes dirty in the page cache, and leaves the inode only at writeback. Until then
// isInline is true and mayInline is false.
//
// Deviates from the kernel: other extended attributes, which use the same space, exist only
// on inodes that were in the image.

// inlineBlockBytes is how many bytes fit in place of the block map
// (EXT4_MIN_INLINE_DATA_SIZE).
const inlineBlockBytes = 60

// inlineState is what an inode knows about data inside it.
type inlineState struct {
	inline    int32 // bytes it holds (i_inline_size), 0 where it holds none
	inlineMax int32 // the most it can hold
}

// isInline says whether the inode holds its data itself.
func (fs *FS) isInline(in *inode) bool { return fs.inlineData && in.inline > 0 }

// maxInline is the most bytes that a new inode can hold, 0 if it has no space for
// attributes (ext4_get_max_inline_size).
func maxInline(s *image.Superblock) int32 {
	if s.Incompat&image.InlineData == 0 || s.InodeSize <= 128 {
		return 0
	}
	// The space behind the fields that inodes have beyond 128 bytes is for attributes.
	extra := extraFields(s)
	const entry = 4 + 20 + 4 // magic number, the attribute's entry, and four zeroes behind it
	// The value is a multiple of four bytes long, and lies in the same space as its entry.
	value := (int32(s.InodeSize) - 128 - extra - entry) &^ 3
	if value <= 0 {
		return 0
	}
	return inlineBlockBytes + value
}

// extraFields is how many bytes the fields of a new inode take beyond 128 (s_want_extra_isize).
func extraFields(s *image.Superblock) int32 {
	extra := int32(32) // the fields that 5.10 knows
	if s.ROCompat&image.ExtraIsize != 0 {
		extra = max(extra, int32(s.WantExtraIsize), int32(s.MinExtraIsize))
	}
	return extra
}

// holdInline makes room for size bytes in the inode, and reports false if they may not or
// cannot be there (ext4_prepare_inline_data).
func (fs *FS) holdInline(t *task, in *inode, size int64) bool {
	if !in.mayInline || size > int64(in.inlineMax) {
		return false
	}
	if size > int64(in.inline) {
		in.inline = max(inlineBlockBytes, int32(size))
		in.Extents = false
		fs.dirtyInode(t, in)
	}
	return true
}

// destroyInline takes the data out of the inode, which then has an empty block map
// (ext4_destroy_inline_data). The caller puts the data elsewhere.
func (fs *FS) destroyInline(t *task, in *inode) {
	fs.journal.Start()
	in.inline, in.mayInline = 0, false
	in.Extents = fs.extents
	fs.dirtyInode(t, in)
}

// writeInline writes [pos, pos+n) into the inode (ext4_da_write_inline_data_begin,
// ext4_try_to_write_inline_data). It reports false if the data does not fit. Then what the
// inode holds already has become a block, delayed or allocated, and the caller writes as to
// any file.
func (fs *FS) writeInline(t *task, in *inode, pos, n int64, delayed bool) (done bool, e errno) {
	// Without delayed allocation a write that cannot fit is not tried.
	if !delayed && pos+n > int64(in.inlineMax) {
		return false, fs.allocInline(t, in)
	}
	// Want of space for the block is tried again after a commit.
	for retries := 0; ; {
		fs.journal.Start()
		if fs.holdInline(t, in, pos+n) {
			in.Size = max(in.Size, pos+n)
			in.disksize = max(in.disksize, pos+n)
			fs.markDirty(in)
			fs.dirtyInode(t, in)
			return true, 0
		}
		// It does not fit: the data gets a block, now or in writeback.
		if !delayed {
			return false, fs.allocInline(t, in)
		}
		e = fs.delayInline(t, in)
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return false, e
		}
	}
}

// delayInline makes the block of what the inode holds a delayed one
// (ext4_da_convert_inline_data_to_extent). The data stays in the inode until writeback.
func (fs *FS) delayInline(t *task, in *inode) errno {
	if in.inline > 0 {
		if _, e := fs.prepareBlocks(t, in, 0, int64(in.inline), fs.prepareDelayed); e != 0 {
			fs.truncateFailedWrite(t, in)
			return e
		}
		fs.markDirty(in)
	}
	// From now on no write may put data into the inode.
	in.mayInline = false
	return 0
}

// allocInline allocates the block of what the inode holds now
// (ext4_convert_inline_data_to_extent). If there is no space, the data is lost, in the
// kernel too.
func (fs *FS) allocInline(t *task, in *inode) errno {
	in.mayInline = false
	for retries := 0; in.inline > 0; {
		// The inode gets its empty block map first: so prepareNow can map a block.
		size := in.inline
		fs.destroyInline(t, in)
		_, e := fs.prepareBlocks(t, in, 0, int64(size), fs.prepareNow)
		if e == 0 {
			fs.markDirty(in)
			return 0
		}
		// No space: the second turn finds the inode without inline data, and so ends the
		// loop.
		fs.truncateFailedWrite(t, in)
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
	return 0
}

// convertInline makes sure that the data is not in the inode, and will not be
// (ext4_convert_inline_data).
func (fs *FS) convertInline(t *task, in *inode) errno {
	// The data is on its way out, dirty in the page cache: writeback takes it there.
	if in.inline > 0 && !in.mayInline {
		if e := fs.writepages(t, in, 0, maxBlocks); e != 0 {
			return e
		}
		fs.endIO(t, in, in)
	}
	if in.inline > 0 {
		return fs.moveInline(t, in)
	}
	in.mayInline = false
	return 0
}

// moveInline moves what the inode holds to a block that is allocated now, and leaves it in
// the inode if there is no space (ext4_convert_inline_data_nolock).
func (fs *FS) moveInline(t *task, in *inode) errno {
	size := in.inline
	fs.destroyInline(t, in)
	m := mapping{lblk: 0, len: 1}
	if _, e := fs.mapBlocks(t, in, &m, mapCreate); e != 0 {
		in.inline, in.mayInline, in.Extents = size, true, false
		return e
	}
	fs.dirtyMeta(t, m.pblk)
	// An empty file now has a block behind its end, whose page may become dirty.
	in.pagesDiffer = in.pagesDiffer || in.Size == 0
	// A directory in a block is as long as the block.
	if in.isDir() {
		in.Size = fs.geo.BlockSize()
		in.disksize = in.Size
	}
	fs.dirtyInode(t, in)
	return 0
}

// truncateInline cuts the data in the inode to the file's size (ext4_inline_data_truncate).
// Delayed blocks keep their reservations though their pages are gone, in 5.10 too, until
// the file is deleted or written there again; not so in kernels that forget them.
func (fs *FS) truncateInline(t *task, in *inode) {
	fs.journal.Start()
	in.disksize = in.Size
	if in.Size < int64(in.inline) {
		if fs.quirks.CutInlineForgetsDelayed && !in.mayInline {
			// The page of what stays is dirty all the same, and so writeback maps its block.
			fs.forget(t, in, 0, maxBlocks)
			in.pagesDiffer = true
		}
		in.inline = max(inlineBlockBytes, int32(in.Size))
	}
	in.pagesDiffer = in.pagesDiffer || in.reserved > 0
	fs.dirtyInode(t, in)
}
