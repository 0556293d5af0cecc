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
	// its entries. A process locks a directory before a file in it, and two
	// directories in the order of their numbers.
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

// lockBoth locks two directories, which may be one.
func (fs *FS) lockBoth(a, b *inode) {
	if b.Number < a.Number {
		a, b = b, a
	}
	fs.lock(a)
	if a != b {
		fs.lock(b)
	}
}

func (fs *FS) unlockBoth(a, b *inode) {
	fs.unlock(a)
	if a != b {
		fs.unlock(b)
	}
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
