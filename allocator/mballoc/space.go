package mballoc

import (
	"math"

	"mbsim/allocator"
)

// FreeClusters is the counter of free clusters (s_freeclusters_counter), those promised to
// delayed blocks and to requests under way included (s_dirtyclusters_counter).
func (a *Allocator) FreeClusters() *allocator.PerCPUCounter { return a.freeClusters }

// DirtyClusters is the counter of clusters that are promised and not yet allocated.
func (a *Allocator) DirtyClusters() *allocator.PerCPUCounter { return a.dirtyClusters }

// DefaultReservePool is the size of the reserved pool of a file system with extents, where nobody
// sets another: 2% of the clusters, but at most 4096 (ext4_set_resv_clusters).
func DefaultReservePool(geo *allocator.Geometry) uint64 {
	return min(uint64(geo.Blocks)>>geo.ClusterBits/50, 4096)
}

// ReservedClusters is the pool that only requests with UseReserved may take
// (s_resv_clusters).
func (a *Allocator) ReservedClusters() int64 { return a.reserved }

// Watermark is how many clusters cheap reads of FreeClusters and DirtyClusters may be
// from the truth (EXT4_FREECLUSTERS_WATERMARK).
func (a *Allocator) Watermark() int64 {
	return 4 * a.freeClusters.Batch() * int64(a.cfg.CPUs)
}

// HasFree says whether n clusters may be promised (ext4_has_free_clusters).
func (a *Allocator) HasFree(n int64, f Flags) bool {
	// The cheap counters miss what each CPU has not folded in yet. Where they come close to
	// the limit the exact sums are made.
	free, dirty := a.freeClusters.ReadPositive(), a.dirtyClusters.ReadPositive()
	rsv := a.rootReserved + a.reserved
	if free-(n+rsv+dirty) < a.Watermark() {
		free, dirty = a.freeClusters.SumPositive(), a.dirtyClusters.SumPositive()
	}
	// Enough for everybody: root's reserve and the reserved pool stay untouched.
	if free >= rsv+n+dirty {
		return true
	}
	// Root, and whom the superblock or the mount options name, may take root's reserve, which
	// leaves the pool. So may requests that say so, whoever makes them.
	if (f&Unprivileged == 0 || f&UseRootBlocks != 0) && free >= n+dirty+a.reserved {
		return true
	}
	// Conversions and the blocks of extent trees may take the pool too, since they must not
	// fail after data was written.
	return f&UseReserved != 0 && free >= n+dirty
}

// ClaimFree promises n clusters (ext4_claim_free_clusters).
func (a *Allocator) ClaimFree(cpu int, n int64, f Flags) bool {
	if !a.HasFree(n, f) {
		return false
	}
	a.dirtyClusters.Add(cpu, n)
	return true
}

// ClaimEach promises n clusters, with the effect of n calls of ClaimFree(cpu, 1, 0). It
// does so only where there is so much space that each of these calls would succeed by the
// cheap counters alone, and that there is twice as much free as is promised afterwards,
// so that ext4 has no cause to begin writeback in between. Otherwise it promises nothing.
func (a *Allocator) ClaimEach(cpu int, n int64) bool {
	// While the n claims are made, the cheap counter of dirty clusters may be off by a
	// batch.
	free := a.freeClusters.ReadPositive()
	dirty := a.dirtyClusters.ReadPositive() + a.dirtyClusters.Batch() + n
	if free-(1+a.rootReserved+a.reserved+dirty) < a.Watermark() || free < 2*dirty {
		return false
	}
	a.dirtyClusters.AddEach(cpu, n)
	return true
}

// FreeClustersOf is the free count of group id's descriptor.
func (a *Allocator) FreeClustersOf(id allocator.GroupID) uint32 { return a.at(id).descFree }

// CountFreeClusters sums the free counts of all descriptors
// (ext4_count_free_clusters): the Source's sum, and by how much the groups
// touched since differ from it.
func (a *Allocator) CountFreeClusters() int64 {
	n := a.srcFree
	for _, p := range a.pages {
		for i := range p.all() {
			n += int64(p.groups[i].descFree) - int64(p.groups[i].srcFree)
		}
	}
	return n
}

// unsummed stands for the sum over a flex group that nobody has asked for yet.
const unsummed = math.MinInt64

// FlexFreeClusters is the free count of a flex group (struct flex_groups).
func (a *Allocator) FlexFreeClusters(flex uint32) int64 {
	if a.flexFree[flex] == unsummed {
		a.flexFree[flex] = a.sumFlex(flex)
	}
	return a.flexFree[flex]
}

// sumFlex sums the descriptors of a flex group.
func (a *Allocator) sumFlex(flex uint32) (n int64) {
	first := allocator.GroupID(flex) << a.geo.FlexBits
	for id := first; id < min(first+allocator.GroupID(a.geo.FlexSize()), a.geo.Groups); id++ {
		// A group that nobody has touched is not made for this: the Source has its count.
		if free, touched := a.PeekFree(id); touched {
			n += int64(free)
		} else {
			n += int64(a.src.Desc(id).FreeClusters)
		}
	}
	return n
}

// flexChanged counts n clusters more as free in the flex group of id, unless it
// has not been summed yet.
func (a *Allocator) flexChanged(id allocator.GroupID, n int64) {
	if f := &a.flexFree[a.geo.Flex(id)]; *f != unsummed {
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
