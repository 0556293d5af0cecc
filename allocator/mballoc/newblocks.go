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
	var claimed int64
	var counted uint32
	if r.Flags&DelallocReserved == 0 {
		for r.Len > 0 && !a.ClaimFree(cpu, int64(r.Len), r.Flags) {
			r.Len >>= 1
		}
		if r.Len == 0 {
			a.stats.NoSpace++
			return 0, false
		}
		claimed = int64(r.Len)
		if counted = a.claimQuota(r); counted == 0 {
			a.stats.OverQuota++
			a.dirtyClusters.Add(cpu, -claimed)
			return 0, false
		}
	}
	c := a.newContext()
	a.begin(c, cpu, r)
	found := a.obtain(c, r)
	var b allocator.Block
	if found {
		a.markDiskUsed(c, claimed)
		b = a.geo.BlockAt(c.b.group, allocator.GroupOffset(c.b.start))
		r.Len = uint32(c.b.len)
		a.stats.BlocksAllocated += uint64(c.b.len) << a.geo.ClusterBits
	} else {
		c.b.len = 0
		r.Len = 0
	}
	a.returnQuota(r, counted)
	a.finish(c)
	a.sparedContexts = append(a.sparedContexts, c)
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

// newContext is a context, one that a request is done with if there is any.
func (a *Allocator) newContext() *context {
	if n := len(a.sparedContexts); n > 0 {
		c := a.sparedContexts[n-1]
		a.sparedContexts = a.sparedContexts[:n-1]
		c.inode, c.pa, c.lg = nil, nil, nil
		c.progress = progress{}
		return c
	}
	return new(context)
}

// begin sets up a request (ext4_mb_initialize_context).
func (a *Allocator) begin(c *context, cpu int, r *Request) {
	goal := r.Goal
	if goal < a.geo.FirstDataBlock || goal >= a.geo.Blocks {
		goal = a.geo.FirstDataBlock
	}
	id, off := a.geo.GroupOf(goal)
	c.cpu = cpu
	c.inode = r.Inode
	c.status = statusContinue
	c.flags = r.Flags
	c.o = freeExtent{
		logical: r.Logical &^ (a.geo.ClusterRatio() - 1),
		group:   id,
		start:   int(off),
		len:     int(min(r.Len, a.geo.ClustersPerGroup)),
	}
	c.g = c.o
	c.b.logical = c.o.logical
	a.chooseKind(c)
}

// obtain finds space for a request, discarding preallocations if there is none (the
// middle of ext4_mb_new_blocks).
//
// Deviates from the kernel: discardSeq is one counter. The kernel has one a CPU, and
// at first remembers only its own CPU's; but what it remembers is compared only
// after the second failure, when it is the sum over all.
func (a *Allocator) obtain(c *context, r *Request) bool {
	seq := a.discardSeq
	if a.usePreallocated(c) {
		return true
	}
	c.search = true
	a.normalize(c, r)
	for retries := 1; ; retries++ {
		a.search(c)
		if c.status == statusFound {
			return true
		}
		if a.p.DiscardRetries > 0 && retries >= a.p.DiscardRetries || !a.shouldRetry(c, &seq) {
			return false
		}
	}
}

// markDiskUsed takes the clusters given on disk (ext4_mb_mark_diskspace_used).
func (a *Allocator) markDiskUsed(c *context, claimed int64) {
	id, n := c.b.group, c.b.len
	g := a.at(id)
	a.touch(id)
	a.readBitmap(id, g, false)
	a.lockGroup(id)
	if !g.disk.AllClear(c.b.start, n) {
		panic(a.dump("allocating clusters in use on disk", g, c.b.start, n))
	}
	g.disk.SetRange(c.b.start, n)
	g.uninit = false
	g.descFree -= uint32(n)
	a.worked(Work{Bitmaps: 1, Clusters: n})
	a.unlockGroup(id)
	a.freeClusters.Add(c.cpu, -int64(n))
	if c.flags&DelallocReserved == 0 {
		a.dirtyClusters.Add(c.cpu, -claimed)
	}
	a.flexChanged(id, -int64(n))
}

// collect counts a request that is done (ext4_mb_collect_stats).
func (a *Allocator) collect(c *context) {
	s := &a.stats
	s.Requests++
	if c.b.len >= c.o.len {
		s.Success++
	}
	s.ExtentsScanned += uint64(c.found)
	s.GroupsScanned += uint64(c.scanned)
	if c.g.start == c.b.start && c.g.group == c.b.group {
		s.GoalHits++
	}
	if c.found > int(a.t.MaxToScan) {
		s.Breaks++
	}
	if !c.search {
		s.PAHits++
		s.PABlocksUsed += uint64(c.b.len) << a.geo.ClusterBits
	}
	if a.obs != nil {
		a.decision = Decision{
			Inode: c.inode.Number, Searched: c.search,
			Orig: c.o.extent(), Goal: c.g.extent(), Result: c.f.extent(), Best: c.b.extent(),
			Found: c.found, Groups: c.scanned, Criteria: c.criteria, Flags: c.flags, Tail: c.tail,
		}
		if c.buddy > 0 {
			a.decision.Buddy = 1 << c.buddy
		}
		a.obs.Decided(&a.decision)
	}
}

func (x *freeExtent) extent() Extent {
	return Extent{Group: x.group, Start: x.start, Len: x.len, Logical: x.logical}
}
