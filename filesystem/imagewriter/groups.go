package imagewriter

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem/image"
)

// The flags of a group descriptor (bg_flags).
const (
	inodeUninit  = 1
	blockUninit  = 2
	itableZeroed = 4
)

// groups writes the bitmaps of all groups, then their descriptors.
func (w *writer) groups() error {
	// The table of descriptors is needed whole, as each copy of it is.
	size := int(w.sb.DescSize)
	table := make([]byte, int64(w.sb.DescBlocks())*w.blockSize)
	if w.patch {
		if err := w.readTable(table); err != nil {
			return err
		}
	}
	for id := range w.sb.Groups() {
		d := table[int64(uint32(id)/w.sb.DescPerBlock())*w.blockSize+int64(uint32(id)%w.sb.DescPerBlock())*int64(size):][:size]
		if err := w.group(id, d); err != nil {
			return fmt.Errorf("group %d: %w", id, err)
		}
	}
	return w.putTable(table)
}

// readTable reads the table of descriptors from the target.
func (w *writer) readTable(table []byte) error {
	for id := range w.sb.Groups() {
		p := w.sb.Prefix(id)
		// The first copy of each block counts.
		if p.Blocks == 0 || id > 0 && (p.First == 0 || uint32(id)%w.sb.DescPerBlock() != 0) {
			continue
		}
		part := table[int64(p.First)*w.blockSize:]
		part = part[:min(int64(len(part)), int64(p.Blocks)*w.blockSize)]
		if _, err := w.to.ReadAt(part, int64(p.Desc)<<w.sb.BlockBits); err != nil {
			return err
		}
	}
	return nil
}

// putTable writes all copies of the table of descriptors.
func (w *writer) putTable(table []byte) error {
	for id := range w.sb.Groups() {
		p := w.sb.Prefix(id)
		if p.Blocks == 0 {
			continue
		}
		part := table[int64(p.First)*w.blockSize:]
		part = part[:min(int64(len(part)), int64(p.Blocks)*w.blockSize)]
		// A table cut by the end of the device has no copy there.
		if p.Desc+allocator.Block(int64(len(part))/w.blockSize) > w.sb.Blocks {
			continue
		}
		if err := w.put(p.Desc, part); err != nil {
			return err
		}
	}
	return nil
}

// group writes the bitmaps of a group and makes its descriptor d.
func (w *writer) group(id allocator.GroupID, d []byte) error {
	// Descriptors of 64 bytes have upper halves.
	g := w.l.Desc(id)
	half := func(lo, hi int, n uint32) {
		le.PutUint16(d[lo:], uint16(n))
		if len(d) >= 64 {
			le.PutUint16(d[hi:], uint16(n>>16))
		}
	}
	block := func(lo, hi int, b allocator.Block) {
		le.PutUint32(d[lo:], uint32(b))
		if len(d) >= 64 {
			le.PutUint32(d[hi:], uint32(b>>32))
		}
	}
	block(0x00, 0x20, g.BlockBitmap)
	block(0x04, 0x24, g.InodeBitmap)
	block(0x08, 0x28, g.InodeTable)
	blocks := make([]uint64, w.blockSize/8)
	w.l.BlockBitmap(id, blocks)
	if n := w.freeAttrs(id, blocks); n > 0 {
		g.FreeClusters += n
		w.sb.FreeBlocks += allocator.Block(n) << w.sb.ClusterBits
	}
	half(0x0c, 0x2c, g.FreeClusters)
	half(0x0e, 0x2e, g.FreeInodes)
	half(0x10, 0x30, g.UsedDirs)
	half(0x1c, 0x32, g.UnusedInodes)
	// A group of which nothing was used has no bitmap on disk worth reading.
	flags := uint16(0)
	if w.l.ITableZeroed(id) || w.o.Dense {
		flags |= itableZeroed
	}
	if g.InodeUninit {
		flags |= inodeUninit
	}
	if g.BlockUninit {
		flags |= blockUninit
	}
	if err := w.bitmap(d, 0x18, 0x38, g.BlockBitmap, w.sb.ClustersPerGroup, g.BlockUninit, blocks); err != nil {
		return err
	}
	inodes := make([]uint64, w.blockSize/8)
	w.l.InodeBitmap(id, inodes)
	if err := w.bitmap(d, 0x1a, 0x3a, g.InodeBitmap, w.sb.InodesPerGroup, g.InodeUninit, inodes); err != nil {
		return err
	}
	if w.sb.ROCompat&(image.MetadataCsum|image.UninitBG) != 0 {
		le.PutUint16(d[0x12:], flags)
		le.PutUint16(d[0x1e:], w.sums.desc(uint32(id), d))
	} else if !w.patch {
		le.PutUint16(d[0x12:], flags)
	}
	return nil
}

// bitmap writes a bitmap of n bits to block b, and its checksum into the descriptor d: the low half
// at lo, the high half at hi.
func (w *writer) bitmap(d []byte, lo, hi int, b allocator.Block, n uint32, uninit bool, words []uint64) error {
	if uninit {
		return w.putUninit(b)
	}
	// Bits past the group are set, to the end of the block.
	raw := make([]byte, w.blockSize)
	for i, x := range words {
		le.PutUint64(raw[8*i:], x)
	}
	if w.sums.on {
		sum := crc(w.sums.seed, raw[:(n+7)/8])
		le.PutUint16(d[lo:], uint16(sum))
		if len(d) >= hi+2 {
			le.PutUint16(d[hi:], uint16(sum>>16))
		}
	}
	return w.put(b, raw)
}

// putUninit writes the bitmap of a group whose bitmap nobody reads.
func (w *writer) putUninit(b allocator.Block) error {
	if w.patch {
		return nil
	}
	return w.put(b, w.zeros)
}

// checkOwners refuses a file system of which blocks are in use that no file has: e2fsck would free
// them.
func (w *writer) checkOwners() error {
	// What the file system itself uses, and what files do, in clusters of the device.
	used := uint64(0)
	owned := newClusterSet(&w.sb)
	for id := range w.sb.Groups() {
		d := w.l.Desc(id)
		used += uint64(w.sb.ClustersIn(id)) - uint64(d.FreeClusters)
		p := w.sb.Prefix(id)
		start := allocator.Block(id)*allocator.Block(w.sb.BlocksPerGroup) + w.sb.FirstDataBlock
		if p.HasSuper && p.Super > start && w.sb.ClusterBits == 0 {
			start = p.Super // the boot block is nobody's
		}
		if p.End > start {
			owned.add(start, uint64(p.End-start))
		}
		owned.add(d.BlockBitmap, 1)
		owned.add(d.InodeBitmap, 1)
		owned.add(d.InodeTable, uint64(d.InodeTableBlocks))
	}
	for in, err := range w.l.Inodes() {
		if err != nil {
			return err
		}
		if err := refuseAttrs(&in); err != nil {
			return err
		}
		for _, x := range in.Extents {
			owned.add(x.Physical, x.Len)
		}
		for _, m := range in.Meta {
			owned.add(m.Block, 1)
		}
	}
	if owned.n < used {
		return fmt.Errorf("its starting state does not tell whose %d of its blocks are, so that nobody could have them on a disk: begin with mkfs, or with an image", (used-owned.n)<<w.sb.ClusterBits)
	}
	return nil
}

// clusterSet counts clusters, each once.
type clusterSet struct {
	sb   *image.Superblock
	bits map[allocator.Block][]uint64 // pages of clusters
	n    uint64
}

const clustersPerPage = 1 << 15

func newClusterSet(sb *image.Superblock) *clusterSet {
	return &clusterSet{sb: sb, bits: make(map[allocator.Block][]uint64)}
}

// add adds the clusters of n blocks from b on.
func (s *clusterSet) add(b allocator.Block, n uint64) {
	first := (b - s.sb.FirstDataBlock) >> s.sb.ClusterBits
	last := (b + allocator.Block(n) - 1 - s.sb.FirstDataBlock) >> s.sb.ClusterBits
	for c := first; c <= last; c++ {
		page := s.bits[c/clustersPerPage]
		if page == nil {
			page = make([]uint64, clustersPerPage/64)
			s.bits[c/clustersPerPage] = page
		}
		if i := c % clustersPerPage; page[i/64]>>(i%64)&1 == 0 {
			page[i/64] |= 1 << (i % 64)
			s.n++
		}
	}
}
