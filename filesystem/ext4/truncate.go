package ext4

import "mbsim/filesystem"

// dropPages forgets the dirty pages of a file from byte size on; the block that
// size lies in stays (truncate_inode_pages).
func (fs *FS) dropPages(in *inode, size int64) {
	fs.cleaned(in.fileMap().cache.drop(fs.blocksFor(size), maxBlocks))
}

// dropPageRange forgets the dirty blocks that lie wholly in [off, end)
// (truncate_pagecache_range).
func (fs *FS) dropPageRange(in *inode, off, end int64) {
	first, stop := fs.blocksFor(off), uint32(min(end>>fs.geo.BlockBits, maxBlocks))
	if stop > first {
		fs.cleaned(in.fileMap().cache.drop(first, stop))
	}
}

// zeroPartial zeroes part of the block that off lies in, which makes it dirty
// where it holds data (ext4_block_zero_page_range).
func (fs *FS) zeroPartial(t *task, in *inode, off int64) {
	lblk := uint32(off >> fs.geo.BlockBits)
	if in.fileMap().cache.state(lblk) != 0 {
		return
	}
	m := mapping{lblk: lblk, len: 1}
	if got, _ := fs.mapBlocks(t, in, &m, 0); got == 0 || m.state&stateMapped == 0 {
		return
	}
	in.fileMap().cache.add(lblk, 1, bufMapped)
	fs.dirtied(1)
	fs.markDirty(in)
}

// truncate frees the blocks past the end of the file (ext4_truncate).
func (fs *FS) truncate(t *task, in *inode) {
	if in.Size == 0 && fs.opt.AutoDaAlloc {
		in.allocOnClose = true
	}
	if fs.isInline(in) {
		fs.truncateInline(t, in)
		return
	}
	fs.j.start()
	if in.Size&(fs.geo.BlockSize()-1) != 0 {
		fs.zeroPartial(t, in, in.Size)
	}
	fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	in.disksize = in.Size
	last := fs.blocksFor(in.Size)
	if in.Extents {
		fs.forget(t, in, last, maxBlocks-last)
		fs.removeSpace(t, in, last, maxBlocks-1)
	} else {
		fs.truncateIndirect(t, in, last)
	}
	fs.dirtyInode(t, in)
}

// setSize is ftruncate(2) (ext4_setattr with ATTR_SIZE).
func (fs *FS) setSize(t *task, in *inode, size int64) errno {
	if size < 0 {
		return filesystem.EINVAL
	}
	if size > fs.maxSize(in) {
		return filesystem.EFBIG
	}
	old := in.Size
	if size <= old {
		fs.awaitWriteback(t, in)
	}
	if size != old {
		fs.j.start()
		in.Size, in.disksize = size, size
		fs.dirtyInode(t, in)
	}
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
