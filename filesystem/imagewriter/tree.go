package imagewriter

import (
	"fmt"
	"slices"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

const (
	extentMagic  = 0xf30a // of a node's header (eh_magic)
	entrySize    = 12     // bytes of a node's header, and of each entry
	rootEntries  = 4      // entries that an inode has room for
	maxWritten   = 32768  // blocks of an extent (EXT_INIT_MAX_LEN); more mark an unwritten one
	directBlocks = 12
)

// node is a node of an extent tree, with the entries that it leads to.
type node struct {
	image.MetaBlock
	extents []filesystem.Extent // of a leaf
	kids    []*node             // of an index
}

// treeOf builds the tree of an inode from the lists of its nodes and extents. Each list is in the
// order of the file, so each node takes the next entries of the level below.
func treeOf(in *image.Inode) (root *node, err error) {
	root = &node{}
	if len(in.Meta) == 0 {
		root.extents = in.Extents
		return root, nil
	}
	left, kids := in.Extents, []*node(nil)
	for depth := uint8(0); ; depth++ {
		var level []*node
		for _, m := range in.Meta {
			if m.Depth != depth {
				continue
			}
			n := &node{MetaBlock: m}
			entries := int(m.Entries)
			if depth == 0 && entries <= len(left) {
				n.extents, left = left[:entries], left[entries:]
			} else if depth > 0 && entries <= len(kids) {
				n.kids, kids = kids[:entries], kids[entries:]
			} else {
				return nil, fmt.Errorf("the extent tree has fewer entries than its nodes count")
			}
			level = append(level, n)
		}
		if len(level) == 0 {
			root.Depth, root.kids = depth, kids
			return root, nil
		}
		kids = level
	}
}

// extentTree puts the root of an extent tree into its inode, and writes the other nodes.
func (w *writer) extentTree(f *file) error {
	root, err := treeOf(f.Inode)
	if err != nil {
		return err
	}
	var node [entrySize * (1 + rootEntries)]byte
	if err := encodeNode(node[:], root, rootEntries); err != nil {
		return err
	}
	// What is behind the entries in use means nothing, and stays as it is.
	iblock, used := f.raw[0x28:0x64], len(node)
	if f.kept && le.Uint16(iblock) == extentMagic {
		used = entrySize * (1 + len(root.extents) + len(root.kids))
	}
	copy(iblock, node[:used])
	return w.nodes(f, root)
}

// nodes writes the nodes below n.
func (w *writer) nodes(f *file, n *node) error {
	most := int(w.blockSize-entrySize) / entrySize
	for _, kid := range n.kids {
		raw := make([]byte, w.blockSize)
		if err := encodeNode(raw, kid, most); err != nil {
			return err
		}
		if w.sums.on {
			at := entrySize * (1 + most) // behind the last entry that fits
			le.PutUint32(raw[at:], crc(f.sum, raw[:at]))
		}
		if err := w.putUnless(kid.Block, raw, f.kept, func(have []byte) bool {
			// What is behind the entries in use means nothing.
			return string(have[:entrySize*(1+int(kid.Entries))]) == string(raw[:entrySize*(1+int(kid.Entries))])
		}); err != nil {
			return err
		}
		if err := w.nodes(f, kid); err != nil {
			return err
		}
	}
	return nil
}

// putUnless writes a block, unless the target has one that is the same. Only what was there at the start
// is asked for.
func (w *writer) putUnless(b allocator.Block, raw []byte, kept bool, same func(have []byte) bool) error {
	if kept {
		have, err := w.get(b)
		if err != nil {
			return err
		}
		if same(have) {
			return nil
		}
	}
	return w.put(b, raw)
}

// encodeNode makes a node with room for most entries.
func encodeNode(raw []byte, n *node, most int) error {
	entries := len(n.extents) + len(n.kids)
	if entries > most {
		return fmt.Errorf("a node of its extent tree has %d entries, where %d fit", entries, most)
	}
	le.PutUint16(raw[0:], extentMagic)
	le.PutUint16(raw[2:], uint16(entries))
	le.PutUint16(raw[4:], uint16(most))
	le.PutUint16(raw[6:], uint16(n.Depth))
	for i, x := range n.extents {
		e := raw[entrySize*(1+i):]
		length := uint16(x.Len)
		if x.Flags&filesystem.ExtentUnwritten != 0 {
			length += maxWritten
		}
		le.PutUint32(e, uint32(x.Logical))
		le.PutUint16(e[4:], length)
		le.PutUint16(e[6:], uint16(x.Physical>>32))
		le.PutUint32(e[8:], uint32(x.Physical))
	}
	for i, kid := range n.kids {
		e := raw[entrySize*(1+i):]
		le.PutUint32(e, kid.Logical)
		le.PutUint32(e[4:], uint32(kid.Block))
		le.PutUint16(e[8:], uint16(kid.Block>>32))
	}
	return nil
}

// indirect puts block pointers into an inode, and writes its indirect blocks. These come in the order of
// what they map, so that of each level only one is being filled.
func (w *writer) indirect(f *file) error {
	per := uint64(w.blockSize / 4)
	iblock := f.raw[0x28:0x64]
	clear(iblock)
	p := &pointers{w: w, iblock: iblock, per: per}
	meta, extents := f.Meta, slices.Clone(f.Extents)
	for len(meta) > 0 || len(extents) > 0 {
		// Whatever maps less comes first: an indirect block before the data below it.
		if len(meta) > 0 && (len(extents) == 0 || uint64(meta[0].Logical) <= extents[0].Logical) {
			if err := p.open(&meta[0]); err != nil {
				return err
			}
			meta = meta[1:]
			continue
		}
		x := &extents[0]
		n := x.Len
		// An extent may go on below the next indirect block.
		if len(meta) > 0 {
			n = min(n, uint64(meta[0].Logical)-x.Logical)
		}
		for i := range n {
			if err := p.set(x.Logical+i, 0, x.Physical+allocator.Block(i)); err != nil {
				return err
			}
		}
		if n < x.Len {
			*x = filesystem.Extent{Logical: x.Logical + n, Len: x.Len - n, Physical: x.Physical + allocator.Block(n)}
		} else {
			extents = extents[1:]
		}
	}
	return p.close(4)
}

// pointers is an inode's map of block pointers that is being written.
type pointers struct {
	w      *writer
	iblock []byte
	per    uint64
	levels [4]struct { // indirect blocks that are being filled, by the levels below them
		block allocator.Block // 0 for none
		first uint64          // the first block of the file that it maps
		data  []byte
	}
}

// span is how many blocks a pointer maps that has so many levels of indirect blocks below it.
func (p *pointers) span(levels uint8) uint64 {
	n := uint64(1)
	for range levels {
		n *= p.per
	}
	return n
}

// open begins an indirect block, and writes those of its level and below that were being filled.
func (p *pointers) open(m *image.MetaBlock) error {
	if m.Depth < 1 || m.Depth > 3 {
		return fmt.Errorf("an indirect block of %d levels", m.Depth)
	}
	if err := p.close(m.Depth + 1); err != nil {
		return err
	}
	if err := p.set(uint64(m.Logical), m.Depth, m.Block); err != nil {
		return err
	}
	l := &p.levels[m.Depth]
	l.block, l.first, l.data = m.Block, uint64(m.Logical), make([]byte, p.w.blockSize)
	return nil
}

// close writes the indirect blocks that are being filled and have fewer levels than so many.
func (p *pointers) close(levels uint8) error {
	for d := uint8(1); d < levels; d++ {
		l := &p.levels[d]
		if l.block == 0 {
			continue
		}
		if err := p.w.put(l.block, l.data); err != nil {
			return err
		}
		l.block = 0
	}
	return nil
}

// set sets the pointer to b, which maps the file from a block on over so many levels.
func (p *pointers) set(lblk uint64, levels uint8, b allocator.Block) error {
	// In the inode: twelve blocks, then one pointer of each number of levels.
	first := uint64(directBlocks)
	for d := uint8(1); d <= 3; d++ {
		switch {
		case levels == 0 && lblk < directBlocks:
			le.PutUint32(p.iblock[4*lblk:], uint32(b))
			return nil
		case levels == d && lblk == first:
			le.PutUint32(p.iblock[4*(directBlocks-1+int(d)):], uint32(b))
			return nil
		}
		first += p.span(d)
	}
	// Else in the block one level above.
	l := &p.levels[levels+1]
	i := (lblk - l.first) / p.span(levels)
	if l.block == 0 || lblk < l.first || i >= p.per {
		return fmt.Errorf("no indirect block leads to block %d of the file", lblk)
	}
	le.PutUint32(l.data[4*i:], uint32(b))
	return nil
}
