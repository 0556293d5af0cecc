package image

import (
	"fmt"
	"strings"
)

// Compat is the set of features a kernel may ignore (s_feature_compat).
type Compat uint32

// Incompat is the set of features a kernel must know (s_feature_incompat).
type Incompat uint32

// ROCompat is the set of features a kernel must know to write
// (s_feature_ro_compat).
type ROCompat uint32

// The compatible features, named as e2fsprogs names them.
const (
	DirPrealloc    Compat = 0x0001
	ImagicInodes   Compat = 0x0002
	HasJournal     Compat = 0x0004
	ExtAttr        Compat = 0x0008
	ResizeInode    Compat = 0x0010
	DirIndex       Compat = 0x0020
	LazyBG         Compat = 0x0040
	SnapshotBitmap Compat = 0x0100
	SparseSuper2   Compat = 0x0200
	FastCommit     Compat = 0x0400
	StableInodes   Compat = 0x0800
	OrphanFile     Compat = 0x1000
)

// The incompatible features.
const (
	Compression  Incompat = 0x0001
	Filetype     Incompat = 0x0002
	NeedsRecover Incompat = 0x0004
	JournalDev   Incompat = 0x0008
	MetaBG       Incompat = 0x0010
	ExtentTree   Incompat = 0x0040
	Is64Bit      Incompat = 0x0080
	MMP          Incompat = 0x0100
	FlexBG       Incompat = 0x0200
	EAInode      Incompat = 0x0400
	DirData      Incompat = 0x1000
	CsumSeed     Incompat = 0x2000
	LargeDir     Incompat = 0x4000
	InlineData   Incompat = 0x8000
	Encrypt      Incompat = 0x10000
	Casefold     Incompat = 0x20000
)

// The read-only compatible features.
const (
	SparseSuper   ROCompat = 0x0001
	LargeFile     ROCompat = 0x0002
	HugeFile      ROCompat = 0x0008
	UninitBG      ROCompat = 0x0010 // gdt_csum
	DirNlink      ROCompat = 0x0020
	ExtraIsize    ROCompat = 0x0040
	Snapshot      ROCompat = 0x0080
	Quota         ROCompat = 0x0100
	Bigalloc      ROCompat = 0x0200
	MetadataCsum  ROCompat = 0x0400
	Replica       ROCompat = 0x0800
	ReadOnly      ROCompat = 0x1000
	Project       ROCompat = 0x2000
	SharedBlocks  ROCompat = 0x4000
	Verity        ROCompat = 0x8000
	OrphanPresent ROCompat = 0x10000
)

// featureName is one feature: its set (0 compat, 1 incompat, 2 ro_compat), its
// bit, and its name in e2fsprogs.
type featureName struct {
	set  int
	bit  uint32
	name string
}

// featureNames lists the features. Where two names share a bit the first is
// printed.
var featureNames = []featureName{
	{0, uint32(DirPrealloc), "dir_prealloc"}, {0, uint32(HasJournal), "has_journal"},
	{0, uint32(ImagicInodes), "imagic_inodes"}, {0, uint32(ExtAttr), "ext_attr"},
	{0, uint32(DirIndex), "dir_index"}, {0, uint32(ResizeInode), "resize_inode"},
	{0, uint32(LazyBG), "lazy_bg"}, {0, uint32(SnapshotBitmap), "snapshot_bitmap"},
	{0, uint32(SparseSuper2), "sparse_super2"}, {0, uint32(FastCommit), "fast_commit"},
	{0, uint32(StableInodes), "stable_inodes"}, {0, uint32(OrphanFile), "orphan_file"},
	{2, uint32(SparseSuper), "sparse_super"}, {2, uint32(LargeFile), "large_file"},
	{2, uint32(HugeFile), "huge_file"}, {2, uint32(UninitBG), "uninit_bg"}, {2, uint32(UninitBG), "uninit_groups"},
	{2, uint32(DirNlink), "dir_nlink"}, {2, uint32(ExtraIsize), "extra_isize"},
	{2, uint32(Quota), "quota"}, {2, uint32(Bigalloc), "bigalloc"},
	{2, uint32(MetadataCsum), "metadata_csum"}, {2, uint32(Replica), "replica"},
	{2, uint32(ReadOnly), "read-only"}, {2, uint32(Project), "project"},
	{2, uint32(SharedBlocks), "shared_blocks"}, {2, uint32(Verity), "verity"},
	{2, uint32(OrphanPresent), "orphan_present"},
	{1, uint32(Compression), "compression"}, {1, uint32(Filetype), "filetype"},
	{1, uint32(NeedsRecover), "needs_recovery"}, {1, uint32(JournalDev), "journal_dev"},
	{1, uint32(ExtentTree), "extent"}, {1, uint32(ExtentTree), "extents"},
	{1, uint32(MetaBG), "meta_bg"}, {1, uint32(Is64Bit), "64bit"}, {1, uint32(MMP), "mmp"},
	{1, uint32(FlexBG), "flex_bg"}, {1, uint32(EAInode), "ea_inode"}, {1, uint32(DirData), "dirdata"},
	{1, uint32(CsumSeed), "metadata_csum_seed"}, {1, uint32(LargeDir), "large_dir"},
	{1, uint32(InlineData), "inline_data"}, {1, uint32(Encrypt), "encrypt"},
	{1, uint32(Casefold), "casefold"}, {1, uint32(Casefold), "fname_encoding"},
}

// Features are the three feature sets of a superblock.
type Features struct {
	Compat   Compat
	Incompat Incompat
	ROCompat ROCompat
}

// word is the word of feature set i: 0 compat, 1 incompat, 2 ro_compat.
func (f *Features) word(i int) uint32 {
	return [3]uint32{uint32(f.Compat), uint32(f.Incompat), uint32(f.ROCompat)}[i]
}

func (f *Features) setBit(n featureName, on bool) {
	apply := func(w uint32) uint32 {
		if on {
			return w | n.bit
		}
		return w &^ n.bit
	}
	switch n.set {
	case 0:
		f.Compat = Compat(apply(uint32(f.Compat)))
	case 1:
		f.Incompat = Incompat(apply(uint32(f.Incompat)))
	default:
		f.ROCompat = ROCompat(apply(uint32(f.ROCompat)))
	}
}

// Has reports whether the named feature is set; an unknown name is not.
func (f Features) Has(name string) bool {
	n, ok := findFeature(name)
	return ok && f.word(n.set)&n.bit != 0
}

// Names lists the features set in the order dumpe2fs prints them; bits without
// a name are given as FEATURE_C12, FEATURE_I30, FEATURE_R20 as e2fsprogs does.
func (f Features) Names() []string {
	var names []string
	for set := range 3 {
		for b := range 32 {
			if bit := uint32(1) << b; f.word(set)&bit != 0 {
				names = append(names, bitName(set, b))
			}
		}
	}
	return names
}

func bitName(set, b int) string {
	for _, n := range featureNames {
		if n.set == set && n.bit == 1<<b {
			return n.name
		}
	}
	return fmt.Sprintf("FEATURE_%c%d", "CIR"[set], b)
}

func (f Features) String() string { return strings.Join(f.Names(), " ") }

func findFeature(name string) (featureName, bool) {
	for _, n := range featureNames {
		if n.name == name {
			return n, true
		}
	}
	// A bit without a name: FEATURE_C12 and the like, as e2fsprogs prints it.
	var set byte
	var bit int
	if c, _ := fmt.Sscanf(name, "FEATURE_%c%d", &set, &bit); c == 2 && bit >= 0 && bit < 32 {
		if i := strings.IndexByte("CIR", set); i >= 0 {
			return featureName{i, 1 << bit, name}, true
		}
	}
	return featureName{}, false
}
