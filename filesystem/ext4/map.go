package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/es"
)

// mapFlags say what a caller of mapBlocks wants (EXT4_GET_BLOCKS_*).
type mapFlags uint16

const (
	mapCreate           mapFlags = 1 << iota
	mapUnwritten                 // new extents are unwritten
	mapDelallocReserve           // the blocks were reserved when they were written
	mapPreIO                     // split what is mapped, before data goes to disk
	mapConvert                   // the data is on disk: make it written
	mapMetadataNofail            // tree blocks may come from the reserved pool
	mapNoNormalize               // fallocate: no preallocation
	mapConvertUnwritten          // make written blocks unwritten (zero range)
	mapNoCache                   // do not cache what is read (EXT4_EX_NOCACHE)
	mapUnwrittenCreate  = mapCreate | mapUnwritten
	mapIOCreate         = mapPreIO | mapUnwrittenCreate
	mapIOConvert        = mapConvert | mapUnwrittenCreate
)

// searchOpt is the option of a search in the extent tree that a caller with these flags wants.
func (f mapFlags) searchOpt() findOpt { return findOpt(f&mapNoCache != 0) }

// mapState is what mapBlocks found or made of a range (EXT4_MAP_*).
type mapState uint8

const (
	stateMapped mapState = 1 << iota
	stateUnwritten
	stateNew
)

// mapping is a range of a file and where it lies (struct ext4_map_blocks).
type mapping struct {
	lblk, len uint32
	pblk      allocator.Block
	state     mapState
}

// remember puts a range into the status tree (ext4_es_insert_extent). With bigalloc, mapped
// blocks change which of their clusters have a pending reservation. In kernels where the
// status tree settles reservations, those of the delayed blocks in the range are used up;
// claim says that the inode's block count does not contain them yet.
func (fs *FS) remember(t *task, in *inode, lblk, n uint32, pblk allocator.Block, s es.Status, claim bool) {
	tree := &in.fileMap().es
	bits := fs.geo.ClusterBits
	var used int64
	// The ranges that give way are counted. With clusters they must be gone before the
	// count is known (Release).
	if fs.quirks.StatusTreeSettles && fs.opt.Delalloc {
		if bits == 0 {
			used = int64(tree.DelayedBlocks(lblk, lblk+n-1))
		} else {
			used = tree.Release(lblk, lblk+n-1, bits)
		}
	}
	tree.Set(lblk, n, pblk, s)
	// A cluster that was reserved and still holds delayed blocks is allocated now: its
	// reservation is used up as well.
	if bits > 0 && fs.opt.Delalloc && s&(es.Written|es.Unwritten) != 0 {
		pending := tree.RevisePending(lblk, n, bits)
		if fs.quirks.StatusTreeSettles {
			used += int64(pending)
		}
	}
	if used > 0 {
		fs.useReserved(t, in, uint32(used), claim)
	}
}

// rememberFound puts what a look-up has found in the extent tree into the status tree
// (ext4_map_query_blocks). In some kernels what is known there of another kind stays.
func (fs *FS) rememberFound(t *task, in *inode, m *mapping, f mapFlags) {
	if !fs.quirks.CacheReplacesSame {
		fs.rememberMapping(t, in, m, f)
		return
	}
	s := es.Written
	if m.state&stateUnwritten != 0 {
		s = es.Unwritten
	}
	in.fileMap().es.Cache(m.lblk, m.len, m.pblk, s)
}

// rememberMapping puts what a look-up or an allocation has given into the status tree.
func (fs *FS) rememberMapping(t *task, in *inode, m *mapping, f mapFlags) {
	s := es.Written
	if m.state&stateUnwritten != 0 {
		s = es.Unwritten
		// Blocks that fallocate has given to a delayed range stay delayed too, as their
		// data is still to be written; blocks that writeback has just allocated do not. Where
		// the status tree settles reservations, mapped blocks are never delayed.
		if !fs.quirks.StatusTreeSettles && f&mapDelallocReserve == 0 && in.fileMap().es.ScanRange(m.lblk, m.lblk+m.len-1, (*es.Range).IsDelayed) {
			s |= es.Delayed
		}
	}
	fs.remember(t, in, m.lblk, m.len, m.pblk, s, f&mapDelallocReserve != 0)
}

// maxMapped is the most blocks that mapBlocks looks at in one call (INT_MAX).
const maxMapped = 1<<31 - 1

// mapBlocks looks up m.lblk, and with mapCreate allocates or converts blocks there
// (ext4_map_blocks). It returns the number of blocks mapped, at most the m.len asked for,
// and sets m.len to it; for a hole it returns 0 and sets m.len to the hole's length.
func (fs *FS) mapBlocks(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	m.state = 0
	m.len = min(m.len, maxMapped)
	var got uint32
	delayed := false
	// First the status tree: what it knows needs no look at the extent tree.
	if e, ok := fs.lookupStatus(in, m.lblk); ok {
		m.len = min(e.Len-(m.lblk-e.Lblk), m.len)
		m.pblk = 0
		delayed = e.IsDelayedOnly()
		if e.IsMapped() {
			m.pblk = e.Pblk() + allocator.Block(m.lblk-e.Lblk)
			// A range may be unwritten and delayed at once; only written counts as mapped.
			got = m.len
			m.state = stateUnwritten
			if e.Status&es.Written != 0 {
				m.state = stateMapped
			}
		}
	} else {
		// Otherwise the extent tree or the indirect blocks answer, and the status tree
		// learns it.
		got = fs.lookupBlocks(t, in, m, f&mapNoCache)
		if got > 0 {
			fs.rememberFound(t, in, m, f)
		}
	}
	// A look-up ends here, and so does a caller who finds written blocks and wants no
	// others.
	if f&mapCreate == 0 {
		return got, 0
	}
	if got > 0 && m.state&stateMapped != 0 && f&mapConvertUnwritten == 0 {
		return got, 0
	}
	// Blocks are missing, or must be converted: the tree changes. In some kernels the status
	// tree says whether they were reserved, and not the caller.
	m.state = 0
	if delayed && fs.quirks.StatusTreeSettles {
		f |= mapDelallocReserve
	}
	got, done, e := fs.changeBrief(t, in, m, f)
	if !done && in.Extents {
		got, e = fs.extentMapBlocks(t, in, m, f)
	} else if !done {
		got, e = fs.indirectMapBlocks(t, in, m, f)
	}
	if e != 0 || got == 0 {
		return 0, e
	}
	// The status tree learns what has changed.
	fs.rememberNew(t, in, m, f)
	return got, 0
}

// rememberNew is rememberMapping for blocks that were allocated or converted.
func (fs *FS) rememberNew(t *task, in *inode, m *mapping, f mapFlags) {
	if f&mapPreIO != 0 {
		if x, ok := fs.lookupStatus(in, m.lblk); ok && x.Status&es.Written != 0 {
			// A split that has written zeroes has made the blocks written, and has told the
			// status tree so: that is newer than what m says.
			return
		}
	}
	// Of a brief file the state says it.
	if in.brief.state == notBrief {
		fs.rememberMapping(t, in, m, f)
	}
}

// lookupBlocks looks m up in the extent tree or in the indirect blocks, and returns the
// number of blocks mapped, 0 for a hole. Of the flags only mapNoCache is for a look-up.
func (fs *FS) lookupBlocks(t *task, in *inode, m *mapping, f mapFlags) uint32 {
	var got uint32
	// A look-up allocates nothing, so it can fail only for a block that no tree reaches,
	// and such a block is a hole.
	if in.Extents {
		got, _ = fs.extentMapBlocks(t, in, m, f)
	} else {
		got, _ = fs.indirectMapBlocks(t, in, m, 0)
	}
	return got
}

// inodeGoal is the physical block where an inode's first block should lie
// (ext4_inode_to_goal_block). With flex groups of four and more that is the first group of
// the inode's flex group for directories and the second for files; otherwise the inode's
// own group.
func (fs *FS) inodeGoal(t *task, in *inode) allocator.Block {
	g := fs.groupOf(in)
	// The first group of a large flex group is kept for directories
	// (EXT4_FLEX_SIZE_DIR_ALLOC_SCHEME).
	if fs.geo.FlexSize() >= flexDirScheme {
		g &^= allocator.GroupID(fs.geo.FlexSize() - 1)
		if in.Regular {
			g++
		}
	}
	start := fs.geo.GroupStart(g)
	// With delayed allocation the start of the group will do, since whole files are
	// allocated at once. Without it each process begins at its own sixteenth of the group,
	// its colour, so that files that grow side by side do not mix.
	if fs.opt.Delalloc {
		return start
	}
	last := fs.geo.Blocks - 1
	span := last - start
	if start+allocator.Block(fs.geo.BlocksPerGroup) <= last {
		span = allocator.Block(fs.geo.BlocksPerGroup)
	}
	// The kernel's colour has 32 bits with a sign. That shows only where the second group
	// of a flex group lies past the end of the device, where span wraps below zero.
	colour := int32(allocator.Block(t.PID%16) * (span / 16))
	return start + allocator.Block(colour)
}

// flexDirScheme is the size of flex groups from which on the first group is
// kept for directories (EXT4_FLEX_SIZE_DIR_ALLOC_SCHEME).
const flexDirScheme = 4

// newBlocks asks the allocator for blocks (ext4_mb_new_blocks), and counts what it gives as
// blocks of the inode, unless they were reserved before: then useReserved counts them.
func (fs *FS) newBlocks(t *task, in *inode, r *mballoc.Request) (allocator.Block, errno) {
	r.Inode = &in.Inode
	// The request takes time, and other processes may run in it.
	if fs.host != nil {
		fs.host.Asked()
	}
	fs.turns.step()
	r.Flags |= fs.rights(t)
	b, ok := fs.alloc.NewBlocks(t.CPU, r)
	if fs.host != nil {
		fs.host.Answered()
	}
	if !ok {
		return 0, filesystem.ENOSPC
	}
	fs.noteBitmapJournalled(b)
	fs.touchBitmaps(b, r.Len<<fs.geo.ClusterBits)
	if r.Flags&mballoc.DelallocReserved == 0 {
		fs.addBlocks(t, in, int64(r.Len)<<fs.geo.ClusterBits)
	}
	return b, 0
}

// newMeta allocates one block of metadata for an inode (ext4_new_meta_blocks).
func (fs *FS) newMeta(t *task, in *inode, goal allocator.Block, f mballoc.Flags) (allocator.Block, errno) {
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Goal, r.Len, r.Flags = goal, 1, f
	b, e := fs.newBlocks(t, in, r)
	// Even where the data was reserved, its metadata was not, and so is counted here.
	if e == 0 && f&mballoc.DelallocReserved != 0 {
		fs.addBlocks(t, in, int64(r.Len)<<fs.geo.ClusterBits)
	}
	return b, e
}

// addBlocks adds n to the blocks that the inode counts, which changes the inode
// (dquot_alloc_block, dquot_claim_block, dquot_free_block).
func (fs *FS) addBlocks(t *task, in *inode, n int64) {
	in.blocks += n
	fs.markDirty(in)
	fs.dirtyInode(t, in)
}
