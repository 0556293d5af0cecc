package es

import "slices"

// Pending lists the logical clusters with a pending reservation, sorted.
func (t *Tree) Pending() []uint32 {
	if t.pendingClusters == nil {
		return nil
	}
	return *t.pendingClusters
}

// pendingAt returns where cluster clu stands in that list, or would stand, and whether it
// does.
func (t *Tree) pendingAt(clu uint32) (int, bool) { return slices.BinarySearch(t.Pending(), clu) }

// IsPending says whether cluster clu has a pending reservation (ext4_is_pending).
func (t *Tree) IsPending(clu uint32) bool { _, ok := t.pendingAt(clu); return ok }

// AddPending notes a pending reservation of cluster clu (__insert_pending). It returns how
// many are new: 1, or 0 where the cluster had one.
func (t *Tree) AddPending(clu uint32) int {
	i, ok := t.pendingAt(clu)
	if ok {
		return 0
	}
	if t.pendingClusters == nil {
		t.pendingClusters = new([]uint32)
	}
	*t.pendingClusters = slices.Insert(*t.pendingClusters, i, clu)
	return 1
}

// DropPending removes the pending reservation of cluster clu, if it has one
// (__remove_pending).
func (t *Tree) DropPending(clu uint32) {
	if i, ok := t.pendingAt(clu); ok {
		*t.pendingClusters = slices.Delete(*t.pendingClusters, i, i+1)
	}
}

// RevisePending adds or removes the pending reservations of the clusters at both ends of
// [lblk, lblk+n), which has just been mapped (__revise_pending). Clusters in between are
// mapped as a whole, and hold no delayed blocks. It returns how many pending reservations
// are new.
func (t *Tree) RevisePending(lblk, n uint32, bits uint8) int {
	ratio := uint32(1) << bits
	end := lblk + n - 1
	first, last := lblk&^(ratio-1), end|(ratio-1)
	// Whether delayed blocks lie in the first cluster before the range, or in the last one
	// after it.
	before := first != lblk && t.ScanRange(first, lblk-1, (*Range).IsDelayedOnly)
	after := func() bool { return last != end && t.ScanRange(end+1, last, (*Range).IsDelayedOnly) }
	settle := func(pending bool, b uint32) int {
		if pending {
			return t.AddPending(b >> bits)
		}
		t.DropPending(b >> bits)
		return 0
	}
	// The range lies in one cluster.
	if lblk>>bits == end>>bits {
		return settle(before || after(), last)
	}
	made := settle(before, first)
	return made + settle(after(), last)
}

// DelayedClusters counts the clusters with blocks in [start, end] that are only delayed
// (__es_delayed_clu).
func (t *Tree) DelayedClusters(start, end uint32, bits uint8) uint32 {
	var n uint32
	counted := int64(-1)
	for i := t.search(start); i < len(t.ext) && t.ext[i].Lblk <= end; i++ {
		e := &t.ext[i]
		if !e.IsDelayedOnly() {
			continue
		}
		first, last := max(e.Lblk, start)>>bits, min(e.Last(), end)>>bits
		// The first cluster of a range may be the last one of the range before, which is
		// counted.
		n += last - first
		if int64(first) != counted {
			n++
		}
		counted = int64(last)
	}
	return n
}

// Release forgets the blocks [lblk, end], both inclusive, and returns the number of clusters
// whose reservations are to be given back: those that hold no delayed block any more and
// are not allocated (ext4_es_remove_extent). bits is the logarithm of the blocks a cluster.
func (t *Tree) Release(lblk, end uint32, bits uint8) int64 {
	c := reservedCount{bits: bits}
	t.remove(lblk, end, &c)
	return c.release(t)
}

// reservedCount counts the reservations that are given back when ranges are removed from a
// status tree (struct rsvd_count).
type reservedCount struct {
	bits           uint8
	clusters       int64  // clusters with blocks that are only delayed
	seen           bool   // first and last are valid
	first, last    uint32 // the first and the last such block seen
	partial        bool   // a cluster of which only a part was seen is not counted yet: partialCluster
	partialCluster uint32
}

// add counts the part [lblk, lblk+n) of range e, which is removed (count_rsvd). Ranges come
// in ascending order.
func (c *reservedCount) add(e Range, lblk, n uint32) {
	if !e.IsDelayedOnly() {
		return
	}
	// Without bigalloc each block has a reservation.
	if c.bits == 0 {
		c.clusters += int64(n)
		return
	}
	ratio := uint32(1) << c.bits
	// i is the first block not counted yet.
	i, end := max(lblk, e.Lblk), min(lblk+n-1, e.Last())
	if !c.seen {
		c.first, c.seen = i, true
	}
	c.last = end
	// The noted cluster has no further block in this part, so it is counted now.
	if c.partial && c.partialCluster != i>>c.bits {
		c.clusters++
		c.partial = false
	}
	// The part begins inside a cluster and reaches its end.
	if i&(ratio-1) != 0 {
		if fill := i | (ratio - 1); end >= fill {
			c.clusters++
			c.partial = false
			i = fill + 1
		}
	}
	// Then come whole clusters.
	if i+ratio-1 <= end {
		clusters := (end - i + 1) >> c.bits
		c.clusters += int64(clusters)
		i += clusters << c.bits
	}
	// The rest is the front of a cluster, of which the next part may hold more.
	if !c.partial && i <= end {
		c.partial, c.partialCluster = true, i>>c.bits
	}
}

// release returns the number of reservations to give back, after the ranges counted were
// removed from t (get_rsvd). It also removes the pending reservations of clusters whose
// delayed blocks are all gone.
func (c *reservedCount) release(t *Tree) int64 {
	if c.bits == 0 {
		return c.clusters
	}
	// The last cluster noted is counted.
	if c.partial {
		c.clusters++
	}
	if c.clusters == 0 {
		return 0
	}
	ratio := uint32(1) << c.bits
	first, last := c.first>>c.bits, c.last>>c.bits
	// Clusters at both ends that still hold delayed blocks outside the range keep their
	// reservation.
	left, right := false, false
	if start := c.first &^ (ratio - 1); start < c.first && t.ScanRange(start, c.first-1, (*Range).IsDelayedOnly) {
		c.clusters--
		left = true
	}
	if fill := c.last | (ratio - 1); (!left || first != last) && fill > c.last && t.ScanRange(c.last+1, fill, (*Range).IsDelayedOnly) {
		c.clusters--
		right = true
	}
	// Clusters at the ends that were kept are not looked at further, as in the kernel.
	if first == last {
		if left || right {
			return c.clusters
		}
	} else {
		if left {
			first++
		}
		if right {
			last--
		}
	}
	// A cluster with a pending reservation is allocated, and had no reservation of its own.
	// With its last delayed block the pending reservation goes.
	if first <= last {
		i, _ := t.pendingAt(first)
		j, clu := i, t.Pending()
		for j < len(clu) && clu[j] <= last {
			c.clusters--
			j++
		}
		if j > i {
			*t.pendingClusters = slices.Delete(clu, i, j)
		}
	}
	return c.clusters
}
