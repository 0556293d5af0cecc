package image

import (
	"fmt"

	"mbsim/allocator"
)

// UUID is a universally unique identifier, as e2fsprogs stores it.
type UUID [16]byte

func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// HashVersion is the hash of directory entries (s_def_hash_version).
type HashVersion uint8

// The hash versions that a superblock may name.
const (
	HashLegacy  HashVersion = 0
	HashHalfMD4 HashVersion = 1
	HashTea     HashVersion = 2
	HashSip     HashVersion = 6
)

// known reports whether ext4 hashes names so in directories that are not
// encrypted.
func (v HashVersion) known() bool { return v <= HashTea }

// The bits of Superblock.Flags (s_flags).
const (
	FlagSignedHash   uint32 = 0x1
	FlagUnsignedHash uint32 = 0x2
)

// The bits of Superblock.DefaultMountOpts (s_default_mount_opts).
const (
	DefmDebug        uint32 = 0x0001
	DefmBSDGroups    uint32 = 0x0002
	DefmXattrUser    uint32 = 0x0004
	DefmACL          uint32 = 0x0008
	DefmUID16        uint32 = 0x0010
	DefmJournalData  uint32 = 0x0020
	DefmJournalOrder uint32 = 0x0040
	DefmJournalWB    uint32 = 0x0060 // the mask of the three journal modes too
	DefmNoBarrier    uint32 = 0x0100
	DefmBlockValid   uint32 = 0x0200
	DefmDiscard      uint32 = 0x0400
	DefmNoDelalloc   uint32 = 0x0800
)

// Superblock is what the superblock says of a whole file system.
type Superblock struct {
	Features
	Label    string
	UUID     UUID
	Revision uint32
	Errors   string // "Continue", "Remount read-only", "Panic"
	State    string // "clean", "not clean", ... as dumpe2fs prints it

	Blocks         allocator.Block // s_blocks_count
	ReservedBlocks allocator.Block // s_r_blocks_count
	ReservedUID    uint16          // who may take them besides root (s_def_resuid)
	ReservedGID    uint16          // and the members of which group, 0 for none (s_def_resgid)
	FreeBlocks     allocator.Block // s_free_blocks_count
	Inodes         uint32
	FreeInodes     uint32
	Overhead       uint64 // s_overhead_clusters: clusters no file can have; 0 where not recorded

	FirstDataBlock   allocator.Block
	BlockBits        uint8 // log2 of the block size in bytes
	ClusterBits      uint8 // log2 of blocks a cluster
	BlocksPerGroup   uint32
	ClustersPerGroup uint32
	InodesPerGroup   uint32
	InodeSize        uint16 // bytes
	FirstInode       uint32 // first inode not reserved
	DescSize         uint16 // bytes of a group descriptor: 32, or 64 with 64bit
	ReservedGDT      uint16 // s_reserved_gdt_blocks
	LogGroupsPerFlex uint8
	FirstMetaBG      uint32
	BackupGroups     [2]uint32 // sparse_super2: the groups with backups, 0 for none

	JournalInode  uint32
	JournalBlocks uint32 // fast-commit area included; 0 for an external journal or none
	OrphanInode   uint32 // the orphan file, 0 for none

	HashSeed         UUID
	HashVersion      HashVersion
	Flags            uint32 // FlagSignedHash or FlagUnsignedHash
	DefaultMountOpts uint32
	MountOpts        string // s_mount_opts

	RaidStride      uint16 // blocks
	RaidStripeWidth uint32 // blocks

	MinExtraIsize, WantExtraIsize uint16 // bytes
}

// BlockSize is the size of a block in bytes.
func (s *Superblock) BlockSize() int64 { return 1 << s.BlockBits }

// Groups is the number of block groups.
func (s *Superblock) Groups() allocator.GroupID {
	return allocator.GroupID((uint64(s.Blocks-s.FirstDataBlock) + uint64(s.BlocksPerGroup) - 1) / uint64(s.BlocksPerGroup))
}

// InodesPerBlock is the number of inodes that a block of an inode table holds.
func (s *Superblock) InodesPerBlock() uint32 { return uint32(s.BlockSize()) / uint32(s.InodeSize) }

// InodeTableBlocks is the number of blocks of one group's inode table.
func (s *Superblock) InodeTableBlocks() uint32 {
	per := s.InodesPerBlock()
	return (s.InodesPerGroup + per - 1) / per
}

// DescPerBlock is the number of group descriptors a block holds.
func (s *Superblock) DescPerBlock() uint32 {
	return uint32(s.BlockSize()) / uint32(s.DescSize)
}

// Stripe is the stripe width the kernel mounts with, in blocks
// (ext4_get_stripe_size): mountOption if positive, else the superblock's stripe
// width, else its stride, the first that does not exceed the blocks of a
// group; a width of one block is none. It does not deviate from the kernel.
func (s *Superblock) Stripe(mountOption uint32) uint32 {
	for _, w := range [...]uint32{mountOption, s.RaidStripeWidth, uint32(s.RaidStride)} {
		if w != 0 && w <= s.BlocksPerGroup {
			if w == 1 {
				return 0
			}
			return w
		}
	}
	return 0
}

// Geometry is the geometry of the file system mounted without stripe option.
func (s *Superblock) Geometry() allocator.Geometry {
	return allocator.Geometry{
		BlockBits: s.BlockBits, ClusterBits: s.ClusterBits, FlexBits: s.flexBits(),
		FirstDataBlock: s.FirstDataBlock, Blocks: s.Blocks,
		ClustersPerGroup: s.ClustersPerGroup, BlocksPerGroup: s.BlocksPerGroup,
		InodesPerGroup: s.InodesPerGroup, Groups: s.Groups(), Stripe: s.Stripe(0),
	}
}

// flexBits is log2 of the groups a flex group as the kernel has it
// (ext4_fill_flex_info): none without the flex_bg feature, or where the
// superblock gives less than one or more than 31.
func (s *Superblock) flexBits() uint8 {
	if s.Incompat&FlexBG == 0 || s.LogGroupsPerFlex < 1 || s.LogGroupsPerFlex > 31 {
		return 0
	}
	return s.LogGroupsPerFlex
}

// groupStart is the first block of group id.
func (s *Superblock) groupStart(id allocator.GroupID) allocator.Block {
	return allocator.Block(id)*allocator.Block(s.BlocksPerGroup) + s.FirstDataBlock
}

// groupOf is the group of block b, which is not before the first data block.
func (s *Superblock) groupOf(b allocator.Block) allocator.GroupID {
	return allocator.GroupID((b - s.FirstDataBlock) / allocator.Block(s.BlocksPerGroup))
}

// check checks the numbers of a superblock that was read against each other, so
// that nothing computed from them overflows.
func (s *Superblock) check() error {
	bs := uint64(s.BlockSize())
	switch {
	case s.BlockBits < 10 || s.BlockBits > 16:
		return fmt.Errorf("block size 2^%d: want 1024 to 65536 bytes", s.BlockBits)
	case s.BlocksPerGroup == 0 || uint64(s.ClustersPerGroup) > bs*8 || uint64(s.ClustersPerGroup)<<s.ClusterBits != uint64(s.BlocksPerGroup):
		return fmt.Errorf("%d blocks and %d clusters a group do not fit blocks of %d bytes", s.BlocksPerGroup, s.ClustersPerGroup, bs)
	case s.ClusterBits > 0 && s.ROCompat&Bigalloc == 0:
		return fmt.Errorf("clusters of %d blocks without the bigalloc feature", 1<<s.ClusterBits)
	case s.FirstDataBlock > 1 || s.FirstDataBlock == 1 && s.BlockBits != 10 || s.FirstDataBlock == 0 && s.BlockBits == 10 && s.ClusterBits == 0:
		return fmt.Errorf("first data block %d with blocks of %d bytes", s.FirstDataBlock, bs)
	case s.Blocks <= s.FirstDataBlock || uint64(s.Blocks) > 1<<48:
		return fmt.Errorf("block count %d", s.Blocks)
	case s.ReservedBlocks > s.Blocks:
		return fmt.Errorf("%d reserved blocks exceed the block count %d", s.ReservedBlocks, s.Blocks)
	case uint64(s.Blocks-s.FirstDataBlock+allocator.Block(s.BlocksPerGroup)-1)/uint64(s.BlocksPerGroup) > 1<<32-1:
		return fmt.Errorf("more than 2^32 groups")
	case s.InodeSize < 128 || uint64(s.InodeSize) > bs || s.InodeSize&(s.InodeSize-1) != 0:
		return fmt.Errorf("inode size %d: want a power of two, 128 to %d", s.InodeSize, bs)
	case uint64(s.InodesPerGroup) < bs/uint64(s.InodeSize) || uint64(s.InodesPerGroup) > bs*8:
		return fmt.Errorf("%d inodes a group: want %d to %d", s.InodesPerGroup, bs/uint64(s.InodeSize), bs*8)
	case uint64(s.Groups())*uint64(s.InodesPerGroup) != uint64(s.Inodes):
		return fmt.Errorf("inode count %d is not %d groups of %d", s.Inodes, s.Groups(), s.InodesPerGroup)
	case s.FirstInode < 11 || s.FirstInode > s.Inodes:
		return fmt.Errorf("first inode %d of %d", s.FirstInode, s.Inodes)
	case s.Compat&DirIndex != 0 && !s.HashVersion.known():
		return fmt.Errorf("unknown hash version %d for directories", s.HashVersion)
	case s.ROCompat&Bigalloc != 0 && s.Incompat&ExtentTree == 0:
		return fmt.Errorf("the bigalloc feature without the extent feature")
	case s.DescSize < 32 || s.DescSize > 1024 || s.DescSize&(s.DescSize-1) != 0 || s.Incompat&Is64Bit == 0 && s.DescSize != 32:
		return fmt.Errorf("group descriptor size %d", s.DescSize)
	case s.LogGroupsPerFlex > 31:
		return fmt.Errorf("flex groups of 2^%d groups", s.LogGroupsPerFlex)
	case uint64(s.ReservedGDT) > bs/4:
		return fmt.Errorf("%d reserved GDT blocks: want at most %d", s.ReservedGDT, bs/4)
	case s.Incompat&MetaBG != 0 && s.FirstMetaBG > s.DescBlocks():
		return fmt.Errorf("first meta block group %d of %d", s.FirstMetaBG, s.DescBlocks())
	}
	// A copy of the superblock and the descriptors behind it lie in one group.
	gdt := uint64(s.DescBlocks()) + uint64(s.ReservedGDT)
	if s.Incompat&MetaBG != 0 {
		gdt = uint64(s.FirstMetaBG)
	}
	if 1+gdt >= uint64(s.BlocksPerGroup) {
		return fmt.Errorf("%d blocks of group descriptors do not fit a group of %d blocks", gdt, s.BlocksPerGroup)
	}
	if bad := s.unknown(); bad != "" {
		return fmt.Errorf("unknown or unsupported feature %s", bad)
	}
	return nil
}

// unknown is the name of a feature the simulator cannot read past.
func (s *Superblock) unknown() string {
	known := MetaBG | ExtentTree | Is64Bit | MMP | FlexBG | EAInode | CsumSeed | LargeDir | InlineData | Encrypt | Casefold | Filetype
	for b := range 32 {
		if bit := Incompat(1) << b; s.Incompat&^known&bit != 0 {
			return bitName(1, b)
		}
	}
	knownRO := SparseSuper | LargeFile | HugeFile | UninitBG | DirNlink | ExtraIsize | Quota | Bigalloc | MetadataCsum | Project | Verity | OrphanPresent | ReadOnly
	for b := range 32 {
		if bit := ROCompat(1) << b; s.ROCompat&^knownRO&bit != 0 {
			return bitName(2, b)
		}
	}
	return ""
}
