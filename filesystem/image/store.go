package image

import (
	"fmt"
	"iter"
	"sort"

	"mbsim/allocator"
)

// flags of a group descriptor (bg_flags)
const (
	bgInodeUninit  = 1
	bgBlockUninit  = 2
	bgItableZeroed = 4
)

// groupState is all that is kept of one group of a file system that was read.
type groupState struct {
	desc   allocator.GroupDesc
	flags  uint8
	blocks freeList // clusters of the group
	inodes freeList
}

// freeList holds the free units of a bitmap: as pairs (first, length) of free
// runs, or as the bitmap itself where that is smaller.
type freeList struct {
	runs []uint32
	bits []byte
}

// size is the bytes of memory that the list takes.
func (l *freeList) size() uint64 { return uint64(4*cap(l.runs) + cap(l.bits)) }

// fill sets the bits of the n units that are not free, and those past them.
func (l *freeList) fill(bits []uint64, n uint32) {
	if l.bits != nil {
		for i, b := range l.bits {
			if i/8 < len(bits) {
				bits[i/8] |= uint64(b) << (i % 8 * 8)
			}
		}
	} else {
		at := uint32(0)
		for i := 0; i < len(l.runs); i += 2 {
			setBits(bits, at, l.runs[i])
			at = l.runs[i] + l.runs[i+1]
		}
		setBits(bits, at, n)
	}
	setBits(bits, n, uint32(len(bits)*64))
}

// anyFree reports whether any unit of [from, to) is free.
func (l *freeList) anyFree(from, to uint32) bool {
	_, any := l.firstFree(from, to)
	return any
}

// firstFree is the first unit of [from, to) that is free.
func (l *freeList) firstFree(from, to uint32) (uint32, bool) {
	if l.bits == nil {
		// The first run that ends behind from.
		i := sort.Search(len(l.runs)/2, func(i int) bool { return l.runs[2*i]+l.runs[2*i+1] > from })
		if 2*i < len(l.runs) && l.runs[2*i] < to && from < to {
			return max(from, l.runs[2*i]), true
		}
		return 0, false
	}
	for from < to {
		if b := l.bits[from/8]; b == 0xff {
			from = (from/8 + 1) * 8
		} else if b&(1<<(from%8)) == 0 {
			return from, true
		} else {
			from++
		}
	}
	return 0, false
}

// used lists the ranges [from, to) of the n units that are not free.
func (l *freeList) used(n uint32) iter.Seq2[uint32, uint32] {
	return func(yield func(uint32, uint32) bool) {
		for from := uint32(0); from < n; {
			free, any := l.firstFree(from, n)
			if !any {
				free = n
			}
			if from < free && !yield(from, free) {
				return
			}
			from = l.endOfFree(free, n)
		}
	}
}

// endOfFree is the end of the free units that begin at from, at most n.
func (l *freeList) endOfFree(from, n uint32) uint32 {
	if l.bits == nil {
		i := sort.Search(len(l.runs)/2, func(i int) bool { return l.runs[2*i]+l.runs[2*i+1] > from })
		if 2*i < len(l.runs) && l.runs[2*i] <= from {
			return min(n, l.runs[2*i]+l.runs[2*i+1])
		}
		return from
	}
	for from < n && l.bits[from/8]&(1<<(from%8)) == 0 {
		from++
	}
	return from
}

// count is the number of free units of n.
func (l *freeList) count(n uint32) (free uint32) {
	if l.bits != nil {
		for i := range n {
			if l.bits[i/8]&(1<<(i%8)) == 0 {
				free++
			}
		}
		return free
	}
	for i := 1; i < len(l.runs); i += 2 {
		free += l.runs[i]
	}
	return free
}

// freeListOf is the list of the first n units of a bitmap.
func freeListOf(bits []byte, n uint32) freeList {
	var runs []uint32
	for i := uint32(0); i < n; i++ {
		if i%8 == 0 && bits[i/8] == 0xff {
			i += 7
			continue
		}
		if bits[i/8]&(1<<(i%8)) != 0 {
			continue
		}
		start := i
		for i < n && bits[i/8]&(1<<(i%8)) == 0 {
			if i%8 == 0 && bits[i/8] == 0 {
				i += 8
			} else {
				i++
			}
		}
		i = min(i, n)
		runs = append(runs, start, i-start)
	}
	if len(runs)*4 > int(n+7)/8 {
		return freeList{bits: append([]byte(nil), bits[:(n+7)/8]...)}
	}
	return freeList{runs: runs}
}

// readState is a file system that was read group by group.
type readState struct {
	sb     *Superblock
	groups []groupState
	tabs   runSet // all bitmaps and inode tables
	files  []Inode
}

// near, at and within implement tables.
func (s *readState) near(allocator.GroupID) (from, to allocator.GroupID) { return 0, s.sb.Groups() }

func (s *readState) at(id allocator.GroupID) place {
	d := &s.groups[id].desc
	return place{d.BlockBitmap, d.InodeBitmap, d.InodeTable}
}

func (s *readState) within(id allocator.GroupID, f func(run)) {
	g := s.sb.Geometry()
	first := g.GroupStart(id)
	s.tabs.within(first, min(first+allocator.Block(g.BlocksPerGroup), g.Blocks), f)
}

// static implements staticMap.
func (s *readState) static(id allocator.GroupID, f func(run)) {
	p := s.sb.prefix(id)
	if first := s.sb.groupStart(id); p.end > first {
		f(run{first, p.end})
	}
	s.within(id, f)
}

// table is a bitmap or an inode table.
type table struct {
	name string
	run  run
}

// tablesOf are the tables of group id.
func (s *readState) tablesOf(id uint32) [3]table {
	d := &s.groups[id].desc
	return [...]table{
		{"block bitmap", run{d.BlockBitmap, d.BlockBitmap + 1}},
		{"inode bitmap", run{d.InodeBitmap, d.InodeBitmap + 1}},
		{"inode table", run{d.InodeTable, d.InodeTable + allocator.Block(d.InodeTableBlocks)}},
	}
}

// checkTables checks that the tables of group id lie on the device and that none
// overlaps a copy of the superblock or of the descriptors.
func (s *readState) checkTables(id uint32) error {
	for _, t := range s.tablesOf(id) {
		if t.run.start < s.sb.FirstDataBlock || t.run.end > s.sb.Blocks || t.run.end <= t.run.start {
			return fmt.Errorf("group %d: its %s at block %d lies outside the file system of %d blocks", id, t.name, t.run.start, s.sb.Blocks)
		}
		for g := s.sb.groupOf(t.run.start); g <= s.sb.groupOf(t.run.end-1); g++ {
			if start := s.sb.groupStart(g); t.run.start < s.sb.prefix(g).end && t.run.end > start && s.sb.prefix(g).end > start {
				return fmt.Errorf("group %d: its %s at block %d overlaps the descriptors of group %d", id, t.name, t.run.start, g)
			}
		}
	}
	return nil
}

// addTables collects the tables of all groups, which were checked, and checks
// that none overlaps another.
func (s *readState) addTables() error {
	var all []run
	for id := range s.groups {
		for _, t := range s.tablesOf(uint32(id)) {
			all = append(all, t.run)
		}
	}
	sortRuns(all)
	for i := 1; i < len(all); i++ {
		if all[i].start < all[i-1].end {
			return fmt.Errorf("block %d belongs to two bitmaps or inode tables", all[i].start)
		}
	}
	for _, r := range all {
		if n := len(s.tabs); n > 0 && s.tabs[n-1].end == r.start {
			s.tabs[n-1].end = r.end
		} else {
			s.tabs = append(s.tabs, r)
		}
	}
	return nil
}

// checkStatic checks that the metadata of group id is marked in use.
func (s *readState) checkStatic(id allocator.GroupID) (err error) {
	start := s.sb.groupStart(id)
	cb := s.sb.ClusterBits
	s.static(id, func(r run) {
		from, to := uint32((r.start-start)>>cb), uint32((r.end-start+1<<cb-1)>>cb)
		if err == nil && s.groups[id].blocks.anyFree(from, to) {
			err = fmt.Errorf("group %d: metadata at blocks %d-%d is marked free", id, r.start, r.end-1)
		}
	})
	return err
}

// checkReserved checks that no inode is free that the file system keeps for itself,
// and none in use where the descriptor says that there has never been one.
func (s *readState) checkReserved() error {
	for n := uint32(1); n < s.sb.FirstInode; n++ {
		if id, i := s.inodeAt(n); s.groups[id].inodes.anyFree(i, i+1) {
			return fmt.Errorf("inode %d is reserved for the file system, and the bitmap of group %d calls it free", n, id)
		}
	}
	for id := range s.groups {
		g := &s.groups[id]
		unused := s.sb.InodesPerGroup - g.desc.UnusedInodes
		for from, to := range g.inodes.used(s.sb.InodesPerGroup) {
			if to > unused {
				return fmt.Errorf("inode %d is in use, and group %d says that its last %d were never used", uint32(id)*s.sb.InodesPerGroup+max(from, unused)+1, id, g.desc.UnusedInodes)
			}
		}
	}
	return nil
}

// inodeAt is the group of inode n and its place there.
func (s *readState) inodeAt(n uint32) (id allocator.GroupID, i uint32) {
	return allocator.GroupID((n - 1) / s.sb.InodesPerGroup), (n - 1) % s.sb.InodesPerGroup
}

// inUse reports whether all of [b, b+n) is on the device and marked in use.
func (s *readState) inUse(b allocator.Block, n uint64) bool {
	end := b + allocator.Block(n)
	if b < s.sb.FirstDataBlock || end > s.sb.Blocks || end < b {
		return false
	}
	_, any := s.firstFree(b, n)
	return !any
}

// firstFree is the first block of [b, b+n), which is on the device, that the
// bitmaps call free.
func (s *readState) firstFree(b allocator.Block, n uint64) (allocator.Block, bool) {
	cb := s.sb.ClusterBits
	for end := b + allocator.Block(n); b < end; {
		id := s.sb.groupOf(b)
		start := s.sb.groupStart(id)
		stop := min(end, start+allocator.Block(s.sb.BlocksPerGroup))
		if c, any := s.groups[id].blocks.firstFree(uint32((b-start)>>cb), uint32((stop-1-start)>>cb)+1); any {
			return max(b, start+allocator.Block(c)<<cb), true
		}
		b = stop
	}
	return 0, false
}

// Desc implements allocator.Source.
func (s *readState) Desc(id allocator.GroupID) allocator.GroupDesc { return s.groups[id].desc }

// BlockBitmap implements allocator.Source.
func (s *readState) BlockBitmap(id allocator.GroupID, bits []uint64) {
	g := s.sb.Geometry()
	s.groups[id].blocks.fill(bits, g.ClustersIn(id))
}

// InodeBitmap implements allocator.Source.
func (s *readState) InodeBitmap(id allocator.GroupID, bits []uint64) {
	s.groups[id].inodes.fill(bits, s.sb.InodesPerGroup)
}

// SystemZone implements allocator.Source.
func (s *readState) SystemZone(b allocator.Block, n uint32) bool {
	return systemZone(s.sb, s, s.files, b, n)
}

func (s *readState) itableZeroed(id allocator.GroupID) bool {
	return s.groups[id].flags&bgItableZeroed != 0
}

func (s *readState) inode(n uint32) (Inode, error) { return findInode(s.files, n) }

func (s *readState) inodes() iter.Seq2[Inode, error] { return eachInode(s.files) }

func (s *readState) dirBlocks(in *Inode) ([]DirBlock, error) { return newDirBlocks(s.sb, in) }

func (s *readState) close() error { return nil }
