package mballoc

import "mbsim/allocator"

// FreeFlags say how blocks are freed (EXT4_FREE_BLOCKS_*).
type FreeFlags uint8

const (
	FreeMetadata         FreeFlags = 1 << iota // blocks of metadata: kept until the commit in any mode
	FreeForget                                 // their buffers are forgotten; nothing follows from it here
	FreeKeepFirstCluster                       // a partial first cluster stays
	FreeKeepLastCluster                        // a partial last cluster stays
	FreeRereserveCluster                       // the caller keeps the space reserved and counts it itself
	FreeNoQuota                                // the inode's block count does not change
)

// FreeBlocks frees count blocks of a file from block on, in transaction tid
// (ext4_free_blocks). On disk they are free at once; they can be allocated again
// when the transaction commits, or now without a journal. It returns the
// clusters freed.
//
// Deviates from the kernel: with a journal data=writeback does not free at once; and nobody
// asks whether the blocks are the file system's own.
func (a *Allocator) FreeBlocks(cpu int, in *Inode, block allocator.Block, count uint32, f FreeFlags, tid uint64) uint32 {
	a.enter()
	freed := a.freeBlocks(cpu, in, block, count, f, tid)
	a.leave(in)
	return freed
}

func (a *Allocator) freeBlocks(cpu int, in *Inode, block allocator.Block, count uint32, f FreeFlags, tid uint64) uint32 {
	// From here on n is blocks, which are widened or narrowed to whole clusters.
	ratio := allocator.Block(a.geo.ClusterRatio())
	n := allocator.Block(count)
	// A first cluster of which only the end is freed is kept, or freed as a whole: the
	// caller knows whether the file has other blocks in it.
	if off := block & (ratio - 1); off != 0 {
		if f&FreeKeepFirstCluster != 0 {
			off = ratio - off
			if n <= off {
				return 0
			}
			block += off
			n -= off
		} else {
			block -= off
			n += off
		}
	}
	// The same for a last cluster of which only the beginning is freed.
	if off := n & (ratio - 1); off != 0 {
		if f&FreeKeepLastCluster != 0 {
			if n <= off {
				return 0
			}
			n -= off
		} else {
			n += ratio - off
		}
	}
	// A range over a group's border is freed group by group.
	var freed uint32
	for n > 0 {
		id, start := a.geo.GroupOf(block)
		part := min(n, a.geo.GroupStart(id)+allocator.Block(a.geo.BlocksPerGroup)-block)
		clusters := int((part + ratio - 1) >> a.geo.ClusterBits)
		a.freeInGroup(cpu, in, id, int(start), clusters, f, tid)
		freed += uint32(clusters)
		block += part
		n -= part
	}
	return freed
}

// freeInGroup frees n clusters of one group (ext4_mb_clear_bb).
func (a *Allocator) freeInGroup(cpu int, in *Inode, id allocator.GroupID, start, n int, f FreeFlags, tid uint64) {
	g := a.at(id)
	a.touch(id)
	// The bitmap and the buddy are made ready before the group is locked, since both may
	// have to wait for the device.
	a.readBitmap(id, g, false)
	if a.obs != nil {
		a.obs.Free(in.Number, id, start, n)
	}
	if g.needInit {
		a.initGroup(id)
	}
	a.lockGroup(id)
	if !g.disk.AllSet(start, n) {
		panic(a.dump("freeing clusters that are free on disk", g, start, n))
	}
	// On disk the clusters are free at once. In the buddy they are so only without a
	// journal: until the transaction has committed, a crash would bring the old owner back
	// (ext4_mb_free_metadata).
	a.changeDisk(g)
	g.disk.ClearRange(start, n)
	if a.cfg.ImmediateFree {
		a.freeRange(g, start, n)
	} else {
		a.freed.add(freedRange{id, start, n, tid})
		a.pending += int64(n)
		g.uncommitted += n
	}
	g.descFree += uint32(n)
	a.chargeWork(Work{Bitmaps: 1, Clusters: n})
	a.unlockGroup(id)
	// With FreeRereserveCluster the caller counts the cluster as free when it promises it
	// anew.
	if f&FreeRereserveCluster == 0 {
		a.freeClusters.Add(cpu, int64(n))
	}
	a.flexChanged(id, int64(n))
}

// Committed gives the clusters that were freed in transaction tid and in earlier ones back
// to the buddies (ext4_process_freed_data).
//
// Deviates from the kernel: there a transaction does not commit before those are done who
// free in it. Here a process may have waited for a group's lock while the transaction in
// which it frees has committed. What it frees comes back with the next commit.
func (a *Allocator) Committed(tid uint64) {
	a.enter()
	// The ranges were appended in the order of transactions, so that those to be given back
	// come first.
	k := 0
	for f, ok := a.freed.take(&k, tid); ok; f, ok = a.freed.take(&k, tid) {
		g := a.load(f.group)
		a.touch(f.group)
		a.lockGroup(f.group)
		a.freeRange(g, f.start, f.n)
		g.uncommitted -= f.n
		a.pending -= int64(f.n)
		a.chargeWork(Work{Buddies: 1})
		a.unlockGroup(f.group)
	}
	// What has not committed moves to the front.
	a.freed.drop(k)
	a.leave(nil)
}

// FreePending is the number of clusters freed but not committed
// (s_mb_free_pending).
func (a *Allocator) FreePending() int64 { return a.pending }
