package image

import (
	"fmt"
	"math/bits"

	"mbsim/allocator"
	"mbsim/internal/memory"
)

// withoutGroups is the file system of a text that ends before the groups. Its tables and
// first files lie where mke2fs puts them, and where o does not leave it empty, as many
// blocks and inodes are in use as the text tells.
func (d *dumpReader) withoutGroups(o *Dump) (*Layout, error) {
	if !o.Headers {
		return nil, d.at(fmt.Errorf("no groups: want the whole text, not that of dumpe2fs -h"))
	}
	told := *d.sb
	// One that is not empty keeps something of each group: more of them than fit into memory
	// are refused before anything is made.
	if !o.Empty || o.Free != nil {
		if err := groupsFit(d.sb); err != nil {
			return nil, d.at(err)
		}
	}
	l, err := layoutWith(d.sb)
	if err != nil {
		return nil, d.at(err)
	}
	l.Notes = []string{"the text has no groups: bitmaps, tables and the first files are taken to lie where mke2fs puts them"}
	if told.JournalInode != 0 && told.JournalBlocks == 0 {
		l.Notes = append(l.Notes, fmt.Sprintf("the text does not tell how large the journal is (that of dumpe2fs -h does): %d blocks are taken", l.Super.JournalBlocks))
	}
	// Nothing more is known of an empty one.
	switch {
	case o.Empty && o.Free == nil:
		l.Notes = append(l.Notes, fmt.Sprintf("it is left empty, with %d free blocks; the text tells %d", l.Super.FreeBlocks, told.FreeBlocks))
	case o.Free != nil:
		err = cutLike(l, &told, o)
	default:
		err = fillTo(l, &told)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	l.Notes = append(l.Notes, told.stateNotes(d.live)...)
	return l, nil
}

// layoutWith is layoutOf. Where the size of the journal is not told, as by tune2fs -l, it is
// the default, or the next smaller one with which as much is free as is told: a file system
// that was made larger keeps the journal of its first size.
func layoutWith(sb *Superblock) (*Layout, error) {
	l, err := layoutOf(sb)
	if sb.JournalInode == 0 || sb.JournalBlocks != 0 {
		return l, err
	}
	const least = 1024 // blocks of the smallest journal
	for err == nil && l.Super.FreeBlocks < sb.FreeBlocks && l.Super.JournalBlocks >= 2*least {
		smaller := *sb
		smaller.JournalBlocks = l.Super.JournalBlocks / 2
		l, err = layoutOf(&smaller)
	}
	return l, err
}

// layoutOf is the file system that mke2fs makes with the numbers of a superblock.
func layoutOf(sb *Superblock) (*Layout, error) {
	m := &mkfsState{
		p: &MkfsParams{}, sb: *sb, descBlocks: sb.DescBlocks(), itb: sb.InodeTableBlocks(),
		csum: sb.ROCompat&(MetadataCsum|UninitBG) != 0, zeroed: true, stride: uint32(sb.RaidStride), jBlocks: sb.JournalBlocks,
	}
	if m.jBlocks > maxJournalBlocks {
		return nil, fmt.Errorf("a journal of %d blocks: the largest has %d", m.jBlocks, maxJournalBlocks)
	}
	// tune2fs -l does not tell how large the journal is: then it has the size that mke2fs
	// gives it. One on another device takes nothing.
	if sb.JournalInode != 0 && m.jBlocks == 0 {
		if err := m.journalSize(); err != nil {
			return nil, err
		}
	}
	if err := m.orphanSize(); err != nil {
		return nil, err
	}
	// The overhead that the text tells is the kernel's own count of it.
	l, err := m.layout()
	if err == nil && sb.Overhead != 0 {
		l.Super.Overhead = sb.Overhead
	}
	return l, err
}

// filler is a file system that is being filled, group by group.
type filler struct {
	readState
	empty *Layout
}

// groupsFit refuses a file system whose groups do not fit into memory.
func groupsFit(sb *Superblock) error {
	n := uint64(sb.Groups())
	return memory.Check(fmt.Sprintf("a file system of %d groups that is not empty", n), int64(n*groupMemory))
}

// newFiller takes over all groups of an empty file system.
func newFiller(l *Layout) (*filler, error) {
	f := &filler{readState: readState{sb: &l.Super, files: l.Reserved}, empty: l}
	geo := l.Geometry()
	blocks := make([]uint64, (geo.ClustersPerGroup+63)/64)
	inodes := make([]uint64, (geo.InodesPerGroup+63)/64)
	for id := range geo.Groups {
		// Bitmaps as the empty file system has them, in the form that a text is kept in.
		g := groupState{desc: l.Desc(id)}
		clear(blocks)
		clear(inodes)
		l.BlockBitmap(id, blocks)
		l.InodeBitmap(id, inodes)
		g.blocks, g.inodes = freeListOf(bytesOf(blocks), geo.ClustersIn(id)), freeListOf(bytesOf(inodes), geo.InodesPerGroup)
		if l.ITableZeroed(id) {
			g.flags = bgItableZeroed
		}
		f.groups = append(f.groups, g)
	}
	return f, f.addTables()
}

// bytesOf are the bytes of a bitmap of words, as they lie on disk.
func bytesOf(words []uint64) []byte {
	b := make([]byte, 0, 8*len(words))
	for _, w := range words {
		b = le.AppendUint64(b, w)
	}
	return b
}

// done puts the groups into the layout, with the counts that follow from them.
func (f *filler) done() {
	var blocks, inodes uint64
	for id := range f.groups {
		g := &f.groups[id]
		// A group of which anything more is in use has been initialized.
		free := g.blocks.count(f.sb.clustersIn(allocator.GroupID(id)))
		if free != g.desc.FreeClusters {
			g.desc.BlockUninit = false
		}
		g.desc.FreeClusters = free
		blocks += uint64(free) << f.sb.ClusterBits
		inodes += uint64(g.desc.FreeInodes)
	}
	f.sb.FreeBlocks, f.sb.FreeInodes = allocator.Block(blocks), uint32(inodes)
	f.empty.src = &f.readState
}

// clustersIn is the number of clusters of group id.
func (s *Superblock) clustersIn(id allocator.GroupID) uint32 {
	g := s.Geometry()
	return g.ClustersIn(id)
}

// fillTo takes blocks and inodes into use until the free ones are those that were told. Each
// group is filled by the same share, from its start: its free space is what is left behind.
func fillTo(l *Layout, told *Superblock) error {
	if told.FreeBlocks >= l.Super.FreeBlocks && told.FreeInodes >= l.Super.FreeInodes {
		if told.FreeBlocks != l.Super.FreeBlocks {
			l.Notes = append(l.Notes, fmt.Sprintf("it is empty, with %d free blocks; the text tells %d", l.Super.FreeBlocks, told.FreeBlocks))
		}
		return nil
	}
	f, err := newFiller(l)
	if err != nil {
		return err
	}
	// Clusters in use of each group, by its share of all that are free.
	free := uint64(l.Super.FreeBlocks) >> l.Super.ClusterBits
	want := min(free, uint64(told.FreeBlocks)>>l.Super.ClusterBits)
	before, taken := uint64(0), uint64(0)
	for id := range f.groups {
		g := &f.groups[id]
		before += uint64(g.desc.FreeClusters)
		until := shareOf(before, free-want, free)
		g.blocks.takeFirst(uint32(until - taken))
		taken = until
	}
	f.fillInodes(told)
	f.done()
	l.Notes = append(l.Notes, fmt.Sprintf("it is filled until %d blocks and %d inodes are free, as the text tells: what is in use has no name, and the free space of each group is behind it", l.Super.FreeBlocks, l.Super.FreeInodes))
	return nil
}

// fillInodes takes inodes into use until the free ones are those that were told, by the same
// share in each group.
func (f *filler) fillInodes(told *Superblock) {
	free := uint64(f.sb.FreeInodes)
	take := free - min(free, uint64(told.FreeInodes))
	before, taken := uint64(0), uint64(0)
	for id := range f.groups {
		g := &f.groups[id]
		before += uint64(g.desc.FreeInodes)
		until := shareOf(before, take, free)
		n := uint32(until - taken)
		if taken = until; n == 0 {
			continue
		}
		g.inodes.takeFirst(n)
		g.desc.FreeInodes -= n
		g.desc.InodeUninit = false
		// Those behind the last one in use were never used.
		if f.empty.Super.ROCompat&(MetadataCsum|UninitBG) != 0 {
			last := uint32(0)
			for _, to := range g.inodes.used(f.sb.InodesPerGroup) {
				last = to
			}
			g.desc.UnusedInodes = min(g.desc.UnusedInodes, f.sb.InodesPerGroup-last)
		}
	}
}

// shareOf is n*part/whole; part is at most whole.
func shareOf(n, part, whole uint64) uint64 {
	if whole == 0 {
		return 0
	}
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}

// takeFirst takes the first n free units into use.
func (l *freeList) takeFirst(n uint32) {
	// A list that is kept as a bitmap has its bits set one by one.
	for i := uint32(0); l.bits != nil && n > 0; i++ {
		if l.bits[i/8]&(1<<(i%8)) == 0 {
			l.bits[i/8] |= 1 << (i % 8)
			n--
		}
	}
	// Of runs the first ones go, and the start of the next.
	for n > 0 {
		k := min(n, l.runs[1])
		l.runs[0], l.runs[1], n = l.runs[0]+k, l.runs[1]-k, n-k
		if l.runs[1] == 0 {
			l.runs = l.runs[2:]
		}
	}
}
