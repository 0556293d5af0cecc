package mballoc

import "mbsim/allocator"

// NewBlocks allocates blocks (ext4_mb_new_blocks): from a preallocation if one
// fits, else by a search for the normalized request. It returns the first block
// and, in r.Len, the clusters given; or false where there is no space (ENOSPC),
// with r.Len 0.
//
// Deviates from the kernel: no fast-commit replay (see NewBlocksSimple),
// no errors of IO or memory, and no check that what was found is none of the file
// system's own metadata. Statistics count always, as with mb_stats=1.
func (a *Allocator) NewBlocks(cpu int, r *Request) (allocator.Block, bool) {
	a.enter()
	b, ok := a.newBlocks(cpu, r)
	a.leave(r.Inode)
	return b, ok
}

func (a *Allocator) newBlocks(cpu int, r *Request) (allocator.Block, bool) {
	if a.obs != nil {
		a.obs.Request(r)
	}
	// Space is promised before it is searched for. Blocks of delayed allocation have been
	// promised when they were written; all others halve their request until the promise can
	// be given.
	var claimed int64
	if r.Flags&DelallocReserved == 0 {
		for r.Len > 0 && !a.ClaimFree(cpu, int64(r.Len), r.Flags) {
			r.Len >>= 1
		}
		if r.Len == 0 {
			a.stats.NoSpace++
			return 0, false
		}
		claimed = int64(r.Len)
	}
	// The request is decided: its kind, a preallocation, or a search.
	ac := a.takeAllocation()
	a.begin(ac, cpu, r)
	found := a.obtain(ac, r)
	var b allocator.Block
	// What was found is marked in use on disk, and the claim becomes an allocation.
	if found {
		a.markDiskUsed(ac, claimed)
		b = a.geo.BlockAt(ac.best.group, allocator.GroupOffset(ac.best.start))
		r.Len = uint32(ac.best.len)
		a.stats.BlocksAllocated += uint64(ac.best.len) << a.geo.ClusterBits
	} else {
		ac.best.len = 0
		r.Len = 0
	}
	// The preallocation that served is put back in its list, and the request is counted.
	a.finish(ac)
	a.spareAllocations = append(a.spareAllocations, ac)
	// Without a result the promise made above is taken back.
	if !found {
		a.stats.NoSpace++
		if r.Flags&DelallocReserved == 0 {
			a.dirtyClusters.Add(cpu, -claimed)
		}
	}
	if a.obs != nil {
		a.obs.Allocated(r, b)
	}
	return b, found
}

// takeAllocation is an empty allocation. Those of requests that are done are used again.
func (a *Allocator) takeAllocation() *allocation {
	if n := len(a.spareAllocations); n > 0 {
		ac := a.spareAllocations[n-1]
		a.spareAllocations = a.spareAllocations[:n-1]
		// Several requests are under way where several processes run, so there is a pool of
		// them.
		*ac = allocation{}
		return ac
	}
	return new(allocation)
}

// begin sets up a request (ext4_mb_initialize_context).
func (a *Allocator) begin(ac *allocation, cpu int, r *Request) {
	// A goal outside the device becomes its first block.
	goal := r.Goal
	if goal < a.geo.FirstDataBlock || goal >= a.geo.Blocks {
		goal = a.geo.FirstDataBlock
	}
	id, off := a.geo.GroupOf(goal)
	ac.cpu = cpu
	ac.inode = r.Inode
	ac.status = statusContinue
	ac.flags = r.Flags &^ Unprivileged // only the claim looks at it
	// With bigalloc a request begins at a cluster's border; no request is longer than a
	// group.
	ac.orig = freeExtent{
		logical: r.Logical &^ (a.geo.ClusterRatio() - 1),
		group:   id,
		start:   int(off),
		len:     int(min(r.Len, a.geo.ClustersPerGroup)),
	}
	// Until normalization widens it, the goal is what was asked for.
	ac.goal = ac.orig
	ac.wish = ac.goal.len
	ac.best.logical = ac.orig.logical
	a.chooseKind(ac)
}

// obtain finds space for a request, discarding preallocations if there is none (the
// middle of ext4_mb_new_blocks).
//
// Deviates from the kernel: discardSeq is one counter. The kernel has one a CPU, and
// at first remembers only its own CPU's; but what it remembers is compared only
// after the second failure, when it is the sum over all.
func (a *Allocator) obtain(ac *allocation, r *Request) bool {
	// A change of this number tells, after a failure, that another CPU freed or took
	// something meanwhile.
	seq := a.discardSeq
	if a.usePreallocated(ac) {
		return true
	}
	// No preallocation holds the block: the kernel calls this EXT4_MB_HISTORY_ALLOC.
	ac.searched = true
	a.normalize(ac, r)
	for retries := 1; ; retries++ {
		a.stats.Searches++
		a.search(ac)
		if ac.status == statusFound {
			return true
		}
		// Preallocations of other files are given up to make space, and the search is
		// repeated.
		if a.quirks.DiscardRetries > 0 && retries >= a.quirks.DiscardRetries || !a.shouldRetry(ac, &seq) {
			return false
		}
	}
}

// markDiskUsed takes the clusters given on disk (ext4_mb_mark_diskspace_used).
func (a *Allocator) markDiskUsed(ac *allocation, claimed int64) {
	id, n := ac.best.group, ac.best.len
	g := a.at(id)
	a.touch(id)
	// The kernel asks for the bitmap here. It has been in memory since the buddy was made
	// of it, so that this costs no IO.
	a.readBitmap(id, g, false)
	a.lockGroup(id)
	if !g.disk.AllClear(ac.best.start, n) {
		panic(a.dump("allocating clusters in use on disk", g, ac.best.start, n))
	}
	// On disk the clusters are in use from now on, and the group is no longer uninitialized
	// (EXT4_BG_BLOCK_UNINIT).
	a.changeDisk(g)
	g.disk.SetRange(ac.best.start, n)
	g.uninit = false
	g.descFree -= uint32(n)
	a.chargeWork(Work{Bitmaps: 1, Clusters: n})
	a.unlockGroup(id)
	// The counters of the whole file system: the clusters are no longer free, and no longer
	// promised. Delayed allocation takes its promise back itself
	// (ext4_da_update_reserve_space).
	a.freeClusters.Add(ac.cpu, -int64(n))
	if ac.flags&DelallocReserved == 0 {
		a.dirtyClusters.Add(ac.cpu, -claimed)
	}
	a.flexChanged(id, -int64(n))
}

// collect counts a request that is done (ext4_mb_collect_stats).
func (a *Allocator) collect(ac *allocation) {
	s := &a.stats
	s.Requests++
	if ac.best.len >= ac.orig.len {
		s.Success++
	}
	s.ExtentsScanned += uint64(ac.examined)
	s.GroupsScanned += uint64(ac.scanned)
	// A goal hit is counted by the place that was taken, whether the goal was tried or not.
	if ac.goal.start == ac.best.start && ac.goal.group == ac.best.group {
		s.GoalHits++
	}
	if ac.found.len == ac.wish {
		s.LenGoalHits++
	}
	if ac.examined > int(a.tunables.MaxToScan) {
		s.Breaks++
	}
	// Served from a preallocation.
	if !ac.searched {
		s.PAHits++
		s.PABlocksUsed += uint64(ac.best.len) << a.geo.ClusterBits
	}
	// The decision is told in a record that is used again and again, since the allocation
	// path allocates no memory.
	if a.obs != nil {
		a.decision = Decision{
			Inode: ac.inode.Number, Searched: ac.searched,
			Orig: ac.orig.extent(), Goal: ac.goal.extent(), Result: ac.found.extent(), Best: ac.best.extent(),
			Found: ac.examined, Groups: ac.scanned, Criteria: ac.criteria, Flags: ac.flags, Tail: ac.tail,
		}
		if ac.searched && ac.criteria < len(a.kernel.Ladder) {
			a.decision.Rung = &a.kernel.Ladder[ac.criteria]
		}
		if ac.buddy > 0 {
			a.decision.Buddy = 1 << ac.buddy
		}
		a.obs.Decided(&a.decision)
	}
}

func (x *freeExtent) extent() Extent {
	return Extent{Group: x.group, Start: x.start, Len: x.len, Logical: x.logical}
}
