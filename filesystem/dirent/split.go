package dirent

import "slices"

// hashedSlot is a name of a leaf being split: its hash, the length of its slot
// (hole included), and where that lies.
type hashedSlot struct {
	hash     uint32
	len, off int32
}

// split splits the leaf that p leads to by hash, adds the new leaf to the index,
// and puts n into the one of the two that its hash asks for (do_split).
// Both are packed: their names close together, the free space at the end. It
// does not deviate from the kernel.
func (d *Dir) split(p *path, n *name, appendBlock func() error) error {
	if err := appendBlock(); err != nil {
		return err
	}
	// The names in the order of their hashes decide which of them move.
	old, fresh := d.leaf(p), uint32(len(d.blocks))
	d.addBlock(newLeaf(d.opts.leafLen()))
	hs := d.byHash(old)
	at := splitPoint(hs, int32(d.opts.BlockSize), d.opts.SplitsAfterFirst)
	border := hs[at].hash
	// The new range begins with the lowest hash that moves. An odd hash tells lookups to
	// continue there from the leaf before.
	r := indexRange{border, fresh}
	if hs[at-1].hash == border {
		r.hash++ // the range goes on with the hash the one before ended with
	}
	// The upper part moves to the new leaf, then the old one is packed. The name goes behind
	// the last slot of its leaf, which has all of the free space.
	target, last := old, int32(0)
	upper := d.moveUpper(old, fresh, hs[at:])
	last = d.pack(old)
	if n.hash >= border {
		target, last = fresh, upper
	}
	d.insertRange(&p.frames[p.last], r)
	d.insert(target, last, n)
	return nil
}

// byHash lists the names of leaf b by hash. Names of equal hash come in the order
// that the kernel's sort, which is not stable, leaves them in.
func (d *Dir) byHash(b uint32) []hashedSlot {
	blk := &d.blocks[b]
	hs := make([]hashedSlot, 0, blk.count())
	for off, h := range blk.slots() {
		if h.used() {
			// The hash is not stored on disk, so it is computed again for each name.
			hash, _ := hashBytes(blk.text(off), d.opts.Hash, d.opts.Seed)
			hs = append(hs, hashedSlot{hash, h.len(), off})
		}
	}
	slices.Reverse(hs) // the kernel's map grows downwards
	combSort(hs)
	return hs
}

// combSort sorts by hash as dx_sort_map does: a comb sort that shrinks its gap
// by 10/13, never through 9 and 10, and a bubble sort for the rest.
func combSort(hs []hashedSlot) {
	for gap := len(hs); gap > 2; {
		// The gaps must be the kernel's: the sort is not stable, and the order of equal
		// hashes decides which names move.
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
	// What is left to sort needs few exchanges.
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
// their slots do not fill half a block. Where only the first name would stay, half of the
// names move too, unless afterFirst says otherwise.
func splitPoint(hs []hashedSlot, blockSize int32, afterFirst bool) int {
	size, i := int32(0), len(hs)-1
	for ; i >= 0; i-- {
		if size+hs[i].len/2 > blockSize/2 {
			break // more than half of this slot would lie past the middle
		}
		size += hs[i].len
	}
	if i > 0 || i == 0 && afterFirst {
		return i + 1
	}
	return len(hs) / 2
}

// moveUpper moves names of leaf old to leaf fresh, which is empty: in their order,
// each slot as short as its name allows, the last reaching to the end. The slots
// they leave hold nothing. It returns where the last one lies.
func (d *Dir) moveUpper(old, fresh uint32, hs []hashedSlot) int32 {
	last, end := int32(0), int32(0)
	from := &d.blocks[old]
	for _, s := range hs {
		// The slot in the new leaf is as short as the name allows. The slot left behind is
		// emptied, and pack drops it.
		h := from.at(s.off)
		d.moveSlot(from, d.place(old, s.off), fresh, end, h.need())
		from.set(s.off, emptySlot(h.len()))
		last, end = end, end+h.need()
	}
	d.holes[fresh] = d.blocks[fresh].stretch(last)
	return last
}

// pack makes the slots of leaf b as short as their names allow, the last reaching
// to the end, and drops those without a name. It returns where the last one lies.
func (d *Dir) pack(b uint32) int32 {
	last, end := int32(0), int32(0)
	blk := &d.blocks[b]
	clear(blk.chunks)
	for off := int32(0); off < blk.size; {
		// Names only move towards the start, so no name is overwritten before it has moved.
		h := blk.at(off)
		if h.used() {
			d.moveSlot(blk, d.place(b, off), b, end, h.need())
			last, end = end, end+h.need()
		}
		off += h.len()
	}
	d.holes[b] = blk.stretch(last)
	return last
}

// moveSlot copies the slot at place at, in block from, to off in block b, where it is
// length bytes long. Where it goes within its block, it goes towards the start.
func (d *Dir) moveSlot(from *block, at place, b uint32, off, length int32) {
	_, old := d.slotAt(at)
	h, text := from.at(old), from.text(old)
	if h.used() {
		d.names.move(hashText(text), at, d.place(b, off), h.ino())
	}
	to := &d.blocks[b]
	to.set(off, h.withLen(length))
	copy(to.data[off+headerLen:], text)
}
