package dirent

import "fmt"

// An inline directory lives in its inode (inline_data): its parent's number and
// the first names where the block map would be, more names in the room that the
// inode has for extended attributes. The two areas are kept as its blocks 0 and
// 1, each a chain of slots; "." and ".." take no slot. It leaves the inode for a
// block when a name fits into neither, and never comes back.
const (
	inlineBytes = 60              // i_block (EXT4_MIN_INLINE_DATA_SIZE)
	inlineFirst = inlineBytes - 4 // the first area, behind the parent's number
)

// NewInline makes the directory self in the directory parent, inside its inode,
// which has room bytes beyond those of the block map
// (ext4_try_create_inline_dir). opts is kept.
func NewInline(opts *Options, self, parent uint32, room int) *Dir {
	d := bareInline(opts, self, parent, room)
	d.addArea(inlineFirst)
	return d
}

func bareInline(opts *Options, self, parent uint32, room int) *Dir {
	d := &Dir{opts: opts, inline: true, room: int32(room)}
	d.names = append(d.names, name{text: ".", ino: self, ftype: TypeDir}, name{text: "..", ino: parent, ftype: TypeDir})
	return d
}

// RestoreInline makes an inline directory of the areas it has on disk, one or
// two. opts is kept. The error says what is wrong with a damaged directory.
func RestoreInline(opts *Options, self, parent uint32, room int, areas []Block) (*Dir, error) {
	if len(areas) < 1 || len(areas) > 2 {
		return nil, fmt.Errorf("%d areas in the inode", len(areas))
	}
	d := bareInline(opts, self, parent, room)
	d.ids = make(map[string]int32)
	for i := range areas {
		if err := d.restoreBlock(uint32(i), &areas[i]); err != nil {
			return nil, fmt.Errorf("area %d of the inode: %w", i, err)
		}
		length := int32(0)
		for _, s := range d.blocks[i].slots {
			length += s.len
		}
		if i == 0 && length != inlineFirst || length == 0 {
			return nil, fmt.Errorf("area %d of the inode: slots cover %d bytes", i, length)
		}
		if i == 1 {
			d.room = length
		}
	}
	return d, nil
}

// addArea adds an area that holds nothing.
func (d *Dir) addArea(length int32) {
	d.addBlock(block{slots: []slot{{0, length, 0, -1}}})
	d.holes[len(d.holes)-1] = length
}

// InlineSize is the bytes of the inode that an inline directory takes, which is
// its size; 0 for one that has blocks.
func (d *Dir) InlineSize() int {
	switch {
	case !d.inline:
		return 0
	case len(d.blocks) == 1:
		return inlineBytes
	}
	return inlineBytes + int(d.room)
}

// addInline puts name id into the first hole of the inode that fits it. Where
// none does, it asks for a block, moves there and goes on as a linear directory
// (ext4_try_add_inline_entry).
func (d *Dir) addInline(id int32, appendBlock func() error) error {
	need := slotLen(len(d.names[id].text))
	if d.addToLeaf(0, id, need) {
		return nil
	}
	if len(d.blocks) == 1 && d.room > slotLen(1) {
		d.addArea(d.room)
	}
	if len(d.blocks) == 2 && d.addToLeaf(1, id, need) {
		return nil
	}
	if err := appendBlock(); err != nil {
		return err
	}
	d.leaveInode()
	return d.addLinear(id, appendBlock)
}

// leaveInode moves the names into block 0: "." and "..", then the areas as they
// stand, empty slots and all; the last slot reaches to the end
// (ext4_finish_convert_inline_dir).
func (d *Dir) leaveInode() {
	areas := d.blocks
	slots := []slot{{0, dotLen, slotLen(1), dot}, {dotLen, dotLen, slotLen(2), dotdot}}
	off := int32(2 * dotLen)
	for i := range areas {
		for _, s := range areas[i].slots {
			s.off = off
			off += s.len
			if s.id >= 0 {
				d.names[s.id].block, d.names[s.id].off = 0, s.off
			}
			slots = append(slots, s)
		}
	}
	last := &slots[len(slots)-1]
	last.len = d.opts.leafLen() - last.off
	d.names[dotdot].off = dotLen
	d.inline, d.blocks, d.holes = false, nil, nil
	d.addBlock(block{slots: slots})
	for i := range slots {
		d.holes[0] = max(d.holes[0], slots[i].hole())
	}
}
