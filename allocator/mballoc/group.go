package mballoc

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// maxOrders is the number of orders with the largest blocks, 64K.
const maxOrders = 18

// group is one block group: what the disk says of it, and its buddy
// (struct ext4_group_info, the group descriptor and the block bitmap).
//
// The fields that decide whether a search passes a group over come first, so that they lie
// in one line of the processor's cache. The size of the struct is a multiple of a line.
type group struct {
	// In memory. Valid once needInit is false; free is always valid: before that it
	// is the descriptor's count.
	free      int
	fragments int
	largest   int // order of the largest free buddy, -1 for none
	needInit  bool
	pageInit  bool // the page of its buddy is up to date
	// The lists that the group is on, -1 for none: see lists.go.
	onLargest int8
	onMean    int32

	// On disk.
	uninit   bool // BLOCK_UNINIT
	uptodate bool // the bitmap has been read since mount
	// Other groups have the same bitmap or buddies: see shapes.go.
	diskShared, buddyShared bool
	descFree                uint32 // bg_free_blocks_count: clusters
	srcFree                 uint32 // the same as the Source has it
	id                      allocator.GroupID
	disk                    bitmap.Bits // the block bitmap, nil until it is first read

	// In memory again.
	buddy     *buddies // nil until it is first made
	firstFree int      // the kernel's lower bound of the first free cluster
	lowest    int      // a better one: scans leave it at what they find
	counters  [maxOrders]uint32

	pas         paList // preallocations in this group
	uncommitted int    // clusters freed but not committed
}

// buddies are bitmaps by order: the first has preallocated and not yet committed
// clusters in use, in the others a zero bit is a free buddy of 2^k clusters.
type buddies [maxOrders]bitmap.Bits

// newBuddies makes the bitmaps, in one piece of memory.
func (a *Allocator) newBuddies() *buddies {
	words := 0
	for k := range a.orders {
		words += bitmap.Words(a.maxClusters >> k)
	}
	b, all := new(buddies), make(bitmap.Bits, words)
	for k := range a.orders {
		n := bitmap.Words(a.maxClusters >> k)
		b[k], all = all[:n:n], all[n:]
	}
	return b
}

// groupsPerPage groups share a page of groups, made on first touch.
const groupsPerPage = 64

// page is some groups next to each other: n of them.
type page struct {
	groups [groupsPerPage]group
	n      int
	ahead  uint64 // those prefetch has looked at (EXT4_GROUP_INFO_BBITMAP_READ)
}

// all are the groups of a page, none if it has not been made.
func (p *page) all() []group {
	if p == nil {
		return nil
	}
	return p.groups[:p.n]
}

// at is group id, its descriptor read on first touch.
func (a *Allocator) at(id allocator.GroupID) *group {
	return &a.pageOf(id).groups[id%groupsPerPage]
}

// pageOf is the page that group id is in, made on first touch.
func (a *Allocator) pageOf(id allocator.GroupID) *page {
	if p := a.pages[id/groupsPerPage]; p != nil {
		return p
	}
	return a.makePage(id)
}

// makePage makes the page that group id is in.
func (a *Allocator) makePage(id allocator.GroupID) *page {
	i := id / groupsPerPage
	first := i * groupsPerPage
	p := &page{n: int(min(groupsPerPage, a.geo.Groups-first))}
	a.pages[i] = p
	all := p.all()
	for k := range all {
		g := &all[k]
		// Before its buddy is made, all that is known of a group is its descriptor.
		d := a.src.Desc(first + allocator.GroupID(k))
		g.descFree, g.srcFree = d.FreeClusters, d.FreeClusters
		g.id = first + allocator.GroupID(k)
		g.uninit = d.BlockUninit && a.cfg.GroupChecksums
		g.reset()
	}
	return p
}

// reset makes the group as it is after mount.
func (g *group) reset() {
	g.needInit, g.pageInit, g.uptodate = true, false, false
	g.free = int(g.descFree)
	g.fragments, g.firstFree, g.lowest, g.largest = 0, 0, 0, -1
	g.onLargest, g.onMean = -1, -1
	g.counters = [maxOrders]uint32{}
}

// readBitmap makes sure the block bitmap of id is in memory
// (ext4_read_block_bitmap_nowait). It reports whether it had to be read from
// the device; an uninitialized group's is computed.
//
// Deviates from the kernel: nothing is verified, and nothing can fail.
func (a *Allocator) readBitmap(id allocator.GroupID, g *group, ahead bool) bool {
	if g.uptodate {
		return false
	}
	return a.fetchBitmap(id, g, ahead)
}

// fetchBitmap is readBitmap for a bitmap that has not been read since the mount.
func (a *Allocator) fetchBitmap(id allocator.GroupID, g *group, ahead bool) bool {
	g.uptodate = true
	// The bitmap may have been in memory before a remount: it is kept, since it holds what
	// was allocated, but reading it counts anew.
	if g.disk == nil {
		a.readDisk(id, g)
	}
	// The bitmap of an uninitialized group is computed from the layout
	// (ext4_init_block_bitmap): no IO.
	if g.uninit {
		return false
	}
	a.stats.BitmapLoads++
	if ahead {
		a.stats.PrefetchIOs++
	}
	if a.obs != nil {
		a.obs.BitmapRead(id, ahead)
	}
	if a.locks != nil {
		a.locks.ReadBitmap(id, a.src.Desc(id).BlockBitmap, ahead)
	}
	return true
}

// load makes sure the buddy of id can be used (ext4_mb_load_buddy).
//
// Deviates from the kernel: its pages are never reclaimed.
func (a *Allocator) load(id allocator.GroupID) *group {
	g := a.at(id)
	if g.needInit {
		a.initGroup(id)
	}
	return g
}

// initGroup fills the page of the buddy cache that the buddy of id lies in. With small
// blocks that makes the buddies of all groups that share the page (ext4_mb_init_group,
// ext4_mb_init_cache).
func (a *Allocator) initGroup(id allocator.GroupID) {
	// With blocks smaller than half a page, one page of the buddy cache holds the bitmap
	// and the buddy of several groups, and is filled as a whole.
	per := allocator.GroupID(a.groupsPerBuddyPage)
	first := id / per * per
	last := min(first+per, a.geo.Groups)
	// Every bitmap of the page is read, or waited for where it is on its way already
	// because it was read ahead or another process asked for it.
	for k := first; k < last; k++ {
		if g := a.at(k); g.needInit || !g.pageInit {
			if !a.readBitmap(k, g, false) && a.locks != nil {
				a.locks.AwaitBitmap(k)
			}
		}
	}
	// Nothing waits from here on: the buddies are made of bitmaps that belong to the same
	// moment.
	var w Work
	for k := first; k < last; k++ {
		if g := a.at(k); g.needInit || !g.pageInit {
			a.generate(k, g)
			w.Generated++
			w.Fragments += g.fragments
		}
	}
	a.chargeWork(w)
}

// generate makes the buddy of a group from its bitmap on disk, its
// preallocations, and what was freed but not committed
// (ext4_mb_generate_buddy, ext4_mb_generate_from_pa,
// ext4_mb_generate_from_freelist).
func (a *Allocator) generate(id allocator.GroupID, g *group) {
	if !a.shareBuddy(g) {
		if g.buddy == nil || g.buddyShared {
			g.buddy, g.buddyShared = a.newBuddies(), false
		}
		copy(g.buddy[0], g.disk)
		a.fillBuddy(id, g)
	}
	// The group's counts are valid now, so an order that keeps lists of groups can place
	// it.
	g.needInit, g.pageInit = false, true
	a.order.changed(a, id, g)
	a.touch(id)
	a.stats.BuddiesGenerated++
	if a.obs != nil {
		a.obs.BuddyLoaded(id)
	}
}

// fillBuddy makes the buddy of a group whose lowest order is a copy of the bitmap on disk:
// what is preallocated, or freed and not committed, is in use too.
func (a *Allocator) fillBuddy(id allocator.GroupID, g *group) {
	b := g.buddy[0]
	// All of a preallocation is in use in the buddy, also what no request has taken yet
	// (ext4_mb_generate_from_pa).
	for p := g.pas.head; p != nil; p = p.groupNext {
		_, start := a.geo.GroupOf(p.pstart)
		b.SetRange(int(start), p.len)
	}
	// Clusters that were freed stay in use until their transaction commits
	// (ext4_mb_generate_from_freelist).
	if g.uncommitted > 0 {
		for _, f := range a.freed.list {
			if f.group == id {
				b.SetRange(f.start, f.n)
			}
		}
	}
	a.clearOrders(g)
	a.countBuddy(g)
}

// clearOrders takes all buddies away above the lowest order: there a set bit means that no free
// buddy of this order is here.
func (a *Allocator) clearOrders(g *group) {
	for k := 1; k < a.orders; k++ {
		g.buddy[k].Fill()
	}
}

// countBuddy builds the orders above the bitmap and counts the free space
// (ext4_mb_generate_buddy).
func (a *Allocator) countBuddy(g *group) {
	b := g.buddy[0]
	limit := int(a.geo.ClustersPerGroup)
	g.counters = [maxOrders]uint32{}
	g.fragments, g.free = 0, 0
	i := b.NextZero(0, limit)
	g.firstFree, g.lowest = i, i
	// Each turn is one free run, from i up to the next cluster in use.
	for i < limit {
		first := i
		i = b.NextSet(i, limit)
		g.fragments++
		g.free += i - first
		a.markFreeSimple(g, first, i-first)
		i = b.NextZero(i, limit)
	}
	g.setLargest(a.orders - 1)
}

// BitmapOf gives the on-disk block bitmap of id, read without counting as IO.
// It must not be changed.
func (a *Allocator) BitmapOf(id allocator.GroupID) []uint64 {
	g := a.at(id)
	if g.disk == nil {
		a.readDisk(id, g)
	}
	return g.disk
}
