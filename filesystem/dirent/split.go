package dirent

// hashedSlot is a name of a leaf being split: its hash, the length of its slot
// (hole included), and its index.
type hashedSlot struct {
	hash uint32
	len  int32
	id   int32
}

// split splits the leaf that p leads to by hash, adds the new leaf to the index,
// and puts name id into the one of the two that its hash asks for (do_split).
// Both are packed: their names close together, the free space at the end. It
// does not deviate from the kernel.
func (d *Dir) split(p *path, id int32, appendBlock func() error) error {
	if err := appendBlock(); err != nil {
		return err
	}
	old, fresh := d.leaf(p), uint32(len(d.blocks))
	d.addBlock(block{})
	hs := d.byHash(old)
	at := splitPoint(hs, int32(d.opts.BlockSize))
	border := hs[at].hash
	r := indexRange{border, fresh}
	if hs[at-1].hash == border {
		r.hash++ // the range goes on with the hash the one before ended with
	}
	upper := make([]slot, 0, len(hs))
	for _, h := range hs[at:] {
		d.names[h.id].block = fresh
		upper = append(upper, slot{id: h.id})
	}
	lower := d.blocks[old].slots[:0]
	for _, s := range d.blocks[old].slots {
		if s.id >= 0 && d.names[s.id].block == old {
			lower = append(lower, s)
		}
	}
	d.pack(old, lower)
	d.pack(fresh, upper)
	d.insertRange(&p.frames[p.last], r)
	target := old
	if d.names[id].hash >= border {
		target = fresh
	}
	d.insert(target, len(d.blocks[target].slots)-1, id)
	return nil
}

// byHash lists the names of leaf b by hash. Names of equal hash come in the order
// that the kernel's sort, which is not stable, leaves them in.
func (d *Dir) byHash(b uint32) []hashedSlot {
	slots := d.blocks[b].slots
	hs := make([]hashedSlot, 0, len(slots))
	for i := len(slots) - 1; i >= 0; i-- { // the kernel's map grows downwards
		if s := &slots[i]; s.id >= 0 {
			hs = append(hs, hashedSlot{d.names[s.id].hash, s.len, s.id})
		}
	}
	combSort(hs)
	return hs
}

// combSort sorts by hash as dx_sort_map does: a comb sort that shrinks its gap
// by 10/13, never through 9 and 10, and a bubble sort for the rest.
func combSort(hs []hashedSlot) {
	for gap := len(hs); gap > 2; {
		gap = gap * 10 / 13
		if gap == 9 || gap == 10 {
			gap = 11
		}
		for i := len(hs) - 1; i-gap >= 0; i-- {
			if hs[i].hash < hs[i-gap].hash {
				hs[i], hs[i-gap] = hs[i-gap], hs[i]
			}
		}
	}
	for swapped := true; swapped; {
		swapped = false
		for i := len(hs) - 1; i > 0; i-- {
			if hs[i].hash < hs[i-1].hash {
				hs[i], hs[i-1] = hs[i-1], hs[i]
				swapped = true
			}
		}
	}
}

// splitPoint is the index in hs of the first name that moves to the new leaf:
// about half of the block by the length of slots, or half of the names where
// their slots do not fill half a block.
func splitPoint(hs []hashedSlot, blockSize int32) int {
	size, i := int32(0), len(hs)-1
	for ; i >= 0; i-- {
		if size+hs[i].len/2 > blockSize/2 {
			break // more than half of this slot would lie past the middle
		}
		size += hs[i].len
	}
	if i > 0 {
		return i + 1
	}
	return len(hs) / 2
}

// pack makes slots, in their order, the slots of leaf b: each as short as its
// name allows, the last reaching to the end.
func (d *Dir) pack(b uint32, slots []slot) {
	off := int32(0)
	for i := range slots {
		s := &slots[i]
		n := &d.names[s.id]
		s.off, s.need = off, slotLen(len(n.text))
		s.len = s.need
		n.block, n.off = b, off
		off += s.len
	}
	last := &slots[len(slots)-1]
	last.len = d.opts.leafLen() - last.off
	d.blocks[b].slots = slots
	d.holes[b] = last.hole()
}
