package dirent

import "mbsim/filesystem"

// indexRange is an entry of an index node: names whose hash is at least hash are
// in block or later ones. The first entry of a node has no hash: it begins where
// the node does. An odd hash marks a range that begins with names of the same
// hash as the last of the range before.
type indexRange struct{ hash, block uint32 }

// maxLevels is the number of index levels with large_dir.
const maxLevels = 3

// frame is a step of the way from the root to a leaf: the node, and the entry
// taken in it.
type frame struct {
	block uint32
	at    int
}

// path is the way from the root to a leaf (struct dx_frame of dx_probe).
type path struct {
	frames [maxLevels]frame
	last   int // the frame above the leaf
}

// leaf is the leaf that p leads to.
func (d *Dir) leaf(p *path) uint32 {
	f := &p.frames[p.last]
	return d.blocks[f.block].index[f.at].block
}

// probe finds the way to the leaf for names of the given hash (dx_probe).
func (d *Dir) probe(hash uint32) (p path) {
	block := uint32(0)
	for level := 0; ; level++ {
		index := d.blocks[block].index
		// Binary search for the last entry whose hash is not greater. Entry 0 has no hash and
		// is taken where all others are greater.
		lo, hi := 1, len(index)
		for lo < hi {
			mid := (lo + hi) / 2
			if index[mid].hash > hash {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		p.frames[level] = frame{block, lo - 1}
		if level == d.depth {
			p.last = level
			return p
		}
		block = index[lo-1].block
	}
}

// addHashed puts n into the leaf of its hash, and splits the leaf, and
// index nodes above it, where there is no room (ext4_dx_add_entry). It does not
// deviate from the kernel.
func (d *Dir) addHashed(n *name, appendBlock func() error) error {
	n.hash, _ = HashName(n.text, d.opts.Hash, d.opts.Seed)
	need := n.need()
	for {
		// The path is searched again after a node above the lowest one was split, because
		// its frames then no longer describe the index (ext4_dx_add_entry: restart).
		p := d.probe(n.hash)
		leaf := d.leaf(&p)
		if d.holes[leaf] >= need && d.addToLeaf(leaf, n, need) {
			return nil
		}
		again, err := d.growIndex(&p, appendBlock)
		if err != nil {
			return err
		}
		if !again {
			return d.split(&p, n, appendBlock)
		}
	}
}

func (d *Dir) limit(node uint32) int {
	if node == 0 {
		return d.opts.rootLimit()
	}
	return d.opts.nodeLimit()
}

func (d *Dir) full(node uint32) bool { return len(d.blocks[node].index) == d.limit(node) }

// growIndex makes room for one more entry in the node above the leaf of p, if it
// has none: it splits the node, or the lowest one above it whose parent has
// room, or adds a level. It reports whether the way must be searched again.
func (d *Dir) growIndex(p *path, appendBlock func() error) (again bool, err error) {
	// Only where the node above the leaf is full does the index grow.
	level := p.last
	if !d.full(p.frames[level].block) {
		return false, nil
	}
	// The lowest node that can be split is the one whose parent has room for one more entry.
	for level > 0 && d.full(p.frames[level-1].block) {
		level--
	}
	// All nodes up to the root are full, and the tree is as high as the format allows.
	if level == 0 && p.last+1 == d.opts.levels() {
		return false, filesystem.ENOSPC
	}
	if err := appendBlock(); err != nil {
		return false, err
	}
	// The new block becomes an index node.
	node := uint32(len(d.blocks))
	d.addBlock(block{})
	old := &d.blocks[p.frames[level].block]
	if level == 0 {
		// The root's entries move down into the new node.
		d.blocks[node].index = append(make([]indexRange, 0, len(old.index)+8), old.index...)
		old.index = append(old.index[:0], indexRange{0, node})
		d.depth++
		return true, nil
	}
	// The upper half of the node moves to the new one, and the parent gets an entry for it.
	half := len(old.index) / 2
	d.blocks[node].index = append(make([]indexRange, 0, len(old.index)), old.index[half:]...)
	parent := &p.frames[level-1]
	d.insertRange(parent, indexRange{old.index[half].hash, node})
	old.index = old.index[:half]
	// The entry that the path takes may have moved with the upper half.
	if f := &p.frames[level]; f.at >= half {
		f.block, f.at = node, f.at-half
	}
	return level < p.last, nil
}

// insertRange puts r behind the entry that f takes (dx_insert_block).
func (d *Dir) insertRange(f *frame, r indexRange) {
	b := &d.blocks[f.block]
	b.index = append(b.index, indexRange{})
	copy(b.index[f.at+2:], b.index[f.at+1:])
	b.index[f.at+1] = r
}

// makeIndexed turns a linear directory of one full block into a hashed one and
// adds n: a new block gets the names, block 0 becomes the root of the
// index, and the new leaf is split at once into another block
// (make_indexed_dir). It does not deviate from the kernel.
func (d *Dir) makeIndexed(n *name, appendBlock func() error) error {
	if err := appendBlock(); err != nil {
		return err
	}
	// The leaf takes over what follows ".." as it stands; only the last slot
	// reaches further.
	old, shift, last := d.blocks[0], d.behindDots(), int32(0)
	d.addBlock(newLeaf(d.opts.leafLen()))
	for off, h := range old.slots() {
		if off >= shift {
			last = off - shift
			d.moveSlot(&old, d.place(0, off), 1, last, h.len())
		}
	}
	d.blocks[1].stretch(last)
	// Block 0 keeps "." and "..", whose slot then covers the index, as the kernel's fake
	// directory entry does; the index has one range, which is all hashes.
	root := block{size: int32(d.opts.BlockSize), index: []indexRange{{0, 1}}}
	root.put(0, dotLen, &name{text: ".", ino: d.self, ftype: old.at(0).ftype()})
	root.put(dotLen, root.size-dotLen, &name{text: "..", ino: d.parent, ftype: old.at(dotLen).ftype()})
	d.blocks[0], d.holes[0] = root, 0
	// The leaf is full, so the name needs a split at once.
	d.hashed = true
	n.hash, _ = HashName(n.text, d.opts.Hash, d.opts.Seed)
	p := d.probe(n.hash)
	return d.split(&p, n, appendBlock)
}
