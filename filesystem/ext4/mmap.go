package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/pagecache"
)

// Store implements filesystem.Handle. It stores n bytes at off through a mapping that is new, so that
// each page is faulted in, and then made writable (filemap_fault, ext4_page_mkwrite). With
// MADV_RANDOM no other page is read. The size of the file stays.
//
// Deviates from the kernel: a page fault does not take the file's lock, but another that excludes
// little; here it is one lock.
func (h *handle) Store(t *task, off, n int64) error {
	switch {
	case off < 0 || n < 0:
		return filesystem.EINVAL
	case n == 0:
		return nil
	}
	fs, in := h.fs, h.in
	if fs.host != nil {
		fs.host.Copy(n)
	}
	fs.lock(in)
	defer fs.unlock(in)
	// A program is killed (SIGBUS) where it stores behind the last page.
	pages := (in.Size + fs.pageSize - 1) >> fs.pageBits
	if off > pages<<fs.pageBits-n {
		return filesystem.EFAULT
	}
	for p := off >> fs.pageBits; p <= (off+n-1)>>fs.pageBits; p++ {
		if fs.turns != nil {
			fs.takeTurns(t)
		}
		if e := fs.makeWritable(t, in, uint32(p)); e != 0 {
			return filesystem.EFAULT
		}
		fs.balance(t)
	}
	return nil
}

// makeWritable makes a page of a file dirty that a program is about to store to, and gives it blocks:
// delayed ones, or where delayed allocation is off or space is short at once (ext4_page_mkwrite).
// Of a folio of several pages all get theirs, as far as the file goes.
func (fs *FS) makeWritable(t *task, in *inode, page uint32) errno {
	// The fault reads the page, which becomes a folio if it is in none.
	start := int64(page) << fs.pageBits
	if !fs.isInline(in) {
		fs.readMappings(t, in, start, min(fs.pageSize, in.Size-start), false)
	}
	if fs.largeFolios(in) {
		fs.getFolio(in, page, 0)
	}
	fs.touch(t, in)
	if fs.inlineData {
		if e := fs.convertInline(t, in); e != 0 {
			return e
		}
	}
	first, end := fs.folioOf(in, page*fs.blocksPerPage)
	from := int64(first) << fs.geo.BlockBits
	to := min(int64(end)<<fs.geo.BlockBits, in.Size)
	var prepare func(*task, *inode, uint32) (pagecache.State, errno) = fs.prepareNow
	if fs.opt.Delalloc && !fs.shortOfSpace(t, in) {
		prepare = fs.prepareDelayed
	}
	for retries := 0; ; {
		fs.journal.Start()
		_, e := fs.prepareBlocks(t, in, from, to-from, prepare)
		if e == 0 {
			fs.markDirty(in)
			return 0
		}
		if e != filesystem.ENOSPC || !fs.shouldRetry(t, &retries) {
			return e
		}
	}
}
