package image

import (
	"fmt"
	"iter"
	"math/bits"

	"mbsim/allocator"
	"mbsim/filesystem/dirent"
)

// Mounted is a mounted file system, as Now asks it.
type Mounted interface {
	// Group is the descriptor of a group now, and its bitmaps of blocks and inodes, which are nil
	// where they are as they were at the start.
	Group(id allocator.GroupID) (d allocator.GroupDesc, blocks, inodes []uint64)
	// Live lists the inodes that directories name, and those without a name that are still held, which
	// have no links, by number.
	Live() iter.Seq[Inode]
	// Find is one of these.
	Find(n uint32) (Inode, bool)
	// Directory is the directory of an inode, nil where it is none.
	Directory(n uint32) *dirent.Dir
}

// Now is the state of a file system that was mounted from start, as it would lie on disk: a layout that
// is valid until the file system changes. Inodes without a name are not there, and what they hold is free.
func Now(start *Layout, m Mounted) *Layout {
	s := &mountedSource{Mounted: m, start: start, held: make(map[allocator.GroupID]*heldGroup)}
	for in := range m.Live() {
		if in.Links == 0 {
			s.forget(&in)
		}
	}
	// The totals of the superblock are the sums over the groups.
	super := start.Super
	super.FreeBlocks, super.FreeInodes = 0, 0
	for id := range super.Groups() {
		d := s.Desc(id)
		super.FreeBlocks += allocator.Block(d.FreeClusters) << super.ClusterBits
		super.FreeInodes += d.FreeInodes
	}
	return &Layout{Super: super, Reserved: start.Reserved, FastCommitBlocks: start.FastCommitBlocks, src: s, start: start}
}

// mountedSource answers for a mounted file system.
type mountedSource struct {
	Mounted
	start *Layout
	held  map[allocator.GroupID]*heldGroup
}

// heldGroup is what inodes without a name hold in a group: bits as in its bitmaps, and how many of the
// inodes are directories.
type heldGroup struct {
	blocks, inodes []uint64
	dirs           uint32
}

// group is what inodes without a name hold in group id.
func (s *mountedSource) group(id allocator.GroupID) *heldGroup {
	if s.held[id] == nil {
		sb := &s.start.Super
		s.held[id] = &heldGroup{blocks: make([]uint64, (sb.ClustersPerGroup+63)/64), inodes: make([]uint64, (sb.InodesPerGroup+63)/64)}
	}
	return s.held[id]
}

// forget notes what an inode without a name holds.
func (s *mountedSource) forget(in *Inode) {
	sb := &s.start.Super
	g := s.group(allocator.GroupID((in.Number - 1) / sb.InodesPerGroup))
	i := (in.Number - 1) % sb.InodesPerGroup
	setBits(g.inodes, i, i+1)
	if in.IsDir() {
		g.dirs++
	}
	for _, m := range in.Meta {
		s.forgetBlocks(m.Block, 1)
	}
	for _, x := range in.Extents {
		s.forgetBlocks(x.Physical, x.Len)
	}
}

// forgetBlocks notes the clusters of n blocks from b on.
func (s *mountedSource) forgetBlocks(b allocator.Block, n uint64) {
	// Group by group.
	sb := &s.start.Super
	for end := b + allocator.Block(n); b < end; {
		id := sb.groupOf(b)
		start := sb.groupStart(id)
		stop := min(end, start+allocator.Block(sb.BlocksPerGroup))
		setBits(s.group(id).blocks, uint32((b-start)>>sb.ClusterBits), uint32((stop-1-start)>>sb.ClusterBits)+1)
		b = stop
	}
}

// ones is the number of bits that are set.
func ones(words []uint64) (n uint32) {
	for _, w := range words {
		n += uint32(bits.OnesCount64(w))
	}
	return n
}

// Desc implements allocator.Source.
func (s *mountedSource) Desc(id allocator.GroupID) allocator.GroupDesc {
	d, _, _ := s.Group(id)
	if h := s.held[id]; h != nil {
		d.FreeClusters += ones(h.blocks)
		d.FreeInodes += ones(h.inodes)
		d.UsedDirs -= h.dirs
	}
	return d
}

// BlockBitmap implements allocator.Source.
func (s *mountedSource) BlockBitmap(id allocator.GroupID, bitmap []uint64) {
	if _, now, _ := s.Group(id); now != nil {
		fillBitmap(bitmap, now, s.start.Super.clustersIn(id))
	} else {
		s.start.BlockBitmap(id, bitmap)
	}
	if h := s.held[id]; h != nil {
		clearBits(bitmap, h.blocks)
	}
}

// InodeBitmap implements allocator.Source.
func (s *mountedSource) InodeBitmap(id allocator.GroupID, bitmap []uint64) {
	if _, _, now := s.Group(id); now != nil {
		fillBitmap(bitmap, now, s.start.Super.InodesPerGroup)
	} else {
		s.start.InodeBitmap(id, bitmap)
	}
	if h := s.held[id]; h != nil {
		clearBits(bitmap, h.inodes)
	}
}

// fillBitmap copies the first n bits of a bitmap, and sets the others.
func fillBitmap(to, from []uint64, n uint32) {
	copy(to, from[:min(len(from), len(to), int(n+63)/64)])
	setBits(to, n, uint32(len(to)*64))
}

// clearBits clears the bits that are set in which.
func clearBits(bitmap, which []uint64) {
	for i, w := range which {
		bitmap[i] &^= w
	}
}

// SystemZone implements allocator.Source.
func (s *mountedSource) SystemZone(b allocator.Block, n uint32) bool { return s.start.SystemZone(b, n) }

func (s *mountedSource) itableZeroed(id allocator.GroupID) bool { return s.start.ITableZeroed(id) }

func (s *mountedSource) freeClusters() (n uint64) {
	for id := range s.start.Super.Groups() {
		n += uint64(s.Desc(id).FreeClusters)
	}
	return n
}

func (s *mountedSource) close() error { return nil }

func (s *mountedSource) inode(n uint32) (Inode, error) {
	for _, in := range s.start.Unnamed() {
		if in.Number == n {
			return in, nil
		}
	}
	if in, ok := s.Find(n); ok && in.Links > 0 {
		return in, nil
	}
	return Inode{}, fmt.Errorf("image: inode %d is not in use", n)
}

func (s *mountedSource) inodes() iter.Seq2[Inode, error] {
	return func(yield func(Inode, error) bool) {
		// Those that nobody mounts come in between, by their numbers.
		unnamed := s.start.Unnamed()
		for in := range s.Live() {
			if in.Links == 0 {
				continue
			}
			for len(unnamed) > 0 && unnamed[0].Number < in.Number {
				if !yield(unnamed[0], nil) {
					return
				}
				unnamed = unnamed[1:]
			}
			if !yield(in, nil) {
				return
			}
		}
		for _, in := range unnamed {
			if !yield(in, nil) {
				return
			}
		}
	}
}

func (s *mountedSource) dirBlocks(in *Inode) ([]DirBlock, error) {
	dir := s.Directory(in.Number)
	if dir == nil {
		return nil, fmt.Errorf("image: inode %d is not a directory", in.Number)
	}
	blocks := make([]DirBlock, dir.Blocks())
	for b := range blocks {
		blocks[b].Logical = uint32(b)
		for _, r := range dir.Index(b) {
			blocks[b].Index = append(blocks[b].Index, IndexRange{Hash: r.Hash, Block: r.Block})
		}
		for s := range dir.Slots(b) {
			blocks[b].Entries = append(blocks[b].Entries, Dirent{Inode: s.Inode, Offset: uint16(s.Offset), RecLen: uint32(s.Len), Type: s.Type, Name: s.Name})
		}
	}
	return blocks, nil
}
