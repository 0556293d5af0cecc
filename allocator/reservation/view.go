package reservation

import (
	"iter"

	"mbsim/allocator"
)

// What is here reads without a trace: nothing is counted, so that whoever samples
// a run does not change it.

// Touched lists, in order, the groups whose bitmap has been looked at. All others
// are on disk as the Source has them.
func (a *Allocator) Touched() iter.Seq[allocator.GroupID] {
	return func(yield func(allocator.GroupID) bool) {
		for i := range a.groups {
			if a.groups[i].bits != nil && !yield(allocator.GroupID(i)) {
				return
			}
		}
	}
}

// PeekFree is the number of free blocks of id, and whether it may differ from the
// Source's.
func (a *Allocator) PeekFree(id allocator.GroupID) (blocks uint32, touched bool) {
	g := &a.groups[id]
	return g.free, g.bits != nil
}

// PeekBitmap is the block bitmap of id, nil where it has not been looked at: then
// it is what the Source has. It must not be changed.
func (a *Allocator) PeekBitmap(id allocator.GroupID) []uint64 { return a.groups[id].bits }
