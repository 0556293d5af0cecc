package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// extentGoal is where lblk should lie: as far from the nearest extent as it is
// in the file, or at the leaf, or where the inode's blocks begin
// (ext4_ext_find_goal).
func (fs *FS) extentGoal(t *task, in *inode, p *path, lblk uint32) allocator.Block {
	if x := p.ex(); x != nil {
		if lblk > x.lblk {
			return x.pblk + allocator.Block(lblk-x.lblk)
		}
		return x.pblk - allocator.Block(x.lblk-lblk)
	}
	if b := p.leaf().n.blk; b != 0 {
		return b
	}
	return fs.inodeGoal(t, in)
}

// extentMapBlocks is mapBlocks for an inode with an extent tree
// (ext4_ext_map_blocks).
func (fs *FS) extentMapBlocks(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	var p path
	in.find(&p, m.lblk, cacheRead)
	x := p.ex()
	if x != nil && x.covers(m.lblk) {
		return fs.mapCovered(t, in, &p, m, f)
	}
	if f&mapCreate == 0 {
		n := fs.rememberHole(in, &p, m.lblk)
		m.pblk = 0
		m.len = min(m.len, n)
		return 0, 0
	}
	return fs.mapNew(t, in, &p, m, f)
}

// mapCovered maps blocks that the path's extent holds.
func (fs *FS) mapCovered(t *task, in *inode, p *path, m *mapping, f mapFlags) (uint32, errno) {
	x := p.ex()
	got := uint32(x.len) - (m.lblk - x.lblk)
	pblk := x.pblk + allocator.Block(m.lblk-x.lblk)
	if !x.unwritten {
		if f&mapConvertUnwritten != 0 {
			m.pblk = pblk
			return fs.convertToUnwritten(t, in, p, m, got)
		}
		m.state |= stateMapped
		m.pblk = pblk
		m.len = min(got, m.len)
		return m.len, 0
	}
	return fs.mapUnwrittenExtent(t, in, p, m, f|mapMetadataNofail, got, pblk)
}

// mapUnwrittenExtent maps blocks of an unwritten extent, splitting or
// converting it as the caller asks (ext4_ext_handle_unwritten_extents).
func (fs *FS) mapUnwrittenExtent(t *task, in *inode, p *path, m *mapping, f mapFlags, got uint32, pblk allocator.Block) (uint32, errno) {
	var e errno
	switch {
	case f&mapPreIO != 0:
		if got, e = fs.splitConvert(t, in, p, m.lblk, m.len, f|mapConvert); e != 0 {
			return 0, e
		}
		m.state |= stateUnwritten | stateNew | stateMapped
	case f&mapConvert != 0:
		if e = fs.convertEndIO(t, in, p, m.lblk, m.len); e != 0 {
			return 0, e
		}
		m.state |= stateMapped
	case f&mapUnwritten != 0: // fallocate again
		m.state |= stateUnwritten | stateMapped
	case f&mapCreate == 0:
		m.state |= stateUnwritten
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

// rememberHole puts the hole around lblk, up to the next delayed range, into the
// status tree and returns its length from lblk on
// (ext4_ext_determine_insert_hole).
func (fs *FS) rememberHole(in *inode, p *path, lblk uint32) uint32 {
	start, n := p.hole(lblk)
	for {
		d, ok := in.fileMap().es.find(start, start+n-1, isDelayed)
		if !ok {
			break
		}
		if lblk >= d.lblk+d.len {
			n -= lblk - start
			start = lblk
			continue
		}
		if d.covers(lblk) {
			return d.lblk + d.len - lblk
		}
		n = min(d.lblk-start, n)
		break
	}
	in.fileMap().es.set(start, n, 0, esHole)
	return n - (lblk - start)
}

// mapNew allocates blocks for the hole at m.lblk and puts them into the tree.
func (fs *FS) mapNew(t *task, in *inode, p *path, m *mapping, f mapFlags) (uint32, errno) {
	offset := m.lblk & (fs.geo.ClusterRatio() - 1)
	x := p.ex()
	var got, clusters uint32
	var pblk allocator.Block
	if offset != 0 && x != nil && fs.impliedCluster(m, x, p) {
		got, pblk = m.len, m.pblk
	} else if right := in.right(p, m.lblk); fs.geo.ClusterBits > 0 && right != nil && fs.impliedCluster(m, right, p) {
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

// putNew puts the blocks of m, for which so many clusters were allocated, into the tree.
func (fs *FS) putNew(t *task, in *inode, p *path, m *mapping, f mapFlags, clusters uint32) (uint32, errno) {
	nx := extent{lblk: m.lblk, len: uint16(m.len), unwritten: f&mapUnwritten != 0, pblk: m.pblk}
	if nx.unwritten {
		m.state |= stateUnwritten
	}
	if e := fs.insertExtent(t, in, p, nx, f); e != 0 {
		if clusters > 0 {
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
	fs.settleReservation(t, in, m.lblk, clusters, f)
	m.state |= stateNew | stateMapped
	return m.len, 0
}

// allocateExtent asks the allocator for the blocks of m. It returns where
// m.lblk lies, the number of blocks from there on, and the clusters allocated.
func (fs *FS) allocateExtent(t *task, in *inode, p *path, right *extent, m *mapping, f mapFlags) (allocator.Block, uint32, uint32, errno) {
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Lleft, r.Pleft = p.left(m.lblk)
	r.Lright = m.lblk
	if right != nil {
		r.Lright, r.Pright = right.lblk, right.pblk
	}
	if f&mapUnwritten == 0 {
		m.len = min(m.len, maxExtentLen)
	} else {
		m.len = min(m.len, maxUnwrittenLen)
	}
	want := fs.clipOverlap(p, m)
	bits := fs.geo.ClusterBits
	offset := m.lblk & (fs.geo.ClusterRatio() - 1)
	r.Goal = fs.extentGoal(t, in, p, m.lblk) - allocator.Block(offset)
	r.Logical = m.lblk - offset
	r.Len = (offset + want + fs.geo.ClusterRatio() - 1) >> bits
	if in.Regular {
		r.Flags = mballoc.HintData
	}
	if f&mapNoNormalize != 0 {
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
	return b + allocator.Block(offset), min(r.Len<<bits-offset, want), r.Len, 0
}

// clipOverlap is how much of m lies before the next extent, by clusters
// (ext4_ext_check_overlap).
func (fs *FS) clipOverlap(p *path, m *mapping) uint32 {
	x := p.ex()
	if x == nil {
		return m.len
	}
	mask := fs.geo.ClusterRatio() - 1
	next := x.lblk &^ mask
	if next < m.lblk {
		next = p.nextAllocated()
		if next == maxBlocks {
			return m.len
		}
		next &^= mask
	}
	n := m.len
	if m.lblk+n < m.lblk {
		n = maxBlocks - m.lblk
	}
	if m.lblk+n > next {
		n = next - m.lblk
	}
	return n
}

// impliedCluster reports whether m begins in a cluster that extent x already
// holds a part of, and then says where m lies and how far that holds
// (get_implied_cluster_alloc).
func (fs *FS) impliedCluster(m *mapping, x *extent, p *path) bool {
	bits := fs.geo.ClusterBits
	ratio := fs.geo.ClusterRatio()
	clu := m.lblk >> bits
	first, last := x.lblk>>bits, (x.next()-1)>>bits
	if clu != first && clu != last {
		return false
	}
	b := x.pblk
	if clu == last {
		b += allocator.Block(x.len) - 1
	}
	offset := m.lblk & (ratio - 1)
	m.pblk = b&^allocator.Block(ratio-1) + allocator.Block(offset)
	m.len = min(m.len, ratio-offset)
	if m.lblk < x.lblk {
		m.len = min(m.len, x.lblk-m.lblk)
	}
	if m.lblk > x.lblk {
		m.len = min(m.len, p.nextAllocated()-m.lblk)
	}
	return true
}

// clusterMapped reports whether any block of logical cluster clu is mapped
// (ext4_clu_mapped).
func (fs *FS) clusterMapped(in *inode, clu uint32) bool {
	bits := fs.geo.ClusterBits
	var p path
	in.find(&p, clu<<bits, cacheRead)
	x := p.ex()
	if x == nil || clu < x.lblk>>bits {
		return false
	}
	if clu <= (x.next()-1)>>bits {
		return true
	}
	return clu == p.nextAllocated()>>bits
}
