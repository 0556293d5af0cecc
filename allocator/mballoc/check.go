package mballoc

import (
	"fmt"
	"math/bits"
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/internal/invariants"
)

// With the build tag invariants, every call that changes the free space ends
// with a slow recount of the groups it touched, and every checkEvery-th begins
// with one of everything. A check reads: it loads no group, counts nothing and
// waits for no lock. While another CPU's request is under way the state is
// between two true ones, so that the check waits for the last to end.

// checkEvery is how many calls go by between two recounts of everything.
const checkEvery = 256

// checker is what the checks remember between calls.
type checker struct {
	depth   int  // calls under way, nested ones included
	calls   int  // calls begun
	replay  bool // fast-commit replay has changed bitmaps without changing the buddies
	touched []allocator.GroupID
	scratch *group
	zones   bitmap.Bits // clusters of preallocations
}

// enter begins a call that changes the free space. The counters are compared
// here rather than at a call's end, where a caller that frees with
// FreeRereserveCluster has not counted its cluster yet.
func (a *Allocator) enter() {
	if !invariants.Enabled {
		return
	}
	c := &a.check
	// Where several CPUs run, calls overlap, and only the last to end sees a whole state.
	c.depth++
	c.calls++
	if c.depth > 1 || c.replay {
		return
	}
	a.checkDirty()
	if c.calls%checkEvery == 0 {
		a.checkAll()
	}
}

// leave ends a call. in, if not nil, is the inode whose preallocations it may
// have changed.
func (a *Allocator) leave(in *Inode) {
	if !invariants.Enabled {
		return
	}
	c := &a.check
	c.depth--
	if c.depth > 0 || c.replay {
		return
	}
	// What the calls since the last check have touched: groups, the inode's preallocations,
	// the locality groups, and what waits for a commit.
	for _, id := range c.touched {
		a.checkGroup(id)
	}
	c.touched = c.touched[:0]
	if in != nil {
		a.checkInode(in)
	}
	a.checkLocality()
	a.checkFreed()
}

// replaying notes that bitmaps change and buddies do not, so that nothing can be compared
// until a remount.
func (a *Allocator) replaying() {
	if invariants.Enabled {
		a.check.replay = true
	}
}

// touch notes that group id has changed.
func (a *Allocator) touch(id allocator.GroupID) {
	if !invariants.Enabled {
		return
	}
	for _, t := range a.check.touched {
		if t == id {
			return
		}
	}
	a.check.touched = append(a.check.touched, id)
}

// broken dumps state and panics.
func (a *Allocator) broken(id allocator.GroupID, g *group, format string, args ...any) {
	panic(a.dump(fmt.Sprintf("invariant broken, group %d: ", id)+fmt.Sprintf(format, args...), g, 0, 0))
}

// checkAll recounts all groups that were touched since mount, and the sums.
func (a *Allocator) checkAll() {
	total := a.CountFreeClusters()
	// Every group, and that each of its preallocations is on the list of its owner.
	for id := range a.Touched() {
		a.checkGroup(id)
		for p := a.at(id).pas.head; p != nil; p = p.groupNext {
			a.checkListed(id, p)
		}
	}
	a.checkLists()
	// The counters of the file system and of flex groups are sums over descriptors.
	if n := a.freeClusters.Sum(); n != total {
		a.broken(0, nil, "the counter has %d free clusters, the descriptors %d", n, total)
	}
	a.checkDirty()
	for flex, n := range a.flexFree {
		if n == unsummed {
			continue
		}
		if sum := a.sumFlex(uint32(flex)); n != sum {
			a.broken(0, nil, "flex group %d counts %d free clusters, its descriptors %d", flex, n, sum)
		}
	}
}

// checkLists compares how many groups an order's lists have with how many groups are on them
// by their own account.
func (a *Allocator) checkLists() {
	largest, mean := a.order.summary()
	if largest == nil {
		return
	}
	for id := range a.Touched() {
		g := a.at(id)
		if g.onLargest >= 0 {
			largest[g.onLargest]--
		}
		if g.onMean >= 0 {
			mean[g.onMean]--
		}
	}
	for i, n := range slices.Concat(largest, mean) {
		if n != 0 {
			a.broken(0, nil, "of %d and %d lists, list %d has %d groups more than are on it", len(largest), len(mean), i, n)
		}
	}
}

// checkListsOf sees that a group whose buddy is loaded is on the lists that it belongs on.
func (a *Allocator) checkListsOf(id allocator.GroupID, g *group) {
	largest, mean := a.order.listsOf(a, g)
	if int32(g.onLargest) != largest || g.onMean != mean {
		a.broken(id, g, "it is on the lists %d and %d, not %d and %d", g.onLargest, g.onMean, largest, mean)
	}
}

// checkDirty sees that no more promised clusters were taken back than given.
func (a *Allocator) checkDirty() {
	if n := a.dirtyClusters.Sum(); n < 0 {
		a.broken(0, nil, "%d dirty clusters", n)
	}
}

// checkGroup compares what is kept of a group with what follows from its bitmap
// on disk, its preallocations, and what was freed but not committed.
func (a *Allocator) checkGroup(id allocator.GroupID) {
	g := a.at(id)
	// The descriptor's count is the number of zero bits of the bitmap on disk.
	if g.disk != nil {
		if n := g.disk.CountZero(a.maxClusters); n != int(g.descFree) {
			a.broken(id, g, "%d clusters free on disk", n)
		}
	}
	// A group without a buddy has nothing in memory only: preallocating or freeing loads
	// it.
	if g.needInit {
		if g.pas.head != nil || g.uncommitted != 0 {
			a.broken(id, g, "no buddy, but preallocations or freed clusters")
		}
		return
	}
	// The buddy made anew of the bitmap on disk, with what is preallocated or not committed
	// in use.
	s := a.scratchGroup()
	want := s.buddy[0]
	copy(want, g.disk)
	a.addPreallocs(id, g, want)
	a.addFreed(id, g, want)
	// The lowest order must agree bit for bit, and the higher orders and counts must follow
	// from it.
	for i := range want {
		if want[i] != g.buddy[0][i] {
			a.broken(id, g, "clusters %d to %d: in use %016x, in the buddy %016x", i*64, i*64+63, want[i], g.buddy[0][i])
		}
	}
	a.clearOrders(s)
	a.countBuddy(s)
	a.compareCounts(id, g, s)
	a.checkListsOf(id, g)
}

// scratchGroup is a group to generate a buddy in.
func (a *Allocator) scratchGroup() *group {
	c := &a.check
	if c.scratch == nil {
		c.scratch = &group{buddy: a.newBuddies()}
		c.zones = bitmap.New(a.maxClusters)
	}
	return c.scratch
}

// compareCounts compares a group with its regeneration.
func (a *Allocator) compareCounts(id allocator.GroupID, g, want *group) {
	switch {
	case g.free != want.free:
		a.broken(id, g, "%d clusters are free", want.free)
	case g.fragments != want.fragments:
		a.broken(id, g, "%d fragments are free", want.fragments)
	case g.counters != want.counters:
		a.broken(id, g, "buddies by order should be %v", want.counters[:a.orders])
	case g.largest != want.largest:
		a.broken(id, g, "the largest order is %d, kept as %d", want.largest, g.largest)
	case g.firstFree > want.firstFree || g.lowest > want.firstFree:
		a.broken(id, g, "cluster %d is free", want.firstFree)
	case g.lowest < g.firstFree:
		a.broken(id, g, "the bound %d is no better than the kernel's", g.lowest)
	}
	// A free run has only one decomposition into buddies, so the maps of all orders must
	// agree.
	for k := 1; k < a.orders; k++ {
		for i := range want.buddy[k] {
			if want.buddy[k][i] != g.buddy[k][i] {
				a.broken(id, g, "order %d, word %d: %016x should be %016x", k, i, g.buddy[k][i], want.buddy[k][i])
			}
		}
	}
}

// addPreallocs marks the preallocations of a group used in want. No two may
// share a cluster, and each must know how many of its clusters are unused.
func (a *Allocator) addPreallocs(id allocator.GroupID, g *group, want bitmap.Bits) {
	// zones collects the ranges of the preallocations seen so far.
	zones := a.check.zones
	clear(zones)
	for p := g.pas.head; p != nil; p = p.groupNext {
		at, off := a.geo.GroupOf(p.pstart)
		start := int(off)
		switch {
		case at != id || p.len <= 0 || start+p.len > int(a.geo.ClustersPerGroup):
			a.broken(id, g, "preallocation of %d clusters at block %d", p.len, p.pstart)
		case p.deleted || p.inUse || p.free <= 0:
			a.broken(id, g, "idle preallocation at block %d: deleted %t, in use %t, free %d", p.pstart, p.deleted, p.inUse, p.free)
		case !zones.AllClear(start, p.len):
			a.broken(id, g, "two preallocations share clusters of [%d, %d)", start, start+p.len)
		case zeros(g.disk, start, p.len) != p.free:
			a.broken(id, g, "preallocation [%d, %d): %d clusters unused, kept as %d", start, start+p.len, zeros(g.disk, start, p.len), p.free)
		case p.group && p.free != p.len:
			a.broken(id, g, "a locality group's preallocation of %d has %d free", p.len, p.free)
		}
		zones.SetRange(start, p.len)
		want.SetRange(start, p.len)
	}
}

// zeros counts the zero bits of [start, start+n).
func zeros(b bitmap.Bits, start, n int) (free int) {
	for i := b.NextZero(start, start+n); i < start+n; i = b.NextZero(i+1, start+n) {
		free++
	}
	return free
}

// addFreed marks the clusters that wait for a commit used in want.
func (a *Allocator) addFreed(id allocator.GroupID, g *group, want bitmap.Bits) {
	if g.uncommitted == 0 {
		return
	}
	n := 0
	for i := range a.freed.list {
		f := &a.freed.list[i]
		if f.group != id {
			continue
		}
		n += f.n
		// Neither a preallocation nor the bitmap on disk may hold what has been freed.
		if !want.AllClear(f.start, f.n) {
			a.broken(id, g, "clusters of [%d, %d) wait for a commit and are in use", f.start, f.start+f.n)
		}
		want.SetRange(f.start, f.n)
	}
	if n != g.uncommitted {
		a.broken(id, g, "%d clusters wait for a commit", n)
	}
}

// checkFreed compares the sum of clusters that wait for a commit.
func (a *Allocator) checkFreed() {
	n := int64(0)
	for i := range a.freed.list {
		n += int64(a.freed.list[i].n)
	}
	if n != a.pending {
		a.broken(0, nil, "%d clusters wait for a commit, counted %d", n, a.pending)
	}
}

// checkInode counts the preallocations of an inode. No two may be for the same block of
// the file, with two exceptions. Without Quirks.ThreeStepPlacement the kernel itself may
// place them so. And where a cluster has several blocks, a preallocation that begins
// inside a cluster of the file reaches into the cluster behind its window.
func (a *Allocator) checkInode(in *Inode) {
	n := 0
	for p := in.pas.head; p != nil; p = p.objNext {
		if p.inode != in || p.group || p.deleted {
			a.broken(0, nil, "inode %d lists a preallocation of %p, deleted %t", in.Number, p.inode, p.deleted)
		}
		n++
		// Each pair is compared once; beyond 64 preallocations only their number is
		// checked, since pairs would be too many.
		for q := p.objNext; q != nil && a.quirks.ThreeStepPlacement && a.geo.ClusterBits == 0 && n <= 64; q = q.objNext {
			if int64(p.lstart) < a.logicalEnd(q.lstart, q.len) && int64(q.lstart) < a.logicalEnd(p.lstart, p.len) {
				a.broken(0, nil, "inode %d: preallocations for blocks %d+%d and %d+%d", in.Number, p.lstart, p.len, q.lstart, q.len)
			}
		}
	}
	if n != int(in.active) {
		a.broken(0, nil, "inode %d has %d preallocations, counted %d", in.Number, n, in.active)
	}
}

// checkLocality looks through the lists of all locality groups: each sorted by
// free clusters, these of its order, and not longer than the trim lets it.
func (a *Allocator) checkLocality() {
	for cpu := range a.lgs {
		for k := range a.lgs[cpu].lists {
			n, last := 0, 0
			for p := a.lgs[cpu].lists[k].head; p != nil; p = p.objNext {
				// A preallocation on list k has 2^k to 2^(k+1)-1 free clusters, and the
				// list is sorted by them.
				if !p.group || p.deleted || p.lg != &a.lgs[cpu] || p.order != k || p.free != p.len ||
					min(bits.Len(uint(p.free))-1, lgOrders-1) != k || p.free < last {
					a.broken(0, nil, "CPU %d, list %d: preallocation %+v", cpu, k, *p)
				}
				last = p.free
				n++
			}
			// A longer list would have been trimmed by addAndTrim.
			if n > 8 {
				a.broken(0, nil, "CPU %d, list %d has %d preallocations", cpu, k, n)
			}
		}
	}
}

// checkListed finds p, a preallocation of group id, on the list of its owner.
func (a *Allocator) checkListed(id allocator.GroupID, p *prealloc) {
	var l *paList
	if p.group {
		l = &p.lg.lists[p.order]
	} else {
		l = &p.inode.pas
	}
	for q := l.head; q != nil; q = q.objNext {
		if q == p {
			return
		}
	}
	a.broken(id, a.at(id), "preallocation at block %d has no owner", p.pstart)
}
