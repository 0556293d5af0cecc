package mballoc

import "mbsim/allocator"

// readAhead reads the bitmaps of nr groups from id on, around the end, that hold
// free space and are on disk, each once after a mount (ext4_mb_prefetch). It
// returns the group to go on from and the number of bitmaps read.
//
// Deviates from the kernel: what was asked for counts as an IO even if the device
// were to answer before that is looked at.
func (a *Allocator) readAhead(id allocator.GroupID, nr uint32) (next allocator.GroupID, ios uint32) {
	for range nr {
		g := a.at(id)
		seen := g.readAhead
		g.readAhead = true
		if !seen && g.needInit && g.descFree > 0 && !g.uninit && a.readBitmap(id, g, true) {
			ios++
		}
		if id++; id >= a.geo.Groups {
			id = 0
		}
	}
	return id, ios
}

// PrefetchBitmaps reads the bitmaps of all groups, mb_prefetch at a time, and
// makes the buddies of as many groups before each batch's end as bitmaps were read
// in it: not always of those (ext4_run_li_request in the mode for the mount option
// prefetch_block_bitmaps).
func (a *Allocator) PrefetchBitmaps() {
	for id := allocator.GroupID(0); ; {
		next, ios := a.readAhead(id, a.t.Prefetch)
		a.prefetchEnd(next, ios)
		if id >= next {
			return
		}
		id = next
	}
}
