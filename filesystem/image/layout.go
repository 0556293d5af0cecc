package image

import (
	"iter"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// The inodes that exist in a file system made by mke2fs.
const (
	BadBlocksInode uint32 = 1
	RootInode      uint32 = 2
	UserQuotaInode uint32 = 3 // that of groups is the next
	ResizeInodeNum uint32 = 7
	JournalInode   uint32 = 8
)

// The inode flags that matter here (i_flags).
const (
	immutableFlag uint32 = 0x10        // EXT4_IMMUTABLE_FL
	IndexFlag     uint32 = 0x1000      // EXT4_INDEX_FL: a hashed directory
	TopdirFlag    uint32 = 0x20000     // EXT4_TOPDIR_FL: its subdirectories are spread as the root's are
	ExtentsFlag   uint32 = 0x80000     // EXT4_EXTENTS_FL: mapped by extents
	EAFlag        uint32 = 0x200000    // EXT4_EA_INODE_FL
	InlineFlag    uint32 = 0x1000_0000 // EXT4_INLINE_DATA_FL
)

// Inode is a file or directory that exists at mount.
type Inode struct {
	Number  uint32
	Mode    uint32 // type and permissions, as st_mode
	Links   uint32
	Flags   uint32 // i_flags
	Size    int64  // bytes
	Sectors int64  // 512-byte sectors in use, metadata blocks included
	Extents []filesystem.Extent
	// Meta are the blocks of the extent tree outside the inode, or the
	// indirect blocks, in the order of the logical blocks they map.
	Meta []MetaBlock
	ACL  allocator.Block // the block of extended attributes, 0 for none
	// SetAttrs is the number of extended attributes that were set since the state began; what they hold
	// is not known here.
	SetAttrs int
	// AttrSectors are those of Sectors that hold extended attributes.
	AttrSectors int64

	// InlineSize is the bytes of data that the inode holds itself (inline_data),
	// those past the file's end included; 0 where it holds none. InlineMax is the
	// most it has room for.
	InlineSize, InlineMax int
	inline                []byte // the data

	// Parent is the directory above one that lies in its inode (inline_data).
	Parent uint32
	// Target is what a symbolic link leads to, where that is known.
	Target string
	// Started says, of a state of a mounted file system, that the file was in the starting state
	// under this number: what the simulator does not know of it is still as it was there.
	Started bool
	Times   Times
}

// Times are those of an inode, in ns of simulated time. Those of a starting state are 0, and so is
// each that the run has not set; see Stamped.
type Times struct {
	Made, Changed, Modified int64 // i_crtime, i_ctime, i_mtime
	// Stamped says that the run has set the last two.
	Stamped bool
}

// IsDir reports whether the inode is a directory.
func (i *Inode) IsDir() bool { return filesystem.IsDir(i.Mode) }

// MetaBlock is one block of an inode's extent tree, or one indirect block.
type MetaBlock struct {
	Block   allocator.Block
	Depth   uint8  // extent tree: its eh_depth, 0 for a leaf; indirect: 1, 2 or 3 levels below it
	Entries uint16 // extent tree: its entries; indirect: pointers not zero
	Logical uint32 // the first logical block it maps
}

// Dirent is one entry of a directory block, used or not.
type Dirent struct {
	Inode  uint32 // 0: unused space
	Offset uint16 // bytes from the start of the block
	RecLen uint32 // bytes
	Type   uint8  // EXT4_FT_*; 0 without the filetype feature
	Name   string
}

// DirBlock is one logical block of a directory.
type DirBlock struct {
	Logical uint32
	Entries []Dirent // in the order of the block; of an htree node: the fake entry that covers it
	// Index are the ranges of a node of the index of hashes, nil of any other block.
	Index []IndexRange
}

// IndexRange is an entry of a node of the index: names with this hash or a higher one are in Block,
// a logical block of the directory. The Hash of a node's first entry means nothing.
type IndexRange struct{ Hash, Block uint32 }

// Layout is a file system as it lies on disk at mount. It implements
// allocator.Source.
type Layout struct {
	Super Superblock
	// Reserved are the inodes mke2fs makes that hold blocks, by number: the
	// root, the resize inode, the journal, lost+found, where they exist.
	Reserved []Inode
	// FastCommitBlocks are those of the journal for fast commits, known only of what Mkfs makes.
	FastCommitBlocks uint32
	// Notes are warnings: what the source does not tell.
	Notes []string

	src   source
	start *Layout // of a state of a mounted file system: what it was mounted from
}

// source is where the state of a Layout comes from.
type source interface {
	allocator.Source
	inode(n uint32) (Inode, error)
	inodes() iter.Seq2[Inode, error]
	dirBlocks(i *Inode) ([]DirBlock, error)
	itableZeroed(id allocator.GroupID) bool
	freeClusters() uint64
	close() error
}

var _ allocator.Source = (*Layout)(nil)

// Geometry is the geometry of the file system mounted without stripe option;
// see Superblock.Stripe.
func (l *Layout) Geometry() allocator.Geometry { return l.Super.Geometry() }

// Desc implements allocator.Source.
func (l *Layout) Desc(id allocator.GroupID) allocator.GroupDesc { return l.src.Desc(id) }

// BlockBitmap implements allocator.Source.
func (l *Layout) BlockBitmap(id allocator.GroupID, bits []uint64) { l.src.BlockBitmap(id, bits) }

// InodeBitmap implements allocator.Source.
func (l *Layout) InodeBitmap(id allocator.GroupID, bits []uint64) { l.src.InodeBitmap(id, bits) }

// SystemZone implements allocator.Source.
func (l *Layout) SystemZone(b allocator.Block, n uint32) bool { return l.src.SystemZone(b, n) }

// Inode reads inode n, which must be in use.
func (l *Layout) Inode(n uint32) (Inode, error) { return l.src.inode(n) }

// Inodes lists every inode in use that has blocks or a name, by number, the
// reserved ones included. A layout read from dumpe2fs text knows only Reserved.
func (l *Layout) Inodes() iter.Seq2[Inode, error] { return l.src.inodes() }

// ITableZeroed reports whether group id has ITABLE_ZEROED set.
func (l *Layout) ITableZeroed(id allocator.GroupID) bool { return l.src.itableZeroed(id) }

// Close closes the image a layout was opened from; others need no closing.
func (l *Layout) Close() error { return l.src.close() }

// DirBlocks reads the blocks of directory i in logical order. Of a directory
// inside its inode it reads the areas there, one or two, which have no "." and
// "..": see InlineParent.
func (l *Layout) DirBlocks(i *Inode) ([]DirBlock, error) { return l.src.dirBlocks(i) }
