package ext4

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// eventLog writes down what observers are told, one line each.
type eventLog struct{ lines []string }

func (l *eventLog) add(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

// InodeAllocated implements Observer.
func (l *eventLog) InodeAllocated(number, parent, mode uint32) {
	l.add("inode %d in %d", number, parent)
}

// WritePagesExtent implements Observer.
func (l *eventLog) WritePagesExtent(number, lblk, n uint32) {
	l.add("writeback of inode %d: blocks %d-%d", number, lblk, lblk+n-1)
}

// Commit implements Observer.
func (l *eventLog) Commit(tid uint64) { l.add("commit %d", tid) }

// Request implements mballoc.Observer.
func (l *eventLog) Request(r *mballoc.Request) {
	s := fmt.Sprintf("inode %d asks for %d", r.Inode.Number, r.Len)
	if r.Flags&mballoc.HintData != 0 {
		s += fmt.Sprintf(" at block %d of the file", r.Logical)
	}
	s += fmt.Sprintf(", goal %d", r.Goal)
	if r.Pleft != 0 {
		s += fmt.Sprintf(", left %d@%d", r.Lleft, r.Pleft)
	}
	if r.Pright != 0 {
		s += fmt.Sprintf(", right %d@%d", r.Lright, r.Pright)
	}
	l.add("%s, %v", s, r.Flags)
}

// Decided implements mballoc.Observer.
func (l *eventLog) Decided(*mballoc.Decision) {}

// Allocated implements mballoc.Observer.
func (l *eventLog) Allocated(r *mballoc.Request, b allocator.Block) {
	if b == 0 {
		l.add("  gets nothing")
	} else {
		l.add("  gets %d at %d", r.Len, b)
	}
}

// NewInodePA implements mballoc.Observer.
func (l *eventLog) NewInodePA(inode uint32, b allocator.Block, n, logical uint32) {
	l.add("  preallocates %d at %d for block %d", n, b, logical)
}

// NewGroupPA implements mballoc.Observer.
func (l *eventLog) NewGroupPA(inode uint32, b allocator.Block, n uint32) {
	l.add("  preallocates %d at %d for small files", n, b)
}

// ReleaseInodePA implements mballoc.Observer.
func (l *eventLog) ReleaseInodePA(inode uint32, b allocator.Block, n uint32) {
	l.add("inode %d gives back %d at %d, preallocated", inode, n, b)
}

// ReleaseGroupPA implements mballoc.Observer.
func (l *eventLog) ReleaseGroupPA(b allocator.Block, n uint32) {
	l.add("small files give back %d at %d, preallocated", n, b)
}

// Discard implements mballoc.Observer.
func (l *eventLog) Discard(allocator.GroupID, int, int) {}

// DiscardForSpace implements mballoc.Observer.
func (l *eventLog) DiscardForSpace(needed int) {
	l.add("  preallocations are discarded for %d", needed)
}

// Free implements mballoc.Observer.
func (l *eventLog) Free(inode uint32, id allocator.GroupID, start, n int) {
	l.add("inode %d frees %d clusters from %d of group %d on", inode, n, start, id)
}

// BitmapRead implements mballoc.Observer.
func (l *eventLog) BitmapRead(allocator.GroupID, bool) {}

// BuddyLoaded implements mballoc.Observer.
func (l *eventLog) BuddyLoaded(allocator.GroupID) {}
