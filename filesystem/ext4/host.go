package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// Host is the machine below a file system that several processes use at once.
// Its methods are where a process may have to wait, or where its work takes
// time, so that another process goes on. Between two of them nobody else runs.
//
// Where one process runs at a time there is no Host, and nothing costs anything.
type Host interface {
	mballoc.Locks
	// LockInode waits for an inode's lock: of a file that for its pages and
	// mappings (i_rwsem and i_data_sem are one here), of a directory that for
	// its entries. A process locks a directory before what is in it. Number 0 is
	// the lock of those who rename from one directory to another.
	LockInode(number uint32)
	TryLockInode(number uint32) bool
	UnlockInode(number uint32)

	// Copy lets n bytes be copied between a process and the page cache.
	Copy(n int64)
	// Submitted says that writeback has given n blocks of a file their place, and
	// sent them there.
	Submitted(block allocator.Block, n uint32)
	// Read reads n blocks of a file from the device.
	Read(block allocator.Block, n uint32)
	// WaitIO waits until what the process has sent is on the device.
	WaitIO()
	// Commit lets the time pass that writing a transaction of so many metadata
	// blocks takes.
	Commit(blocks int)
	// AwaitCommit waits until a commit ends; CommitEnded ends these waits.
	AwaitCommit()
	CommitEnded()
	// Entry is a name added to a directory, taken from it or changed; with made,
	// of a new inode. The directory is locked.
	Entry(made bool)
	// Asked and Answered stand around a request to the allocator.
	Asked()
	Answered()
}

func (fs *FS) lock(in *inode) {
	if fs.host != nil {
		fs.host.LockInode(in.Number)
	}
}

func (fs *FS) tryLock(in *inode) bool {
	return fs.host == nil || fs.host.TryLockInode(in.Number)
}

func (fs *FS) unlock(in *inode) {
	if fs.host != nil {
		fs.host.UnlockInode(in.Number)
	}
}

// renameMutex is the lock that everyone holds who moves a name from one directory to
// another (s_vfs_rename_mutex): which directory lies above which cannot change meanwhile.
// It is kept among the inodes' locks, under a number that no inode has.
const renameMutex = 0

// enterBoth is enter for the two directories of a rename, which may be one. One that lies
// above the other is locked first, as everybody locks a directory before what is in it
// (lock_rename).
func (fs *FS) enterBoth(a, b *inode) {
	if fs.host == nil {
		return
	}
	if a == b {
		fs.enter(a)
		return
	}
	// Both are pinned before this process waits for the first time.
	fs.pin(a)
	fs.pin(b)
	fs.host.LockInode(renameMutex)
	if b.isAbove(a) || !a.isAbove(b) && b.Number < a.Number {
		a, b = b, a
	}
	fs.lock(a)
	fs.lock(b)
}

// leaveBoth is leave for directories that enterBoth has locked.
func (fs *FS) leaveBoth(t *task, a, b *inode) {
	if fs.host == nil {
		return
	}
	if a == b {
		fs.leave(t, a)
		return
	}
	fs.unlock(a)
	fs.unlock(b)
	fs.host.UnlockInode(renameMutex)
	fs.unpin(t, a)
	fs.unpin(t, b)
}

// takeRequest gives a request to fill in. Several may be in use: a request waits
// where another process may make one.
func (fs *FS) takeRequest() *mballoc.Request {
	if n := len(fs.spareRequests); n > 0 {
		r := fs.spareRequests[n-1]
		fs.spareRequests = fs.spareRequests[:n-1]
		*r = mballoc.Request{}
		return r
	}
	return new(mballoc.Request)
}

func (fs *FS) giveRequest(r *mballoc.Request) { fs.spareRequests = append(fs.spareRequests, r) }
