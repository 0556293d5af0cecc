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
			for k := range p.all() {
				if !yield(allocator.GroupID(i*groupsPerPage + k)) {
					return
				}
			}
		}
	}
}

// TakeChanged lists the groups whose bitmap on disk was changed since it was called before, or
// since New. There is one who asks.
func (a *Allocator) TakeChanged() iter.Seq[allocator.GroupID] { return a.changes.Take() }

// Loaded lists, in order, the groups whose buddies are in memory.
func (a *Allocator) Loaded() iter.Seq[allocator.GroupID] {
	return func(yield func(allocator.GroupID) bool) {
		for id := range a.Touched() {
			if !a.at(id).needInit && !yield(id) {
				return
			}
		}
	}
}

// Groups is the number of groups.
func (a *Allocator) Groups() allocator.GroupID { return a.geo.Groups }

// PeekFree is the free count of the descriptor of id, and whether that has been
// read; if not it is what the Source has.
func (a *Allocator) PeekFree(id allocator.GroupID) (clusters uint32, touched bool) {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		return 0, false
	}
	return p.groups[id%groupsPerPage].descFree, true
}

// PeekBitmap is the block bitmap of id as it is on disk, nil where it has not
// been read: then it is what the Source has. It must not be changed.
func (a *Allocator) PeekBitmap(id allocator.GroupID) []uint64 {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		return nil
	}
	return p.groups[id%groupsPerPage].disk
}

// PeekUninit reports whether the descriptor of id has the flag BLOCK_UNINIT.
func (a *Allocator) PeekUninit(id allocator.GroupID) bool {
	if p := a.pages[id/groupsPerPage]; p != nil {
		return p.groups[id%groupsPerPage].uninit
	}
	return a.src.Desc(id).BlockUninit
}

// StructsSummary is how many groups are on each of the allocator's lists, by the order of
// the largest free buddy and of the mean free fragment, as mb_structs_summary shows it. All
// are 0 where no lists are kept; lists says whether they are.
func (a *Allocator) StructsSummary() (largest, mean []int, lists bool) {
	largest, mean = a.order.summary()
	if largest == nil {
		return make([]int, a.orders), make([]int, a.orders), false
	}
	return largest, mean, true
}

// PeekGroup is what GroupInfo tells of id, without loading its buddy: where that
// is not in memory, what it would be if it were loaded now.
func (a *Allocator) PeekGroup(id allocator.GroupID) GroupInfo {
	// A copy, so that nothing of the group itself changes.
	g := group{needInit: true}
	if p := a.pages[id/groupsPerPage]; p != nil {
		g = p.groups[id%groupsPerPage]
	}
	if g.needInit {
		// g is a copy, and gets a buddy of its own.
		g.buddy, g.buddyShared = a.newBuddies(), false
		if g.disk != nil {
			copy(g.buddy[0], g.disk)
		} else {
			a.src.BlockBitmap(id, g.buddy[0])
		}
		a.fillBuddy(id, &g)
	}
	return GroupInfo{
		Free: uint32(g.free), Fragments: uint32(g.fragments), FirstFree: uint32(g.firstFree),
		Counters: g.counters, Orders: a.orders,
	}
}
