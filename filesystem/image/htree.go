package image

import (
	"fmt"

	"mbsim/allocator"
)

// Where the ranges of the index's root and of its other nodes begin, bytes.
const (
	rootRanges = 32
	nodeRanges = 8
)

// htree is the index of hashes that a directory's blocks hold: which of them are
// nodes of it.
type htree struct {
	s     *imageSource
	in    *Inode
	nodes map[uint32]bool // the blocks of the index; false: a leaf that it leads to
	depth int             // levels of nodes below the root
}

// isNode reports whether a block belongs to the index; a directory without index
// has none.
func (h *htree) isNode(logical uint32) bool { return h != nil && h.nodes[logical] }

// readIndex reads the index of a hashed directory and checks that it is of a
// known hash, that it is as deep everywhere as its root says, and that it leads
// to every block of the directory once (dx_probe).
func (s *imageSource) readIndex(in *Inode) (*htree, error) {
	h := &htree{s: s, in: in, nodes: make(map[uint32]bool)}
	if err := h.readRoot(); err != nil {
		return nil, fmt.Errorf("inode %d: the index of hashes: %w", in.Number, err)
	}
	if n := uint32(in.Size >> s.sb.BlockBits); uint32(len(h.nodes)) != n {
		return nil, fmt.Errorf("inode %d: the index of hashes leads to %d of the directory's %d blocks", in.Number, len(h.nodes), n)
	}
	return h, nil
}

// readRoot reads the root (struct dx_root).
func (h *htree) readRoot() error {
	raw, err := h.block(0)
	if err != nil {
		return err
	}
	// The root begins with the entries of "." and "..", the second of which covers the rest
	// of the block; struct dx_root_info follows at byte 24.
	size := uint32(len(raw))
	first, second := recLen(raw[4:], size), recLen(raw[16:], size)
	hash, infoLen, levels, flags := HashVersion(raw[28]), int(raw[29]), int(raw[30]), raw[31]
	most := 2
	if h.s.sb.Incompat&LargeDir != 0 {
		most = 3
	}
	switch {
	case first != 12 || second != size-12:
		return fmt.Errorf("entries of %d and %d bytes in its root: want 12 and %d", first, second, size-12)
	case !hash.known():
		return fmt.Errorf("unknown hash version %d", hash)
	case flags&1 != 0 || le.Uint32(raw[24:]) != 0:
		return fmt.Errorf("unknown flags in its root")
	case infoLen != 8:
		return fmt.Errorf("%d bytes of information in its root: want 8", infoLen)
	case levels >= most:
		return fmt.Errorf("%d levels below its root: want fewer than %d", levels, most)
	}
	// The ranges of the root begin behind its information.
	h.depth = levels
	h.nodes[0] = true
	return h.node(raw, rootRanges, 0, 0)
}

// block reads a block of the directory.
func (h *htree) block(logical uint32) ([]byte, error) {
	for _, x := range h.in.Extents {
		if l := uint64(logical); l >= x.Logical && l < x.Logical+x.Len {
			return h.s.readBlock(x.Physical + allocator.Block(l-x.Logical))
		}
	}
	return nil, fmt.Errorf("it leads to block %d, which the directory does not have", logical)
}

// node checks the ranges of a node, which begin at an offset of its block.
func (h *htree) node(raw []byte, at int, logical uint32, level int) error {
	// The node's limit is how many ranges of 8 bytes fit (struct dx_countlimit), less the
	// checksum (struct dx_tail).
	limit, count := int(le.Uint16(raw[at:])), int(le.Uint16(raw[at+2:]))
	room := len(raw) - at
	if h.s.sb.ROCompat&MetadataCsum != 0 {
		room -= 8
	}
	if limit != room/8 || count == 0 || count > limit {
		return fmt.Errorf("block %d: %d ranges with room for %d, where %d fit", logical, count, limit, room/8)
	}
	for i := range count {
		// The upper four bits of the block number are not used (dx_get_block).
		child := le.Uint32(raw[at+8*i+4:]) & 0x0fffffff
		if _, twice := h.nodes[child]; twice {
			return fmt.Errorf("block %d: range %d leads to block %d, which another range leads to", logical, i, child)
		}
		below, err := h.block(child)
		if err != nil {
			return fmt.Errorf("block %d: range %d: %w", logical, i, err)
		}
		// On the lowest level the children are leaves.
		h.nodes[child] = level < h.depth
		if level == h.depth {
			continue
		}
		// A node is covered by a fake entry, so that old kernels take it for an empty block.
		if le.Uint32(below) != 0 || recLen(below[4:], uint32(len(below))) != uint32(len(below)) {
			return fmt.Errorf("block %d: range %d leads to block %d, which is no node", logical, i, child)
		}
		if err := h.node(below, nodeRanges, child, level+1); err != nil {
			return err
		}
	}
	return nil
}
