package image

import (
	"fmt"
	"sort"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// A file that was removed while it was open, or that was being truncated, is an orphan:
// without a name, or with blocks behind its end, it is noted in a list so that a crash does
// not lose its blocks. At the next mount ext4 deletes the first kind and truncates the second
// (ext4_orphan_cleanup). The list begins in the superblock and goes on from inode to inode,
// in the field of the time of deletion; with the orphan_file feature a file holds numbers of
// inodes as well.

// orphanMagic ends each block of the orphan file, before a checksum.
const orphanMagic = 0x0b10ca04

// findOrphans lists the orphans in the order in which the kernel takes them. It ends where
// the kernel does, at a number that cannot be one.
func (s *imageSource) findOrphans() (list orphanList, err error) {
	// After errors the kernel forgets the list.
	list.has = make(map[uint32]bool)
	if s.errorState {
		return list, nil
	}
	for n := s.lastOrphan; n != 0 && s.mayBeOrphan(n) && !list.has[n]; {
		raw := make([]byte, 128)
		if err := s.readRawInode(n, raw); err != nil {
			return list, err
		}
		// The next one, in the field of the time of deletion (NEXT_ORPHAN).
		next := le.Uint32(raw[0x14:])
		if next > s.sb.Inodes {
			break
		}
		list.add(n)
		n = next
	}
	if s.sb.OrphanInode == 0 {
		return list, nil
	}
	in, err := s.inode(s.sb.OrphanInode)
	if err != nil {
		return list, fmt.Errorf("the orphan file: %w", err)
	}
	for _, x := range in.Extents {
		for i := range x.Len {
			if err := s.orphansIn(&list, x.Physical+allocator.Block(i)); err != nil {
				return list, err
			}
		}
	}
	return list, nil
}

// orphanList is a list of inodes, each of which is in it once.
type orphanList struct {
	numbers []uint32
	has     map[uint32]bool
}

func (l *orphanList) add(n uint32) {
	if !l.has[n] {
		l.numbers, l.has[n] = append(l.numbers, n), true
	}
}

// orphansIn adds the numbers that block b of the orphan file holds.
func (s *imageSource) orphansIn(list *orphanList, b allocator.Block) error {
	raw, err := s.readBlock(b)
	if err != nil {
		return fmt.Errorf("the orphan file: %w", err)
	}
	end := len(raw) - 8
	if m := le.Uint32(raw[end:]); m != orphanMagic {
		return fmt.Errorf("the orphan file: block %d ends with 0x%08x, want 0x%08x: it is corrupt", b, m, uint32(orphanMagic))
	}
	for i := 0; i+4 <= end; i += 4 {
		if n := le.Uint32(raw[i:]); s.mayBeOrphan(n) {
			list.add(n)
		}
	}
	return nil
}

// mayBeOrphan says whether inode n can be an orphan: one that users may have, in use.
func (s *imageSource) mayBeOrphan(n uint32) bool {
	if n < s.sb.FirstInode || n > s.sb.Inodes {
		return false
	}
	id, i := s.inodeAt(n)
	return !s.groups[id].inodes.anyFree(i, i+1)
}

// cleanOrphans deletes and truncates what findOrphans has found, and notes that.
func (c *fileChecker) cleanOrphans() error {
	s := c.s
	var deleted, truncated int
	before := s.freeClusters()
	for _, n := range c.orphans.numbers {
		in, err := s.inode(n)
		if err != nil {
			return err
		}
		switch regular := in.Mode&filesystem.ModeType == filesystem.ModeRegular; {
		case in.Links == 0:
			deleted++
			err = c.deleteInode(&in)
		case regular && in.InlineSize == 0:
			truncated++
			s.truncateInode(&in)
		}
		if err != nil {
			return fmt.Errorf("inode %d, which has no name: %w", n, err)
		}
	}
	if deleted+truncated == 0 {
		return nil
	}
	// The totals of the superblock follow.
	freed := allocator.Block(s.freeClusters()-before) << s.sb.ClusterBits
	s.sb.FreeBlocks += freed
	s.sb.FreeInodes += uint32(deleted)
	s.cleaned = fmt.Sprintf("as the kernel does at mount, what a crash has left open was cleaned up: %d deleted that had no name, %d truncated, %d blocks more are free", deleted, truncated, freed)
	return nil
}

// deleteInode frees an inode and its blocks.
func (c *fileChecker) deleteInode(in *Inode) error {
	s := c.s
	blocks := s.clustersOf(in)
	// A block of attributes may be shared: then its count goes down, and it stays.
	if in.ACL != 0 {
		raw, err := s.readBlock(in.ACL)
		if err != nil {
			return err
		}
		if le.Uint32(raw[4:]) <= 1 {
			blocks.add(s.clusters(in.ACL, 1))
		}
	}
	s.markBlocks(blocks, false)
	// The inode itself, and the count of directories if it was one.
	id, i := s.inodeAt(in.Number)
	g := &s.groups[id]
	g.inodes.set(i, i+1, s.sb.InodesPerGroup, false)
	g.desc.FreeInodes++
	if in.IsDir() {
		g.desc.UsedDirs--
		c.dirs[id]--
	}
	return nil
}

// truncateInode frees the blocks behind the end of a file. The file is as it is then
// whenever it is read again.
func (s *imageSource) truncateInode(in *Inode) {
	all := s.clustersOf(in)
	end := uint64(in.Size+s.sb.BlockSize()-1) >> s.sb.BlockBits
	// Extents up to the end, the last one in part.
	kept := in.Extents[:0:0]
	for _, x := range in.Extents {
		if x.Logical < end {
			x.Len = min(x.Len, end-x.Logical)
			kept = append(kept, x)
		}
	}
	in.Extents = kept
	in.keepMeta(uint64(s.sb.BlockSize() / 4))
	// A cluster of which a part is left stays.
	s.markBlocks(all, false)
	left := s.clustersOf(in)
	s.markBlocks(left, true)
	in.Sectors -= int64(all.blocks()-left.blocks()) << (s.sb.BlockBits - 9)
	if s.changed == nil {
		s.changed = make(map[uint32]Inode)
	}
	s.changed[in.Number] = *in
}

// keepMeta drops the blocks of the mapping that map nothing any more, and counts the entries
// of the others. An indirect block holds per pointers.
func (i *Inode) keepMeta(per uint64) {
	kept := i.Meta[:0:0]
	for at := range i.Meta {
		if i.extentsBelow(at, per) > 0 {
			kept = append(kept, i.Meta[at])
		}
	}
	i.Meta = kept
	for at := range i.Meta {
		m := &i.Meta[at]
		if leaf := i.Flags&ExtentsFlag != 0 && m.Depth == 0; leaf {
			m.Entries = uint16(i.extentsBelow(at, per))
			continue
		}
		if i.Flags&ExtentsFlag == 0 && m.Depth == 1 {
			m.Entries = uint16(i.blocksBelow(at, per))
			continue
		}
		// The nodes one level below follow, up to the next one that is not below this one.
		m.Entries = 0
		for _, below := range i.Meta[at+1:] {
			if below.Depth >= m.Depth {
				break
			}
			if below.Depth == m.Depth-1 {
				m.Entries++
			}
		}
	}
}

// rangeOf is what block at of the mapping maps: logical blocks from, and up to to.
func (i *Inode) rangeOf(at int, per uint64) (from, to uint64) {
	m := &i.Meta[at]
	from, to = uint64(m.Logical), maxFileBlocks
	if i.Flags&ExtentsFlag == 0 {
		return from, from + pointerSpan(uint32(per), int(m.Depth))
	}
	// A node of an extent tree maps all up to the next one of its level.
	for _, next := range i.Meta[at+1:] {
		if next.Depth >= m.Depth {
			return from, uint64(next.Logical)
		}
	}
	return from, to
}

// extentsBelow counts the extents that block at of the mapping leads to.
func (i *Inode) extentsBelow(at int, per uint64) int {
	return len(i.extentsIn(i.rangeOf(at, per)))
}

// extentsIn are the extents that map any of the logical blocks from, and up to to.
func (i *Inode) extentsIn(from, to uint64) []filesystem.Extent {
	first := sort.Search(len(i.Extents), func(k int) bool { return i.Extents[k].Logical+i.Extents[k].Len > from })
	last := sort.Search(len(i.Extents), func(k int) bool { return i.Extents[k].Logical >= to })
	return i.Extents[min(first, last):last]
}

// blocksBelow counts the blocks that block at of the mapping leads to.
func (i *Inode) blocksBelow(at int, per uint64) (n uint64) {
	from, to := i.rangeOf(at, per)
	for _, x := range i.extentsIn(from, to) {
		n += min(to, x.Logical+x.Len) - max(from, x.Logical)
	}
	return n
}

// clusters is the run of blocks of whole clusters that holds n blocks from b on.
func (s *imageSource) clusters(b allocator.Block, n uint64) run {
	mask := allocator.Block(1)<<s.sb.ClusterBits - 1
	return run{b &^ mask, (b + allocator.Block(n) + mask) &^ mask}
}

// clustersOf are the clusters of an inode's data and mapping.
func (s *imageSource) clustersOf(in *Inode) (set runSet) {
	for _, x := range in.Extents {
		set.add(s.clusters(x.Physical, x.Len))
	}
	for _, m := range in.Meta {
		set.add(s.clusters(m.Block, 1))
	}
	return set
}

// markBlocks marks whole clusters as in use or free, in the bitmaps and in the counts.
func (s *imageSource) markBlocks(set runSet, used bool) {
	for _, r := range set {
		// Group by group: each has a list of its own.
		for b := r.start; b < r.end; {
			id := s.sb.groupOf(b)
			start := s.sb.groupStart(id)
			stop := min(r.end, start+allocator.Block(s.sb.BlocksPerGroup))
			g, n := &s.groups[id], s.sb.clustersIn(id)
			g.blocks.set(uint32((b-start)>>s.sb.ClusterBits), min(n, uint32((stop-start+1<<s.sb.ClusterBits-1)>>s.sb.ClusterBits)), n, used)
			g.desc.FreeClusters = g.blocks.count(n)
			b = stop
		}
	}
}

// set marks the units [from, to) of n as in use or free.
func (l *freeList) set(from, to, n uint32, used bool) {
	words := make([]uint64, (n+63)/64)
	l.fill(words, n)
	if used {
		setBits(words, from, to)
	} else {
		for i := from; i < to; i++ {
			words[i/64] &^= 1 << (i % 64)
		}
	}
	*l = freeListOf(bytesOf(words), n)
}
