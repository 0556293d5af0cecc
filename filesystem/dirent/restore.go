package dirent

import "fmt"

// Restore makes a directory of the blocks it has on disk, in their order. opts is
// kept. The error says what is wrong with a damaged directory.
func Restore(opts *Options, blocks []Block) (*Dir, error) {
	if len(blocks) == 0 || len(blocks[0].Slots) < 2 || blocks[0].Slots[0].Name != "." || blocks[0].Slots[1].Name != ".." {
		return nil, fmt.Errorf("the first block does not begin with \".\" and \"..\"")
	}
	d := newDir(opts, blocks[0].Slots[0].Inode, blocks[0].Slots[1].Inode)
	// The caller gives an index only where dir_index and the inode's flag ask for it.
	d.hashed = blocks[0].Index != nil
	for b := range blocks {
		if err := d.restoreBlock(uint32(b), &blocks[b]); err != nil {
			return nil, fmt.Errorf("block %d: %w", b, err)
		}
	}
	if d.hashed {
		// The depth is that of the first leaf found; all others must have the same.
		d.depth = -1
		if err := d.checkIndex(0, 0, make([]bool, len(blocks))); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Dir) restoreBlock(b uint32, from *Block) error {
	d.addBlock(block{})
	to := &d.blocks[b]
	for _, r := range from.Index {
		to.index = append(to.index, indexRange{r.Hash, r.Block})
	}
	// Slots must follow each other without gaps, so each begins where the ones before it
	// end.
	for i, s := range from.Slots {
		if s.Offset != int(to.size) || s.Len < minSlot || s.Len%unit != 0 || s.Offset+s.Len > d.opts.BlockSize {
			return fmt.Errorf("slot %d covers [%d, %d)", i, s.Offset, s.Offset+s.Len)
		}
		if err := d.restoreSlot(b, i, s); err != nil {
			return err
		}
		off := to.size
		to.size += int32(s.Len)
		// Names go into leaves only, so the bound of an index node stays 0.
		if from.Index == nil {
			d.holes[b] = max(d.holes[b], to.at(off).hole())
		}
	}
	return nil
}

// restoreSlot puts slot i behind the end of block b.
func (d *Dir) restoreSlot(b uint32, i int, s Slot) error {
	to := &d.blocks[b]
	off, length := to.size, int32(s.Len)
	// A slot of inode 0 holds no name, whatever text it has on disk.
	if s.Inode == 0 {
		to.set(off, emptySlot(length))
		return nil
	}
	n := name{text: s.Name, ino: s.Inode, ftype: s.Type}
	if n.need() > length {
		return fmt.Errorf("slot %d is too short for %q", i, s.Name)
	}
	// "." and ".." are not in the table: they are resolved without a lookup.
	if b == 0 && i < 2 && !d.inline { // "." and ".."
		to.put(off, length, &n)
		return nil
	}
	c, _, twice := d.Find(n.text)
	if twice {
		return fmt.Errorf("%q is there twice", s.Name)
	}
	to.put(off, length, &n)
	d.names.add(int(c.slot), entry{c.hash, d.place(b, off) + 1, s.Inode})
	return nil
}

// checkIndex checks that every leaf below node is equally deep, and that every
// block is in the tree at most once; it sets the depth.
func (d *Dir) checkIndex(node uint32, level int, seen []bool) error {
	seen[node] = true
	if level >= d.opts.levels() || len(d.blocks[node].index) > d.limit(node) {
		return fmt.Errorf("block %d: the index is too deep or too wide", node)
	}
	// A block that was seen already has two ranges that lead to it, or is above itself.
	for _, r := range d.blocks[node].index {
		if int(r.block) >= len(d.blocks) || seen[r.block] {
			return fmt.Errorf("block %d: the index leads to block %d", node, r.block)
		}
		if d.blocks[r.block].index != nil {
			if err := d.checkIndex(r.block, level+1, seen); err != nil {
				return err
			}
			continue
		}
		seen[r.block] = true
		if d.depth < 0 {
			d.depth = level
		}
		if d.depth != level {
			return fmt.Errorf("block %d: the leaves of the index are not equally deep", node)
		}
	}
	return nil
}
