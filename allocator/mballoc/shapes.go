package mballoc

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// shape is what all groups have in common whose free clusters on disk are one run: the bitmap,
// and the buddies made of it. In a young file system that is nearly every group: it is free as a
// whole, full, or free behind its metadata.
//
// Groups share a shape until something in them changes, and then take a copy (changeDisk, ownBuddy).
// So a group that was only looked at costs its header, and a file system costs what is used of it.
type shape struct {
	disk   bitmap.Bits
	counts group // its buddy, and what countBuddy finds in that
}

// freeRun is the only free run of a group: clusters first to end-1, none where both are the end.
type freeRun struct{ first, end int }

// maxShapes bounds how many shapes are kept. Those of a file system just made are fewer; where
// groups are of many shapes, few would share one.
const maxShapes = 64

// onlyRun is the free run of a bitmap, if there are not several.
func (a *Allocator) onlyRun(b bitmap.Bits) (freeRun, bool) {
	first := b.NextZero(0, a.maxClusters)
	end := b.NextSet(first, a.maxClusters)
	return freeRun{first, end}, b.NextZero(end, a.maxClusters) == a.maxClusters
}

// readDisk fills in the block bitmap of a group that has none yet.
func (a *Allocator) readDisk(id allocator.GroupID, g *group) {
	// It is read into memory that is used again unless the group needs it.
	b := a.spareDisk
	a.spareDisk = nil
	if b == nil {
		b = bitmap.New(a.maxClusters)
	}
	a.src.BlockBitmap(id, b)
	run, one := a.onlyRun(b)
	if one && a.shapes[run] == nil && len(a.shapes) < maxShapes {
		a.shapes[run] = &shape{disk: b}
		g.disk, g.diskShared = b, true
		return
	}
	if s := a.shapes[run]; one && s != nil {
		clear(b)
		a.spareDisk = b
		g.disk, g.diskShared = s.disk, true
		return
	}
	g.disk, g.diskShared = b, false
}

// shareBuddy gives a group the buddy of its shape, and reports whether it has one: if its bitmap
// on disk is shared, and nothing is in use beyond that.
func (a *Allocator) shareBuddy(g *group) bool {
	if !g.diskShared || g.pas.head != nil || g.uncommitted > 0 {
		return false
	}
	run, _ := a.onlyRun(g.disk)
	s := a.shapes[run]
	if s.counts.buddy == nil {
		s.counts.buddy = a.newBuddies()
		copy(s.counts.buddy[0], s.disk)
		a.clearOrders(&s.counts)
		a.countBuddy(&s.counts)
	}
	c := &s.counts
	g.buddy, g.buddyShared = c.buddy, true
	g.free, g.fragments, g.largest = c.free, c.fragments, c.largest
	g.firstFree, g.lowest, g.counters = c.firstFree, c.lowest, c.counters
	return true
}

// changeDisk is called by whoever is about to change the bitmap on disk of a group: no other group
// has the same one then, and TakeChanged tells of the change.
func (a *Allocator) changeDisk(g *group) {
	if g.diskShared {
		g.disk, g.diskShared = slices.Clone(g.disk), false
	}
	a.changes.Add(g.id)
}

// ownBuddy makes sure that no other group has the same buddy, which is about to change.
func (a *Allocator) ownBuddy(g *group) {
	if !g.buddyShared {
		return
	}
	b := a.newBuddies()
	for k := range a.orders {
		copy(b[k], g.buddy[k])
	}
	g.buddy, g.buddyShared = b, false
}
