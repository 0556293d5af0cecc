package image

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// maxFileBlocks is the number of blocks that no file exceeds (EXT_MAX_BLOCKS).
const maxFileBlocks = 1<<32 - 1

// maxExtentDepth is the depth of the deepest extent tree (EXT4_MAX_EXTENT_DEPTH).
const maxExtentDepth = 5

// mapWalker reads the mapping of one inode: its extent tree or its indirect
// blocks. It refuses a mapping that leaves the device, that is out of order, or
// that uses a block which is free or somebody else's.
//
// A walker without owners reads what was checked before, and only stops after as
// many blocks as the device has.
type mapWalker struct {
	s    *imageSource
	in   *Inode
	own  *owners // nil: nobody asks whose the blocks are
	left allocator.Block

	data, meta uint64 // clusters taken
	// The cluster of the file that was mapped last, and one, and where it lies:
	// with bigalloc the next extent may go on in it.
	lastCluster uint64
	lastAt      allocator.Block
}

// part is a piece of a mapping, as messages name it.
type part struct {
	what    string // "extent 3"
	logical uint64
	n       uint64 // logical blocks from logical on; 0: all that it maps, from logical on
}

// noLogical as part.n is for what maps no logical blocks.
const noLogical = 1 << 63

func (p part) String() string {
	switch p.n {
	case noLogical:
		return p.what
	case 0:
		return fmt.Sprintf("%s (logical %d on)", p.what, p.logical)
	case 1:
		return fmt.Sprintf("%s (logical %d)", p.what, p.logical)
	}
	return fmt.Sprintf("%s (logical %d..%d)", p.what, p.logical, p.logical+p.n-1)
}

// inside checks that n blocks from b on, which p uses, are on the device.
func (w *mapWalker) inside(p part, b allocator.Block, n uint64) error {
	sb := w.s.sb
	switch {
	case b < sb.FirstDataBlock:
		return fmt.Errorf("%v lies at block %d, before the device's first block %d", p, b, sb.FirstDataBlock)
	case b >= sb.Blocks || n > uint64(sb.Blocks-b):
		return fmt.Errorf("%v lies at block %d, behind the device's end (%d blocks)", p, max(b, sb.Blocks), sb.Blocks)
	case w.left < allocator.Block(n):
		return fmt.Errorf("it maps more blocks than the device has")
	}
	w.left -= allocator.Block(n)
	return nil
}

// takeMeta takes block b of the mapping itself.
func (w *mapWalker) takeMeta(p part, b allocator.Block) error {
	if err := w.inside(p, b, 1); err != nil {
		return err
	}
	w.meta++
	return w.take(p, b, 1)
}

// takeData takes the n blocks from b on that hold the blocks from p.logical on.
// With bigalloc a block lies in its cluster where it does in the file's, and one
// of the file's clusters lies in one place.
func (w *mapWalker) takeData(p part, b allocator.Block, n uint64) error {
	if err := w.inside(p, b, n); err != nil {
		return err
	}
	bits := w.s.sb.ClusterBits
	mask := uint64(1)<<bits - 1
	if p.logical&mask != uint64(b)&mask {
		return fmt.Errorf("%v lies at block %d, which is not at the same place of its cluster", p, b)
	}
	first, last := p.logical>>bits, (p.logical+n-1)>>bits
	at := b >> bits
	w.data += last - first + 1
	if first+1 == w.lastCluster {
		if at != w.lastAt {
			return fmt.Errorf("%v lies at block %d, and the rest of its cluster at block %d", p, b, w.lastAt<<bits)
		}
		w.data--
		b, n = (at+1)<<bits, n-min(n, mask+1-uint64(b)&mask)
	}
	w.lastCluster, w.lastAt = last+1, at+allocator.Block(last-first)
	if n == 0 {
		return nil
	}
	return w.take(p, b, n)
}

func (w *mapWalker) take(p part, b allocator.Block, n uint64) error {
	if w.own == nil || w.in.Number == BadBlocksInode && w.own.system(b) {
		return nil
	}
	return w.own.take(p, w.in.Number, b, n)
}

// root reads the extent tree of an inode.
func (w *mapWalker) root(iblock []byte) error {
	if err := w.header(iblock, -1); err != nil {
		return err
	}
	return w.extents(iblock, 0, maxFileBlocks)
}

// header checks the header of a node of an extent tree that is to have the given
// depth; -1 for the root, which has any.
func (w *mapWalker) header(node []byte, depth int) error {
	if le.Uint16(node) != 0xf30a {
		return fmt.Errorf("extent header: magic 0x%04x, want 0xf30a", le.Uint16(node))
	}
	entries, most, d := int(le.Uint16(node[2:])), int(le.Uint16(node[4:])), int(le.Uint16(node[6:]))
	switch {
	case depth >= 0 && d != depth:
		return fmt.Errorf("extent header: depth %d, want %d", d, depth)
	case d > maxExtentDepth:
		return fmt.Errorf("extent header: depth %d, at most %d", d, maxExtentDepth)
	case most > (len(node)-12)/12:
		return fmt.Errorf("extent header: room for %d entries, where %d fit", most, (len(node)-12)/12)
	case entries > most:
		return fmt.Errorf("extent header: %d entries, with room for %d", entries, most)
	case entries == 0 && (depth >= 0 || d > 0):
		return fmt.Errorf("extent header: a node of depth %d without entries", d)
	}
	return nil
}

// extents reads a node of an extent tree whose header was checked. All that it
// maps lies in [from, to).
func (w *mapWalker) extents(node []byte, from, to uint64) error {
	entries, depth := int(le.Uint16(node[2:])), int(le.Uint16(node[6:]))
	for i := range entries {
		e := node[12+12*i:]
		logical := uint64(le.Uint32(e))
		if depth == 0 {
			x, err := w.extent(i, e, from, to)
			if err != nil {
				return err
			}
			from = x.Logical + x.Len
			continue
		}
		end := to
		if i+1 < entries {
			end = uint64(le.Uint32(e[12:]))
		}
		if logical < from || logical >= end {
			return fmt.Errorf("extent tree: index %d of a node of depth %d maps logical blocks %d..%d, outside %d..%d", i, depth, logical, int64(end)-1, from, to-1)
		}
		if err := w.child(i, e, depth, logical, end); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// child reads the node that index i of a node of the given depth leads to.
func (w *mapWalker) child(i int, e []byte, depth int, from, to uint64) error {
	b := allocator.Block(le.Uint32(e[4:])) | allocator.Block(le.Uint16(e[8:]))<<32
	p := part{what: fmt.Sprintf("node %d of depth %d of the extent tree", i, depth-1), logical: from}
	if err := w.takeMeta(p, b); err != nil {
		return err
	}
	raw, err := w.s.readBlock(b)
	if err == nil {
		err = w.header(raw, depth-1)
	}
	if err != nil {
		return fmt.Errorf("%v at block %d: %w", p, b, err)
	}
	if first := uint64(le.Uint32(raw[12:])); first != from {
		return fmt.Errorf("%v at block %d begins at logical block %d", p, b, first)
	}
	w.in.Meta = append(w.in.Meta, MetaBlock{Block: b, Depth: uint8(depth - 1), Entries: le.Uint16(raw[2:]), Logical: uint32(from)})
	return w.extents(raw, from, to)
}

// extent reads extent i of a leaf, which must lie in [from, to).
func (w *mapWalker) extent(i int, e []byte, from, to uint64) (filesystem.Extent, error) {
	x := filesystem.Extent{Logical: uint64(le.Uint32(e)), Len: uint64(le.Uint16(e[4:]))}
	if x.Len > 32768 {
		x.Len -= 32768
		x.Flags = filesystem.ExtentUnwritten
	}
	x.Physical = allocator.Block(le.Uint32(e[8:])) | allocator.Block(le.Uint16(e[6:]))<<32
	p := part{what: fmt.Sprintf("extent %d", i), logical: x.Logical, n: x.Len}
	if x.Len == 0 {
		return x, fmt.Errorf("%v has no blocks", p)
	}
	if x.Logical < from || x.Logical+x.Len > to {
		return x, fmt.Errorf("%v is out of order: it must lie in logical %d..%d", p, from, to-1)
	}
	if err := w.takeData(p, x.Physical, x.Len); err != nil {
		return x, err
	}
	w.in.Extents = append(w.in.Extents, x)
	return x, nil
}

// indirect reads a mapping by indirect blocks.
func (w *mapWalker) indirect(iblock []byte) error {
	per := uint64(w.s.sb.BlockSize() / 4)
	logical := uint64(0)
	for i := range 15 {
		depth, span := max(0, i-11), uint64(1)
		for range depth {
			span *= per
		}
		if b := allocator.Block(le.Uint32(iblock[4*i:])); b != 0 {
			if err := w.pointer(b, depth, logical, span); err != nil {
				return err
			}
		}
		logical += span
	}
	return nil
}

// pointer follows a pointer to b that maps span blocks from logical on through
// depth levels of indirect blocks.
func (w *mapWalker) pointer(b allocator.Block, depth int, logical, span uint64) error {
	if logical >= maxFileBlocks {
		return fmt.Errorf("block %d is mapped at logical block %d: a file has at most %d", b, logical, uint64(maxFileBlocks))
	}
	if depth == 0 {
		if err := w.takeData(part{"block", logical, 1}, b, 1); err != nil {
			return err
		}
		appendBlock(w.in, logical, b)
		return nil
	}
	p := part{what: fmt.Sprintf("indirect block of depth %d", depth), logical: logical}
	if err := w.takeMeta(p, b); err != nil {
		return err
	}
	raw, err := w.s.readBlock(b)
	if err != nil {
		return err
	}
	at := len(w.in.Meta)
	w.in.Meta = append(w.in.Meta, MetaBlock{Block: b, Depth: uint8(depth), Logical: uint32(logical)})
	span /= uint64(len(raw) / 4)
	for i := 0; i < len(raw); i += 4 {
		if p := allocator.Block(le.Uint32(raw[i:])); p != 0 {
			w.in.Meta[at].Entries++
			if err := w.pointer(p, depth-1, logical, span); err != nil {
				return err
			}
		}
		logical += span
	}
	return nil
}

// resize reads the resize inode: its double-indirect block only, see
// filePlacer.resizeInode.
func (w *mapWalker) resize(iblock []byte) error {
	b := allocator.Block(le.Uint32(iblock[4*13:]))
	if b == 0 {
		return nil
	}
	m := MetaBlock{Block: b, Depth: 2, Logical: uint32(12 + w.s.sb.BlockSize()/4)}
	if err := w.takeMeta(part{what: "indirect block of depth 2", logical: uint64(m.Logical)}, b); err != nil {
		return err
	}
	raw, err := w.s.readBlock(b)
	if err != nil {
		return err
	}
	for i := 0; i < len(raw); i += 4 {
		if le.Uint32(raw[i:]) != 0 {
			m.Entries++
		}
	}
	w.in.Meta = []MetaBlock{m}
	return nil
}
