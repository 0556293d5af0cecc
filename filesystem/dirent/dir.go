package dirent

import "mbsim/filesystem"

// Options are what the superblock and the driver decide for every directory of
// a file system.
type Options struct {
	BlockSize int         // bytes
	Checksums bool        // metadata_csum: every block ends in a checksum
	DirIndex  bool        // dir_index: directories that outgrow a block are hashed
	LargeDir  bool        // large_dir: three levels of index instead of two
	Hash      HashVersion // s_def_hash_version, Unsigned where the superblock says so
	Seed      Seed
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

// slotLen is the length of the shortest slot for a name of n bytes: 8 bytes and
// the name, in multiples of four (EXT4_DIR_REC_LEN).
func slotLen(n int) int32 { return int32(n+8+3) &^ 3 }

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

// name is a name in the directory. Its place is block and off.
type name struct {
	text  string
	ino   uint32
	hash  uint32 // in a hashed directory
	block uint32
	off   int32
	ftype uint8
}

// slot is a piece of a leaf. Slots cover it from its start.
type slot struct {
	off, len int32
	need     int32 // the least length its name needs; 0 without a name
	id       int32 // the name's index in Dir.names; negative without a name
}

// hole is the room in s for another name.
func (s *slot) hole() int32 { return s.len - s.need }

// block is a leaf, or a node of the index. Block 0 of a hashed directory has
// both: the slots of "." and ".." and the root of the index.
type block struct {
	slots []slot
	index []indexRange // nil for a leaf
}

// The names that every directory has, by their index in Dir.names.
const (
	dot = iota
	dotdot
	firstName
)

// Dir is a directory. It is not safe for concurrent use.
type Dir struct {
	opts   *Options
	blocks []block
	// holes[b] is no less than the largest hole in leaf b; of an index node 0.
	holes  []int32
	names  []name
	free   []int32          // indices of names not in use
	ids    map[string]int32 // the index of each name
	hashed bool             // EXT4_INDEX_FL
	inline bool             // it lives in its inode
	room   int32            // bytes of the second area of an inline directory
	depth  int              // index nodes between root and leaf (indirect_levels)
	start  uint32           // the block of the last name found (i_dir_start_lookup)
}

// New makes the directory self in the directory parent, with "." and ".." in its
// only block, which the caller has allocated (ext4_init_new_dir,
// ext2_make_empty). opts is kept.
func New(opts *Options, self, parent uint32) *Dir {
	d := &Dir{opts: opts}
	d.names = append(d.names, name{text: ".", ino: self, ftype: TypeDir}, name{text: "..", ino: parent, off: dotLen, ftype: TypeDir})
	d.addBlock(block{slots: []slot{
		{0, dotLen, slotLen(1), dot},
		{dotLen, opts.leafLen() - dotLen, slotLen(2), dotdot},
	}})
	d.holes[0] = opts.leafLen() - dotLen - slotLen(2)
	return d
}

func (d *Dir) addBlock(b block) {
	d.blocks = append(d.blocks, b)
	d.holes = append(d.holes, 0)
}

// Blocks is the number of blocks; the directory's size is as many block sizes.
// Of an inline directory it is the number of areas in the inode, 1 or 2.
func (d *Dir) Blocks() int { return len(d.blocks) }

// Len is the number of names, "." and ".." not counted.
func (d *Dir) Len() int { return len(d.ids) }

// IsEmpty reports whether only "." and ".." are left.
func (d *Dir) IsEmpty() bool { return len(d.ids) == 0 }

// Hashed reports whether the directory has an index.
func (d *Dir) Hashed() bool { return d.hashed }

// Parent is the inode that ".." names.
func (d *Dir) Parent() uint32 { return d.names[dotdot].ino }

// SetParent makes ".." name ino: the directory was moved.
func (d *Dir) SetParent(ino uint32) { d.names[dotdot].ino = ino }

// Lookup is the inode that name names. "." and ".." are not looked up: the
// kernel's path walk resolves them.
func (d *Dir) Lookup(name string) (ino uint32, ok bool) {
	id, ok := d.ids[name]
	if !ok {
		return 0, false
	}
	return d.names[id].ino, true
}

// SetInode makes name, which must exist, name another inode (ext4_setent,
// ext2_set_link), as rename onto an existing name does.
func (d *Dir) SetInode(name string, ino uint32, ftype uint8) {
	n := &d.names[d.ids[name]]
	n.ino, n.ftype = ino, ftype
}

// Remove removes name and reports whether it was there. The directory keeps its
// blocks (ext4_generic_delete_entry, ext2_delete_entry).
func (d *Dir) Remove(name string) bool {
	id, ok := d.ids[name]
	if !ok {
		return false
	}
	n := &d.names[id]
	b := &d.blocks[n.block]
	i := b.find(n.off)
	if i == 0 {
		b.slots[0].id, b.slots[0].need = -1, 0
	} else {
		b.slots[i-1].len += b.slots[i].len
		b.slots = append(b.slots[:i], b.slots[i+1:]...)
		i--
	}
	d.holes[n.block] = max(d.holes[n.block], b.slots[i].hole())
	*n = nameless
	d.free = append(d.free, id)
	delete(d.ids, name)
	return true
}

var nameless name

// Add adds a name, which must not exist, for inode ino of type ftype. For each
// block the directory needs it calls appendBlock first, in the kernel's order;
// an error from it is returned, and what was done up to there stays, as in the
// kernel. It returns EEXIST for a name that exists and ENOSPC where the index
// of a hashed directory is full (ext4_add_entry, ext2_add_link).
func (d *Dir) Add(name string, ino uint32, ftype uint8, appendBlock func() error) error {
	if _, ok := d.ids[name]; ok {
		return filesystem.EEXIST
	}
	id := d.newName(name, ino, ftype)
	var err error
	switch {
	case d.hashed:
		err = d.addHashed(id, appendBlock)
	case d.inline:
		err = d.addInline(id, appendBlock)
	default:
		err = d.addLinear(id, appendBlock)
	}
	if err != nil {
		d.names[id] = nameless
		d.free = append(d.free, id)
		return err
	}
	if d.ids == nil {
		d.ids = make(map[string]int32)
	}
	d.ids[name] = id
	return nil
}

func (d *Dir) newName(text string, ino uint32, ftype uint8) int32 {
	n := name{text: text, ino: ino, ftype: ftype}
	if last := len(d.free) - 1; last >= 0 {
		id := d.free[last]
		d.free = d.free[:last]
		d.names[id] = n
		return id
	}
	d.names = append(d.names, n)
	return int32(len(d.names) - 1)
}

// addLinear puts name id into the first hole that fits it. Where none does, a
// directory of one block becomes hashed if the file system has dir_index, and
// any other gets one more block.
func (d *Dir) addLinear(id int32, appendBlock func() error) error {
	need := slotLen(len(d.names[id].text))
	for b := range d.holes {
		if d.holes[b] >= need && d.addToLeaf(uint32(b), id, need) {
			return nil
		}
	}
	if len(d.blocks) == 1 && d.opts.indexed() {
		return d.makeIndexed(id, appendBlock)
	}
	if err := appendBlock(); err != nil {
		return err
	}
	whole := d.opts.leafLen()
	d.addBlock(block{slots: []slot{{0, whole, 0, -1}}})
	b := len(d.blocks) - 1
	d.holes[b] = whole
	d.addToLeaf(uint32(b), id, need)
	return nil
}

// addToLeaf puts name id into the first hole of leaf b that fits need bytes
// (ext4_find_dest_de). It reports whether there was one; where not, the leaf's
// bound becomes exact.
func (d *Dir) addToLeaf(b uint32, id, need int32) bool {
	largest := int32(0)
	slots := d.blocks[b].slots
	for i := range slots {
		if h := slots[i].hole(); h >= need {
			d.insert(b, i, id)
			return true
		} else if h > largest {
			largest = h
		}
	}
	d.holes[b] = largest
	return false
}

// insert puts name id into slot i of leaf b, behind the name that is there
// (ext4_insert_dentry).
func (d *Dir) insert(b uint32, i int, id int32) {
	blk := &d.blocks[b]
	s := &blk.slots[i]
	n := &d.names[id]
	need := slotLen(len(n.text))
	n.block = b
	if s.id < 0 {
		s.id, s.need = id, need
		n.off = s.off
		return
	}
	rest := slot{s.off + s.need, s.hole(), need, id}
	s.len = s.need
	n.off = rest.off
	blk.slots = append(blk.slots, slot{})
	copy(blk.slots[i+2:], blk.slots[i+1:])
	blk.slots[i+1] = rest
}

// find is the index of the slot at off, which must exist.
func (b *block) find(off int32) int {
	lo, hi := 0, len(b.slots)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if b.slots[mid].off < off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}
