package mballoc

import "mbsim/allocator"

// discardLocality discards preallocations of one list, the smallest first, until
// five are left (ext4_mb_discard_lg_preallocations).
func (a *Allocator) discardLocality(lg *localityGroup, order, count int) {
	// First the preallocations are taken off the locality group's list, while nobody else
	// can run. The one that the current request uses stays.
	var doomed *prealloc
	for p := lg.lists[order].head; p != nil; {
		next := p.objNext
		if !p.inUse && !p.deleted {
			a.markDeleted(p)
			lg.lists[order].removeObj(p)
			p.objNext, doomed = doomed, p
			count--
			if count <= 5 {
				break
			}
		}
		p = next
	}
	// Then their clusters go back to the buddies of their groups, for which locks may have
	// to be waited for. The list is in reverse order, as the kernel's is (list_add to
	// discard_list).
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
// Requests and discards of one file exclude each other, so that none of its preallocations
// is in use. But another process may be discarding one of them to make space. That one is
// waited for, since the caller is going to free blocks of the file: until the clusters of
// the preallocation are free in the buddy, none of its range may become free on disk.
func (a *Allocator) DiscardInode(cpu int, in *Inode, needed uint32) {
	if !in.Regular || in.pas.head == nil {
		return
	}
	a.enter()
	defer a.leave(in)
	// As in the kernel, 0 asks for all.
	if needed == 0 {
		needed = ^uint32(0)
	}
	var doomed *prealloc
	// First they are taken off the inode's list, from its tail on, so that no request finds
	// them.
	for in.pas.tail != nil && needed > 0 {
		p := in.pas.tail
		// Another process has marked it and holds its group's lock.
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
	// Then their clusters go back to the buddies, group by group.
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
	// Clusters of the preallocation that a request has taken are in use on disk and stay so
	// in the buddy. Each run of the others becomes free there.
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
		// The cluster at next is in use, so the next run begins behind it.
		bit = next + 1
	}
	// The preallocation has counted what requests took of it; the bitmap must agree.
	if free != p.free {
		panic(a.dump("preallocation and bitmap differ", g, free, p.free))
	}
	a.stats.Discarded += uint64(free)
	a.stats.PAsDiscarded++
	a.chargeWork(Work{Buddies: 1})
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
	a.chargeWork(Work{Buddies: 1})
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
	// What a preallocation has left is read off the bitmap on disk, and goes back to the
	// buddy: both must be in memory.
	a.readBitmap(id, g, false)
	a.load(id)
	a.lockGroup(id)
	defer a.unlockGroup(id)
	var doomed *prealloc
	// All that no request is using are marked and taken off the group's list.
	for p := g.pas.head; p != nil; {
		next := p.groupNext
		switch {
		case p.inUse:
			busy = true
		case !p.deleted:
			a.markDeleted(p)
			// The free space is going to change (discard_pa_seq).
			if freed == 0 {
				a.discardSeq++
			}
			freed += p.free
			g.pas.removeGroup(p)
			p.groupNext, doomed = doomed, p
		}
		p = next
	}
	// Then each leaves the list of its inode or locality group, and its clusters go back to
	// the buddy. The group stays locked.
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
	// The groups are gone through again where preallocations were in use, but three times
	// at most, as in the kernel.
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
	// Nothing was there to give up. Another search is worth it once, with free counts
	// looked at under the groups' locks, and again whenever another CPU has changed the
	// free space since the last look.
	if ac.flags&StrictCheck == 0 || a.discardSeq != *seq {
		ac.flags |= StrictCheck
		*seq = a.discardSeq
		return true
	}
	return false
}
