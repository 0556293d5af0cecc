package ext4

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
)

// The states of a partialCluster.
type partialState uint8

const (
	partialNone partialState = iota
	partialFree              // to be freed unless another extent is found in it
	partialKeep              // in use by an extent that stays
)

// partialCluster is the cluster at the edge of what is being removed, whose
// fate depends on the extent to its left (struct partial_cluster).
type partialCluster struct {
	state partialState
	clu   allocator.Block // physical cluster
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

// freeCluster frees the whole physical cluster clu that held lblk, keeping a
// reservation where delayed blocks still need it.
func (fs *FS) freeCluster(t *task, in *inode, clu allocator.Block, lblk uint32) {
	f := dataFreeFlags(in)
	bits := fs.geo.ClusterBits
	pending := in.fileMap().es.isPending(lblk >> bits)
	if pending {
		f |= freeRereserve
	}
	fs.freeBlocks(t, in, clu<<bits, fs.geo.ClusterRatio(), f)
	if pending {
		fs.rereserveCluster(t, in, lblk)
	}
}

// rereserveCluster turns a freed cluster into a reserved one, for the delayed
// blocks it also held (ext4_rereserve_cluster).
func (fs *FS) rereserveCluster(t *task, in *inode, lblk uint32) {
	in.blocks -= int64(fs.geo.ClusterRatio())
	in.reserved++
	fs.alloc.DirtyClusters().Add(t.CPU, 1)
	fs.alloc.FreeClusters().Add(t.CPU, 1)
	in.fileMap().es.dropPending(lblk >> fs.geo.ClusterBits)
}

// removeBlocks frees the tail [from, to] of extent x (ext4_remove_blocks).
func (fs *FS) removeBlocks(t *task, in *inode, x *extent, pc *partialCluster, from, to uint32) {
	bits := fs.geo.ClusterBits
	ratio := fs.geo.ClusterRatio()
	last := x.pblk + allocator.Block(x.len) - 1
	if pc.state != partialNone && pc.clu != last>>bits {
		if pc.state == partialFree {
			fs.freeCluster(t, in, pc.clu, pc.lblk)
		}
		pc.state = partialNone
	}
	num := x.next() - from
	pblk := x.pblk + allocator.Block(uint32(x.len)-num)
	if to&(ratio-1) != ratio-1 && to&^(ratio-1) >= from && pc.state != partialKeep {
		fs.freeCluster(t, in, last>>bits, to)
		pc.state = partialNone
	}
	fs.freeBlocks(t, in, pblk, num, dataFreeFlags(in)|freeKeepFirst|freeKeepLast)
	if pc.state != partialNone && pc.clu != pblk>>bits {
		pc.state = partialNone
	}
	if from&(ratio-1) != 0 && num == uint32(x.len) {
		if pc.state == partialNone {
			*pc = partialCluster{state: partialFree, clu: pblk >> bits, lblk: from}
		}
	} else {
		pc.state = partialNone
	}
}

// removeFromLeaf removes what the path's leaf maps of [start, end]
// (ext4_ext_rm_leaf). end must not lie inside an extent.
func (fs *FS) removeFromLeaf(t *task, in *inode, p *path, pc *partialCluster, start, end uint32) {
	l := p.leaf()
	n := l.n
	i := l.i
	if i < 0 {
		i = len(n.ext) - 1
	}
	bits := fs.geo.ClusterBits
	first := false
	for i >= 0 && n.ext[i].next() > start {
		x := &n.ext[i]
		l.i = i
		if end < x.lblk { // beyond the hole
			if bits > 0 {
				pc.clu, pc.state = x.pblk>>bits, partialKeep
			}
			i--
			continue
		}
		from := max(x.lblk, start)
		first = first || i == 0
		fs.removeBlocks(t, in, x, pc, from, x.next()-1)
		x.len = uint16(from - x.lblk)
		if x.len == 0 {
			n.ext = slices.Delete(n.ext, i, i+1)
		}
		fs.dirtyNode(t, in, n)
		i--
	}
	if first && len(n.ext) > 0 {
		p.correctIndexes()
	}
	if pc.state == partialFree && i >= 0 {
		x := &n.ext[i]
		if pc.clu != (x.pblk+allocator.Block(x.len)-1)>>bits {
			fs.freeCluster(t, in, pc.clu, pc.lblk)
		}
		pc.state = partialNone
	}
	if len(n.ext) == 0 && n.blk != 0 {
		fs.removeIndex(t, in, p, p.depth)
	}
}

// removeIndex takes the emptied node of level depth out of its parent and frees
// its block (ext4_ext_rm_idx).
func (fs *FS) removeIndex(t *task, in *inode, p *path, depth int) {
	s := &p.s[depth-1]
	b := s.n.idx[s.i].child.blk
	s.n.idx = slices.Delete(s.n.idx, s.i, s.i+1)
	fs.dirtyNode(t, in, s.n)
	fs.freeBlocks(t, in, b, 1, freeMetadata|freeForget)
	for d := depth - 1; d > 0 && p.s[d].i == 0; d-- {
		if len(p.s[d].n.idx) == 0 {
			break // this node goes next
		}
		up := &p.s[d-1]
		up.n.idx[up.i].lblk = p.s[d].n.idx[0].lblk
		fs.dirtyNode(t, in, up.n)
	}
}

// removeSpace frees the blocks that the tree maps in [start, end], both
// inclusive, from right to left (ext4_ext_remove_space).
//
// Deviates from the kernel: the transaction is never restarted in between.
func (fs *FS) removeSpace(t *task, in *inode, start, end uint32) errno {
	var pc partialCluster
	var p path
	root := &in.fileMap().root
	depth := root.depth
	i := 0
	if end < maxBlocks-1 {
		e, empty := fs.splitAtEnd(t, in, &p, &pc, end)
		if e != 0 || empty {
			return e
		}
		depth = root.depth
		i = depth
		for k := 0; k < depth; k++ {
			p.s[k].seen = p.s[k].n.entries() + 1
		}
	} else {
		p.depth = depth
		p.s[0] = step{n: root, i: -1}
	}
	for i >= 0 {
		s := &p.s[i]
		if i == depth {
			fs.removeFromLeaf(t, in, &p, &pc, start, end)
			i--
			continue
		}
		if s.seen == 0 { // entered for the first time
			s.i = len(s.n.idx) - 1
			s.seen = len(s.n.idx) + 1
		} else {
			s.i--
		}
		if s.i >= 0 && len(s.n.idx) != s.seen {
			p.s[i+1] = step{n: in.readNode(s.n.idx[s.i].child, noCache), i: -1}
			s.seen = len(s.n.idx)
			i++
			continue
		}
		if len(s.n.idx) == 0 && i > 0 {
			fs.removeIndex(t, in, &p, i)
		}
		i--
	}
	if pc.state == partialFree {
		fs.freeCluster(t, in, pc.clu, pc.lblk)
	}
	if root.entries() == 0 {
		in.resetRoot()
		fs.dirtyInode(t, in)
	}
	return 0
}

// splitAtEnd leads p to end, and splits the extent there so that it ends at end.
// It reports a tree without any extent as empty.
func (fs *FS) splitAtEnd(t *task, in *inode, p *path, pc *partialCluster, end uint32) (e errno, empty bool) {
	in.find(p, end, noCache)
	x := p.ex()
	if x == nil {
		return 0, true
	}
	bits := fs.geo.ClusterBits
	last := x.next() - 1
	switch {
	case end >= x.lblk && end < last:
		if bits > 0 {
			pc.clu, pc.state = (x.pblk+allocator.Block(end-x.lblk)+1)>>bits, partialKeep
		}
		return fs.forceSplit(t, in, p, end+1), false
	case bits > 0 && end >= last && pc.state == partialNone:
		if r := in.right(p, last+1); r != nil {
			pc.clu, pc.state = r.pblk>>bits, partialKeep
		}
	}
	return 0, false
}

// forceSplit splits the path's extent at lblk, with reserved blocks if need be
// (ext4_force_split_extent_at).
func (fs *FS) forceSplit(t *task, in *inode, p *path, lblk uint32) errno {
	var s splitFlags
	if p.ex().unwritten {
		s = markUnwritten1 | markUnwritten2
	}
	return fs.splitExtentAt(t, in, p, lblk, s, mapNoCache|mapPreIO|mapMetadataNofail)
}
