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
	JournalBlocks uint32

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

// InodeTableBlocks is the number of blocks of one group's inode table.
func (s *Superblock) InodeTableBlocks() uint32 {
	per := uint64(s.BlockSize()) / uint64(s.InodeSize)
	return uint32((uint64(s.InodesPerGroup) + per - 1) / per)
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
