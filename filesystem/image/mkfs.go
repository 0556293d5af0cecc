package image

import (
	"fmt"
	"iter"

	"mbsim/allocator"
)

// Mkfs computes what mke2fs 1.47.0 lays out, block for block: the numbers of
// the superblock, where its copies and the descriptors', the bitmaps and the
// inode tables lie, which groups are left uninitialized, and the blocks of the
// root directory, lost+found, the resize inode, the journal, the files of quota
// and the orphan file. A petabyte costs no more than a gigabyte.
//
// It refuses what it does not model: external journals, bad blocks, copying of files (-d), revision 0.
func Mkfs(p MkfsParams) (*Layout, error) {
	m, err := newMkfsState(&p)
	if err != nil {
		return nil, err
	}
	// Numbers first, then the tables of all groups, then the files, which need to know which
	// blocks the tables left.
	if err := m.initialize(); err != nil {
		return nil, err
	}
	return m.layout()
}

// layout lays out a file system whose numbers are decided.
func (m *mkfsState) layout() (*Layout, error) {
	// Tables first, then the files in the order that mke2fs makes them.
	s := &mkfsSource{m: m, sb: &m.sb}
	var err error
	if s.tables, err = newTableMap(m); err != nil {
		return nil, err
	}
	s.countAlike()
	overhead := s.staticClusters()
	f := newFiles{sb: &m.sb, static: s, tables: s.tables, journalBlocks: m.jBlocks, orphanBlocks: m.orphan}
	if m.sb.ROCompat&Quota != 0 {
		f.quotas = m.p.QuotaTypes
		f.quotas[2] = m.sb.ROCompat&Project != 0
	}
	if m.jGoalSet {
		f.journalGoal = &m.jGoal
	}
	if err := f.make(); err != nil {
		return nil, err
	}
	s.files, s.used, s.inUse, s.dirs = f.files, f.used, f.inUse, []uint32{RootInode, m.sb.FirstInode}
	if m.orphan > 0 {
		m.sb.OrphanInode = f.inUse
	}
	// A file of 2 GiB or more turns the feature on, even where it was refused.
	for i := range f.files {
		if f.files[i].Size >= 1<<31 {
			m.sb.ROCompat |= LargeFile
		}
	}
	// s_overhead_clusters is metadata, journal and what is before the first block; it has
	// 32 bits.
	ratio := allocator.Block(1) << m.sb.ClusterBits
	m.sb.Overhead = uint64(uint32(overhead + ceilDiv(uint64(m.jBlocks), uint64(ratio)) + uint64(m.sb.FirstDataBlock)))
	s.count(overhead)
	return &Layout{Super: m.sb, Reserved: s.files, FastCommitBlocks: m.fastBlocks, src: s}, nil
}

// mkfsSource answers for a file system as mke2fs leaves it.
type mkfsSource struct {
	m      *mkfsState
	sb     *Superblock
	tables *tableMap
	files  []Inode
	used   runSet   // blocks of files, whole clusters
	inUse  uint32   // inodes in use: the first inUse
	dirs   []uint32 // inode numbers of the directories
}

// static implements staticMap: the copies of superblock and descriptors, then the tables.
func (s *mkfsSource) static(id allocator.GroupID, f func(run)) {
	first, _ := s.m.groupRange(id)
	if p := s.sb.prefix(id); p.end > first {
		// Block 0 before a superblock in block 1 is the boot block. It is in use only as a part
		// of the superblock's cluster.
		start := first
		if p.hasSuper && p.super > first && s.sb.ClusterBits == 0 {
			start = p.super
		}
		f(run{start, p.end})
	}
	s.tables.within(id, f)
}

// staticClusters counts the clusters of the file system's own metadata.
func (s *mkfsSource) staticClusters() uint64 {
	if s.sb.ClusterBits == 0 {
		return uint64(s.sb.prefixBlocks()) + uint64(s.sb.Groups())*uint64(2+s.m.itb)
	}
	// With bigalloc, several tables may share a cluster, so each group is rounded out.
	n := uint64(0)
	a := newFilePlacer(s.sb, s)
	for id := range s.sb.Groups() {
		first, _ := s.m.groupRange(id)
		a.load(first)
		n += uint64(a.used.blocks() >> s.sb.ClusterBits)
	}
	return n
}

// count fills in the free counts of the superblock.
func (s *mkfsSource) count(static uint64) {
	used := static<<s.sb.ClusterBits + uint64(s.used.blocks())
	s.sb.FreeBlocks = s.sb.Blocks - s.sb.FirstDataBlock - allocator.Block(used)
	s.sb.FreeInodes = s.sb.Inodes - s.inUse
}

// inodesIn is the number of inodes in use in group id.
func (s *mkfsSource) inodesIn(id allocator.GroupID) uint32 {
	ipg := uint64(s.sb.InodesPerGroup)
	first := uint64(id) * ipg
	return uint32(min(ipg, max(uint64(s.inUse), first)-first))
}

// Desc implements allocator.Source.
func (s *mkfsSource) Desc(id allocator.GroupID) allocator.GroupDesc {
	// The places come from the table map, the counts from rules about which inodes and blocks
	// are in use.
	p := s.tables.at(id)
	inodes := s.inodesIn(id)
	d := allocator.GroupDesc{
		BlockBitmap: p.blockBitmap, InodeBitmap: p.inodeBitmap, InodeTable: p.inodeTable,
		InodeTableBlocks: s.m.itb, FreeInodes: s.sb.InodesPerGroup - inodes,
	}
	for _, n := range s.dirs {
		if (n-1)/s.sb.InodesPerGroup == uint32(id) {
			d.UsedDirs++
		}
	}
	var tables, files bool
	d.FreeClusters, tables, files = s.free(id)
	// UNINIT flags exist only with checksums of descriptors.
	if s.m.csum {
		// mke2fs begins with the first inode that is not reserved, FirstInode, taken for used.
		reserved := min(uint64(s.sb.InodesPerGroup), max(uint64(max(s.inUse, s.sb.FirstInode)), uint64(id)*uint64(s.sb.InodesPerGroup))-uint64(id)*uint64(s.sb.InodesPerGroup))
		d.UnusedInodes = s.sb.InodesPerGroup - uint32(reserved)
		d.InodeUninit = inodes == 0
		d.BlockUninit = id != s.sb.Groups()-1 && !files && !s.madeInodes(id)
		if s.sb.LogGroupsPerFlex != 0 && tables {
			d.BlockUninit = false
		}
	}
	return d
}

// madeInodes reports whether an inode of group id was sought after mke2fs had
// made the reserved ones' directory: that clears BLOCK_UNINIT with INODE_UNINIT.
func (s *mkfsSource) madeInodes(id allocator.GroupID) bool {
	return (s.sb.FirstInode-1)/s.sb.InodesPerGroup == uint32(id) || s.inUse > s.sb.FirstInode && (s.inUse-1)/s.sb.InodesPerGroup == uint32(id)
}

// free counts the free clusters of group id, and tells whether tables or files
// lie in it.
func (s *mkfsSource) free(id allocator.GroupID) (n uint32, tables, files bool) {
	// Metadata and files, in whole clusters, are taken off the clusters of the group.
	first, last := s.m.groupRange(id)
	ratio := allocator.Block(1) << s.sb.ClusterBits
	total := uint32((last + ratio - first) >> s.sb.ClusterBits)
	s.used.within(first, last+1, func(run) { files = true })
	// Where no files are, the metadata of groups at the same place of flex groups that look alike is
	// the same, and was counted once.
	if plan, at := s.tables.alikeOf(id); plan != nil && !files {
		return total - plan.taken[at].clusters, plan.taken[at].tables, false
	}
	meta := s.metadata(id)
	return total - meta.clusters, meta.tables, files
}

// metadata counts what metadata and files take of group id.
func (s *mkfsSource) metadata(id allocator.GroupID) (meta metadata) {
	first, last := s.m.groupRange(id)
	a := filePlacer{sb: s.sb, ratio: allocator.Block(1) << s.sb.ClusterBits}
	var set runSet
	s.static(id, func(r run) { set.add(a.roundOut(r)) })
	s.tables.within(id, func(run) { meta.tables = true })
	s.used.within(first, last+1, set.add)
	meta.clusters = uint32(set.blocks() >> s.sb.ClusterBits)
	return meta
}

// countAlike counts the metadata of the groups that stand for others, before there are files.
func (s *mkfsSource) countAlike() {
	for _, plan := range s.tables.alike {
		if plan == nil {
			continue
		}
		for i := range plan.places {
			plan.taken = append(plan.taken, s.metadata(plan.first+allocator.GroupID(i)))
		}
	}
}

// BlockBitmap implements allocator.Source.
func (s *mkfsSource) BlockBitmap(id allocator.GroupID, bits []uint64) {
	first, last := s.m.groupRange(id)
	// The bits are clusters from the start of the group. Those behind its end are set, as
	// mke2fs pads bitmaps.
	cb := s.sb.ClusterBits
	mark := func(r run) {
		setBits(bits, uint32((r.start-first)>>cb), uint32((r.end-first+1<<cb-1)>>cb))
	}
	s.static(id, mark)
	s.used.within(first, last+1, mark)
	setBits(bits, uint32((last-first)>>cb)+1, uint32(len(bits)*64))
}

// InodeBitmap implements allocator.Source.
func (s *mkfsSource) InodeBitmap(id allocator.GroupID, bits []uint64) {
	setBits(bits, 0, s.inodesIn(id))
	setBits(bits, s.sb.InodesPerGroup, uint32(len(bits)*64))
}

// SystemZone implements allocator.Source.
func (s *mkfsSource) SystemZone(b allocator.Block, n uint32) bool {
	return systemZone(s.sb, s, s.files, b, n)
}

// systemZone reports whether [b, b+n) holds metadata of the file system or of
// its journal.
func systemZone(sb *Superblock, static staticMap, files []Inode, b allocator.Block, n uint32) bool {
	if b < sb.FirstDataBlock || b >= sb.Blocks {
		return b < sb.FirstDataBlock
	}
	// A range may cross into the next group, so each group that it touches is asked.
	end := min(b+allocator.Block(n), sb.Blocks)
	hit := false
	for id := (b - sb.FirstDataBlock) / allocator.Block(sb.BlocksPerGroup); id <= (end-1-sb.FirstDataBlock)/allocator.Block(sb.BlocksPerGroup); id++ {
		static.static(allocator.GroupID(id), func(r run) { hit = hit || r.start < end && b < r.end })
	}
	// The journal is part of the system zone too (ext4_protect_reserved_inode).
	for i := range files {
		if files[i].Number != sb.JournalInode || sb.JournalInode == 0 {
			continue
		}
		for _, e := range files[i].Extents {
			hit = hit || e.Physical < end && b < e.Physical+allocator.Block(e.Len)
		}
		for _, m := range files[i].Meta {
			hit = hit || m.Block >= b && m.Block < end
		}
	}
	return hit
}

func (s *mkfsSource) itableZeroed(allocator.GroupID) bool { return s.m.zeroed }

func (s *mkfsSource) inode(n uint32) (Inode, error) { return findInode(s.files, n) }

func findInode(files []Inode, n uint32) (Inode, error) {
	for i := range files {
		if files[i].Number == n {
			return files[i], nil
		}
	}
	return Inode{}, fmt.Errorf("image: inode %d is not in use", n)
}

func (s *mkfsSource) inodes() iter.Seq2[Inode, error] { return eachInode(s.files) }

func eachInode(files []Inode) iter.Seq2[Inode, error] {
	return func(yield func(Inode, error) bool) {
		for _, in := range files {
			if !yield(in, nil) {
				return
			}
		}
	}
}

func (s *mkfsSource) dirBlocks(in *Inode) ([]DirBlock, error) { return newDirBlocks(s.sb, in) }

func (s *mkfsSource) close() error { return nil }
