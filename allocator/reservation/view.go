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

// TakeChanged lists the groups whose bitmap on disk was changed since it was called before, or
// since New. There is one who asks.
func (a *Allocator) TakeChanged() iter.Seq[allocator.GroupID] { return a.changes.Take() }

// PeekFree is the number of free blocks of id, and whether it may differ from the
// Source's.
func (a *Allocator) PeekFree(id allocator.GroupID) (blocks uint32, touched bool) {
	g := &a.groups[id]
	return g.free, g.bits != nil
}

// PeekBitmap is the block bitmap of id, nil where it has not been looked at: then
// it is what the Source has. It must not be changed.
func (a *Allocator) PeekBitmap(id allocator.GroupID) []uint64 { return a.groups[id].bits }

// FreeClusters is the counter of free blocks. It must not be changed.
func (a *Allocator) FreeClusters() *allocator.PerCPUCounter { return a.free }

// Stuck is how many blocks of id are marked in use though nobody has them and the
// descriptor counts them as free: requests that a damaged bitmap led into the
// group's own metadata left them so.
func (a *Allocator) Stuck(id allocator.GroupID) uint32 { return a.groups[id].stuck }

// Windows lists all windows in the order of their blocks.
func (a *Allocator) Windows() iter.Seq[*Window] {
	return func(yield func(*Window) bool) {
		for w := a.windows.head.next; w != nil; w = w.next {
			if !yield(w) {
				return
			}
		}
	}
}

// CheckWindows returns what is wrong with the set of windows: two that overlap or
// are out of order, or one that the tree does not have in its place.
func (a *Allocator) CheckWindows() error { return a.windows.check() }
