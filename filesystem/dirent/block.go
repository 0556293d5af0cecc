package dirent

import (
	"encoding/binary"
	"iter"
	"math/bits"
)

const (
	unit      = 4         // offsets and lengths of slots are multiples of it, bytes
	headerLen = 8         // what a slot holds before the name
	minSlot   = 12        // the shortest slot of a name (EXT4_DIR_REC_LEN(1))
	chunkLen  = 64 * unit // bytes of a block that one chunk describes
)

// slotLen is the length of the shortest slot for a name of n bytes: 8 bytes and
// the name, in multiples of four (EXT4_DIR_REC_LEN).
func slotLen(n int32) int32 { return (n + headerLen + unit - 1) &^ (unit - 1) }

// header is the beginning of a slot, the fields in the order they have on disk:
// the inode, 32 bits; the slot's length in units, 15, so that 64 KiB fit; inUse;
// the length of the name, 8; its type, 8.
type header uint64

const (
	lenBits        = 0x7fff << 32
	inUse   header = 1 << 47 // the slot holds a name
)

func newHeader(length int32, ino uint32, text int, ftype uint8) header {
	return inUse | header(ino) | header(text)<<48 | header(ftype)<<56 | header(length/unit)<<32
}

// emptySlot is the header of a slot without a name.
func emptySlot(length int32) header { return header(length/unit) << 32 }

func (h header) withLen(n int32) header { return h&^lenBits | emptySlot(n) }

// naming is h with another inode for its name.
func (h header) naming(ino uint32, ftype uint8) header {
	return newHeader(h.len(), ino, int(h.text()), ftype)
}

func (h header) len() int32   { return int32(h&lenBits>>32) * unit }
func (h header) text() int32  { return int32(uint8(h >> 48)) }
func (h header) ino() uint32  { return uint32(h) }
func (h header) ftype() uint8 { return uint8(h >> 56) }
func (h header) used() bool   { return h&inUse != 0 }

// need is the least length that the slot's name needs, 0 without a name.
func (h header) need() int32 {
	if !h.used() {
		return 0
	}
	return slotLen(h.text())
}

// hole is the room in the slot for another name.
func (h header) hole() int32 { return h.len() - h.need() }

// chunk tells of 64 units of a block, a bit each: where slots begin, and which of
// them have a hole that could take a name.
type chunk struct{ starts, holes uint64 }

// block is a leaf, or a node of the index. Block 0 of a hashed directory has
// both: the slots of "." and ".." and the root of the index.
type block struct {
	// data are the slots, headers and names. It reaches as far as a name ever
	// did, and further to a power of two; chunks describe all of it.
	data   []byte
	chunks []chunk
	index  []indexRange // nil for a leaf
	size   int32        // the bytes that slots cover
	// No slot before fitFrom has a hole of fitSize bytes or more.
	fitFrom, fitSize int32
}

// newLeaf is a leaf that holds nothing. A directory's first block takes memory as
// it is filled; one that gets another will fill that.
func newLeaf(size int32) block {
	b := block{size: size}
	b.grow(int(size))
	b.set(0, emptySlot(size))
	return b
}

func (b *block) at(off int32) header { return header(binary.LittleEndian.Uint64(b.data[off:])) }

// slots lists the slots by their offsets.
func (b *block) slots() iter.Seq2[int32, header] {
	return func(yield func(int32, header) bool) {
		for off := int32(0); off < b.size; {
			h := b.at(off)
			if !yield(off, h) {
				return
			}
			off += h.len()
		}
	}
}

// count is the number of slots.
func (b *block) count() int {
	n := 0
	for i := range b.chunks {
		n += bits.OnesCount64(b.chunks[i].starts)
	}
	return n
}

// text is the name in the slot at off.
func (b *block) text(off int32) []byte {
	return b.data[off+headerLen:][:b.at(off).text()]
}

// store writes the header of a slot that is there.
func (b *block) store(off int32, h header) {
	binary.LittleEndian.PutUint64(b.data[off:], uint64(h))
}

// chunkOf is the chunk and the bit of a slot.
func (b *block) chunkOf(off int32) (*chunk, uint64) {
	return &b.chunks[uint32(off)/chunkLen], 1 << (uint32(off) / unit % 64)
}

// set writes the header of the slot at off, which may be new, and updates the bits of its
// chunk.
func (b *block) set(off int32, h header) {
	if end := int(off + headerLen + h.text()); end > len(b.data) {
		b.grow(end)
	}
	b.store(off, h)
	b.mark(off, h.hole())
}

// mark updates the bits for a slot that begins at off and has a hole of hole bytes.
func (b *block) mark(off, hole int32) {
	c, bit := b.chunkOf(off)
	c.starts |= bit
	if hole < minSlot {
		c.holes &^= bit
		return
	}
	c.holes |= bit
	b.noteHole(off, hole)
}

// noteHole keeps the invariant of fitFrom and fitSize when the slot at off gets a new or
// larger hole.
func (b *block) noteHole(off, hole int32) {
	if hole >= b.fitSize && off < b.fitFrom {
		b.fitFrom = off
	}
}

// grow makes data at least end bytes long, and chunks long enough to describe it.
func (b *block) grow(end int) {
	n := 1 << bits.Len(uint(max(end, 64)-1))
	b.data = append(make([]byte, 0, n), b.data...)[:n]
	if have, want := len(b.chunks), (n+chunkLen-1)/chunkLen; want > have {
		b.chunks = append(make([]chunk, 0, want), b.chunks...)[:want]
	}
}

// before is the slot before the one at off, which is not the first.
func (b *block) before(off int32) int32 {
	i := uint32(off) / chunkLen
	starts := b.chunks[i].starts & (1<<(uint32(off)/unit%64) - 1)
	for starts == 0 {
		i--
		starts = b.chunks[i].starts
	}
	return int32(i)*chunkLen + int32(bits.Len64(starts)-1)*unit
}

// put makes the slot at off hold n.
func (b *block) put(off, length int32, n *name) {
	b.set(off, newHeader(length, n.ino, len(n.text), n.ftype))
	copy(b.data[off+headerLen:], n.text)
}

// cut makes h, which leaves no hole, the header of the slot at off.
func (b *block) cut(off int32, h header) {
	b.store(off, h)
	c, bit := b.chunkOf(off)
	c.holes &^= bit
}

// remove takes the name at off away: its slot goes to the one before it, or stays
// empty if it is the first. It returns how large a hole there is then.
func (b *block) remove(off int32) int32 {
	length := b.at(off).len()
	if off == 0 {
		b.set(0, emptySlot(length))
		return length
	}
	c, bit := b.chunkOf(off)
	c.starts &^= bit
	c.holes &^= bit
	// The slot before takes the bytes over, so its hole grows and may become the first
	// that fits.
	to := b.before(off)
	h := b.at(to) + emptySlot(length)
	b.store(to, h)
	c, bit = b.chunkOf(to)
	c.holes |= bit
	b.noteHole(to, h.hole())
	return h.hole()
}

// firstFit is the first slot with a hole of need bytes or more. Where there is
// none, off is negative and no hole is larger than largest. It searches from fitFrom if
// need is at least fitSize, so that names of one length that fill holes one after the
// other do not search the same slots again.
func (b *block) firstFit(need int32) (off, largest int32) {
	from := uint32(0)
	// A hole below minSlot has no bit, so the bound cannot be smaller than the largest of
	// those.
	largest = minSlot - unit
	if need >= b.fitSize {
		from = uint32(b.fitFrom)
		// The slots skipped have holes below fitSize, which is a multiple of unit.
		largest = max(largest, b.fitSize-unit)
	}
	mask := ^uint64(0) << (from / unit % 64)
	for i := from / chunkLen; int(i) < len(b.chunks); i++ {
		// The bits are in the order of the slots, so the lowest one is the kernel's first.
		for holes := b.chunks[i].holes & mask; holes != 0; holes &= holes - 1 {
			off = int32(i*chunkLen) + int32(bits.TrailingZeros64(holes))*unit
			hole := b.at(off).hole()
			if hole >= need {
				b.fitFrom, b.fitSize = off, need
				return off, hole
			}
			largest = max(largest, hole)
		}
		// Only the first chunk begins in the middle.
		mask = ^uint64(0)
	}
	return -1, largest
}

// stretch gives the slot at off, the last one, the rest of the block. It returns
// how large a hole that has then.
func (b *block) stretch(off int32) int32 {
	h := b.at(off).withLen(b.size - off)
	b.set(off, h)
	return h.hole()
}
