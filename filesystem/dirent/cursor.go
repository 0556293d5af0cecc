package dirent

// Cursor is the result of a search for a name in a directory (Dir.Find): where the name
// is, or where it would go. Insert, Delete and Redirect take it, so that a lookup and the
// change that follows it search once, as the kernel passes the directory entry that
// ext4_find_entry returned to ext4_delete_entry.
//
// A cursor is valid until a name is added to the directory or removed from it. What uses
// one that is no longer valid panics, since it could change another name. An Insert that fails
// adds no name, so the cursor stays valid for another attempt.
//
// It has no more than four fields, and passes them in registers: with one more the
// compiler would copy it through memory, which made a lookup with its change 20% slower.
type Cursor struct {
	name    string
	hash    uint32 // hashText of name
	slot    int32  // the entry of Dir.names that holds the name, or the free one where it would go
	changes uint32 // table.changes at the time of the search
}

// Name is the name that was searched.
func (c Cursor) Name() string { return c.name }

// Find searches a name and returns its place, and the inode that it stands for; ok is
// false where the directory does not have it. "." and ".." are not found: the kernel's
// path walk resolves them.
func (d *Dir) Find(text string) (c Cursor, ino uint32, ok bool) {
	t := &d.names
	hash := hashText([]byte(text))
	i := t.home(hash)
	e := t.entries[i]
	for ; e.at != 0; e = t.entries[i] {
		// Names of equal hash are told apart by the text in the directory's block. For any
		// other name the search reads no block.
		if e.hash == hash {
			b, off := d.slotAt(e.at - 1)
			blk := &d.blocks[b]
			if string(blk.data[off+headerLen:off+headerLen+blk.at(off).text()]) == text {
				break
			}
		}
		i = t.next(i)
	}
	return Cursor{text, hash, int32(i), t.changes}, e.ino, e.at != 0
}

// entry is the entry of a cursor in the table, free where the name is not there. It panics
// where names came or went after the search.
func (d *Dir) entry(c Cursor) *entry {
	if c.changes != d.names.changes {
		panic("dirent: a cursor is used after the directory has changed")
	}
	return &d.names.entries[c.slot]
}

// locate is the block and the offset of the slot that holds a name.
func (d *Dir) locate(text string) (b uint32, off int32, ok bool) {
	c, _, ok := d.Find(text)
	if ok {
		b, off = d.slotAt(d.entry(c).at - 1)
	}
	return b, off, ok
}
