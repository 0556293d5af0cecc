package mballoc

import "mbsim/allocator"

// readAhead reads the bitmaps of nr groups from id on, around the end, that hold
// free space and are on disk, each once after a mount (ext4_mb_prefetch). It
// returns the group to go on from and the number of bitmaps read.
//
// Deviates from the kernel: there a bitmap that the device has delivered by the time the
// kernel looks at its buffer does not count as an IO. Here each one counts.
func (a *Allocator) readAhead(id allocator.GroupID, nr uint32) (next allocator.GroupID, ios uint32) {
	for nr > 0 {
		// Page by page of groups, since most pages have been looked at as a whole before.
		n := min(nr, groupsPerPage-uint32(id)%groupsPerPage, uint32(a.geo.Groups-id))
		if p := a.pages[id/groupsPerPage]; p == nil || ^p.ahead&inPage(id, n) != 0 {
			ios += a.readAheadPage(id, n)
		}
		nr -= n
		id += allocator.GroupID(n)
		if id >= a.geo.Groups {
			id = 0
		}
	}
	return id, ios
}

// inPage are the bits in page.ahead of nr groups from id on, which lie in one page.
func inPage(id allocator.GroupID, nr uint32) uint64 {
	return ^uint64(0) >> (groupsPerPage - nr) << (id % groupsPerPage)
}

// readAheadPage is readAhead for groups that lie in one page.
func (a *Allocator) readAheadPage(id allocator.GroupID, nr uint32) (ios uint32) {
	for range nr {
		g, p := a.at(id), a.pages[id/groupsPerPage]
		bit := inPage(id, 1)
		// Each group is tried once after a mount (EXT4_MB_GRP_TEST_AND_SET_READ).
		seen := p.ahead&bit != 0
		p.ahead |= bit
		worth := g.needInit && g.descFree > 0 && (!g.uninit || a.quirks.PrefetchUninit)
		if !seen && worth && a.readBitmap(id, g, true) {
			ios++
		}
		id++
	}
	return ios
}

// PrefetchBitmaps is PrefetchBitmapsBy with the tunable mb_prefetch.
func (a *Allocator) PrefetchBitmaps() { a.PrefetchBitmapsBy(a.tunables.Prefetch) }

// PrefetchBitmapsBy reads the bitmaps of all groups, so many groups at a time, as the kernel's
// thread does with the mount option prefetch_block_bitmaps
// (ext4_run_li_request). After each batch it makes the batch's buddies. Without
// Quirks.PrefetchAll it makes as many as bitmaps were read, those of the last groups of the
// batch, which need not be the groups whose bitmaps were read.
func (a *Allocator) PrefetchBitmapsBy(batch uint32) {
	for id := allocator.GroupID(0); ; {
		next, made := a.readAhead(id, batch)
		if a.quirks.PrefetchAll {
			made = batch
		}
		a.prefetchEnd(next, made)
		// The batch has come around the end of the disk.
		if id >= next {
			return
		}
		id = next
	}
}
