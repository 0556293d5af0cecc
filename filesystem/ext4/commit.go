package ext4

import (
	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/journal"
)

// newJournal makes the journal of a file system that has one.
func (fs *FS) newJournal() *journal.Journal {
	c := journal.Config{
		Clock: fs.opt.Clock,
		Began: fs.opt.TransactionBegan,
		// The blocks that were freed in a transaction become free when it has been written.
		Written: func(tid uint64) { fs.alloc.Committed(tid) },
	}
	c.Closed = func(tid uint64) {
		if fs.obs != nil {
			fs.obs.Commit(tid)
		}
		fs.endOrderedInline()
	}
	// An interface that holds a nil Host would not be nil itself, so it is set only for a
	// Host.
	if fs.host != nil {
		c.Host = fs.host
	}
	return journal.New(c)
}

// endOrderedInline takes the data out of inodes whose pages the commit has to write, before it
// looks for pages that have their place already (ext4_do_writepages). The data, for which writeback
// has still to find a place, stays dirty. The change belongs to the next transaction.
func (fs *FS) endOrderedInline() {
	ordered := fs.orderedInline
	fs.orderedInline = nil
	for _, in := range ordered {
		if fs.isInline(in) && in.hasDirty() {
			fs.destroyInline(nil, in)
		}
	}
}

// noteBitmapJournalled records that the running transaction holds the bitmap and the
// descriptor of block b's group.
func (fs *FS) noteBitmapJournalled(b allocator.Block) {
	const descriptorSize = 64
	if fs.host != nil {
		g, _ := fs.geo.GroupOf(b)
		fs.journal.Note(journal.BlockBitmap, uint64(g))
		fs.journal.Note(journal.Descriptors, uint64(g)*descriptorSize>>fs.geo.BlockBits)
	}
}

// touchBitmaps records that the running transaction changes the block bitmaps of the groups that n
// blocks from b on lie in, for the figures of Transactions.
func (fs *FS) touchBitmaps(b allocator.Block, n uint32) {
	if fs.journal == nil || n == 0 {
		return
	}
	first, _ := fs.geo.GroupOf(b)
	last, _ := fs.geo.GroupOf(b + allocator.Block(n) - 1)
	for g := first; g <= last; g++ {
		fs.journal.TouchBlocks(g)
	}
}

// Transactions are the transactions that have been committed, and in how many groups they changed
// bitmaps; zero without a journal.
func (fs *FS) Transactions() filesystem.Transactions { return fs.journal.Transactions() }

// HasJournal says whether the file system has a journal.
func (fs *FS) HasJournal() bool { return fs.journal != nil }

// fsync writes the file's pages, and commits the transaction that last changed its inode
// (ext4_sync_file). Without a journal it writes the inode too, which is clean then
// (ext4_fsync_nojournal).
func (fs *FS) fsync(t *task, in *inode) errno {
	fs.lock(in)
	e := fs.writepages(t, in, 0, maxBlocks)
	fs.endIO(t, in, in)
	fs.unlock(in)
	if fs.journal == nil && !in.hasDirty() {
		fs.cleanInode(in)
	}
	// If the running transaction holds the inode it is committed; an earlier one may be on
	// its way.
	if e == 0 && fs.journal.Runs(in.syncTid) {
		fs.journal.Commit()
	} else {
		fs.journal.Await(in.syncTid)
	}
	return e
}

// sync writes all dirty files and commits (syncfs, sync_filesystem): first without waiting,
// then once more for what has become dirty meanwhile, such as the inodes whose blocks were
// converted when their IO ended.
func (fs *FS) sync(t *task) {
	fs.writebackAll(t, nil)
	fs.journal.Commit()
	fs.endIO(t, nil, nil)
	fs.writebackAll(t, nil)
	fs.endIO(t, nil, nil)
	fs.journal.Commit()
}

// dirtyInode records a change of the inode in the running transaction
// (ext4_mark_inode_dirty).
func (fs *FS) dirtyInode(t *task, in *inode) {
	if j := fs.journal; j != nil {
		j.Start()
		in.syncTid = uint32(j.Current())
		if fs.host != nil {
			fs.noteInodeJournalled(in)
		}
	}
}

// noteInodeJournalled records that the running transaction holds the inode's block of the
// inode table.
func (fs *FS) noteInodeJournalled(in *inode) {
	fs.journal.Note(journal.InodeTable, uint64(in.Number-1)*uint64(fs.layout.Super.InodeSize)>>fs.geo.BlockBits)
}
