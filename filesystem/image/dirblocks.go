package image

import (
	"fmt"

	"mbsim/allocator"
)

// dirBlocks reads a directory.
func (s *imageSource) dirBlocks(in *Inode) ([]DirBlock, error) {
	if !in.IsDir() {
		return nil, fmt.Errorf("inode %d is not a directory", in.Number)
	}
	if in.InlineSize > 0 {
		return inlineAreas(in, s.sb)
	}
	// The flag counts only with dir_index (is_dx).
	var index *htree
	if in.Flags&IndexFlag != 0 && s.sb.Compat&DirIndex != 0 {
		var err error
		if index, err = s.readIndex(in); err != nil {
			return nil, err
		}
	}
	var blocks []DirBlock
	err := s.eachDirBlock(in, func(logical uint32, raw []byte) error {
		es, err := parseDirBlock(raw, s.sb)
		b := DirBlock{Logical: logical, Entries: es}
		if index.isNode(logical) {
			b.Index = indexRanges(raw, logical)
		}
		blocks = append(blocks, b)
		return err
	})
	return blocks, err
}

// indexRanges reads the ranges of a node of the index, which was checked.
func indexRanges(raw []byte, logical uint32) []IndexRange {
	at := nodeRanges
	if logical == 0 {
		at = rootRanges
	}
	ranges := make([]IndexRange, le.Uint16(raw[at+2:]))
	for i := range ranges {
		e := raw[at+8*i:]
		ranges[i] = IndexRange{Hash: le.Uint32(e), Block: le.Uint32(e[4:]) & 0x0fffffff}
	}
	ranges[0].Hash = 0 // room for the limit and the count
	return ranges
}

// eachDirBlock calls f with each block of a directory that has blocks.
func (s *imageSource) eachDirBlock(in *Inode, f func(logical uint32, raw []byte) error) error {
	for _, x := range in.Extents {
		for i := range x.Len {
			// Blocks may be allocated behind the end of the directory, which are no part of it.
			logical := x.Logical + i
			if logical >= uint64(in.Size>>s.sb.BlockBits) {
				break
			}
			raw, err := s.readBlock(x.Physical + allocator.Block(i))
			if err == nil {
				err = f(uint32(logical), raw)
			}
			if err != nil {
				return fmt.Errorf("inode %d: directory block %d: %w", in.Number, logical, err)
			}
		}
	}
	return nil
}

// recLen reads the length of an entry in a block of size bytes. In blocks of 64 KiB
// it does not fit into 16 bits as it is.
func recLen(b []byte, size uint32) uint32 {
	n := uint32(le.Uint16(b))
	switch {
	case size < 1<<16:
		return n
	case n == 0 || n == 65535:
		return 1 << 16
	}
	return n&0xfffc | n&3<<16
}

// parseDirBlock reads the entries of a directory block. The fake entry that
// holds the block's checksum is left out.
func parseDirBlock(b []byte, sb *Superblock) ([]Dirent, error) {
	var es []Dirent
	// Entries cover the block without gaps.
	for off := 0; off < len(b); {
		if len(b)-off < 8 {
			return nil, fmt.Errorf("no entry fits behind byte %d", off)
		}
		e := Dirent{Inode: le.Uint32(b[off:]), Offset: uint16(off), RecLen: recLen(b[off+4:], uint32(len(b)))}
		// Without the filetype feature the byte of the type is the high byte of the length.
		nameLen := int(b[off+6])
		if sb.Incompat&Filetype != 0 {
			e.Type = b[off+7]
		} else {
			nameLen |= int(b[off+7]) << 8
		}
		switch {
		case e.RecLen < 12 || e.RecLen%4 != 0:
			return nil, fmt.Errorf("the entry at %d has a length of %d: want a multiple of 4, at least 12", off, e.RecLen)
		case off+int(e.RecLen) > len(b):
			return nil, fmt.Errorf("the entry at %d of %d bytes leaves the block", off, e.RecLen)
		case e.Inode != 0 && (nameLen == 0 || nameLen > 255 || 8+nameLen > int(e.RecLen)):
			return nil, fmt.Errorf("the entry at %d of %d bytes has a name of %d bytes", off, e.RecLen, nameLen)
		case e.Inode > sb.Inodes:
			return nil, fmt.Errorf("the entry at %d names inode %d of %d", off, e.Inode, sb.Inodes)
		}
		// The checksum's fake entry (struct ext4_dir_entry_tail) is unused, 12 bytes at the end,
		// and of type 0xde, without the filetype feature too.
		tail := off+12 == len(b) && e.Inode == 0 && e.RecLen == 12 && b[off+6] == 0 && b[off+7] == 0xde
		if e.Inode != 0 {
			e.Name = string(b[off+8 : off+8+nameLen])
		} else {
			e.Type = 0
		}
		off += int(e.RecLen)
		if !tail {
			es = append(es, e)
		}
	}
	return es, nil
}
