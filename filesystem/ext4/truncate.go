package ext4

import (
	"math"

	"mbsim/filesystem"
	"mbsim/filesystem/ext4/pagecache"
)

// dropPages forgets the dirty pages of a file from byte size on (truncate_inode_pages). The
// block that size lies in stays.
func (fs *FS) dropPages(in *inode, size int64) {
	fs.cleaned(in.fileMap().cache.Drop(fs.blocksFor(size), maxBlocks))
	fs.cutFolios(in, size, math.MaxInt64)
}

// dropPageRange forgets the dirty blocks that lie wholly in [off, end)
// (truncate_pagecache_range).
func (fs *FS) dropPageRange(in *inode, off, end int64) {
	first, stop := fs.blocksFor(off), uint32(min(end>>fs.geo.BlockBits, maxBlocks))
	if stop > first {
		fs.cleaned(in.fileMap().cache.Drop(first, stop))
	}
	fs.cutFolios(in, off, end)
}

// zeroPartial writes zeroes to a part of the block that off lies in, which makes the block
// dirty if it holds data (ext4_block_zero_page_range).
func (fs *FS) zeroPartial(t *task, in *inode, off int64) {
	lblk := uint32(off >> fs.geo.BlockBits)
	// A dirty block stays dirty. All blocks of a brief file that is delayed are.
	if b := &in.brief; b.state == briefDelayed && lblk < b.n || in.fileMap().cache.State(lblk) != 0 {
		return
	}
	// The page is brought into the cache, also where it is a hole.
	if fs.largeFolios(in) {
		fs.getFolio(in, uint32(off>>fs.pageBits), 0)
	}
	m := mapping{lblk: lblk, len: 1}
	// Holes and unwritten blocks are zeroes already. A look-up can fail only where no block
	// can be.
	if got, _ := fs.mapBlocks(t, in, &m, 0); got == 0 || m.state&stateMapped == 0 {
		return
	}
	in.fileMap().cache.Add(lblk, 1, pagecache.Mapped)
	fs.dirtied(1)
	fs.markDirty(in)
}

// zeroOldEnd writes zeroes to the rest of the block that a file ended in, and to the front of
// the block at byte pos, when something is written at pos, behind the old end. Where that
// block is on disk it so becomes dirty. Not all kernels do so.
func (fs *FS) zeroOldEnd(t *task, in *inode, old, pos int64) {
	if !fs.quirks.GrowingZeroesOldEnd || fs.quirks.OldEndZeroedFirst || pos <= old {
		return
	}
	if !fs.isInline(in) {
		fs.zeroPartialBlocks(t, in, old, pos-old)
		return
	}
	// What was in the inode is dirty already, but now the commit has to write it (ordered data).
	if inBlock := fs.geo.BlockSize() - 1; fs.journal != nil && (old|pos)&inBlock != 0 {
		fs.orderedInline = append(fs.orderedInline, in)
	}
}

// zeroEndFirst is zeroOldEnd for kernels that do so before they write at byte pos, and only
// for the block of the old end (ext4_block_zero_eof).
func (fs *FS) zeroEndFirst(t *task, in *inode, pos int64) {
	if fs.quirks.OldEndZeroedFirst && pos > in.Size && in.Size&(fs.geo.BlockSize()-1) != 0 && !fs.isInline(in) {
		fs.zeroPartial(t, in, in.Size)
	}
}

// truncate frees the blocks behind the end of the file (ext4_truncate).
func (fs *FS) truncate(t *task, in *inode) {
	// auto_da_alloc: the file may be about to be rewritten, and gets its blocks when it is
	// closed.
	if in.Size == 0 && fs.opt.AutoDaAlloc {
		in.allocOnClose = true
	}
	if fs.isInline(in) {
		fs.truncateInline(t, in)
		return
	}
	fs.journal.Start()
	// The rest of the last block must read as zeroes if the file grows again.
	if in.Size&(fs.geo.BlockSize()-1) != 0 {
		fs.zeroPartial(t, in, in.Size)
	}
	// The preallocations go before the blocks, as they follow them.
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	in.disksize = in.Size
	last := fs.blocksFor(in.Size)
	if in.Extents {
		fs.forget(t, in, last, maxBlocks-last)
		// To free from the end of the tree splits nothing, so it needs no block and cannot
		// fail.
		fs.removeSpace(t, in, last, maxBlocks-1)
	} else {
		fs.truncateIndirect(t, in, last)
	}
	fs.dirtyInode(t, in)
}

// setSize is ftruncate(2) to size bytes (ext4_setattr with ATTR_SIZE).
func (fs *FS) setSize(t *task, in *inode, size int64) errno {
	if size < 0 {
		return filesystem.EINVAL
	}
	if size > fs.maxSize(in) {
		return filesystem.EFBIG
	}
	// What grows beyond the inode leaves it.
	if fs.quirks.GrowingMovesInline && fs.isInline(in) && size > int64(in.inline) {
		if e := fs.convertInline(t, in); e != 0 {
			return e
		}
	}
	// IO on its way to blocks that go is awaited first.
	old := in.Size
	if size <= old {
		fs.awaitWriteback(t, in)
	}
	if size != old {
		fs.journal.Start()
		// A file that grows gets zeroes behind its old end.
		if size > old && old&(fs.geo.BlockSize()-1) != 0 && fs.quirks.GrowingZeroesOldEnd && !fs.isInline(in) {
			fs.zeroPartial(t, in, old)
		}
		in.Size, in.disksize = size, size
		fs.stampModified(in)
		fs.dirtyInode(t, in)
	}
	// The pages go before the blocks.
	fs.dropPages(in, size)
	if size <= old {
		fs.truncate(t, in)
	}
	fs.markDirty(in)
	fs.dirtyInode(t, in)
	return 0
}

// maxSize is the largest size of the file in bytes (s_maxbytes,
// s_bitmap_maxbytes).
func (fs *FS) maxSize(in *inode) int64 {
	if !in.Extents {
		return fs.maxIndirect
	}
	return int64(maxBlocks) << fs.geo.BlockBits
}
