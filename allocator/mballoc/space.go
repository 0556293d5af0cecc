package mballoc

import "mbsim/allocator"

// FreeClusters and DirtyClusters are the counters of free clusters, and of those
// promised to delayed blocks and requests on their way (s_freeclusters_counter,
// s_dirtyclusters_counter).
func (a *Allocator) FreeClusters() *allocator.PerCPUCounter { return a.freeClusters }

// DirtyClusters: see FreeClusters.
func (a *Allocator) DirtyClusters() *allocator.PerCPUCounter { return a.dirtyClusters }

// ReservedClusters is the pool that only requests with UseReserved may take
// (s_resv_clusters).
func (a *Allocator) ReservedClusters() int64 { return a.reserved }

// watermark is how far from the truth cheap reads of the counters may be
// (EXT4_FREECLUSTERS_WATERMARK).
func (a *Allocator) watermark() int64 {
	return 4 * a.freeClusters.Batch() * int64(a.cfg.CPUs)
}

// HasFree says whether n clusters may be promised (ext4_has_free_clusters).
func (a *Allocator) HasFree(cpu int, n int64, f Flags) bool {
	free, dirty := a.freeClusters.ReadPositive(), a.dirtyClusters.ReadPositive()
	rsv := a.rootReserved + a.reserved
	if free-(n+rsv+dirty) < a.watermark() {
		free, dirty = a.freeClusters.SumPositive(), a.dirtyClusters.SumPositive()
	}
	if free >= rsv+n+dirty {
		return true
	}
	if (!a.cfg.Unprivileged || f&UseRootBlocks != 0) && free >= n+dirty+a.reserved {
		return true
	}
	return f&UseReserved != 0 && free >= n+dirty
}

// ClaimFree promises n clusters (ext4_claim_free_clusters).
func (a *Allocator) ClaimFree(cpu int, n int64, f Flags) bool {
	if !a.HasFree(cpu, n, f) {
		return false
	}
	a.dirtyClusters.Add(cpu, n)
	return true
}

// FreeClustersOf is the free count of group id's descriptor.
func (a *Allocator) FreeClustersOf(id allocator.GroupID) uint32 { return a.at(id).descFree }

// CountFreeClusters sums the free counts of all descriptors
// (ext4_count_free_clusters).
func (a *Allocator) CountFreeClusters() int64 {
	var n int64
	for id := range a.geo.Groups {
		n += int64(a.at(id).descFree)
	}
	return n
}

// FlexFreeClusters is the free count of a flex group (struct flex_groups).
func (a *Allocator) FlexFreeClusters(flex uint32) int64 {
	if a.flexFree[flex] < 0 {
		n := int64(0)
		first := allocator.GroupID(flex << a.geo.FlexBits)
		for id := first; id < min(first+allocator.GroupID(a.geo.FlexSize()), a.geo.Groups); id++ {
			n += int64(a.at(id).descFree)
		}
		a.flexFree[flex] = n
	}
	return a.flexFree[flex]
}

// flexChanged counts n clusters more as free in the flex group of id, unless it
// has not been summed yet.
func (a *Allocator) flexChanged(id allocator.GroupID, n int64) {
	if f := &a.flexFree[a.geo.Flex(id)]; *f >= 0 {
		*f += n
	}
}

// ClearBlockUninit makes an uninitialized group an ordinary one, as allocating
// an inode in it does (__ext4_new_inode): its bitmap is in memory now.
func (a *Allocator) ClearBlockUninit(id allocator.GroupID) {
	g := a.at(id)
	if g.uninit {
		a.readBitmap(id, g, false)
		g.uninit = false
	}
}
