package mballoc

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// maxOrders is the number of orders with the largest blocks, 64K.
const maxOrders = 18

// group is one block group: what the disk says of it, and its buddy
// (struct ext4_group_info, the group descriptor and the block bitmap).
type group struct {
	// On disk.
	descFree uint32      // bg_free_blocks_count: clusters
	srcFree  uint32      // the same as the Source has it
	uninit   bool        // BLOCK_UNINIT
	disk     bitmap.Bits // the block bitmap, nil until it is first read
	uptodate bool        // the bitmap has been read since mount

	// In memory. The rest is not valid before needInit is false, but for free,
	// which the descriptor gives.
	needInit  bool
	readAhead bool // prefetch has looked at it (EXT4_GROUP_INFO_BBITMAP_READ)
	pageInit  bool // the page of its buddy is up to date
	free      int
	fragments int
	firstFree int
	largest   int // order of the largest free buddy, -1 for none
	counters  [maxOrders]uint32
	// buddy[0] is the bitmap with preallocated and not yet committed clusters
	// in use; a zero bit in buddy[k] is a free buddy of 2^k clusters.
	buddy [maxOrders]bitmap.Bits

	pas         paList // preallocations in this group
	uncommitted int    // clusters freed but not committed
}

// groupsPerPage groups share a page of groups, made on first touch.
const groupsPerPage = 64

// at is group id, its descriptor read on first touch.
func (a *Allocator) at(id allocator.GroupID) *group {
	p := a.pages[id/groupsPerPage]
	if p == nil {
		p = a.makePage(id / groupsPerPage)
	}
	return &p[id%groupsPerPage]
}

func (a *Allocator) makePage(i allocator.GroupID) []group {
	first := i * groupsPerPage
	p := make([]group, min(groupsPerPage, a.geo.Groups-first))
	a.pages[i] = p
	for k := range p {
		d := a.src.Desc(first + allocator.GroupID(k))
		p[k].descFree, p[k].srcFree = d.FreeClusters, d.FreeClusters
		p[k].uninit = d.BlockUninit && a.cfg.GroupChecksums
		p[k].reset()
	}
	return p
}

// reset makes the group as it is after mount.
func (g *group) reset() {
	g.needInit, g.readAhead, g.pageInit, g.uptodate = true, false, false, false
	g.free = int(g.descFree)
	g.fragments, g.firstFree, g.largest = 0, 0, -1
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
	g.uptodate = true
	if g.disk == nil {
		g.disk = bitmap.New(a.maxClusters)
		a.src.BlockBitmap(id, g.disk)
	}
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

// initGroup fills the page that the buddy of id lies in, and with small blocks
// the buddies of the groups that share it (ext4_mb_init_group,
// ext4_mb_init_cache).
func (a *Allocator) initGroup(id allocator.GroupID) {
	per := allocator.GroupID(a.groupsPerBuddyPage)
	first := id / per * per
	last := min(first+per, a.geo.Groups)
	for k := first; k < last; k++ {
		if g := a.at(k); g.needInit || !g.pageInit {
			if !a.readBitmap(k, g, false) && a.locks != nil {
				a.locks.AwaitBitmap(k)
			}
		}
	}
	var w Work
	for k := first; k < last; k++ {
		if g := a.at(k); g.needInit || !g.pageInit {
			a.generate(k, g)
			w.Generated++
			w.Fragments += g.fragments
		}
	}
	a.worked(w)
}

// generate makes the buddy of a group from its bitmap on disk, its
// preallocations, and what was freed but not committed
// (ext4_mb_generate_buddy, ext4_mb_generate_from_pa,
// ext4_mb_generate_from_freelist).
func (a *Allocator) generate(id allocator.GroupID, g *group) {
	if g.buddy[0] == nil {
		g.buddy[0] = bitmap.New(a.maxClusters)
		for k := 1; k < a.orders; k++ {
			g.buddy[k] = bitmap.New(a.maxClusters >> k)
		}
	}
	b := g.buddy[0]
	copy(b, g.disk)
	for p := g.pas.head; p != nil; p = p.groupNext {
		_, start := a.geo.GroupOf(p.pstart)
		b.SetRange(int(start), p.len)
	}
	if g.uncommitted > 0 {
		for _, f := range a.freed {
			if f.group == id {
				b.SetRange(f.start, f.n)
			}
		}
	}
	for k := 1; k < a.orders; k++ {
		g.buddy[k].Fill()
	}
	a.countBuddy(g)
	g.needInit, g.pageInit = false, true
	a.touch(id)
	a.stats.BuddiesGenerated++
	if a.obs != nil {
		a.obs.BuddyLoaded(id)
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
	g.firstFree = i
	for i < limit {
		first := i
		i = b.NextSet(i, limit)
		g.fragments++
		g.free += i - first
		a.markFreeSimple(g, first, i-first)
		i = b.NextZero(i, limit)
	}
	a.setLargest(g)
}

// BitmapOf gives the on-disk block bitmap of id, read without counting as IO.
// It must not be changed.
func (a *Allocator) BitmapOf(id allocator.GroupID) []uint64 {
	g := a.at(id)
	if g.disk == nil {
		g.disk = bitmap.New(a.maxClusters)
		a.src.BlockBitmap(id, g.disk)
	}
	return g.disk
}
