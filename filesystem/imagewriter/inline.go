package imagewriter

import (
	"fmt"
)

// An inode that holds its data itself (inline_data) has the first 60 bytes where the block map would
// be, and the rest as the value of the extended attribute system.data, behind its own fields.
const (
	inlineBlock = 60
	xattrMagic  = 0xea020000
	xattrEntry  = 16 // bytes of an attribute's entry, without its name
	xattrSystem = 7  // EXT4_XATTR_INDEX_SYSTEM
	xattrData   = "data"
)

func round4(n int) int { return (n + 3) &^ 3 }

// attribute is an extended attribute inside an inode. Others than system.data come from an image;
// those that the simulator makes belong here too.
type attribute struct {
	entry []byte // as it lies there, name included
	value []byte
}

// inline puts into an inode what it holds itself.
func (w *writer) inline(f *file) error {
	data, err := w.inlineData(f)
	if err != nil {
		return err
	}
	iblock := f.raw[0x28:0x64]
	clear(iblock)
	copy(iblock, data)
	var rest []byte
	if len(data) > inlineBlock {
		rest = data[inlineBlock:]
	}
	// Attributes that an image has stay, and system.data is made anew.
	var list []attribute
	if f.kept {
		if list, err = attributes(f.raw); err != nil {
			return err
		}
	}
	entry := make([]byte, xattrEntry+len(xattrData))
	entry[0], entry[1] = uint8(len(xattrData)), xattrSystem
	copy(entry[xattrEntry:], xattrData)
	return putAttributes(f.raw, append(list, attribute{entry, rest}))
}

// inlineData is what an inode holds itself: the names of a directory, or what takes the place of a
// file's data. A file of an image keeps what it has, as far as it is that long.
func (w *writer) inlineData(f *file) ([]byte, error) {
	data := make([]byte, max(f.InlineSize, inlineBlock))
	if f.IsDir() {
		return data, w.inlineDir(f, data)
	}
	if f.kept {
		copy(data, f.raw[0x28:0x64])
		if list, err := attributes(f.raw); err == nil {
			for _, a := range list {
				if isData(a.entry) {
					copy(data[inlineBlock:], a.value)
				}
			}
		}
		return data, nil
	}
	n := min(int64(len(data)), f.Size)
	w.fill(data[:n], f.Inode, "", 0)
	return data, nil
}

// inlineDir makes the areas of a directory in its inode: the number of the directory above and the first
// names in the first 60 bytes, more names behind.
func (w *writer) inlineDir(f *file, data []byte) error {
	areas, err := w.l.DirBlocks(f.Inode)
	if err != nil {
		return err
	}
	if len(areas) == 0 || len(areas) > 2 || len(areas) == 2 && len(data) <= inlineBlock {
		return fmt.Errorf("%d areas of names in its %d bytes", len(areas), len(data))
	}
	le.PutUint32(data, f.Parent)
	if err := w.encodeEntries(data[4:inlineBlock], areas[0].Entries); err != nil {
		return err
	}
	if len(areas) == 2 {
		return w.encodeEntries(data[inlineBlock:], areas[1].Entries)
	}
	return nil
}

// isData says whether an entry is that of system.data.
func isData(entry []byte) bool {
	return entry[1] == xattrSystem && string(entry[xattrEntry:xattrEntry+int(entry[0])]) == xattrData
}

// attributeSpace is the space of an inode for attributes, with its magic number.
func attributeSpace(raw []byte) []byte {
	if len(raw) <= 128 {
		return nil
	}
	return raw[min(len(raw), 128+int(le.Uint16(raw[0x80:]))):]
}

// attributes reads the extended attributes inside an inode.
func attributes(raw []byte) (list []attribute, err error) {
	space := attributeSpace(raw)
	if len(space) < 8 || le.Uint32(space) != xattrMagic {
		return nil, nil
	}
	first := space[4:]
	for at := 0; at+4 <= len(first) && le.Uint32(first[at:]) != 0; {
		end := at + xattrEntry
		if end > len(first) || end+int(first[at]) > len(first) {
			return nil, fmt.Errorf("its attributes leave the inode")
		}
		end += int(first[at])
		a := attribute{entry: append([]byte(nil), first[at:end]...)}
		from, size := int(le.Uint16(a.entry[2:])), int(le.Uint32(a.entry[8:]))
		if le.Uint32(a.entry[4:]) == 0 && size > 0 {
			if from > len(first) || size > len(first)-from {
				return nil, fmt.Errorf("the value of an attribute leaves the inode")
			}
			a.value = append([]byte(nil), first[from:from+size]...)
		}
		list = append(list, a)
		at = round4(end)
	}
	return list, nil
}

// putAttributes puts attributes into the space that an inode has for them: entries from its start,
// values from its end. Of several system.data the last counts.
func putAttributes(raw []byte, list []attribute) error {
	space := attributeSpace(raw)
	if len(space) < 8 {
		return fmt.Errorf("an inode of %d bytes has no room for attributes", len(raw))
	}
	clear(space)
	le.PutUint32(space, xattrMagic)
	first := space[4:]
	at, top := 0, len(first)
	for i, a := range list {
		if isData(a.entry) && i+1 < len(list) {
			continue
		}
		size := len(a.value)
		if size > 0 {
			top -= round4(size)
		}
		if at+round4(len(a.entry))+4 > top {
			return fmt.Errorf("its attributes do not fit into the inode of %d bytes", len(raw))
		}
		copy(first[at:], a.entry)
		e := first[at:]
		if le.Uint32(a.entry[4:]) == 0 { // the value is here and not in an inode of its own
			le.PutUint16(e[2:], 0)
			le.PutUint32(e[8:], uint32(size))
			if size > 0 {
				le.PutUint16(e[2:], uint16(top))
				copy(first[top:], a.value)
			}
		}
		at += round4(len(a.entry))
	}
	return nil
}
