package ext4

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem/ext4/extents"
)

// partialState is the state of a partialCluster.
type partialState uint8

const (
	partialNone partialState = iota // no cluster is noted (initial)
	partialFree                     // it goes, unless an extent further left has blocks in it (tofree)
	partialKeep                     // an extent that stays has blocks in it (nofree)
)

// partialCluster is the cluster at the left edge of what has been removed so far. With
// bigalloc an extent further left may have blocks in it too, so it is freed only once that
// extent is known (struct partial_cluster).
type partialCluster struct {
	state partialState
	pclu  allocator.Block // physical cluster
	lblk  uint32
}

// dataFreeFlags are the flags for freeing blocks of in
// (get_default_free_blocks_flags).
func dataFreeFlags(in *inode) mballoc.FreeFlags {
	if !in.Regular {
		return freeMetadata | freeForget
	}
	return 0
}

// freeCluster frees the whole physical cluster clu, which held the file's block lblk. If
// delayed blocks lie in the same cluster of the file, a pending reservation says so, and
// the cluster becomes a reserved one.
func (fs *FS) freeCluster(t *task, in *inode, clu allocator.Block, lblk uint32) {
	f := dataFreeFlags(in)
	bits := fs.geo.ClusterBits
	pending := in.fileMap().es.IsPending(lblk >> bits)
	if pending {
		f |= freeRereserve
	}
	fs.freeBlocks(t, in, clu<<bits, fs.geo.ClusterRatio(), f)
	if pending {
		fs.rereserveCluster(t, in, lblk)
	}
}

// rereserveCluster turns a cluster that was just freed into a reserved one, for the delayed
// blocks that lie in it (ext4_rereserve_cluster).
func (fs *FS) rereserveCluster(t *task, in *inode, lblk uint32) {
	// freeBlocks has left the inode's count to us, and has not added to the free clusters,
	// as with EXT4_FREE_BLOCKS_RERESERVE_CLUSTER.
	in.blocks -= int64(fs.geo.ClusterRatio())
	in.reserved++
	fs.alloc.DirtyClusters().Add(t.CPU, 1)
	fs.alloc.FreeClusters().Add(t.CPU, 1)
	in.fileMap().es.DropPending(lblk >> fs.geo.ClusterBits)
}

// removeBlocks frees the tail [from, to] of extent x, whose last block is to
// (ext4_remove_blocks).
func (fs *FS) removeBlocks(t *task, in *inode, x *extents.Extent, pc *partialCluster, from, to uint32) {
	bits := fs.geo.ClusterBits
	ratio := fs.geo.ClusterRatio()
	// A noted cluster that is not the one in which x ends is shared with no further extent:
	// now it can be freed.
	last := x.Pblk + allocator.Block(x.Len) - 1
	if pc.state != partialNone && pc.pclu != last>>bits {
		if pc.state == partialFree {
			fs.freeCluster(t, in, pc.pclu, pc.lblk)
		}
		pc.state = partialNone
	}
	// num blocks go, from pblk on.
	num := x.Next() - from
	pblk := x.Pblk + allocator.Block(uint32(x.Len)-num)
	// x ends inside a cluster that begins in the range as well. No extent that stays has
	// blocks in it, so it is freed as a whole.
	if to&(ratio-1) != ratio-1 && to&^(ratio-1) >= from && pc.state != partialKeep {
		fs.freeCluster(t, in, last>>bits, to)
		pc.state = partialNone
	}
	// Of the rest only whole clusters are freed: the first and the last one may be shared
	// (NOFREE_FIRST_CLUSTER, NOFREE_LAST_CLUSTER).
	fs.freeBlocks(t, in, pblk, num, dataFreeFlags(in)|freeKeepFirst|freeKeepLast)
	// What was noted has been passed.
	if pc.state != partialNone && pc.pclu != pblk>>bits {
		pc.state = partialNone
	}
	// The whole extent goes, and it begins inside a cluster: an extent further left may
	// share it.
	if from&(ratio-1) != 0 && num == uint32(x.Len) {
		if pc.state == partialNone {
			*pc = partialCluster{state: partialFree, pclu: pblk >> bits, lblk: from}
		}
	} else {
		pc.state = partialNone
	}
}

// removeFromLeaf removes what the path's leaf maps of [start, end], from right to left
// (ext4_ext_rm_leaf). end must not lie inside an extent.
func (fs *FS) removeFromLeaf(t *task, in *inode, p *extents.Path, pc *partialCluster, start, end uint32) {
	l := p.Leaf()
	n := l.Node
	i := l.Entry
	if i < 0 {
		i = len(n.Ext) - 1
	}
	bits := fs.geo.ClusterBits
	// first says that the leaf's first extent has changed, and so the indexes above do.
	first := false
	for i >= 0 && n.Ext[i].Next() > start {
		x := &n.Ext[i]
		l.Entry = i
		// The extent lies behind the range and stays; its first cluster must not be freed.
		if end < x.Lblk {
			if bits > 0 {
				pc.pclu, pc.state = x.Pblk>>bits, partialKeep
			}
			i--
			continue
		}
		// The extent loses its tail, or all of it.
		from := max(x.Lblk, start)
		first = first || i == 0
		fs.removeBlocks(t, in, x, pc, from, x.Next()-1)
		x.Len = uint16(from - x.Lblk)
		if x.Len == 0 {
			n.Ext = slices.Delete(n.Ext, i, i+1)
		}
		fs.dirtyNode(t, in, n)
		i--
	}
	if first && len(n.Ext) > 0 {
		p.CorrectIndexes()
	}
	// An extent stays to the left. It decides about the noted cluster, which is freed
	// unless that extent ends in it.
	if pc.state == partialFree && i >= 0 {
		x := &n.Ext[i]
		if pc.pclu != (x.Pblk+allocator.Block(x.Len)-1)>>bits {
			fs.freeCluster(t, in, pc.pclu, pc.lblk)
		}
		pc.state = partialNone
	}
	// An empty leaf goes, unless it is the root.
	if len(n.Ext) == 0 && n.Blk != 0 {
		fs.removeIndex(t, in, p, p.Depth)
	}
}

// removeIndex takes the emptied node at level depth of the path out of its parent, and
// frees its block (ext4_ext_rm_idx).
func (fs *FS) removeIndex(t *task, in *inode, p *extents.Path, depth int) {
	s := &p.Steps[depth-1]
	b := s.Node.Idx[s.Entry].Child.Blk
	s.Node.Idx = slices.Delete(s.Node.Idx, s.Entry, s.Entry+1)
	fs.dirtyNode(t, in, s.Node)
	fs.freeBlocks(t, in, b, 1, freeMetadata|freeForget)
	// If it was the first child, the levels above begin with the next child from now on.
	for d := depth - 1; d > 0 && p.Steps[d].Entry == 0; d-- {
		if len(p.Steps[d].Node.Idx) == 0 {
			break // this node is empty too, and removed next
		}
		up := &p.Steps[d-1]
		up.Node.Idx[up.Entry].Lblk = p.Steps[d].Node.Idx[0].Lblk
		fs.dirtyNode(t, in, up.Node)
	}
}

// removeSpace frees the blocks that the tree maps in [start, end], both
// inclusive, from right to left (ext4_ext_remove_space).
//
// Deviates from the kernel: the transaction is never restarted in between.
func (fs *FS) removeSpace(t *task, in *inode, start, end uint32) errno {
	var pc partialCluster
	var p extents.Path
	root := &in.fileMap().root
	depth := root.Depth
	fs.useMappings(in, start)
	i := 0
	// A hole is punched: the extent around end is split, and the walk begins there. The
	// nodes on the path count as entered.
	if end < maxBlocks-1 {
		e, empty := fs.splitAtEnd(t, in, &p, &pc, end)
		if e != 0 || empty {
			return e
		}
		depth = root.Depth
		i = depth
		for k := 0; k < depth; k++ {
			// As in the kernel (p_block = eh_entries + 1): the value differs from the
			// number of entries, so that the entry to the left of the path is visited next.
			p.Steps[k].Seen = p.Steps[k].Node.Entries() + 1
		}
	} else {
		// A truncate begins at the right end of the tree.
		p.Depth = depth
		p.Steps[0] = extents.Step{Node: root, Entry: -1}
	}
	// The walk goes down into the last child not visited yet, and up when a node is done.
	// Level depth holds the leaves.
	for i >= 0 {
		s := &p.Steps[i]
		if i == depth {
			fs.removeFromLeaf(t, in, &p, &pc, start, end)
			i--
			continue
		}
		if s.Seen == 0 { // entered for the first time
			s.Entry = len(s.Node.Idx) - 1
			s.Seen = len(s.Node.Idx) + 1
		} else {
			s.Entry--
		}
		// ext4_ext_more_to_rm: if the number of entries is unchanged since this level was
		// entered last, the child has kept some, and nothing further left is in the range.
		if s.Entry >= 0 && len(s.Node.Idx) != s.Seen {
			p.Steps[i+1] = extents.Step{Node: s.Node.Idx[s.Entry].Child.Read(nil), Entry: -1}
			s.Seen = len(s.Node.Idx)
			i++
			continue
		}
		// An index node without entries goes too.
		if len(s.Node.Idx) == 0 && i > 0 {
			fs.removeIndex(t, in, &p, i)
		}
		i--
	}
	// Nothing lies further left: the noted cluster is shared with nobody.
	if pc.state == partialFree {
		fs.freeCluster(t, in, pc.pclu, pc.lblk)
	}
	// An empty tree is a root that is a leaf.
	if root.Entries() == 0 {
		in.resetRoot()
		fs.dirtyInode(t, in)
	}
	return 0
}

// splitAtEnd leads p to end, and splits the extent that holds end and the block after it,
// so that it ends at end. It reports a tree without any extent as empty.
func (fs *FS) splitAtEnd(t *task, in *inode, p *extents.Path, pc *partialCluster, end uint32) (e errno, empty bool) {
	in.find(p, end, noCache)
	x := p.Ex()
	if x == nil {
		return 0, true
	}
	bits := fs.geo.ClusterBits
	last := x.Next() - 1
	switch {
	case end >= x.Lblk && end < last:
		// The cluster in which the extent is split stays in use by its second half.
		if bits > 0 {
			pc.pclu, pc.state = (x.Pblk+allocator.Block(end-x.Lblk)+1)>>bits, partialKeep
		}
		return fs.forceSplit(t, in, p, end+1), false
	// The extent ends at end or before it. The extent to its right may share its last
	// cluster, and stays.
	case bits > 0 && end >= last && pc.state == partialNone:
		opt := cacheRead
		if fs.quirks.WritebackCachesNothing {
			opt = noCache
		}
		if r := in.right(p, last+1, opt); r != nil {
			pc.pclu, pc.state = r.Pblk>>bits, partialKeep
		}
	}
	return 0, false
}

// forceSplit splits the path's extent at lblk (ext4_force_split_extent_at). It may use
// reserved blocks, since to free space must not fail for want of space.
func (fs *FS) forceSplit(t *task, in *inode, p *extents.Path, lblk uint32) errno {
	const f = mapNoCache | mapPreIO | mapMetadataNofail
	if fs.quirks.SplitAfterIO {
		return fs.splitAt(t, in, p, lblk, f)
	}
	var s splitFlags
	if p.Ex().Unwritten {
		s = markUnwritten1 | markUnwritten2
	}
	return fs.splitExtentAt(t, in, p, lblk, s, f)
}
