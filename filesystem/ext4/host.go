package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// Host is the machine below a file system that several processes use at once. A process may
// have to wait in its methods, or its work takes time there, so that other processes run.
// Between two calls of them no other process runs.
//
// Where one process runs at a time there is no Host, and nothing takes time.
type Host interface {
	mballoc.Locks
	// LockInode waits for an inode's lock. That of a file protects its pages and mappings
	// (i_rwsem and i_data_sem are one here), that of a directory its entries. A process
	// locks a directory before what is in it. Number 0 is the lock for renames from one
	// directory to another (renameMutex).
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
	// ReadMetadata has n blocks of metadata read from the device. The process waits for them
	// before it goes on, but not in this call: no other process runs in it.
	ReadMetadata(block allocator.Block, n uint32)
	// WaitIO waits until what the process has sent is on the device.
	WaitIO()
	// Commit lets the time pass that writing a transaction of so many metadata
	// blocks takes.
	Commit(blocks int)
	// AwaitCommit waits until a commit ends; CommitEnded ends these waits.
	AwaitCommit()
	CommitEnded()
	// Entry lets the time pass that adding, removing or changing a name of a directory
	// takes. With made a new inode is made for it. The directory is locked.
	Entry(made bool)
	// Asked is called before each request to the allocator, Answered after it.
	Asked()
	Answered()
}

// lock waits for the lock of an inode.
func (fs *FS) lock(in *inode) {
	if fs.host != nil {
		fs.host.LockInode(in.Number)
	}
}

// tryLock takes the lock of an inode if it is free, and reports whether it did.
func (fs *FS) tryLock(in *inode) bool {
	return fs.host == nil || fs.host.TryLockInode(in.Number)
}

// unlock gives the lock of an inode back.
func (fs *FS) unlock(in *inode) {
	if fs.host != nil {
		fs.host.UnlockInode(in.Number)
	}
}

// renameMutex is the lock that a process holds which moves a name from one directory to
// another (s_vfs_rename_mutex), so that which directory lies above which cannot change
// meanwhile. It is kept among the inodes' locks, under a number that no inode has.
const renameMutex = 0

// enterBoth is enter for the two directories of a rename, which may be one. If one lies
// above the other it is locked first, as every process locks a directory before what is in
// it (lock_rename).
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
	// Directories of which none lies above the other are locked in the order of their
	// numbers.
	if b.isAbove(a) || !a.isAbove(b) && b.Number < a.Number {
		a, b = b, a
	}
	fs.lock(a)
	fs.lock(b)
}

// leaveBoth is leave for the directories that enterBoth has locked.
func (fs *FS) leaveBoth(t *task, a, b *inode) {
	if fs.host == nil {
		return
	}
	if a == b {
		fs.leave(t, a)
		return
	}
	// The locks are given back before the pins, since to unpin may free a directory.
	fs.unlock(a)
	fs.unlock(b)
	fs.host.UnlockInode(renameMutex)
	fs.unpin(t, a)
	fs.unpin(t, b)
}

// takeRequest returns an empty request to the allocator, used again where possible. Several
// may be in use at once: while one request waits, another process may make one.
func (fs *FS) takeRequest() *mballoc.Request {
	if n := len(fs.spareRequests); n > 0 {
		r := fs.spareRequests[n-1]
		fs.spareRequests = fs.spareRequests[:n-1]
		*r = mballoc.Request{}
		return r
	}
	return new(mballoc.Request)
}

// giveRequest gives a request back that is used no longer.
func (fs *FS) giveRequest(r *mballoc.Request) { fs.spareRequests = append(fs.spareRequests, r) }
