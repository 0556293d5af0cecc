package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4/es"
	"mbsim/filesystem/ext4/extents"
)

// extentGoal is the physical block where lblk should lie (ext4_ext_find_goal): as far from
// the path's extent as it is in the file; without an extent at the leaf's own block; in an
// empty inode where the inode's blocks begin.
func (fs *FS) extentGoal(t *task, in *inode, p *extents.Path, lblk uint32) allocator.Block {
	if x := p.Ex(); x != nil {
		if lblk > x.Lblk {
			return x.Pblk + allocator.Block(lblk-x.Lblk)
		}
		return x.Pblk - allocator.Block(x.Lblk-lblk)
	}
	if b := p.Leaf().Node.Blk; b != 0 {
		return b
	}
	return fs.inodeGoal(t, in)
}

// extentMapBlocks is mapBlocks for an inode with an extent tree
// (ext4_ext_map_blocks).
func (fs *FS) extentMapBlocks(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	var p extents.Path
	opt := fs.readOpt(f)
	fs.useMapping(in, m.lblk)
	in.find(&p, m.lblk, opt)
	// If an extent covers the first block, it answers, whatever the caller wants.
	x := p.Ex()
	if x != nil && x.Covers(m.lblk) {
		return fs.mapCovered(t, in, &p, m, f)
	}
	// A look-up of a hole puts the hole into the status tree and tells how long it is.
	if f&mapCreate == 0 {
		start, n := p.Hole(m.lblk)
		n = fs.rememberHole(in, start, n, m.lblk)
		m.pblk = 0
		m.len = min(m.len, n)
		return 0, 0
	}
	return fs.mapNew(t, in, &p, m, f)
}

// readOpt is whether what mapping with these flags reads of the tree goes into the status
// tree.
func (fs *FS) readOpt(f mapFlags) findOpt {
	if fs.quirks.WritebackCachesNothing {
		return f.searchOpt()
	}
	return cacheRead
}

// mapCovered maps blocks that the path's extent holds already.
func (fs *FS) mapCovered(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags) (uint32, errno) {
	x := p.Ex()
	// got is the number of blocks from m.lblk to the end of the extent.
	got := uint32(x.Len) - (m.lblk - x.Lblk)
	pblk := x.Pblk + allocator.Block(m.lblk-x.Lblk)
	// A written extent is the answer, unless the caller makes it unwritten
	// (FALLOC_FL_ZERO_RANGE).
	if !x.Unwritten {
		if f&mapConvertUnwritten != 0 {
			m.pblk = pblk
			return fs.convertToUnwritten(t, in, p, m, f, got)
		}
		m.state |= stateMapped
		m.pblk = pblk
		m.len = min(got, m.len)
		return m.len, 0
	}
	// To split an unwritten extent may take tree blocks from the reserved pool: its data
	// blocks exist already, and a write into them must not fail for want of metadata.
	return fs.mapUnwrittenExtent(t, in, p, m, f|mapMetadataNofail, got, pblk)
}

// mapUnwrittenExtent maps blocks of an unwritten extent, and splits or converts it as the
// caller asks (ext4_ext_handle_unwritten_extents). got is the number of blocks from m.lblk
// to the end of the extent, pblk is where m.lblk lies.
func (fs *FS) mapUnwrittenExtent(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags, got uint32, pblk allocator.Block) (uint32, errno) {
	var e errno
	switch {
	// Data is about to be written there: the range becomes an extent of its own, still
	// unwritten. Kernels that split after IO leave it as it is, like an fallocate once more.
	case f&mapPreIO != 0 && !fs.quirks.SplitAfterIO:
		split := f | mapConvert
		if fs.quirks.SplitBeforeIOKeepsData {
			split = f
		}
		if got, e = fs.splitConvert(t, in, p, m.lblk, m.len, split); e != 0 {
			return 0, e
		}
		m.state |= stateUnwritten | stateNew | stateMapped
	// The data is on disk: the range becomes written.
	case f&mapConvert != 0:
		if fs.quirks.SplitAfterIO {
			e = fs.convertRange(t, in, p, m.lblk, m.len, f)
		} else {
			e = fs.convertEndIO(t, in, p, m.lblk, m.len)
		}
		if e != 0 {
			return 0, e
		}
		m.state |= stateMapped
	// fallocate once more: the blocks are there and stay unwritten.
	case f&mapUnwritten != 0:
		m.state |= stateUnwritten | stateMapped
	// A look-up: to a reader an unwritten block is a hole, so it does not count as mapped.
	case f&mapCreate == 0:
		m.state |= stateUnwritten
	// A write without delayed conversion: the blocks become written before their data is
	// there.
	default:
		if got, e = fs.convertToWritten(t, in, p, m, f); e != 0 {
			return 0, e
		}
		m.state |= stateNew | stateMapped
	}
	m.pblk = pblk
	m.len = min(got, m.len)
	return m.len, 0
}

// rememberHole puts the hole [start, start+n) around lblk into the status tree, as far as it
// holds no delayed blocks, and returns its length from lblk on (ext4_ext_determine_insert_hole). To
// the extent tree delayed blocks are a hole like any other, so the status tree must be
// asked.
func (fs *FS) rememberHole(in *inode, start, n, lblk uint32) uint32 {
	for {
		d, ok := in.fileMap().es.FindRange(start, start+n-1, (*es.Range).IsDelayed)
		if !ok {
			break
		}
		// The delayed range lies before lblk: the hole that is remembered begins at lblk.
		if lblk >= d.Lblk+d.Len {
			n -= lblk - start
			start = lblk
			continue
		}
		// lblk itself is delayed, so there is nothing to remember.
		if d.Covers(lblk) {
			return d.Lblk + d.Len - lblk
		}
		// The delayed range lies behind lblk: the hole ends before it.
		n = min(d.Lblk-start, n)
		break
	}
	in.fileMap().es.Set(start, n, 0, es.Hole)
	return n - (lblk - start)
}

// mapNew allocates blocks for the hole at m.lblk, or finds them in a cluster that the file
// has already, and puts them into the tree.
func (fs *FS) mapNew(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags) (uint32, errno) {
	offset := m.lblk & (fs.geo.ClusterRatio() - 1)
	x := p.Ex()
	var got, clusters uint32
	var pblk allocator.Block
	// With bigalloc the cluster of m.lblk may belong to the file already, by the extent
	// before or by the one behind the hole (get_implied_cluster_alloc). Then nothing is
	// allocated. The first block of a cluster cannot share it with an earlier extent.
	if offset != 0 && x != nil && fs.impliedCluster(m, x, p) {
		got, pblk = m.len, m.pblk
	} else if right := in.right(p, m.lblk, fs.readOpt(f)); fs.geo.ClusterBits > 0 && right != nil && fs.impliedCluster(m, right, p) {
		got, pblk = m.len, m.pblk
	} else {
		var e errno
		if pblk, got, clusters, e = fs.allocateExtent(t, in, p, right, m, f); e != 0 {
			return 0, e
		}
	}
	m.len, m.pblk = got, pblk
	return fs.putNew(t, in, p, m, f, clusters)
}

// putNew puts the blocks of m, for which so many clusters were allocated, into the tree. If
// the tree has no room for them and finds no block to grow by, the clusters are freed
// again.
func (fs *FS) putNew(t *task, in *inode, p *extents.Path, m *mapping, f mapFlags, clusters uint32) (uint32, errno) {
	nx := extents.Extent{Lblk: m.lblk, Len: uint16(m.len), Unwritten: f&mapUnwritten != 0, Pblk: m.pblk}
	if nx.Unwritten {
		m.state |= stateUnwritten
	}
	if e := fs.insertExtent(t, in, p, nx, f); e != 0 {
		if clusters > 0 {
			// The inode's preallocations go first, as in the kernel. Blocks that were
			// reserved have not been counted as the inode's yet, so freeing must not
			// subtract them.
			fs.alloc.DiscardInode(t.CPU, &in.Inode, 0)
			var ff mballoc.FreeFlags
			if f&mapDelallocReserve != 0 {
				ff = freeNoQuota
			}
			offset := m.lblk & (fs.geo.ClusterRatio() - 1)
			fs.freeBlocks(t, in, m.pblk-allocator.Block(offset), clusters<<fs.geo.ClusterBits, ff)
		}
		return 0, e
	}
	// Only blocks that have found their place in the tree use up reservations.
	fs.settleReservation(t, in, m.lblk, clusters, f)
	m.state |= stateNew | stateMapped
	return m.len, 0
}

// allocateExtent asks the allocator for the blocks of m. right is the extent behind the
// hole, nil if there is none. It returns where m.lblk lies, the number of blocks from there
// on, and the number of clusters allocated.
func (fs *FS) allocateExtent(t *task, in *inode, p *extents.Path, right *extents.Extent, m *mapping, f mapFlags) (allocator.Block, uint32, uint32, errno) {
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	// The mapped neighbours on both sides, so that the allocator can aim next to them on
	// disk (ext4_mb_normalize_request). Without a right one Lright is m.lblk and Pright 0.
	r.Lleft, r.Pleft = p.Left(m.lblk)
	r.Lright = m.lblk
	if right != nil {
		r.Lright, r.Pright = right.Lblk, right.Pblk
	}
	// No more than one extent can hold, and not over the next extent.
	if f&mapUnwritten == 0 {
		m.len = min(m.len, extents.MaxLen)
	} else {
		m.len = min(m.len, extents.MaxUnwrittenLen)
	}
	want := fs.clipOverlap(p, m)
	// From here in clusters: the request begins at the start of m.lblk's cluster, since a
	// block lies at the same place of its cluster in the file and on disk.
	bits := fs.geo.ClusterBits
	offset := m.lblk & (fs.geo.ClusterRatio() - 1)
	r.Goal = fs.extentGoal(t, in, p, m.lblk) - allocator.Block(offset)
	r.Logical = m.lblk - offset
	r.Len = (offset + want + fs.geo.ClusterRatio() - 1) >> bits
	// Only data of regular files is preallocated (EXT4_MB_HINT_DATA).
	if in.Regular {
		r.Flags = mballoc.HintData
	}
	if f&mapNoNormalize != 0 && !fs.quirks.FallocateNormalized {
		r.Flags |= mballoc.HintNoPrealloc
	}
	if f&mapDelallocReserve != 0 {
		r.Flags |= mballoc.DelallocReserved
	}
	if f&mapMetadataNofail != 0 {
		r.Flags |= mballoc.UseReserved
	}
	b, e := fs.newBlocks(t, in, r)
	if e != 0 {
		return 0, 0, 0, e
	}
	// Back in blocks, from m.lblk on: the clusters' part before it is not asked for.
	return b + allocator.Block(offset), min(r.Len<<bits-offset, want), r.Len, 0
}

// clipOverlap returns how many blocks of m lie before the next extent, or before the
// cluster that it begins in (ext4_ext_check_overlap).
func (fs *FS) clipOverlap(p *extents.Path, m *mapping) uint32 {
	x := p.Ex()
	if x == nil {
		return m.len
	}
	mask := fs.geo.ClusterRatio() - 1
	// The path's extent lies behind m only where m precedes all extents; otherwise it is
	// the one after it.
	next := x.Lblk &^ mask
	if next < m.lblk {
		next = p.NextAllocated()
		if next == maxBlocks {
			return m.len
		}
		next &^= mask
	}
	n := m.len
	// The end of m wraps around 2^32.
	if m.lblk+n < m.lblk {
		n = maxBlocks - m.lblk
	}
	if m.lblk+n > next {
		n = next - m.lblk
	}
	return n
}

// impliedCluster reports whether m begins in a cluster that extent x holds a part of. Then
// it sets in m where that lies on disk and how many blocks can use it
// (get_implied_cluster_alloc).
func (fs *FS) impliedCluster(m *mapping, x *extents.Extent, p *extents.Path) bool {
	bits := fs.geo.ClusterBits
	ratio := fs.geo.ClusterRatio()
	// Only the first and the last cluster of an extent can be shared with a hole.
	clu := m.lblk >> bits
	first, last := x.Lblk>>bits, (x.Next()-1)>>bits
	if clu != first && clu != last {
		return false
	}
	b := x.Pblk
	if clu == last {
		b += allocator.Block(x.Len) - 1
	}
	// The block's place in the cluster is the same in the file and on disk.
	offset := m.lblk & (ratio - 1)
	m.pblk = b&^allocator.Block(ratio-1) + allocator.Block(offset)
	// m ends with the cluster, or before the next extent in the same cluster.
	m.len = min(m.len, ratio-offset)
	if m.lblk < x.Lblk {
		m.len = min(m.len, x.Lblk-m.lblk)
	}
	if m.lblk > x.Lblk {
		m.len = min(m.len, p.NextAllocated()-m.lblk)
	}
	return true
}

// clusterMapped reports whether any block of logical cluster clu is mapped
// (ext4_clu_mapped).
func (fs *FS) clusterMapped(in *inode, clu uint32) bool {
	bits := fs.geo.ClusterBits
	var p extents.Path
	in.find(&p, clu<<bits, cacheRead)
	// The path's extent, or the next one, may hold a block of the cluster.
	x := p.Ex()
	if x == nil || clu < x.Lblk>>bits {
		return false
	}
	if clu <= (x.Next()-1)>>bits {
		return true
	}
	return clu == p.NextAllocated()>>bits
}
