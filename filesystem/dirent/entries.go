package dirent

import (
	"cmp"
	"iter"
	"slices"

	"mbsim/allocator"
)

// The types of directory entries that the file systems here make (EXT4_FT_*).
const (
	TypeUnknown uint8 = 0 // without the filetype feature
	TypeFile    uint8 = 1
	TypeDir     uint8 = 2
	TypeLink    uint8 = 7 // a symbolic link
)

// Entry is a name in a directory.
type Entry struct {
	Name  string
	Inode uint32
	Type  uint8
}

// Slot is a piece of a directory block as it lies on disk: an entry, or nothing
// where Inode is 0.
type Slot struct {
	Entry
	Offset, Len int // bytes
}

// Range is an entry of an index node: names of at least Hash are in Block or
// later ones. The Hash of a node's first range means nothing.
type Range struct{ Hash, Block uint32 }

// Block is one block of a directory as it lies on disk. Slots are those of a leaf;
// of the root of an index, "." and ".."; of any other node, none. Index is nil
// for a leaf.
type Block struct {
	Slots []Slot
	Index []Range
}

// Slots lists the slots of block b in their order.
func (d *Dir) Slots(b int) iter.Seq[Slot] {
	return func(yield func(Slot) bool) {
		for off, h := range d.blocks[b].slots() {
			out := Slot{Offset: int(off), Len: int(h.len())}
			if h.used() {
				out.Entry = d.blocks[b].entry(off)
			}
			if !yield(out) {
				return
			}
		}
	}
}

// Index is the index that block b holds, nil for a leaf.
func (d *Dir) Index(b int) []Range {
	var rs []Range
	for _, r := range d.blocks[b].index {
		rs = append(rs, Range{r.hash, r.block})
	}
	return rs
}

func (b *block) entry(off int32) Entry {
	h := b.at(off)
	return Entry{string(b.text(off)), h.ino(), h.ftype()}
}

// Entries lists the names, without "." and "..", in the order of readdir: that of
// their blocks in a linear directory, that of their hashes where dir_index is
// on and the directory is hashed, inline or has one block (ext4_readdir,
// ext2_readdir).
//
// Deviates from the kernel: names of equal hash and minor hash come in the order
// of their blocks. The directory must not change meanwhile.
func (d *Dir) Entries() iter.Seq[Entry] {
	if d.opts.indexed() && (d.hashed || d.inline || len(d.blocks) == 1) {
		return d.entriesByHash()
	}
	return func(yield func(Entry) bool) {
		for b, off := range d.linear() {
			if !yield(d.blocks[b].entry(off)) {
				return
			}
		}
	}
}

// linear lists the blocks and offsets of all names, in this order.
func (d *Dir) linear() iter.Seq2[uint32, int32] {
	return func(yield func(uint32, int32) bool) {
		for b := range d.blocks {
			first := int32(0)
			if b == 0 {
				first = d.behindDots()
			}
			for off, h := range d.blocks[b].slots() {
				if off >= first && h.used() && !yield(uint32(b), off) {
					return
				}
			}
		}
	}
}

// behindDots is the offset in block 0 behind the slots of "." and "..", which an
// inline directory does not have.
func (d *Dir) behindDots() int32 {
	if d.inline {
		return 0
	}
	b := &d.blocks[0]
	dot := b.at(0).len()
	return dot + b.at(dot).len()
}

func (d *Dir) entriesByHash() iter.Seq[Entry] {
	type key struct {
		hash, minor uint32
		block       uint32
		off         int32
	}
	keys := make([]key, 0, d.Len())
	for b, off := range d.linear() {
		h, m := hashBytes(d.blocks[b].text(off), d.opts.Hash, d.opts.Seed)
		// Neither the slots nor the index store the hashes of names.
		keys = append(keys, key{h, m, b, off})
	}
	// The sort is stable, so that names of equal hashes stay in the order of the blocks.
	slices.SortStableFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.minor, b.minor))
	})
	return func(yield func(Entry) bool) {
		for _, k := range keys {
			if !yield(d.blocks[k.block].entry(k.off)) {
				return
			}
		}
	}
}

// readAhead is the number of blocks a linear ext4 directory reads at a time
// (NAMEI_RA_SIZE).
const readAhead = 8

// LookupBlocks calls read with each block that a lookup of name reads, in order:
// what a cold cache would cost. It remembers where the name was found, as the
// kernel does: the next lookup in a linear directory begins there
// (ext4_find_entry, ext2_find_entry).
//
// Deviates from the kernel: ext2 reads pages, which may hold several blocks; here
// it reads each block of the page.
func (d *Dir) LookupBlocks(name string, read func(block uint32)) {
	if d.inline {
		return // the inode is in memory
	}
	at, _, ok := d.locate(name)
	if d.hashed {
		d.readHashed(name, at, ok, read)
		return
	}
	// ext4 reads a batch of blocks ahead, ext2 all blocks of a page.
	group := readAhead
	if d.opts.Ext2 {
		group = max(1, allocator.PageSize/d.opts.BlockSize)
	}
	// The search begins at the block of the last hit (i_dir_start_lookup), or at 0 if the
	// directory has become shorter; ext2 remembers a page, so it begins at the page's first
	// block.
	total := uint32(len(d.blocks))
	start := d.start
	if start >= total {
		start = 0
	}
	if d.opts.Ext2 {
		start -= start % uint32(group)
	}
	// target is the block that ends the search; without the name, no block does.
	target := total
	if ok {
		target = at
	}
	// From start to the end of the directory, then from block 0 to start. A batch ends at
	// either end.
	for b, left := start, total; left > 0; {
		end := total
		if b < start {
			end = start
		}
		// The whole batch is read even if the name is in its first block.
		n := min(uint32(group), end-b)
		found := false
		for i := range n {
			read(b + i)
			found = found || b+i == target
		}
		if found {
			d.start = target
			return
		}
		b, left = b+n, left-n
		if b == total {
			b = 0
		}
	}
}

// readHashed reads the way to the leaf of name's hash, the leaf, and the leaves
// after it that go on with the same hash, up to the one the name is at
// (ext4_dx_find_entry).
func (d *Dir) readHashed(name string, at uint32, ok bool, read func(uint32)) {
	// The way from the root to the leaf: one block for each level of the index.
	hash, _ := HashName(name, d.opts.Hash, d.opts.Seed)
	p := d.probe(hash)
	for i := range p.last + 1 {
		read(p.frames[i].block)
	}
	for {
		// Names of one hash may fill several leaves, so the search goes on until the name is
		// found or a leaf begins with another hash.
		leaf := d.leaf(&p)
		read(leaf)
		if ok && at == leaf || !d.next(&p, hash, read) {
			return
		}
	}
}

// next moves p to the leaf after its own if that begins with hash, reading the
// index nodes on the way (ext4_htree_next_block).
func (d *Dir) next(p *path, hash uint32, read func(uint32)) bool {
	// Up to the lowest node that has another entry behind the one taken. Without one, the
	// leaf is the last of the directory.
	level := p.last
	for {
		f := &p.frames[level]
		f.at++
		if f.at < len(d.blocks[f.block].index) {
			break
		}
		if level == 0 {
			return false
		}
		level--
	}
	f := &p.frames[level]
	// The range begins with another hash, so the search is over. The lowest bit is only the
	// mark of a range that continues the one before it.
	if d.blocks[f.block].index[f.at].hash&^1 != hash {
		return false
	}
	// Down again, through the first entry of each node.
	for ; level < p.last; level++ {
		f := &p.frames[level]
		child := d.blocks[f.block].index[f.at].block
		read(child)
		p.frames[level+1] = frame{child, 0}
	}
	return true
}
