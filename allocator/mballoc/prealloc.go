package mballoc

import (
	"math/bits"

	"mbsim/allocator"
)

// lgOrders is the number of lists of a locality group (PREALLOC_TB_SIZE).
const lgOrders = 10

// prealloc is space set aside for an inode or a CPU's locality group
// (struct ext4_prealloc_space). Its clusters are in use in the buddy, and free on
// disk until a request takes them.
type prealloc struct {
	deleted bool
	group   bool            // of a locality group, not of an inode
	inUse   bool            // a request is using it (pa_count)
	pstart  allocator.Block // first block
	lstart  uint32          // first block of the file; of a locality group's: low part of pstart
	len     int             // clusters
	free    int             // of these, not yet used

	inode *Inode
	lg    *localityGroup
	order int // the locality group's list it is on

	objNext, objPrev     *prealloc // of the inode or the locality group's list
	groupNext, groupPrev *prealloc // of the block group
}

// paList is a list of preallocations. Each preallocation is on two such lists at once, that
// of its inode or locality group (objNext, objPrev) and that of its block group
// (groupNext, groupPrev), so a list has methods for either pair of links.
type paList struct{ head, tail *prealloc }

// pushObj puts p at the head of an inode's list.
func (l *paList) pushObj(p *prealloc) { l.insertObj(p, l.head) }

// insertObj puts p before at, or at the end where at is nil.
func (l *paList) insertObj(p, at *prealloc) {
	p.objNext = at
	if at != nil {
		p.objPrev = at.objPrev
		at.objPrev = p
	} else {
		p.objPrev = l.tail
		l.tail = p
	}
	if p.objPrev != nil {
		p.objPrev.objNext = p
	} else {
		l.head = p
	}
}

// removeObj takes p off the list of its inode or locality group.
func (l *paList) removeObj(p *prealloc) {
	if p.objPrev != nil {
		p.objPrev.objNext = p.objNext
	} else {
		l.head = p.objNext
	}
	if p.objNext != nil {
		p.objNext.objPrev = p.objPrev
	} else {
		l.tail = p.objPrev
	}
	p.objNext, p.objPrev = nil, nil
}

// pushGroup puts p at the head of a block group's list.
func (l *paList) pushGroup(p *prealloc) {
	p.groupNext, p.groupPrev = l.head, nil
	if l.head != nil {
		l.head.groupPrev = p
	} else {
		l.tail = p
	}
	l.head = p
}

// removeGroup takes p off the list of its block group.
func (l *paList) removeGroup(p *prealloc) {
	if p.groupPrev != nil {
		p.groupPrev.groupNext = p.groupNext
	} else {
		l.head = p.groupNext
	}
	if p.groupNext != nil {
		p.groupNext.groupPrev = p.groupPrev
	} else {
		l.tail = p.groupPrev
	}
	p.groupNext, p.groupPrev = nil, nil
}

// localityGroup holds a CPU's preallocations for small files (struct ext4_locality_group).
// List k has those with 2^k to 2^(k+1)-1 free clusters, the last list those with more
// too, and each list is sorted by free clusters, the fewest first.
type localityGroup struct {
	lists [lgOrders]paList
}

// usePreallocated serves a request from a preallocation
// (ext4_mb_use_preallocated): the inode's that holds its block, else the
// locality group's nearest to the goal among those large enough.
func (a *Allocator) usePreallocated(ac *allocation) bool {
	if ac.flags&HintData == 0 {
		return false
	}
	// A preallocation of the inode serves only the blocks of the file that it was made for.
	o := int64(ac.orig.logical)
	looked := 0
	for p := ac.inode.pas.head; p != nil; p = p.objNext {
		looked++
		if o < int64(p.lstart) || o >= a.logicalEnd(p.lstart, p.len) {
			continue
		}
		// A file without extents cannot point behind block 2^32-1.
		if !ac.inode.Extents && p.pstart+allocator.Block(p.len)<<a.geo.ClusterBits > maxFileBlock {
			continue
		}
		// inUse keeps others from discarding it while the request is under way.
		if !p.deleted && p.free > 0 {
			p.inUse = true
			a.useInodePA(ac, p)
			ac.criteria = FromInodePA
			a.chargeLooks(ac.inode, looked, 1)
			return true
		}
	}
	a.chargeLooks(ac.inode, looked, 1)
	// Preallocations of a locality group are for any block of any small file.
	if ac.flags&HintGroupAlloc == 0 {
		return false
	}
	if p := a.nearest(ac); p != nil {
		p.inUse = true
		useGroupPA(ac, p, &a.geo)
		ac.criteria = FromGroupPA
		return true
	}
	return false
}

// chargeLooks lets the time pass of so many searches among an inode's preallocations, each of which
// has looked at looked of them here. The kernel may keep them otherwise, and look at fewer.
func (a *Allocator) chargeLooks(in *Inode, looked, searches int) {
	if a.locks != nil && looked > 0 {
		a.chargeWork(Work{Preallocs: searches * a.kernel.Preallocs.looks(in, looked)})
	}
}

// maxFileBlock is the last block that indirect files can point to
// (EXT4_MAX_BLOCK_FILE_PHYS).
const maxFileBlock = 0xffffffff

// nearest is the locality group's preallocation nearest to the goal
// (ext4_mb_check_group_pa).
func (a *Allocator) nearest(ac *allocation) *prealloc {
	goal := a.geo.BlockAt(ac.goal.group, allocator.GroupOffset(ac.goal.start))
	var best *prealloc
	var dist allocator.Block
	// A list holds preallocations with at least 2^k free clusters, but less than twice as
	// many, so lists below cannot serve. The last list has no upper limit.
	for k := min(bits.Len(uint(ac.orig.len))-1, lgOrders-1); k < lgOrders; k++ {
		for p := ac.lg.lists[k].head; p != nil; p = p.objNext {
			if p.deleted || p.free < ac.orig.len {
				continue
			}
			// The distance in blocks. Of equal ones the first met is kept.
			d := max(goal, p.pstart) - min(goal, p.pstart)
			if best == nil || d < dist {
				best, dist = p, d
			}
		}
	}
	return best
}

// useInodePA takes the requested blocks from an inode's preallocation, as far as
// it goes (ext4_mb_use_inode_pa).
func (a *Allocator) useInodePA(ac *allocation, p *prealloc) {
	bits := a.geo.ClusterBits
	// Where the request begins inside the preallocation, and where it ends: at its own end,
	// or the preallocation's. All of this is in blocks.
	start := p.pstart + allocator.Block(ac.orig.logical-p.lstart)
	end := min(p.pstart+allocator.Block(p.len)<<bits, start+allocator.Block(ac.orig.len)<<bits)
	// From blocks to clusters, rounded up.
	n := int((end - start + allocator.Block(a.geo.ClusterRatio()) - 1) >> bits)
	id, off := a.geo.GroupOf(start)
	ac.best.group, ac.best.start, ac.best.len = id, int(off), n
	ac.status = statusFound
	ac.pa = p
	if n <= 0 || n > p.free {
		panic(a.dump("preallocation used beyond its end", nil, n, p.free))
	}
	// An inode's preallocation keeps its start and its length; only what is left of it is
	// counted.
	p.free -= n
}

// useGroupPA takes the requested clusters from a locality group's preallocation,
// which is shortened once the request is done (ext4_mb_use_group_pa).
func useGroupPA(ac *allocation, p *prealloc, geo *allocator.Geometry) {
	id, off := geo.GroupOf(p.pstart)
	ac.best.group, ac.best.start, ac.best.len = id, int(off), ac.orig.len
	ac.status = statusFound
	ac.pa = p
}

// newPrealloc keeps what was found beyond the request
// (ext4_mb_new_preallocation).
func (a *Allocator) newPrealloc(ac *allocation, g *group) {
	p := a.blankPA()
	// The request that made it is its first user, until finish.
	p.inUse = true
	if ac.flags&HintGroupAlloc != 0 {
		a.newGroupPA(ac, g, p)
	} else {
		a.newInodePA(ac, g, p)
	}
}

// blankPA is an empty preallocation (ext4_mb_pa_alloc), one used before if there is any.
func (a *Allocator) blankPA() *prealloc {
	if p := a.sparePAs; p != nil {
		a.sparePAs = p.objNext
		*p = prealloc{}
		return p
	}
	return new(prealloc)
}

// sparePA takes back a preallocation that is on no list, to be used again.
func (a *Allocator) sparePA(p *prealloc) {
	p.objNext = a.sparePAs
	a.sparePAs = p
}

// newInodePA makes a preallocation of what was found (ext4_mb_new_inode_pa). If
// that is shorter than the goal it is placed in the file so that it covers the
// request: at the goal's end, else at its start, else at the request.
func (a *Allocator) newInodePA(ac *allocation, g *group, p *prealloc) {
	// An extent as long as the goal covers the whole window. A shorter one must be placed
	// in the window so that it covers at least the beginning of the request.
	if ac.best.len < ac.wish {
		if a.quirks.ThreeStepPlacement {
			ac.best.logical = a.placeShort(ac)
		} else {
			ac.best.logical = a.placeAligned(ac)
		}
	}
	// The trace shows the extent as it was before the request took its part of it.
	ac.found = ac.best
	p.lstart = ac.best.logical
	p.pstart = a.geo.BlockAt(ac.best.group, allocator.GroupOffset(ac.best.start))
	p.len, p.free = ac.best.len, ac.best.len
	p.inode = ac.inode
	if a.obs != nil {
		a.obs.NewInodePA(ac.inode.Number, p.pstart, uint32(p.len), p.lstart)
	}
	// The request takes its part.
	whole := p.free
	a.useInodePA(ac, p)
	if a.quirks.PreallocatedWhole {
		a.stats.Preallocated += uint64(whole)
	} else {
		a.stats.Preallocated += uint64(p.free)
	}
	a.stats.InodePAs++
	// It goes into the lists of its group and its inode.
	g.pas.pushGroup(p)
	a.kernel.Preallocs.add(p)
	ac.inode.active++
}

// placeShort is where in the file an extent shorter than its goal is put
// (ext4_mb_new_inode_pa).
func (a *Allocator) placeShort(ac *allocation) uint32 {
	n := int64(ac.best.len) << a.geo.ClusterBits
	goalEnd := a.logicalEnd(ac.goal.logical, ac.wish)
	// At the end of the goal, if the request does not begin before that.
	if at := goalEnd - n; int64(ac.orig.logical) >= at {
		return uint32(at)
	}
	// At the beginning of the goal, if the request ends inside it.
	if a.logicalEnd(ac.orig.logical, ac.orig.len) <= int64(ac.goal.logical)+n {
		return ac.goal.logical
	}
	return ac.orig.logical
}

// placeAligned is where such an extent is put without Quirks.ThreeStepPlacement.
func (a *Allocator) placeAligned(ac *allocation) uint32 {
	bits := a.geo.ClusterBits
	// How far the preallocation may begin before the request: no further than the window
	// does, nor than what is spare beyond the request.
	win := min(int64(ac.orig.logical-ac.goal.logical), int64(ac.best.len-ac.orig.len)<<bits)
	// If it can begin at a multiple of its own length in the file, it does.
	if off := int64(ac.orig.logical) % (int64(ac.best.len) << bits); off != 0 && off < win {
		win = off
	}
	// Such kernels mix units: win counts blocks, and is taken off after a
	// conversion to clusters. That is its behaviour.
	return ac.orig.logical - uint32((win+int64(a.geo.ClusterRatio())-1)>>bits)
}

// newGroupPA makes a preallocation for the CPU's locality group
// (ext4_mb_new_group_pa). It joins a list when the request is done.
func (a *Allocator) newGroupPA(ac *allocation, g *group, p *prealloc) {
	ac.found = ac.best
	p.group = true
	p.pstart = a.geo.BlockAt(ac.best.group, allocator.GroupOffset(ac.best.start))
	p.lstart = uint32(p.pstart)
	p.len, p.free = ac.best.len, ac.best.len
	// It is on no list yet.
	p.order = -1
	p.lg = ac.lg
	if a.obs != nil {
		a.obs.NewGroupPA(ac.inode.Number, p.pstart, uint32(p.len))
	}
	useGroupPA(ac, p, &a.geo)
	a.stats.Preallocated += uint64(p.free)
	a.stats.GroupPAs++
	// The block group lists it at once, so that it is in use in a buddy that is made anew.
	g.pas.pushGroup(p)
}

// finish ends a request (ext4_mb_release_context). The preallocation that served it is put
// back: one of a locality group is shortened by what was taken and moves to the list of
// its new length, one of an inode becomes the most recently used. One that is used up is
// removed.
func (a *Allocator) finish(ac *allocation) {
	if p := ac.pa; p != nil {
		if p.group {
			// What the request took is cut off the beginning, and what is left moves to the
			// list of its new length.
			n := allocator.Block(ac.best.len) << a.geo.ClusterBits
			p.pstart += n
			p.lstart += uint32(n)
			p.free -= ac.best.len
			p.len -= ac.best.len
			if p.free > 0 {
				if p.order >= 0 {
					p.lg.lists[p.order].removeObj(p)
				}
				a.addAndTrim(ac.lg, p)
			}
		} else {
			a.kernel.Preallocs.used(p)
		}
		// The request no longer uses it.
		a.putPA(p)
	}
	// The mutex was taken in chooseKind.
	if ac.flags&HintGroupAlloc != 0 && a.locks != nil {
		a.locks.UnlockLocalityGroup(ac.cpu)
	}
	a.collect(ac)
	// An inode with too many preallocations gives some up (ext4_mb_trim_inode_pa).
	if n := a.kernel.Preallocs.excess(a, ac.inode); n > 0 {
		a.DiscardInode(ac.cpu, ac.inode, n)
	}
}

// putPA ends a request's use of p (ext4_mb_put_pa). If nothing of p is left it is removed.
func (a *Allocator) putPA(p *prealloc) {
	p.inUse = false
	if p.free != 0 || p.deleted {
		return
	}
	// It is used up, so it leaves both its lists.
	a.markDeleted(p)
	b := p.pstart
	if p.group {
		// A locality group's preallocation moves forward as it is used. Its start is behind
		// its last block by now, perhaps in the next group.
		b--
	}
	id, _ := a.geo.GroupOf(b)
	a.touch(id)
	a.at(id).pas.removeGroup(p)
	a.unlist(p)
	a.sparePA(p)
}

// markDeleted marks p as being removed, so that no request uses it any more
// (ext4_mb_mark_pa_deleted).
func (a *Allocator) markDeleted(p *prealloc) {
	p.deleted = true
	if !p.group {
		p.inode.active--
	}
}

// unlist takes p off its inode's or locality group's list.
func (a *Allocator) unlist(p *prealloc) {
	switch {
	case !p.group:
		p.inode.pas.removeObj(p)
	case p.order >= 0:
		p.lg.lists[p.order].removeObj(p)
	}
}

// addAndTrim puts p on the list of its size, behind those with no more free
// clusters, and discards some if more than eight are on it
// (ext4_mb_add_n_trim).
func (a *Allocator) addAndTrim(lg *localityGroup, p *prealloc) {
	p.order = min(bits.Len(uint(p.free))-1, lgOrders-1)
	l := &lg.lists[p.order]
	count := 1
	// The place in the list, which is sorted by free clusters, the fewest first; behind
	// those that have as many.
	var before *prealloc
	for q := l.head; q != nil; q = q.objNext {
		if q.deleted {
			continue
		}
		if before == nil && p.free < q.free {
			before = q
		}
		count++
	}
	l.insertObj(p, before)
	// The list has grown too long: it is cut down to five.
	if count > 8 {
		a.discardLocality(lg, p.order, count)
	}
}
