package image

import (
	"fmt"
	"iter"

	"mbsim/allocator"
	"mbsim/filesystem"
)

const hugeFileFlag = 0x40000 // EXT4_HUGE_FILE_FL: i_blocks counts blocks

// readReserved reads the inodes mke2fs makes.
func (s *imageSource) readReserved() error {
	root, err := s.inode(RootInode)
	if err != nil {
		return err
	}
	if !root.IsDir() {
		return fmt.Errorf("inode %d: the root is not a directory", RootInode)
	}
	numbers := []uint32{}
	if s.sb.Compat&ResizeInode != 0 {
		numbers = append(numbers, ResizeInodeNum)
	}
	if s.sb.JournalInode != 0 {
		numbers = append(numbers, s.sb.JournalInode)
	}
	blocks, err := s.dirBlocks(&root)
	if err != nil {
		return err
	}
	lost := uint32(0)
	for _, b := range blocks {
		for _, e := range b.Entries {
			if e.Name == "lost+found" && e.Inode != 0 {
				lost = e.Inode
			}
		}
	}
	if lost != 0 {
		numbers = append(numbers, lost)
	}
	if s.sb.OrphanInode != 0 {
		numbers = append(numbers, s.sb.OrphanInode)
	}
	s.files = []Inode{root}
	for _, n := range numbers {
		in, err := s.inode(n)
		if err != nil {
			return err
		}
		if n == s.sb.JournalInode {
			s.sb.JournalBlocks = uint32(in.Size >> s.sb.BlockBits)
		}
		s.files = append(s.files, in)
	}
	return nil
}

// inode reads inode n.
func (s *imageSource) inode(n uint32) (Inode, error) {
	if n == 0 || n > s.sb.Inodes {
		return Inode{}, fmt.Errorf("inode %d: the file system has 1 to %d", n, s.sb.Inodes)
	}
	id, i := (n-1)/s.sb.InodesPerGroup, (n-1)%s.sb.InodesPerGroup
	if s.groups[id].inodes.anyFree(i, i+1) {
		return Inode{}, fmt.Errorf("inode %d is not in use", n)
	}
	raw := make([]byte, 128)
	if s.sb.Incompat&InlineData != 0 {
		raw = make([]byte, s.sb.InodeSize)
	}
	at := int64(s.groups[id].desc.InodeTable)<<s.sb.BlockBits + int64(i)*int64(s.sb.InodeSize)
	if _, err := s.r.ReadAt(raw, at); err != nil {
		return Inode{}, fmt.Errorf("inode %d: %w", n, err)
	}
	in, err := s.parseInode(n, raw)
	if err != nil {
		return in, fmt.Errorf("inode %d: %w", n, err)
	}
	return in, nil
}

// parseInode takes over an inode and reads its mapping.
func (s *imageSource) parseInode(n uint32, b []byte) (Inode, error) {
	in := Inode{Number: n, Mode: uint32(le.Uint16(b)), Links: uint32(le.Uint16(b[0x1a:])), Flags: le.Uint32(b[0x20:])}
	size := uint64(le.Uint32(b[0x04:])) | uint64(le.Uint32(b[0x6c:]))<<32
	if size > 1<<62 {
		return in, fmt.Errorf("size %d", size)
	}
	in.Size, in.Sectors = int64(size), int64(le.Uint32(b[0x1c:]))
	if s.sb.ROCompat&HugeFile != 0 {
		in.Sectors |= int64(le.Uint16(b[0x74:])) << 32
		if in.Flags&hugeFileFlag != 0 {
			in.Sectors <<= s.sb.BlockBits - 9
		}
	}
	in.ACL = allocator.Block(le.Uint32(b[0x68:]))
	if s.sb.Incompat&Is64Bit != 0 {
		in.ACL |= allocator.Block(le.Uint16(b[0x76:])) << 32
	}
	if in.ACL >= s.sb.Blocks {
		return in, fmt.Errorf("attribute block %d lies outside the file system", in.ACL)
	}
	w := &mapWalker{s: s, in: &in, left: s.sb.Blocks}
	iblock := b[0x28:0x64]
	switch t := in.Mode & filesystem.ModeType; {
	case in.Flags&InlineFlag != 0:
		return in, in.parseInline(b)
	case t != filesystem.ModeDir && t != filesystem.ModeRegular && t != filesystem.ModeLink:
		return in, nil
	case in.Flags&ExtentsFlag != 0:
		return in, w.extents(iblock, -1)
	case t == filesystem.ModeLink && in.Size < 60 && in.Sectors == s.aclSectors(&in):
		return in, nil // the target is in the inode
	case n == ResizeInodeNum:
		return in, w.resize(iblock)
	}
	return in, w.indirect(iblock)
}

// aclSectors are the sectors of the attribute block.
func (s *imageSource) aclSectors(in *Inode) int64 {
	if in.ACL == 0 {
		return 0
	}
	return s.sb.BlockSize() / 512 << s.sb.ClusterBits
}

// mapWalker reads the mapping of one inode. It refuses mappings that leave the
// file system, and stops after as many blocks as the file system has: a
// mapping that goes in circles ends.
type mapWalker struct {
	s    *imageSource
	in   *Inode
	left allocator.Block
}

func (w *mapWalker) check(b allocator.Block, n uint64) error {
	if b < w.s.sb.FirstDataBlock || b >= w.s.sb.Blocks || n > uint64(w.s.sb.Blocks-b) {
		return fmt.Errorf("blocks %d+%d lie outside the file system of %d blocks", b, n, w.s.sb.Blocks)
	}
	if w.left < allocator.Block(n) {
		return fmt.Errorf("it maps more blocks than the file system has")
	}
	w.left -= allocator.Block(n)
	return nil
}

// extents reads a node of an extent tree, which is to have the given depth; -1
// for the root, which has any.
func (w *mapWalker) extents(node []byte, depth int) error {
	if le.Uint16(node) != 0xf30a {
		return fmt.Errorf("extent header: magic 0x%04x, want 0xf30a", le.Uint16(node))
	}
	entries, d := int(le.Uint16(node[2:])), int(le.Uint16(node[6:]))
	if 12+12*entries > len(node) || d > 5 || depth >= 0 && d != depth {
		return fmt.Errorf("extent header: %d entries, depth %d", entries, d)
	}
	for i := range entries {
		e := node[12+12*i:]
		logical := le.Uint32(e)
		if d > 0 {
			child := allocator.Block(le.Uint32(e[4:])) | allocator.Block(le.Uint16(e[8:]))<<32
			if err := w.check(child, 1); err != nil {
				return err
			}
			raw, err := w.s.readBlock(child)
			if err != nil {
				return err
			}
			w.in.Meta = append(w.in.Meta, MetaBlock{Block: child, Depth: uint8(d - 1), Entries: le.Uint16(raw[2:]), Logical: logical})
			if err := w.extents(raw, d-1); err != nil {
				return err
			}
			continue
		}
		x := filesystem.Extent{Logical: uint64(logical), Len: uint64(le.Uint16(e[4:]))}
		if x.Len > 32768 {
			x.Len -= 32768
			x.Flags = filesystem.ExtentUnwritten
		}
		x.Physical = allocator.Block(le.Uint32(e[8:])) | allocator.Block(le.Uint16(e[6:]))<<32
		if err := w.check(x.Physical, x.Len); err != nil {
			return err
		}
		if n := len(w.in.Extents); x.Len == 0 || n > 0 && x.Logical < w.in.Extents[n-1].Logical+w.in.Extents[n-1].Len {
			return fmt.Errorf("extent at logical block %d of %d blocks is out of order", x.Logical, x.Len)
		}
		w.in.Extents = append(w.in.Extents, x)
	}
	return nil
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
	if err := w.check(b, 1); err != nil {
		return err
	}
	if depth == 0 {
		appendBlock(w.in, logical, b)
		return nil
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
	if err := w.check(b, 1); err != nil {
		return err
	}
	raw, err := w.s.readBlock(b)
	if err != nil {
		return err
	}
	m := MetaBlock{Block: b, Depth: 2, Logical: uint32(12 + len(raw)/4)}
	for i := 0; i < len(raw); i += 4 {
		if le.Uint32(raw[i:]) != 0 {
			m.Entries++
		}
	}
	w.in.Meta = []MetaBlock{m}
	return nil
}

// inodes lists the inodes in use.
func (s *imageSource) inodes() iter.Seq2[Inode, error] {
	return func(yield func(Inode, error) bool) {
		for id := range s.groups {
			g := &s.groups[id]
			for i := range s.sb.InodesPerGroup - g.desc.UnusedInodes {
				if g.inodes.anyFree(i, i+1) {
					continue
				}
				in, err := s.inode(uint32(id)*s.sb.InodesPerGroup + i + 1)
				if err == nil && in.Mode == 0 {
					continue // reserved, never made
				}
				if !yield(in, err) || err != nil {
					return
				}
			}
		}
	}
}

// dirBlocks reads a directory.
func (s *imageSource) dirBlocks(in *Inode) ([]DirBlock, error) {
	if !in.IsDir() {
		return nil, fmt.Errorf("inode %d is not a directory", in.Number)
	}
	if in.InlineSize > 0 {
		return inlineAreas(in, s.sb)
	}
	var blocks []DirBlock
	for _, x := range in.Extents {
		for i := range x.Len {
			logical := x.Logical + i
			if logical >= uint64(in.Size>>s.sb.BlockBits) {
				break
			}
			raw, err := s.readBlock(x.Physical + allocator.Block(i))
			if err != nil {
				return nil, fmt.Errorf("inode %d: %w", in.Number, err)
			}
			b := DirBlock{Logical: uint32(logical)}
			if b.Entries, err = parseDirBlock(raw, s.sb); err != nil {
				return nil, fmt.Errorf("inode %d: directory block %d: %w", in.Number, logical, err)
			}
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// parseDirBlock reads the entries of a directory block. The fake entry that
// holds the block's checksum is left out.
func parseDirBlock(b []byte, sb *Superblock) ([]Dirent, error) {
	var es []Dirent
	for off := 0; off < len(b); {
		if len(b)-off < 8 {
			return nil, fmt.Errorf("entry at %d does not fit", off)
		}
		e := Dirent{Inode: le.Uint32(b[off:]), Offset: uint16(off), RecLen: uint32(le.Uint16(b[off+4:]))}
		if len(b) >= 1<<16 { // 64K blocks: the length does not fit 16 bits
			if e.RecLen == 0 || e.RecLen == 65535 {
				e.RecLen = 1 << 16
			} else {
				e.RecLen = e.RecLen&0xfffc | e.RecLen&3<<16
			}
		}
		nameLen := int(b[off+6])
		if sb.Incompat&Filetype != 0 {
			e.Type = b[off+7]
		} else {
			nameLen |= int(b[off+7]) << 8
		}
		if e.RecLen < 8 || e.RecLen%4 != 0 || off+int(e.RecLen) > len(b) || e.Inode != 0 && 8+nameLen > int(e.RecLen) || e.Inode > sb.Inodes {
			return nil, fmt.Errorf("entry at %d: inode %d, length %d, name of %d bytes", off, e.Inode, e.RecLen, nameLen)
		}
		tail := off+12 == len(b) && e.Inode == 0 && e.RecLen == 12 && nameLen == 0 && e.Type == 0xde
		if e.Inode != 0 {
			e.Name = string(b[off+8 : off+8+nameLen])
		} else {
			e.Type = 0
		}
		if off += int(e.RecLen); !tail {
			es = append(es, e)
		}
	}
	return es, nil
}
