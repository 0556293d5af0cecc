package dirent

import "fmt"

// Restore makes a directory of the blocks it has on disk, in their order. opts is
// kept. The error says what is wrong with a damaged directory.
func Restore(opts *Options, blocks []Block) (*Dir, error) {
	if len(blocks) == 0 || len(blocks[0].Slots) < 2 || blocks[0].Slots[0].Name != "." || blocks[0].Slots[1].Name != ".." {
		return nil, fmt.Errorf("the first block does not begin with \".\" and \"..\"")
	}
	d := &Dir{opts: opts, ids: make(map[string]int32), names: make([]name, firstName), hashed: blocks[0].Index != nil}
	for b := range blocks {
		if err := d.restoreBlock(uint32(b), &blocks[b]); err != nil {
			return nil, fmt.Errorf("block %d: %w", b, err)
		}
	}
	if d.hashed {
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
	end := 0
	for i, s := range from.Slots {
		if s.Offset != end || s.Len < int(slotLen(1)) || s.Offset+s.Len > d.opts.BlockSize {
			return fmt.Errorf("slot %d covers [%d, %d)", i, s.Offset, s.Offset+s.Len)
		}
		end += s.Len
		sl := slot{off: int32(s.Offset), len: int32(s.Len), id: -1}
		if s.Inode != 0 {
			if sl.need = slotLen(len(s.Name)); sl.need > sl.len {
				return fmt.Errorf("slot %d is too short for %q", i, s.Name)
			}
			id, err := d.restoreName(b, i, s)
			if err != nil {
				return err
			}
			sl.id = id
		}
		to.slots = append(to.slots, sl)
		if from.Index == nil {
			d.holes[b] = max(d.holes[b], sl.hole())
		}
	}
	return nil
}

func (d *Dir) restoreName(b uint32, i int, s Slot) (int32, error) {
	n := name{text: s.Name, ino: s.Inode, ftype: s.Type, block: b, off: int32(s.Offset)}
	if b == 0 && i < firstName && !d.inline {
		d.names[i] = n
		return int32(i), nil
	}
	if _, twice := d.ids[s.Name]; twice {
		return 0, fmt.Errorf("%q is there twice", s.Name)
	}
	if d.hashed {
		n.hash, _ = HashName(n.text, d.opts.Hash, d.opts.Seed)
	}
	id := int32(len(d.names))
	d.names = append(d.names, n)
	d.ids[s.Name] = id
	return id, nil
}

// checkIndex checks that every leaf below node is equally deep, and that every
// block is in the tree at most once; it sets the depth.
func (d *Dir) checkIndex(node uint32, level int, seen []bool) error {
	if seen[node] = true; level >= d.opts.levels() || len(d.blocks[node].index) > d.limit(node) {
		return fmt.Errorf("block %d: the index is too deep or too wide", node)
	}
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
