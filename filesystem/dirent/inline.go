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
	d.addLeaf(inlineFirst)
	return d
}

func bareInline(opts *Options, self, parent uint32, room int) *Dir {
	d := newDir(opts, self, parent)
	d.inline, d.room = true, int32(room)
	return d
}

// RestoreInline makes an inline directory of the areas it has on disk, one or
// two. opts is kept. The error says what is wrong with a damaged directory.
func RestoreInline(opts *Options, self, parent uint32, room int, areas []Block) (*Dir, error) {
	if len(areas) < 1 || len(areas) > 2 {
		return nil, fmt.Errorf("%d areas in the inode", len(areas))
	}
	d := bareInline(opts, self, parent, room)
	for i := range areas {
		if err := d.restoreBlock(uint32(i), &areas[i]); err != nil {
			return nil, fmt.Errorf("area %d of the inode: %w", i, err)
		}
		// The first area has a fixed size. The second takes what the inode has left, so it
		// tells how much that is.
		length := d.blocks[i].size
		if i == 0 && length != inlineFirst || length == 0 {
			return nil, fmt.Errorf("area %d of the inode: slots cover %d bytes", i, length)
		}
		if i == 1 {
			d.room = length
		}
	}
	return d, nil
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

// addInline puts n into the first hole of the inode that fits it. Where
// none does, it asks for a block, moves there and goes on as a linear directory
// (ext4_try_add_inline_entry).
func (d *Dir) addInline(n *name, appendBlock func() error) error {
	// The area in i_block is searched first, then the one behind it in the inode, which is
	// made on first use (ext4_update_inline_dir).
	need := n.need()
	if d.addToLeaf(0, n, need) {
		return nil
	}
	if len(d.blocks) == 1 && d.room > minSlot {
		d.addLeaf(d.room)
	}
	if len(d.blocks) == 2 && d.addToLeaf(1, n, need) {
		return nil
	}
	// Neither has room: the directory leaves its inode for a block, and never comes back.
	if err := appendBlock(); err != nil {
		return err
	}
	d.leaveInode()
	return d.addLinear(n, appendBlock)
}

// leaveInode moves the names into block 0: "." and "..", then the areas as they
// stand, empty slots and all; the last slot reaches to the end
// (ext4_finish_convert_inline_dir).
func (d *Dir) leaveInode() {
	areas := d.blocks
	d.inline, d.blocks, d.holes = false, nil, nil
	d.addBlock(block{size: d.opts.leafLen()})
	// "." and ".." had no slots in the inode and get them now.
	b := &d.blocks[0]
	b.put(0, dotLen, &name{text: ".", ino: d.self, ftype: TypeDir})
	b.put(dotLen, dotLen, &name{text: "..", ino: d.parent, ftype: TypeDir})
	// The slots of both areas follow with the lengths they had, so that their holes stay
	// where they are.
	last, end := int32(dotLen), int32(2*dotLen)
	for i := range areas {
		for off, h := range areas[i].slots() {
			d.moveSlot(&areas[i], d.place(uint32(i), off), 0, end, h.len())
			last, end = end, end+h.len()
			d.holes[0] = max(d.holes[0], h.hole())
		}
	}
	// The last slot gets the rest of the block.
	d.holes[0] = max(d.holes[0], b.stretch(last))
}
