package mballoc

import "mbsim/allocator"

// discardLocality discards preallocations of one list, the smallest first, until
// five are left (ext4_mb_discard_lg_preallocations).
func (a *Allocator) discardLocality(lg *localityGroup, order, count int) {
	var doomed *prealloc
	for p := lg.lists[order].head; p != nil; {
		next := p.objNext
		if !p.inUse && !p.deleted {
			a.markDeleted(p)
			lg.lists[order].removeObj(p)
			p.objNext, doomed = doomed, p
			if count--; count <= 5 {
				break
			}
		}
		p = next
	}
	for doomed != nil {
		p := doomed
		doomed = p.objNext
		id, _ := a.geo.GroupOf(p.pstart)
		g := a.load(id)
		a.lockGroup(id)
		g.pas.removeGroup(p)
		a.releaseGroupPA(id, g, p)
		a.unlockGroup(id)
		a.sparePA(p)
	}
}

// DiscardInode discards preallocations of an inode from the least recently used
// on: needed of them, or all where needed is 0 (ext4_discard_preallocations).
//
// A file's requests and discards exclude each other, so none is in use. One that another
// process is discarding to make space is waited for: until its clusters are free in the
// buddy nobody may free others of its range on disk.
func (a *Allocator) DiscardInode(cpu int, in *Inode, needed uint32) {
	if !in.Regular || in.pas.head == nil {
		return
	}
	a.enter()
	defer a.leave(in)
	if needed == 0 {
		needed = ^uint32(0)
	}
	var doomed *prealloc
	for in.pas.tail != nil && needed > 0 {
		p := in.pas.tail
		if p.deleted {
			// discardGroup holds the group's lock until it has taken p off the list.
			id, _ := a.geo.GroupOf(p.pstart)
			a.lockGroup(id)
			a.unlockGroup(id)
			continue
		}
		a.markDeleted(p)
		in.pas.removeObj(p)
		p.objNext, doomed = doomed, p
		needed--
	}
	for doomed != nil {
		p := doomed
		doomed = p.objNext
		id, _ := a.geo.GroupOf(p.pstart)
		g := a.load(id)
		a.readBitmap(id, g, false)
		a.lockGroup(id)
		g.pas.removeGroup(p)
		a.releaseInodePA(id, g, p)
		a.unlockGroup(id)
		a.sparePA(p)
	}
}

// releaseInodePA gives the clusters of p that are still free on disk back to the
// buddy (ext4_mb_release_inode_pa).
func (a *Allocator) releaseInodePA(id allocator.GroupID, g *group, p *prealloc) {
	a.touch(id)
	_, off := a.geo.GroupOf(p.pstart)
	bit, end := int(off), int(off)+p.len
	free := 0
	for bit < end {
		bit = g.disk.NextZero(bit, end)
		if bit >= end {
			break
		}
		next := g.disk.NextSet(bit, end)
		free += next - bit
		if a.obs != nil {
			a.obs.Discard(id, bit, next-bit)
			a.obs.ReleaseInodePA(p.inode.Number, a.geo.BlockAt(id, allocator.GroupOffset(bit)), uint32(next-bit))
		}
		a.freeRange(g, bit, next-bit)
		bit = next + 1
	}
	if free != p.free {
		panic(a.dump("preallocation and bitmap differ", g, free, p.free))
	}
	a.stats.Discarded += uint64(free)
	a.stats.PAsDiscarded++
	a.worked(Work{Buddies: 1})
}

// releaseGroupPA gives what is left of p back to the buddy
// (ext4_mb_release_group_pa).
func (a *Allocator) releaseGroupPA(id allocator.GroupID, g *group, p *prealloc) {
	a.touch(id)
	_, off := a.geo.GroupOf(p.pstart)
	if a.obs != nil {
		a.obs.ReleaseGroupPA(p.pstart, uint32(p.len))
	}
	a.freeRange(g, int(off), p.len)
	a.stats.Discarded += uint64(p.len)
	a.stats.PAsDiscarded++
	a.worked(Work{Buddies: 1})
	if a.obs != nil {
		a.obs.Discard(id, int(off), p.len)
	}
}

// discardGroup discards all preallocations in a group
// (ext4_mb_discard_group_preallocations). It returns the clusters freed, and
// whether some are in use.
func (a *Allocator) discardGroup(id allocator.GroupID) (freed int, busy bool) {
	g := a.at(id)
	if g.pas.head == nil {
		return 0, false
	}
	a.readBitmap(id, g, false)
	a.load(id)
	a.lockGroup(id)
	defer a.unlockGroup(id)
	var doomed *prealloc
	for p := g.pas.head; p != nil; {
		next := p.groupNext
		switch {
		case p.inUse:
			busy = true
		case !p.deleted:
			a.markDeleted(p)
			if freed == 0 {
				a.discardSeq++
			}
			freed += p.free
			g.pas.removeGroup(p)
			p.groupNext, doomed = doomed, p
		}
		p = next
	}
	for doomed != nil {
		p := doomed
		doomed, p.groupNext = p.groupNext, nil
		a.unlist(p)
		if p.group {
			a.releaseGroupPA(id, g, p)
		} else {
			a.releaseInodePA(id, g, p)
		}
		a.sparePA(p)
	}
	return freed, busy
}

// discardForSpace discards preallocations group by group until needed clusters
// are free (ext4_mb_discard_preallocations). It returns how many became free.
func (a *Allocator) discardForSpace(needed int) int {
	a.stats.DiscardsForSpace++
	if a.obs != nil {
		a.obs.DiscardForSpace(needed)
	}
	freed := 0
	for range 3 {
		anyBusy := false
		for id := allocator.GroupID(0); id < a.geo.Groups && needed > 0; id++ {
			if a.pages[id/groupsPerPage] == nil {
				continue // never touched: it has none
			}
			n, busy := a.discardGroup(id)
			freed += n
			needed -= n
			anyBusy = anyBusy || busy
		}
		if needed <= 0 || !anyBusy {
			break
		}
	}
	return freed
}

// shouldRetry discards preallocations after a search that found nothing, and says
// whether another search may find something
// (ext4_mb_discard_preallocations_should_retry).
func (a *Allocator) shouldRetry(ac *allocation, seq *uint64) bool {
	if a.discardForSpace(ac.orig.len) > 0 {
		return true
	}
	if ac.flags&StrictCheck == 0 || a.discardSeq != *seq {
		ac.flags |= StrictCheck
		*seq = a.discardSeq
		return true
	}
	return false
}
