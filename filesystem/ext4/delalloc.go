package ext4

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/pagecache"
)

// Delayed allocation: a write reserves space and notes the blocks as delayed in
// the status tree; writeback asks for them later (fs/ext4/inode.c).

// reserveCluster takes one cluster of free space for a delayed block
// (ext4_da_reserve_space).
func (fs *FS) reserveCluster(t *task, in *inode) errno {
	if !fs.alloc.ClaimFree(t.CPU, 1, fs.rights(t)) {
		return filesystem.ENOSPC
	}
	in.reserved++
	fs.turns.step()
	return 0
}

// releaseReserved gives n reserved clusters of the inode back (ext4_da_release_space), but
// no more than it has.
func (fs *FS) releaseReserved(t *task, in *inode, n int64) {
	if n == 0 {
		return
	}
	n = min(n, int64(in.reserved))
	in.reserved -= uint32(n)
	fs.alloc.DirtyClusters().Add(t.CPU, -n)
}

// useReserved turns n reserved clusters into allocated ones (ext4_da_update_reserve_space).
// claim says that the inode's block count does not contain them yet.
func (fs *FS) useReserved(t *task, in *inode, n uint32, claim bool) {
	n = min(n, in.reserved)
	in.reserved -= n
	fs.alloc.DirtyClusters().Add(t.CPU, -int64(n))
	if claim {
		fs.addBlocks(t, in, int64(n)<<fs.geo.ClusterBits)
	}
	// With the last reservation gone and no writer left, nothing will be appended soon: the
	// inode's preallocations are given back.
	if in.reserved == 0 && in.Writers == 0 {
		fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
	}
}

// settleReservation accounts for clusters that were allocated at lblk. If writeback has
// allocated them, they were all reserved. If someone else has, those were reserved in which
// blocks are delayed. Where the status tree settles reservations, remember does this.
func (fs *FS) settleReservation(t *task, in *inode, lblk, clusters uint32, f mapFlags) {
	if !fs.opt.Delalloc || clusters == 0 || fs.quirks.StatusTreeSettles {
		return
	}
	if f&mapDelallocReserve != 0 {
		fs.useReserved(t, in, clusters, true)
		return
	}
	// Whole clusters are looked at, and the block count has grown already.
	bits := fs.geo.ClusterBits
	start := lblk &^ (fs.geo.ClusterRatio() - 1)
	if n := in.fileMap().es.DelayedClusters(start, start+clusters<<bits-1, bits); n > 0 {
		fs.useReserved(t, in, n, false)
	}
}

// forget removes [lblk, lblk+n) from the status tree, and gives back the reservations of
// the delayed blocks in it (ext4_es_remove_extent).
func (fs *FS) forget(t *task, in *inode, lblk, n uint32) {
	tree := &in.fileMap().es
	if n == 0 || len(tree.Ranges()) == 0 {
		return
	}
	end := lblk + n - 1
	// Without delayed allocation no block is delayed, so nothing is counted.
	if !fs.opt.Delalloc {
		tree.Remove(lblk, end)
		return
	}
	fs.releaseReserved(t, in, tree.Release(lblk, end, fs.geo.ClusterBits))
}

// delayBlock makes the hole at lblk a delayed block. It reserves the block's cluster unless
// that is allocated or reserved already (ext4_insert_delayed_block).
func (fs *FS) delayBlock(t *task, in *inode, lblk uint32) errno {
	use := fs.useOfCluster(in, lblk)
	if use == clusterNew {
		if e := fs.reserveCluster(t, in); e != 0 {
			return e
		}
	}
	in.fileMap().es.Set(lblk, 1, 0, es.Delayed)
	if use == clusterShared {
		in.fileMap().es.AddPending(lblk >> fs.geo.ClusterBits)
	}
	return 0
}

// clusterUse is what the other blocks of a cluster have made of it.
type clusterUse uint8

const (
	clusterNew      clusterUse = iota // nothing: it must be reserved
	clusterReserved                   // another block is delayed, and has reserved it
	clusterShared                     // another block has it on the device
)

// useOfCluster says what the other blocks of the cluster of a hole at lblk have made of it. Without
// bigalloc there are no others.
func (fs *FS) useOfCluster(in *inode, lblk uint32) clusterUse {
	bits := fs.geo.ClusterBits
	if bits == 0 {
		return clusterNew
	}
	tree := &in.fileMap().es
	first := lblk &^ (fs.geo.ClusterRatio() - 1)
	last := lblk | (fs.geo.ClusterRatio() - 1)
	switch {
	case tree.ScanRange(first, last, (*es.Range).IsDelayedOnly):
		return clusterReserved
	// By the status tree, or by the extent tree.
	case tree.ScanRange(first, last, (*es.Range).IsMapped), in.inline == 0 && fs.clusterMapped(in, lblk>>bits):
		return clusterShared
	}
	return clusterNew
}

// sharedClusters are the clusters of a range of a hole that other blocks have on the device: those
// at its two ends may be.
type sharedClusters struct {
	list [2]uint32
	n    int
}

// clustersOf counts the clusters that must be reserved for [lblk, lblk+blocks), which lies in a
// hole, and finds those that other blocks have.
func (fs *FS) clustersOf(in *inode, lblk, blocks uint32) (reserve uint32, shared sharedClusters) {
	if fs.geo.ClusterBits == 0 {
		return blocks, shared
	}
	// One block of each cluster stands for all: once it is delayed, the others need nothing.
	bits := fs.geo.ClusterBits
	for cluster := lblk >> bits; cluster <= (lblk+blocks-1)>>bits; cluster++ {
		switch fs.useOfCluster(in, max(lblk, cluster<<bits)) {
		case clusterNew:
			reserve++
		case clusterShared:
			shared.list[shared.n] = cluster
			shared.n++
		}
	}
	return reserve, shared
}

// prepareDelayed readies block lblk for a delayed write, and returns the state that its
// buffer gets (ext4_da_get_block_prep, ext4_da_map_blocks).
func (fs *FS) prepareDelayed(t *task, in *inode, lblk uint32) (pagecache.State, errno) {
	x, known := in.fileMap().es.Lookup(lblk)
	// What the status tree does not know the extent tree does, and what it says goes into
	// the status tree, one block long. While the data is in the inode there is no extent
	// tree to ask.
	if !known {
		m := mapping{lblk: lblk, len: 1}
		if in.inline == 0 && fs.lookupBlocks(t, in, &m, 0) > 0 {
			x.Status = es.Written
			if m.state&stateUnwritten != 0 {
				x.Status = es.Unwritten
			}
			fs.remember(t, in, lblk, 1, m.pblk, x.Status, false)
		} else {
			x.Status = es.Hole
		}
	}
	// A hole becomes delayed; other blocks keep what they are.
	switch {
	case x.Status&es.Hole != 0:
		return pagecache.Delayed, fs.delayBlock(t, in, lblk)
	case x.IsDelayedOnly():
		return pagecache.Delayed, 0
	case x.Status&es.Unwritten != 0:
		return pagecache.Unwritten, 0
	}
	return pagecache.Mapped, 0
}

// shortOfSpace says that a write must allocate its blocks at once, since too little space
// is left to promise (ext4_nonda_switch). It starts writeback if more than half of the free
// space is promised.
func (fs *FS) shortOfSpace(t *task, in *inode) bool {
	free := fs.alloc.FreeClusters().ReadPositive()
	dirty := fs.alloc.DirtyClusters().ReadPositive()
	// Writeback turns what is promised into what is allocated. The file being written is
	// locked by the caller, and is written too.
	if dirty > 0 && free < 2*dirty {
		fs.writebackAll(t, in)
		fs.settleIO(t, nil, in)
	}
	// More than two thirds of the free space are promised, or so much that the error of the
	// counters matters.
	return 2*free < 3*dirty || free < dirty+fs.alloc.Watermark()
}
