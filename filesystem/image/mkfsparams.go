package image

// MkfsParams are the parameters of mke2fs. DefaultMkfsParams gives its
// defaults, ParseMkfsArgs reads a command line. A field that is zero leaves the
// choice to mke2fs, unless its comment says otherwise.
type MkfsParams struct {
	Size       int64    // bytes of the device
	SizeGiven  bool     // Size stands behind the device: it is not rounded to whole pages
	FSType     string   // -t: ext2, ext3 or ext4
	UsageTypes []string // -T; none: by the size of the device

	BlockSize      int // -b: bytes; negative: at least that many
	ClusterSize    int // -C: bytes
	BlocksPerGroup uint32
	FlexSize       uint32 // -G: groups a flex group
	InodeRatio     int    // -i: bytes an inode
	InodeSize      int    // -I: bytes
	Inodes         uint64 // -N
	// ReservedPercent is -m; negative leaves the choice to mke2fs, zero
	// reserves nothing.
	ReservedPercent float64
	FeatureEdits    []string // -O: features to add, or to remove after ^; "none" clears
	SparseSuper     int      // -s: 1 or 0; negative leaves it (deprecated in mke2fs)

	Journal         bool   // -j, or any -J
	JournalMB       int    // -J size=
	FastCommitKB    int    // -J fast_commit_size=
	JournalLocation string // -J location=: blocks, or bytes with a suffix

	Stride, StripeWidth uint32 // -E stride=, stripe_width=: blocks
	ResizeTo            string // -E resize=: blocks, or bytes with a suffix
	DescSize            uint16 // -E desc_size=: bytes
	NumBackupSB         uint32 // -E num_backup_sb=: 0 means 0
	PackedMetaBlocks    bool   // -E packed_meta_blocks
	LazyItableInit      bool   // -E lazy_itable_init
	NoDiscard           bool   // -E nodiscard: the inode tables are not known to be zero
	Encoding            string // -E encoding=, which turns the casefold feature on; "" for none
	OrphanFileSize      string // -E orphan_file_size=: blocks, or bytes with a suffix

	// QuotaTypes are -E quotatype=, with the quota feature: files of users', groups' and
	// projects' quota. Projects' turns the project feature on.
	QuotaTypes [3]bool

	Label    string
	UUID     UUID // zero where mke2fs would draw a random one
	HashSeed UUID // zero where mke2fs would draw a random one
	Errors   string
}

// DefaultMkfsParams are the parameters of "mke2fs -t fsType" on a device of
// size bytes.
func DefaultMkfsParams(fsType string, size int64) MkfsParams {
	return MkfsParams{Size: size, FSType: fsType, ReservedPercent: -1, SparseSuper: -1, NumBackupSB: 2, LazyItableInit: true,
		QuotaTypes: [3]bool{true, true, false}}
}

// profile is a subsection of fs_types in mke2fs.conf.
type profile struct {
	name                             string
	features                         string
	blockSize, inodeSize, inodeRatio int // 0: not given; blockSize -1: the page size
}

// The mke2fs.conf of Debian 12 (e2fsprogs 1.47.0-2).
const (
	confBaseFeatures = "sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr"
	confBlockSize    = 4096
	confInodeSize    = 256
	confInodeRatio   = 16384
	confReserved     = 5.0
	confFlexSize     = 16
)

var confTypes = []profile{
	{name: "ext3", features: "has_journal"},
	{name: "ext4", features: "has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize"},
	{name: "small", blockSize: 1024, inodeRatio: 4096},
	{name: "floppy", blockSize: 1024, inodeRatio: 8192},
	{name: "big", inodeRatio: 32768},
	{name: "huge", inodeRatio: 65536},
	{name: "news", inodeRatio: 4096},
	{name: "largefile", inodeRatio: 1048576, blockSize: -1},
	{name: "largefile4", inodeRatio: 4194304, blockSize: -1},
	{name: "hurd", blockSize: 4096, inodeSize: 128},
}

func confType(name string) (profile, bool) {
	for _, t := range confTypes {
		if t.name == name {
			return t, true
		}
	}
	return profile{}, false
}

// profiles are the sections of mke2fs.conf that apply (parse_fs_type): the file
// system's type, then the usage types, or the one that the size asks for.
// blocks counts blocks of blockSize bytes.
func (p *MkfsParams) profiles(blocks uint64, blockSize int) []profile {
	// Later sections override earlier ones, so the file system's type comes first.
	var ps []profile
	if t, ok := confType(p.FSType); ok {
		ps = append(ps, t)
	}
	usage := p.UsageTypes
	// meg is the blocks of 1 MiB; the limits are 3 MiB, 512 MiB, 4 TiB and 16 TiB.
	if len(usage) == 0 {
		meg := uint64(1<<20) / uint64(blockSize)
		switch {
		case blocks < 3*meg:
			usage = []string{"floppy"}
		case blocks < 512*meg:
			usage = []string{"small"}
		case blocks < 4<<20*meg:
		case blocks < 16<<20*meg:
			usage = []string{"big"}
		default:
			usage = []string{"huge"}
		}
	}
	for _, u := range usage {
		if t, ok := confType(u); ok {
			ps = append(ps, t)
		}
	}
	return ps
}
