package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
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

// remember puts a range into the status tree (ext4_es_insert_extent).
func (fs *FS) remember(in *inode, lblk, n uint32, pblk allocator.Block, s esStatus) {
	in.fileMap().es.set(lblk, n, pblk, s)
	if fs.geo.ClusterBits > 0 && fs.opt.Delalloc && s&(esWritten|esUnwritten) != 0 {
		in.fileMap().es.revisePending(lblk, n, fs.geo.ClusterBits)
	}
}

// rememberMapping puts what a lookup or an allocation gave into the status tree.
func (fs *FS) rememberMapping(in *inode, m *mapping, f mapFlags) {
	s := esWritten
	if m.state&stateUnwritten != 0 {
		s = esUnwritten
		if f&mapDelallocReserve == 0 && in.fileMap().es.any(m.lblk, m.lblk+m.len-1, isDelayed) {
			s |= esDelayed
		}
	}
	fs.remember(in, m.lblk, m.len, m.pblk, s)
}

// maxMapped is how many blocks mapBlocks looks at once, INT_MAX.
const maxMapped = 1<<31 - 1

// mapBlocks looks up m.lblk, and with mapCreate allocates or converts blocks
// there (ext4_map_blocks). It returns the number of blocks mapped, at most the
// m.len asked for, which m.len then says too; 0 for a hole, whose length m.len
// then is.
func (fs *FS) mapBlocks(t *task, in *inode, m *mapping, f mapFlags) (uint32, errno) {
	m.state = 0
	m.len = min(m.len, maxMapped)
	var got uint32
	if e, ok := in.fileMap().es.ask(m.lblk); ok {
		m.len = min(e.len-(m.lblk-e.lblk), m.len)
		m.pblk = 0
		if e.mapped() {
			m.pblk = e.pblk.block() + allocator.Block(m.lblk-e.lblk)
			got = m.len
			m.state = stateUnwritten
			if e.status&esWritten != 0 {
				m.state = stateMapped
			}
		}
	} else {
		got = fs.lookupBlocks(t, in, m)
		if got > 0 {
			fs.rememberMapping(in, m, f)
		}
	}
	if f&mapCreate == 0 {
		return got, 0
	}
	if got > 0 && m.state&stateMapped != 0 && f&mapConvertUnwritten == 0 {
		return got, 0
	}
	m.state = 0
	var e errno
	if in.Extents {
		got, e = fs.extentMapBlocks(t, in, m, f)
	} else {
		got, e = fs.indirectMapBlocks(t, in, m, f)
	}
	if e != 0 || got == 0 {
		return 0, e
	}
	fs.rememberNew(in, m, f)
	return got, 0
}

// rememberNew is rememberMapping of what was made for data that is about to go to
// disk, or for anything else.
func (fs *FS) rememberNew(in *inode, m *mapping, f mapFlags) {
	if f&mapPreIO != 0 {
		if x, ok := in.fileMap().es.ask(m.lblk); ok && x.status&esWritten != 0 {
			return // written with zeroes meanwhile
		}
	}
	fs.rememberMapping(in, m, f)
}

// lookupBlocks looks m up in the extent tree or the indirect blocks.
func (fs *FS) lookupBlocks(t *task, in *inode, m *mapping) uint32 {
	var got uint32
	if in.Extents {
		got, _ = fs.extentMapBlocks(t, in, m, 0)
	} else {
		got, _ = fs.indirectMapBlocks(t, in, m, 0)
	}
	return got
}

// inodeGoal is where an inode's first block should lie: the first group of its
// flex group for directories, the second for files; on without delayed
// allocation by a sixteenth of the group times the process id
// (ext4_inode_to_goal_block).
func (fs *FS) inodeGoal(t *task, in *inode) allocator.Block {
	g := fs.groupOf(in)
	if fs.geo.FlexSize() >= flexDirScheme {
		g &^= allocator.GroupID(fs.geo.FlexSize() - 1)
		if in.Regular {
			g++
		}
	}
	start := fs.geo.GroupStart(g)
	if fs.opt.Delalloc {
		return start
	}
	last := fs.geo.Blocks - 1
	span := last - start
	if start+allocator.Block(fs.geo.BlocksPerGroup) <= last {
		span = allocator.Block(fs.geo.BlocksPerGroup)
	}
	// The kernel's colour has 32 bits with a sign. That shows where the group
	// lies past the end, and span below zero.
	colour := int32(allocator.Block(t.PID%16) * (span / 16))
	return start + allocator.Block(colour)
}

// flexDirScheme is the size of flex groups from which on the first group is
// kept for directories (EXT4_FLEX_SIZE_DIR_ALLOC_SCHEME).
const flexDirScheme = 4

// newBlocks asks the allocator, and counts what it gave as blocks of the inode
// unless they were reserved before.
func (fs *FS) newBlocks(t *task, in *inode, r *mballoc.Request) (allocator.Block, errno) {
	r.Inode = &in.Inode
	if fs.host != nil {
		fs.host.Asked()
	}
	b, ok := fs.alloc.NewBlocks(t.CPU, r)
	if fs.host != nil {
		fs.host.Answered()
	}
	if !ok {
		return 0, filesystem.ENOSPC
	}
	fs.journalsBitmap(b)
	if r.Flags&mballoc.DelallocReserved == 0 {
		fs.addBlocks(t, in, int64(r.Len)<<fs.geo.ClusterBits)
	}
	return b, 0
}

// newMeta allocates one block for metadata of an inode (ext4_new_meta_blocks).
func (fs *FS) newMeta(t *task, in *inode, goal allocator.Block, f mballoc.Flags) (allocator.Block, errno) {
	r := fs.takeRequest()
	defer fs.giveRequest(r)
	r.Goal, r.Len, r.Flags = goal, 1, f
	b, e := fs.newBlocks(t, in, r)
	if e == 0 && f&mballoc.DelallocReserved != 0 {
		fs.addBlocks(t, in, int64(r.Len)<<fs.geo.ClusterBits)
	}
	return b, e
}

// addBlocks counts n more blocks of the inode, which changes it
// (dquot_alloc_block, dquot_claim_block, dquot_free_block).
func (fs *FS) addBlocks(t *task, in *inode, n int64) {
	in.blocks += n
	fs.markDirty(in)
	fs.dirtyInode(t, in)
}
