package ext4

import "mbsim/allocator"

// journal is that part of jbd2 which matters for layout: which transaction a change belongs
// to, and when it commits, since freed blocks may be used again only then. A nil journal
// stands for a file system without one.
//
// Deviates from the kernel: transactions hold no buffers; only the number of these is
// known, and only where there is a Host. A full journal does not force a commit, and nobody
// waits while a transaction is closed.
type journal struct {
	tid        uint64 // of the running transaction, or of the next one
	running    bool   // a transaction is running
	began      int64  // when it began, ns
	committing uint64 // the transaction that is being written, 0 for none
	clock      func() int64
	onBegin    func()
	blocks     map[journalledBlock]struct{} // of the running transaction, where there is a Host
}

// journalledBlock names a metadata block: what it holds, and its number among blocks of
// that kind.
type journalledBlock struct {
	kind   metaKind
	number uint64
}

// metaKind is what a metadata block holds.
type metaKind uint8

const (
	mappingBlock metaKind = iota // of extent trees, indirect blocks, directories
	blockBitmap
	inodeBitmap
	descriptors
	inodeTable
)

// noteJournalled records that the running transaction holds a block, so that Host.Commit
// can be told the transaction's size (jbd2_journal_dirty_metadata). Without a Host nothing
// is recorded.
func (fs *FS) noteJournalled(kind metaKind, at uint64) {
	if fs.host != nil && fs.journal != nil {
		fs.journal.blocks[journalledBlock{kind, at}] = struct{}{}
	}
}

// noteBitmapJournalled records that the running transaction holds the bitmap and the
// descriptor of block b's group.
func (fs *FS) noteBitmapJournalled(b allocator.Block) {
	const descriptorSize = 64
	if fs.host != nil {
		g, _ := fs.geo.GroupOf(b)
		fs.noteJournalled(blockBitmap, uint64(g))
		fs.noteJournalled(descriptors, uint64(g)*descriptorSize>>fs.geo.BlockBits)
	}
}

// start joins the running transaction, or starts one (jbd2__journal_start). Without a
// journal it does nothing.
func (j *journal) start() {
	if j != nil && !j.running {
		j.begin()
	}
}

// begin starts a transaction.
func (j *journal) begin() {
	j.running = true
	if j.clock != nil {
		j.began = j.clock()
	}
	if j.onBegin != nil {
		j.onBegin()
	}
}

// current is the id of the running transaction, or of the next one if none runs; 0 without
// a journal.
func (j *journal) current() uint64 {
	if j == nil {
		return 0
	}
	return j.tid
}

// commit commits the running transaction if there is one
// (jbd2_journal_force_commit_nested). The blocks that were freed in it become free.
func (fs *FS) commit(t *task) {
	j := fs.journal
	if j == nil || !j.running {
		return
	}
	// Only one transaction commits at a time. While this process waits for an earlier one,
	// another process may begin to commit this one; then its end is all that is awaited.
	tid := j.tid
	for j.committing != 0 {
		fs.host.AwaitCommit()
		if j.tid != tid || !j.running {
			fs.awaitCommit(uint32(tid))
			return
		}
	}
	// From here on changes belong to the next transaction.
	j.tid++
	j.running = false
	if fs.obs != nil {
		fs.obs.Commit(tid)
	}
	// Without a Host the commit takes no time.
	if fs.host == nil {
		fs.alloc.Committed(tid)
		return
	}
	// With a Host the blocks become free when the transaction has been written.
	j.committing = tid
	blocks := len(j.blocks)
	clear(j.blocks)
	fs.host.Commit(blocks)
	fs.alloc.Committed(tid)
	j.committing = 0
	fs.host.CommitEnded()
}

// awaitCommit waits while the transaction whose low 32 bits are tid is being written. tid 0
// is none.
func (fs *FS) awaitCommit(tid uint32) {
	for tid != 0 && uint32(fs.journal.committing) == tid {
		fs.host.AwaitCommit()
	}
}

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
	if e == 0 && fs.journal != nil && fs.journal.running && in.syncTid == uint32(fs.journal.tid) {
		fs.commit(t)
	} else if fs.journal != nil {
		fs.awaitCommit(in.syncTid)
	}
	return e
}

// sync writes all dirty files and commits (syncfs, sync_filesystem): first without waiting,
// then once more for what has become dirty meanwhile, such as the inodes whose blocks were
// converted when their IO ended.
func (fs *FS) sync(t *task) {
	fs.writebackAll(t, nil)
	fs.commit(t)
	fs.endIO(t, nil, nil)
	fs.writebackAll(t, nil)
	fs.endIO(t, nil, nil)
	fs.commit(t)
}

// dirtyInode records a change of the inode in the running transaction
// (ext4_mark_inode_dirty).
func (fs *FS) dirtyInode(t *task, in *inode) {
	if j := fs.journal; j != nil {
		j.start()
		in.syncTid = uint32(j.tid)
		if fs.host != nil {
			fs.noteInodeJournalled(in)
		}
	}
}

// noteInodeJournalled records that the running transaction holds the inode's block of the
// inode table.
func (fs *FS) noteInodeJournalled(in *inode) {
	fs.noteJournalled(inodeTable, uint64(in.Number-1)*uint64(fs.layout.Super.InodeSize)>>fs.geo.BlockBits)
}
