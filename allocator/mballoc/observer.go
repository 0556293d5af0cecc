package mballoc

import "mbsim/allocator"

// Extent is a place in a group: Len clusters from Start on, for block Logical of
// a file.
type Extent struct {
	Group   allocator.GroupID
	Start   int
	Len     int
	Logical uint32
}

// Decision is how a request was served: what the kernel's events
// ext4_mballoc_alloc (a search was made) and ext4_mballoc_prealloc show.
type Decision struct {
	Inode    uint32
	Searched bool
	Orig     Extent // as asked
	Goal     Extent // normalized
	Result   Extent // what the search found
	Best     Extent // what the request got
	Found    int    // extents examined
	Groups   int    // groups scanned
	Criteria int    // the rung of the ladder, FromInodePA or FromGroupPA
	Rung     *Rung  // that rung, nil where no search was made
	Flags    Flags
	Tail     int // what the first split of a buddy left
	Buddy    int // clusters of that buddy, 0 if none was split
}

// Observer is told of every decision, in the order the kernel's trace events
// would have. What pointers point to is valid only during the call.
type Observer interface {
	// Request is a request as it comes in (ext4_request_blocks).
	Request(r *Request)
	// Decided says how it was served (ext4_mballoc_alloc,
	// ext4_mballoc_prealloc). One whose claim is refused is not decided.
	Decided(d *Decision)
	// Allocated is the answer: block b, r.Len clusters, 0 where there is no
	// space (ext4_allocate_blocks). One whose claim is refused has none.
	Allocated(r *Request, b allocator.Block)
	// NewInodePA is a preallocation of n clusters from block b on for block
	// logical of a file (ext4_mb_new_inode_pa).
	NewInodePA(inode uint32, b allocator.Block, n, logical uint32)
	// NewGroupPA is one for a locality group, made for a request of inode
	// (ext4_mb_new_group_pa).
	NewGroupPA(inode uint32, b allocator.Block, n uint32)
	// ReleaseInodePA is n clusters from block b on that a discarded
	// preallocation gives back (ext4_mb_release_inode_pa).
	ReleaseInodePA(inode uint32, b allocator.Block, n uint32)
	// ReleaseGroupPA is the same of a locality group's
	// (ext4_mb_release_group_pa).
	ReleaseGroupPA(b allocator.Block, n uint32)
	// Discard is the same in terms of the group (ext4_mballoc_discard).
	Discard(id allocator.GroupID, start, n int)
	// DiscardForSpace begins a round of discarding
	// (ext4_mb_discard_preallocations).
	DiscardForSpace(needed int)
	// Free is n clusters of a group freed on disk (ext4_mballoc_free).
	Free(inode uint32, id allocator.GroupID, start, n int)
	// BitmapRead is a bitmap read from the device
	// (ext4_read_block_bitmap_load), ahead of its use or not.
	BitmapRead(id allocator.GroupID, ahead bool)
	// BuddyLoaded is a buddy generated (ext4_mb_buddy_bitmap_load).
	BuddyLoaded(id allocator.GroupID)
}

// Locks are the points where a CPU may have to wait for another. Where one CPU
// runs there is nobody to wait for, and Config.Locks is nil.
type Locks interface {
	// LockGroup locks a group and reports whether it had to wait.
	LockGroup(id allocator.GroupID) (waited bool)
	// GroupLocked says whether somebody has the lock of a group.
	GroupLocked(id allocator.GroupID) bool
	// TryLockGroup locks a group unless somebody has its lock, and reports whether it did.
	TryLockGroup(id allocator.GroupID) bool
	// UnlockGroup gives the lock of a group back.
	UnlockGroup(id allocator.GroupID)
	// Work lets the time of what has been done pass.
	Work(w Work)
	// LockLocalityGroup takes the mutex of a CPU's locality group, for as long
	// as a request for a small file takes.
	LockLocalityGroup(cpu int)
	// UnlockLocalityGroup gives it back.
	UnlockLocalityGroup(cpu int)
	// StreamGoal passes s_md_lock, which guards the stream goal.
	StreamGoal()
	// ReadBitmap waits for the bitmap of id to come from the device, or only asks
	// for it ahead of its use.
	ReadBitmap(id allocator.GroupID, block allocator.Block, ahead bool)
	// AwaitBitmap waits for the bitmap of id if that is on its way.
	AwaitBitmap(id allocator.GroupID)
	// BeforeBest stands between a search and the use of the best it found.
	BeforeBest()
}

// Work is what a CPU has done since the last call of Locks.Work, for which time is to pass.
type Work struct {
	Considered int // groups looked at without their lock
	Scanned    int // groups searched
	Examined   int // free extents measured in them
	Preallocs  int // preallocations of the file looked at
	Buddies    int // ranges taken out of a buddy, or given back
	Bitmaps    int // ranges marked in a bitmap on disk
	Clusters   int // in these ranges
	Generated  int // buddies made
	Fragments  int // free extents in these
}

// chargeWork lets the time pass that the work takes, where work takes time.
func (a *Allocator) chargeWork(w Work) {
	if a.locks != nil {
		a.locks.Work(w)
	}
}

// Limits of the contention count (EXT4_MAX_CONTENTION,
// EXT4_CONTENTION_THRESHOLD).
const (
	maxContention       = 8
	contentionThreshold = 2
)

// lockGroup locks a group, counting contention (ext4_lock_group).
func (a *Allocator) lockGroup(id allocator.GroupID) {
	if a.locks != nil {
		a.lockAndCount(id)
	}
}

// lockAndCount locks a group where several CPUs run, and keeps the contention count.
func (a *Allocator) lockAndCount(id allocator.GroupID) {
	// The kernel tries the lock first: a failure raises s_lock_busy, up to a limit, and a
	// success lowers it.
	if a.locks.LockGroup(id) {
		a.lockBusy = min(a.lockBusy+1, maxContention)
	} else if a.lockBusy > 0 {
		a.lockBusy--
	}
}

// tryLockGroup locks a group unless another CPU has its lock, counting contention
// (ext4_try_lock_group).
func (a *Allocator) tryLockGroup(id allocator.GroupID) bool {
	if a.locks == nil {
		return true
	}
	if !a.locks.TryLockGroup(id) {
		a.lockBusy = min(a.lockBusy+1, maxContention)
		return false
	}
	a.lockBusy = max(a.lockBusy-1, 0)
	return true
}

func (a *Allocator) unlockGroup(id allocator.GroupID) {
	if a.locks != nil {
		a.locks.UnlockGroup(id)
	}
}

// busy says whether CPUs have been waiting for each other (ext4_fs_is_busy).
func (a *Allocator) busy() bool { return a.lockBusy > contentionThreshold }
