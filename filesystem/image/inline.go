package image

import "fmt"

// An inode that holds its data itself (inline_data) has the first 60 bytes of it
// where the block map would be, and the rest as the value of an extended
// attribute, system.data, in the space behind the inode's own fields. The
// attribute is there even where its value is empty.
const (
	inlineBlock   = 60 // bytes of i_block
	xattrMagic    = 0xea020000
	xattrEntry    = 16 // bytes of an entry, without its name
	xattrSystem   = 7  // EXT4_XATTR_INDEX_SYSTEM
	xattrDataName = "data"
)

func round4(n int) int { return (n + 3) &^ 3 }

// parseInline finds the data in the raw inode b, and how much there may be
// (ext4_find_inline_data_nolock, get_max_inline_xattr_value_size).
func (i *Inode) parseInline(b []byte) error {
	// The attributes begin behind the fixed fields and i_extra_isize, after a magic number.
	first := 0
	if len(b) > 0x82 {
		first = 128 + int(le.Uint16(b[0x80:])) + 4
	}
	if first <= 132 || first+4 > len(b) || le.Uint32(b[first-4:]) != xattrMagic {
		return fmt.Errorf("it is said to hold its data itself, and has no attributes")
	}
	attrs := b[first:]
	// Entries go up from the start, values come down from the end: lowest is where the
	// values begin, and the room between the two is free.
	lowest, found, at := len(attrs), false, 0
	var value []byte
	for ; at+4 <= len(attrs) && le.Uint32(attrs[at:]) != 0; at += round4(xattrEntry + int(attrs[at])) {
		if at+xattrEntry+int(attrs[at]) > len(attrs) {
			return fmt.Errorf("its attributes leave the inode")
		}
		e := attrs[at:]
		offs, size := int(le.Uint16(e[2:])), int(le.Uint32(e[8:]))
		if le.Uint32(e[4:]) != 0 {
			continue // its value is in an inode of its own
		}
		if size > len(attrs) || size > 0 && offs+size > len(attrs) {
			return fmt.Errorf("the value of an attribute leaves the inode")
		}
		if size > 0 {
			lowest = min(lowest, offs)
		}
		if e[1] == xattrSystem && string(e[xattrEntry:xattrEntry+int(e[0])]) == xattrDataName {
			found = true
			if size > 0 {
				value = attrs[offs : offs+size]
			}
		}
	}
	if !found {
		return fmt.Errorf("it is said to hold its data itself, and has no attribute for it")
	}
	// The data is i_block, then the value.
	i.inline = append(append([]byte(nil), b[0x28:0x28+inlineBlock]...), value...)
	i.InlineSize = len(i.inline)
	// Free room, less the four zero bytes that end the entries, can be added to the value.
	i.InlineMax = max(i.InlineSize, inlineBlock+lowest-at-4+round4(len(value)))
	return nil
}

// InlineParent is the directory above one that lies in its inode.
func (i *Inode) InlineParent() uint32 {
	if len(i.inline) < 4 {
		return 0
	}
	return le.Uint32(i.inline)
}

// inlineAreas reads a directory that lies in its inode.
func inlineAreas(in *Inode, sb *Superblock) ([]DirBlock, error) {
	areas := [][]byte{in.inline[4:inlineBlock]}
	if len(in.inline) > inlineBlock {
		areas = append(areas, in.inline[inlineBlock:])
	}
	var blocks []DirBlock
	for i, raw := range areas {
		es, err := parseDirBlock(raw, sb)
		if err != nil {
			return nil, fmt.Errorf("inode %d: area %d of the inode: %w", in.Number, i, err)
		}
		blocks = append(blocks, DirBlock{Logical: uint32(i), Entries: es})
	}
	return blocks, nil
}
