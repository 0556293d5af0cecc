package dirent

import (
	"math/bits"

	"mbsim/filesystem"
)

// Options are what the superblock and the driver decide for every directory of
// a file system.
type Options struct {
	BlockSize int         // bytes
	Checksums bool        // metadata_csum: every block ends in a checksum
	DirIndex  bool        // dir_index: directories that outgrow a block are hashed
	LargeDir  bool        // large_dir: three levels of index instead of two
	Hash      HashVersion // s_def_hash_version, Unsigned where the superblock says so
	Seed      Seed
	// SplitsAfterFirst lets a leaf be split behind its first name, where that is the middle by
	// length of slots. Otherwise half of the names move then.
	SplitsAfterFirst bool
	// Ext2 is the ext2 driver: directories stay linear, whatever the
	// superblock's features, and readdir lists them in the order of their blocks.
	Ext2 bool
}

const (
	tailLen    = 12 // the slot of a leaf's checksum (struct ext4_dir_entry_tail)
	nodeTail   = 8  // the checksum of an index node (struct dx_tail)
	dotLen     = 12 // the slot of "."
	rootInfo   = 8  // struct dx_root_info
	indexEntry = 8  // struct dx_entry
)

func (o *Options) indexed() bool { return o.DirIndex && !o.Ext2 }

// leafLen is the bytes of a leaf that slots cover.
func (o *Options) leafLen() int32 {
	if o.Checksums && !o.Ext2 {
		return int32(o.BlockSize) - tailLen
	}
	return int32(o.BlockSize)
}

// nodeLimit is how many entries an index node holds, its own first included
// (dx_node_limit); rootLimit the same of the root (dx_root_limit).
func (o *Options) nodeLimit() int { return o.indexRoom(8) }
func (o *Options) rootLimit() int { return o.indexRoom(2*dotLen + rootInfo) }

func (o *Options) indexRoom(used int) int {
	if o.Checksums {
		used += nodeTail
	}
	return (o.BlockSize - used) / indexEntry
}

func (o *Options) levels() int {
	if o.LargeDir {
		return 3
	}
	return 2
}

// name is a name on its way into the directory.
type name struct {
	text  string
	ino   uint32
	ftype uint8
	key   uint32 // hashText
	slot  int32  // the free entry of Dir.names where it goes
	hash  uint32 // in a hashed directory
}

// need is the length of the shortest slot for n.
func (n *name) need() int32 { return slotLen(int32(len(n.text))) }

// Dir is a directory. It is not safe for concurrent use.
type Dir struct {
	opts   *Options
	names  table // all but "." and ".."
	blocks []block
	// holes[b] is no less than the largest hole in leaf b; of an index node 0.
	holes  []int32
	shift  uint8  // log2 of the units of a block
	hashed bool   // EXT4_INDEX_FL
	inline bool   // it lives in its inode, and has no slots for "." and ".."
	depth  int    // index nodes between root and leaf (indirect_levels)
	start  uint32 // the block of the last name found (i_dir_start_lookup)
	self   uint32 // what "." names
	parent uint32 // what ".." names
	room   int32  // bytes of the second area of an inline directory
}

func newDir(opts *Options, self, parent uint32) *Dir {
	return &Dir{opts: opts, names: newTable(), self: self, parent: parent, shift: uint8(bits.Len(uint(opts.BlockSize)/unit) - 1)}
}

// New makes the directory self in the directory parent, with "." and ".." in its
// only block, which the caller has allocated (ext4_init_new_dir,
// ext2_make_empty). opts is kept.
func New(opts *Options, self, parent uint32) *Dir {
	d := newDir(opts, self, parent)
	d.addBlock(block{size: opts.leafLen()})
	d.blocks[0].put(0, dotLen, &name{text: ".", ino: self, ftype: TypeDir})
	d.blocks[0].put(dotLen, dotLen, &name{text: "..", ino: parent, ftype: TypeDir})
	d.holes[0] = d.blocks[0].stretch(dotLen)
	return d
}

func (d *Dir) addBlock(b block) {
	d.blocks = append(d.blocks, b)
	d.holes = append(d.holes, 0)
}

func (d *Dir) place(b uint32, off int32) place {
	return place(b<<(d.shift&31) + uint32(off)/unit)
}

// slotAt is the block and the offset of a place.
func (d *Dir) slotAt(p place) (b uint32, off int32) {
	b = uint32(p) >> (d.shift & 31)
	return b, int32(uint32(p)-b<<(d.shift&31)) * unit
}

// Blocks is the number of blocks; the directory's size is as many block sizes.
// Of an inline directory it is the number of areas in the inode, 1 or 2.
func (d *Dir) Blocks() int { return len(d.blocks) }

// Len is the number of names, "." and ".." not counted.
func (d *Dir) Len() int { return d.names.used }

// IsEmpty reports whether only "." and ".." are left.
func (d *Dir) IsEmpty() bool { return d.names.used == 0 }

// Hashed reports whether the directory has an index.
func (d *Dir) Hashed() bool { return d.hashed }

// Parent is the inode that ".." names.
func (d *Dir) Parent() uint32 { return d.parent }

// SetParent makes ".." name ino: the directory was moved.
func (d *Dir) SetParent(ino uint32) {
	d.parent = ino
	if !d.inline {
		b := &d.blocks[0]
		// The slot of ".." follows that of ".", which is as long as the first header says.
		off := b.at(0).len()
		b.set(off, b.at(off).naming(ino, b.at(off).ftype()))
	}
}

// Lookup is the inode that name names. "." and ".." are not looked up: the
// kernel's path walk resolves them.
func (d *Dir) Lookup(name string) (ino uint32, ok bool) {
	_, ino, ok = d.Find(name)
	return ino, ok
}

// Redirect makes the name of c, if it is there, name another inode (ext4_setent,
// ext2_set_link), as rename onto an existing name does. c stays valid.
func (d *Dir) Redirect(c Cursor, ino uint32, ftype uint8) {
	if e := d.entry(c); e.at != 0 {
		b, off := d.slotAt(e.at - 1)
		d.blocks[b].set(off, d.blocks[b].at(off).naming(ino, ftype))
		e.ino = ino
	}
}

// Remove removes name and reports whether it was there.
func (d *Dir) Remove(name string) bool {
	c, _, _ := d.Find(name)
	return d.Delete(c)
}

// Delete removes the name of c and reports whether it was there. The directory keeps
// its blocks (ext4_generic_delete_entry, ext2_delete_entry).
func (d *Dir) Delete(c Cursor) bool {
	e := d.entry(c)
	if e.at == 0 {
		return false
	}
	b, off := d.slotAt(e.at - 1)
	d.names.remove(int(c.slot))
	d.holes[b] = max(d.holes[b], d.blocks[b].remove(off))
	return true
}

// Add is Insert of a name that is searched first.
func (d *Dir) Add(text string, ino uint32, ftype uint8, appendBlock func() error) error {
	c, _, _ := d.Find(text)
	return d.Insert(c, ino, ftype, appendBlock)
}

// Insert adds the name of c, which must not exist, for inode ino of type ftype. For each
// block the directory needs it calls appendBlock first, in the kernel's order;
// an error from it is returned, and what was done up to there stays, as in the
// kernel. It returns EEXIST for a name that exists and ENOSPC where the index
// of a hashed directory is full (ext4_add_entry, ext2_add_link).
func (d *Dir) Insert(c Cursor, ino uint32, ftype uint8, appendBlock func() error) error {
	if d.entry(c).at != 0 {
		return filesystem.EEXIST
	}
	n := name{text: c.name, ino: ino, ftype: ftype, key: c.hash, slot: c.slot}
	switch {
	case d.hashed:
		return d.addHashed(&n, appendBlock)
	case d.inline:
		return d.addInline(&n, appendBlock)
	}
	return d.addLinear(&n, appendBlock)
}

// addLinear puts n into the first hole that fits it. Where none does, a
// directory of one block becomes hashed if the file system has dir_index, and
// any other gets one more block.
func (d *Dir) addLinear(n *name, appendBlock func() error) error {
	// Every leaf from block 0 on is searched, as in the kernel. holes[b] is an upper bound:
	// a leaf below it cannot fit the name.
	need := n.need()
	for b := range d.holes {
		if d.holes[b] >= need && d.addToLeaf(uint32(b), n, need) {
			return nil
		}
	}
	// ext4_add_entry makes the index only out of a directory of a single block.
	if len(d.blocks) == 1 && d.opts.indexed() {
		return d.makeIndexed(n, appendBlock)
	}
	// The directory grows by a block, where the name takes the first slot.
	if err := appendBlock(); err != nil {
		return err
	}
	d.addLeaf(d.opts.leafLen())
	d.insert(uint32(len(d.blocks)-1), 0, n)
	return nil
}

// addLeaf adds a block, or an area of the inode, that holds nothing.
func (d *Dir) addLeaf(size int32) {
	d.addBlock(newLeaf(size))
	d.holes[len(d.holes)-1] = size
}

// addToLeaf puts n into the first hole of leaf b that fits need bytes
// (ext4_find_dest_de). It reports whether there was one; where not, the leaf's
// upper bound in holes is lowered to what the search has seen.
func (d *Dir) addToLeaf(b uint32, n *name, need int32) bool {
	off, largest := d.blocks[b].firstFit(need)
	if off < 0 {
		d.holes[b] = largest
		return false
	}
	d.insert(b, off, n)
	return true
}

// insert puts n into the slot at off of leaf b, behind the name that is there
// (ext4_insert_dentry).
func (d *Dir) insert(b uint32, off int32, n *name) {
	blk := &d.blocks[b]
	h := blk.at(off)
	// The name that is there keeps what it needs, and the new slot gets its hole. A slot
	// without a name is taken whole.
	if need := h.need(); need > 0 {
		blk.cut(off, h.withLen(need))
		off += need
		h -= emptySlot(need)
	}
	blk.put(off, h.len(), n)
	d.names.add(int(n.slot), entry{n.key, d.place(b, off) + 1, n.ino})
}
