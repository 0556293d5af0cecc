package imagewriter

import (
	"bytes"
	"fmt"

	"mbsim/allocator"
	"mbsim/filesystem/image"
)

const (
	direntHeader = 8
	leafTail     = 12 // the fake entry that holds a leaf's checksum (struct ext4_dir_entry_tail)
	nodeTail     = 8  // the checksum of a node of the index (struct dx_tail)
	rootRanges   = 32 // where the ranges of the index's root begin
	nodeRanges   = 8  // and those of its other nodes
)

// directory writes the blocks of a directory. One that lies in its inode has none.
func (w *writer) directory(f *file) error {
	if f.Flags&image.InlineFlag != 0 {
		return nil
	}
	blocks, err := w.l.DirBlocks(f.Inode)
	if err != nil {
		return err
	}
	at := newMapping(f.Inode)
	for i := range blocks {
		b := &blocks[i]
		place, ok := at.of(uint64(b.Logical))
		if !ok {
			return fmt.Errorf("block %d of the directory has no place", b.Logical)
		}
		raw := make([]byte, w.blockSize)
		if err := w.encodeDirBlock(raw, b, w.depthOf(blocks, b)); err != nil {
			return fmt.Errorf("block %d of the directory: %w", b.Logical, err)
		}
		w.sumDirBlock(f, raw, b)
		if err := w.putUnless(place, raw, f.kept, func(have []byte) bool { return w.sameDirBlock(have, raw, b) }); err != nil {
			return err
		}
	}
	return nil
}

// depthOf is how many levels of nodes the index has below its root b.
func (w *writer) depthOf(blocks []image.DirBlock, b *image.DirBlock) (levels uint8) {
	for b.Index != nil {
		next := b.Index[0].Block
		if int(next) >= len(blocks) || blocks[next].Index == nil || levels == 3 {
			return levels
		}
		b = &blocks[next]
		levels++
	}
	return 0
}

// mapping finds the places of an inode's blocks.
type mapping struct {
	in   *image.Inode
	last int // the extent found last
}

func newMapping(in *image.Inode) *mapping { return &mapping{in: in} }

// of is where a block of the file lies.
func (m *mapping) of(lblk uint64) (allocator.Block, bool) {
	for range m.in.Extents {
		if x := &m.in.Extents[m.last]; lblk >= x.Logical && lblk-x.Logical < x.Len {
			return x.Physical + allocator.Block(lblk-x.Logical), true
		}
		m.last = (m.last + 1) % len(m.in.Extents)
	}
	return 0, false
}

// encodeDirBlock makes a block of a directory, without checksum. Where it is the root of an index,
// that has so many levels below it.
func (w *writer) encodeDirBlock(raw []byte, b *image.DirBlock, levels uint8) error {
	entries := b.Entries
	if b.Index != nil && b.Logical > 0 {
		entries = []image.Dirent{{RecLen: uint32(len(raw))}} // covers the node
	}
	if err := w.encodeEntries(raw, entries); err != nil {
		return err
	}
	if b.Index == nil {
		return nil
	}
	at := nodeRanges
	if b.Logical == 0 {
		// struct dx_root_info: hash, its own length, levels.
		at = rootRanges
		raw[28], raw[29], raw[30] = w.hashVersion(), 8, levels
	}
	limit := w.ranges(at)
	if len(b.Index) > limit {
		return fmt.Errorf("%d ranges of hashes, where %d fit", len(b.Index), limit)
	}
	for i, r := range b.Index {
		le.PutUint32(raw[at+8*i:], r.Hash)
		le.PutUint32(raw[at+8*i+4:], r.Block)
	}
	// The first range needs no hash: limit and count are there.
	le.PutUint16(raw[at:], uint16(limit))
	le.PutUint16(raw[at+2:], uint16(len(b.Index)))
	return nil
}

// hashVersion is the hash of names as the root of an index has it. That it takes characters for
// unsigned is said in the superblock alone.
func (w *writer) hashVersion() uint8 { return uint8(w.sb.HashVersion) }

// ranges is how many ranges fit into a node of the index where they begin at byte at.
func (w *writer) ranges(at int) int {
	room := int(w.blockSize) - at
	if w.sums.on {
		room -= nodeTail
	}
	return room / 8
}

// encodeEntries makes the entries of a directory block or of an area of an inode.
func (w *writer) encodeEntries(raw []byte, entries []image.Dirent) error {
	for _, e := range entries {
		if int(e.Offset)+direntHeader+len(e.Name) > len(raw) || int(e.Offset)+int(e.RecLen) > len(raw) {
			return fmt.Errorf("the entry %q leaves it", e.Name)
		}
		d := raw[e.Offset:]
		le.PutUint32(d, e.Inode)
		le.PutUint16(d[4:], diskLen(e.RecLen))
		if e.Inode == 0 {
			continue
		}
		d[6] = uint8(len(e.Name))
		if w.sb.Incompat&image.Filetype != 0 {
			d[7] = e.Type
		}
		copy(d[direntHeader:], e.Name)
	}
	return nil
}

// diskLen is a length as an entry has it: one of 64 KiB does not fit as it is.
func diskLen(n uint32) uint16 {
	if n < 1<<16 {
		return uint16(n)
	}
	return 65535
}

// sumDirBlock puts the checksum of a directory's block into it.
func (w *writer) sumDirBlock(f *file, raw []byte, b *image.DirBlock) {
	switch {
	case !w.sums.on:
	case b.Index == nil:
		tail := raw[len(raw)-leafTail:]
		le.PutUint16(tail[4:], leafTail)
		tail[7] = 0xde
		le.PutUint32(tail[8:], crc(f.sum, raw[:len(raw)-leafTail]))
	default:
		at := nodeRanges
		if b.Logical == 0 {
			at = rootRanges
		}
		// The ranges in use, then the tail behind all that fit, its checksum taken for 0.
		tail := raw[at+8*w.ranges(at):]
		sum := crc(f.sum, raw[:at+8*len(b.Index)])
		le.PutUint32(tail[4:], crc(sum, []byte{tail[0], tail[1], tail[2], tail[3], 0, 0, 0, 0}))
	}
}

// sameDirBlock says whether two blocks of a directory hold the same: what is in holes, and behind the
// ranges in use, means nothing.
func (w *writer) sameDirBlock(have, want []byte, b *image.DirBlock) bool {
	if b.Index != nil {
		at := nodeRanges
		if b.Logical == 0 {
			at = rootRanges
		}
		end := at + 8*len(b.Index)
		return bytes.Equal(have[:end], want[:end])
	}
	for off := 0; off < len(want); {
		length := int(le.Uint16(want[off+4:]))
		used := direntHeader
		if le.Uint32(want[off:]) != 0 {
			used += int(want[off+6])
		} else if !bytes.Equal(have[off:off+6], want[off:off+6]) {
			return false
		} else {
			used = 6 // of an empty slot, and of the fake entry of the checksum, which covers the holes
		}
		if length < direntHeader || off+length > len(want) || !bytes.Equal(have[off:off+used], want[off:off+used]) {
			return false
		}
		off += length
	}
	return true
}
