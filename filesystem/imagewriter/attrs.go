package imagewriter

import (
	"fmt"

	"mbsim/allocator"
)

// attrMagic begins a block of extended attributes (EXT4_XATTR_MAGIC).
const attrMagic = 0xea020000

// Inodes may share a block of extended attributes, which counts them. What follows brings that count up to
// date for inodes of an image that the run has deleted, and frees a block that nobody has any more. The
// simulator itself leaves such blocks in use.

// wasUsed says whether an inode of the image was in use at the start.
func (w *writer) wasUsed(n uint32) bool {
	start := w.l.Start()
	if !w.patch || start == nil {
		return false
	}
	id, i := allocator.GroupID((n-1)/w.sb.InodesPerGroup), (n-1)%w.sb.InodesPerGroup
	if w.was == nil || w.wasOf != id {
		w.was, w.wasOf = make([]uint64, w.blockSize/8), id
		start.InodeBitmap(id, w.was)
	}
	return w.was[i/64]>>(i%64)&1 != 0
}

// dropAttrs counts one inode less for the block of attributes of the raw inode of an image, if it has one.
func (w *writer) dropAttrs(raw []byte) error {
	b := allocator.Block(le.Uint32(raw[0x68:]))
	if w.sb.DescSize >= 64 {
		b |= allocator.Block(le.Uint16(raw[0x76:])) << 32
	}
	if b == 0 {
		return nil
	}
	block, err := w.get(b)
	if err != nil {
		return err
	}
	users := le.Uint32(block[4:])
	switch {
	case le.Uint32(block) != attrMagic || users == 0:
		return fmt.Errorf("block %d: no extended attributes, where an inode of the image has them", b)
	case users == 1:
		// The last one. Whoever frees blocks of attributes himself has cleared the bit.
		w.freed = append(w.freed, b)
		return nil
	}
	le.PutUint32(block[4:], users-1)
	w.sumAttrs(block, b)
	return w.put(b, block)
}

// sumAttrs puts its checksum into block b of attributes.
func (w *writer) sumAttrs(block []byte, b allocator.Block) {
	if !w.sums.on {
		return
	}
	le.PutUint32(block[16:], 0)
	var at [8]byte
	le.PutUint64(at[:], uint64(b))
	le.PutUint32(block[16:], crc(crc(w.sums.seed, at[:]), block))
}

// freeAttrs clears the bits of the blocks of attributes of a group that nobody has any more, and returns
// how many of them were set.
func (w *writer) freeAttrs(id allocator.GroupID, bits []uint64) (n uint32) {
	for _, b := range w.freed {
		at := b - w.sb.FirstDataBlock
		if allocator.GroupID(at/allocator.Block(w.sb.BlocksPerGroup)) != id {
			continue
		}
		c := uint64(at%allocator.Block(w.sb.BlocksPerGroup)) >> w.sb.ClusterBits
		n += uint32(bits[c/64] >> (c % 64) & 1)
		bits[c/64] &^= 1 << (c % 64)
	}
	return n
}
