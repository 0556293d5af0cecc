package mballoc

import (
	"iter"

	"mbsim/allocator"
)

// What is here reads without a trace: no group is loaded, nothing is counted, so
// that whoever samples a run does not change it.

// Touched lists, in order, the groups whose descriptor has been read. All others
// are on disk as the Source has them.
func (a *Allocator) Touched() iter.Seq[allocator.GroupID] {
	return func(yield func(allocator.GroupID) bool) {
		for i, p := range a.pages {
			for k := range p {
				if !yield(allocator.GroupID(i*groupsPerPage + k)) {
					return
				}
			}
		}
	}
}

// PeekFree is the free count of the descriptor of id, and whether that has been
// read; if not it is what the Source has.
func (a *Allocator) PeekFree(id allocator.GroupID) (clusters uint32, touched bool) {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		return 0, false
	}
	return p[id%groupsPerPage].descFree, true
}

// PeekBitmap is the block bitmap of id as it is on disk, nil where it has not
// been read: then it is what the Source has. It must not be changed.
func (a *Allocator) PeekBitmap(id allocator.GroupID) []uint64 {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		return nil
	}
	return p[id%groupsPerPage].disk
}
