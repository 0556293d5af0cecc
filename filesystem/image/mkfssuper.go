package image

import (
	"fmt"
	"math"
	"math/bits"

	"mbsim/allocator"
)

const maxBlocks32 = 1<<32 - 1

// mkfsState is a file system being laid out.
type mkfsState struct {
	p  *MkfsParams
	sb Superblock

	descBlocks uint32 // blocks of the descriptor table
	itb        uint32 // blocks of an inode table
	csum       bool   // descriptors have checksums, and so the UNINIT flags
	zeroed     bool   // ITABLE_ZEROED
	stride     uint32
	jBlocks    uint32 // blocks of the journal, fast-commit area included
	fastBlocks uint32 // those of jBlocks for fast commits
	jGoal      allocator.Block
	jGoalSet   bool
	resizeGDT  uint16 // reserved descriptor blocks by -E resize
	orphan     uint32 // blocks of the orphan file, 0 for none

	wantInodes uint64          // as the parameters ask
	wantBlocks allocator.Block // as the device gives
}

func mkfsErrorf(format string, a ...any) error { return fmt.Errorf("mkfs: "+format, a...) }

// newMkfsState decides the features and the numbers of the superblock that come
// from the command line (PRS in misc/mke2fs.c).
func newMkfsState(p *MkfsParams) (*mkfsState, error) {
	m := &mkfsState{p: p}
	// Until the block size is known, the device is counted in the size asked for, or in KiB,
	// whole pages of it unless the user named the size.
	bs := p.BlockSize
	unit := 1024
	if bs > 0 {
		unit = bs
	}
	if a := max(bs, -bs); a != 0 && (a < 1024 || a > 65536 || a&(a-1) != 0) {
		return nil, mkfsErrorf("invalid block size %d: want a power of two, 1024 to 65536", bs)
	}
	blocks := uint64(p.Size) / uint64(unit)
	if allocator.PageSize > unit && !p.SizeGiven {
		blocks &^= uint64(allocator.PageSize/unit) - 1
	}
	if p.Size <= 0 || blocks == 0 {
		return nil, mkfsErrorf("a device of %d bytes holds no file system", p.Size)
	}
	// The size chooses the profile, and the profile features and block size.
	profiles := p.profiles(blocks, unit)
	if err := m.features(profiles); err != nil {
		return nil, err
	}
	// No size, or a least one: the last profile that has one decides, and the count becomes
	// blocks of that size.
	if bs <= 0 {
		want := -bs
		bs = confBlockSize
		for _, t := range profiles {
			if t.blockSize == -1 {
				bs = allocator.PageSize
			} else if t.blockSize != 0 {
				bs = t.blockSize
			}
		}
		bs = max(bs, want)
		blocks /= uint64(bs / 1024)
	}
	// Now everything is counted in blocks.
	m.sb.BlockBits = uint8(bits.TrailingZeros(uint(bs)))
	m.wantBlocks = allocator.Block(blocks)
	if err := m.sizes(profiles, bs); err != nil {
		return nil, err
	}
	return m, m.options()
}

// features applies the profiles' features, then the user's.
func (m *mkfsState) features(profiles []profile) error {
	// mke2fs.conf first, then -O, then the options that stand for a feature.
	f := &m.sb.Features
	lists := []string{confBaseFeatures}
	for _, t := range profiles {
		lists = append(lists, t.features)
	}
	lists = append(lists, m.p.FeatureEdits...)
	for _, l := range lists {
		if err := editFeatures(f, l); err != nil {
			return err
		}
	}
	switch m.p.SparseSuper {
	case 1:
		f.ROCompat |= SparseSuper
	case 0:
		f.ROCompat &^= SparseSuper
	}
	if m.p.Journal {
		f.Compat |= HasJournal
	}
	// Quota of projects needs the project feature, and with both features it is kept.
	if m.p.QuotaTypes[2] {
		f.ROCompat |= Project
	}
	if m.p.Encoding != "" {
		f.Incompat |= Casefold
	}
	// metadata_csum includes what uninit_bg does.
	if f.ROCompat&MetadataCsum != 0 {
		f.ROCompat &^= UninitBG
	}
	return nil
}

// sizes decides cluster, group, flex group and inode sizes.
func (m *mkfsState) sizes(profiles []profile, bs int) error {
	// Limits on the number of blocks: 32 bits, or 64bit, and a group number of 32 bits.
	p, sb, blocks := m.p, &m.sb, uint64(m.wantBlocks)
	if blocks > maxBlocks32 {
		if sb.Incompat&Is64Bit == 0 {
			return mkfsErrorf("%d blocks of %d bytes need the 64bit feature", blocks, bs)
		}
		sb.Compat &^= ResizeInode
	}
	if blocks > 1<<(sb.BlockBits+3+32)-1 {
		return mkfsErrorf("%d blocks of %d bytes are more groups than 32 bits count", blocks, bs)
	}
	if sb.Incompat&Is64Bit != 0 && sb.Incompat&ExtentTree == 0 {
		return mkfsErrorf("the 64bit feature needs the extent feature: -O extent, or -O ^64bit")
	}
	// Bytes of a cluster: a block without bigalloc, 16 blocks by default with it.
	cluster := bs
	if sb.ROCompat&Bigalloc != 0 {
		cluster = p.ClusterSize
		if cluster == 0 {
			cluster = bs * 16
		}
		if cluster < 2048 || cluster > 512<<20 || cluster&(cluster-1) != 0 {
			return mkfsErrorf("invalid cluster size %d: want a power of two, 2048 to 536870912", cluster)
		}
		if cluster < bs {
			return mkfsErrorf("the cluster size %d is less than the block size %d", cluster, bs)
		}
	} else if p.ClusterSize != 0 {
		return mkfsErrorf("a cluster size (-C) needs the bigalloc feature")
	}
	sb.ClusterBits = uint8(bits.TrailingZeros(uint(cluster))) - sb.BlockBits

	// The last profile with a ratio or an inode size decides, and the command line over it.
	ratio, inodeSize := confInodeRatio, confInodeSize
	for _, t := range profiles {
		if t.inodeRatio != 0 {
			ratio = t.inodeRatio
		}
		if t.inodeSize != 0 {
			inodeSize = t.inodeSize
		}
	}
	ratio = max(ratio, bs, cluster)
	if p.InodeRatio != 0 {
		ratio = p.InodeRatio
	}
	if ratio < 1024 || ratio > 65536*1024 && p.InodeRatio != 0 {
		return mkfsErrorf("invalid inode ratio %d: want 1024 to 67108864", ratio)
	}
	if p.InodeSize != 0 {
		inodeSize = p.InodeSize
	}
	if inodeSize < 128 || inodeSize > bs || inodeSize&(inodeSize-1) != 0 {
		return mkfsErrorf("invalid inode size %d: want a power of two, 128 to %d", inodeSize, bs)
	}
	sb.InodeSize = uint16(inodeSize)
	return m.inodeCount(ratio, inodeSize)
}

func (m *mkfsState) inodeCount(ratio, inodeSize int) error {
	// One inode for each ratio bytes of the device, whose size is computed in 128 bits.
	p, sb := m.p, &m.sb
	hi, lo := bits.Mul64(uint64(m.wantBlocks), uint64(sb.BlockSize()))
	if hi != 0 {
		return mkfsErrorf("a device of 2^64 bytes or more")
	}
	m.wantInodes = p.Inodes
	if m.wantInodes == 0 {
		m.wantInodes = lo / uint64(ratio)
		if m.wantInodes > maxBlocks32 {
			if sb.Incompat&Is64Bit == 0 {
				return mkfsErrorf("too many inodes (%d): raise the inode ratio (-i)", m.wantInodes)
			}
			m.wantInodes = maxBlocks32
		}
	} else if m.wantInodes > maxBlocks32 {
		return mkfsErrorf("too many inodes (%d): want fewer than 2^32", m.wantInodes)
	}
	// The inode tables must leave room on the device.
	if m.wantInodes*uint64(inodeSize) >= lo {
		return mkfsErrorf("inode_size (%d) * inodes_count (%d) too big for a filesystem with %d blocks", inodeSize, m.wantInodes, m.wantBlocks)
	}
	return nil
}

// options checks the features against each other and takes what is left of
// the command line.
func (m *mkfsState) options() error {
	// Features that contradict each other, and numbers outside their range.
	p, sb := m.p, &m.sb
	switch {
	case sb.ROCompat&Bigalloc != 0 && sb.Incompat&ExtentTree == 0:
		return mkfsErrorf("the bigalloc feature needs the extent feature")
	case sb.Incompat&CsumSeed != 0 && sb.ROCompat&MetadataCsum == 0:
		return mkfsErrorf("the metadata_csum_seed feature needs the metadata_csum feature")
	case sb.Incompat&InlineData != 0 && sb.InodeSize == 128:
		return mkfsErrorf("128 byte inodes are too small for inline data")
	case sb.ROCompat&Project != 0 && sb.InodeSize == 128:
		return mkfsErrorf("128 byte inodes are too small for project quota")
	case p.BlocksPerGroup != 0 && (p.BlocksPerGroup < 256 || int64(p.BlocksPerGroup) > 8*sb.BlockSize()):
		return mkfsErrorf("blocks per group (-g) %d: want 256 to %d", p.BlocksPerGroup, 8*sb.BlockSize())
	case p.BlocksPerGroup%8 != 0:
		return mkfsErrorf("blocks per group (-g) %d: want a multiple of 8", p.BlocksPerGroup)
	case p.FlexSize&(p.FlexSize-1) != 0 || p.FlexSize > 1<<31:
		return mkfsErrorf("flex_bg size (-G) %d: want a power of two", p.FlexSize)
	case p.FlexSize != 0 && sb.Incompat&FlexBG == 0:
		return mkfsErrorf("a flex_bg size (-G) needs the flex_bg feature")
	case p.ReservedPercent > 50 || math.IsNaN(p.ReservedPercent):
		return mkfsErrorf("reserved blocks (-m) %g percent: want 0 to 50", p.ReservedPercent)
	case p.DescSize != 0 && sb.Incompat&Is64Bit == 0:
		return mkfsErrorf("desc_size needs the 64bit feature")
	case p.DescSize&(p.DescSize-1) != 0:
		return mkfsErrorf("desc_size %d: want a power of two", p.DescSize)
	case p.PackedMetaBlocks && sb.Incompat&FlexBG != 0 && p.FlexSize == 1:
		return mkfsErrorf("packed_meta_blocks with flex groups of one group: mke2fs counts the tables twice, and the kernel takes every group for corrupt")
	case p.NumBackupSB > 2:
		return mkfsErrorf("num_backup_sb %d: want 0 to 2", p.NumBackupSB)
	}
	// log2 of the groups of a flex group, 16 by default.
	if sb.Incompat&FlexBG != 0 {
		flex := uint32(confFlexSize)
		if p.FlexSize != 0 {
			flex = p.FlexSize
		}
		sb.LogGroupsPerFlex = uint8(bits.TrailingZeros32(flex))
	}
	// Descriptors have 32 bytes, with 64bit 64 or what was asked for.
	sb.DescSize = 32
	if sb.Incompat&Is64Bit != 0 {
		sb.DescSize = 64
		if p.DescSize != 0 {
			if p.DescSize < 64 || p.DescSize > 1024 {
				return mkfsErrorf("desc_size %d: want 64 to 1024", p.DescSize)
			}
			sb.DescSize = p.DescSize
		}
	}
	// Fields that are taken over as they are.
	sb.RaidStride, sb.RaidStripeWidth = uint16(p.Stride), p.StripeWidth
	m.stride = uint32(sb.RaidStride)
	sb.Label, sb.UUID, sb.HashSeed = p.Label, p.UUID, p.HashSeed
	// -E resize turns the resize inode on, so the last checks come behind it.
	if p.ResizeTo != "" {
		if err := m.resizeTo(); err != nil {
			return err
		}
	}
	switch {
	case sb.Incompat&MetaBG != 0 && sb.Compat&ResizeInode != 0:
		return mkfsErrorf("the resize_inode and meta_bg features exclude each other")
	case sb.Compat&ResizeInode != 0 && sb.ROCompat&SparseSuper == 0:
		return mkfsErrorf("the resize_inode feature needs the sparse_super feature")
	}
	return m.journalGoal()
}

// resizeTo reserves descriptor blocks for growth to the size asked for.
func (m *mkfsState) resizeTo() error {
	// Descriptor blocks of the size asked for, less those of the present size, at most what
	// one indirect block names.
	p, sb := m.p, &m.sb
	want := parseNumBlocks(p.ResizeTo, int(sb.BlockBits)-10)
	if want <= uint64(m.wantBlocks) {
		return mkfsErrorf("resize=%s: want more than the %d blocks of the file system", p.ResizeTo, m.wantBlocks)
	}
	bpg := uint64(p.BlocksPerGroup)
	if bpg == 0 {
		bpg = uint64(sb.BlockSize()) * 8
	}
	per := uint64(sb.DescPerBlock())
	have := ceilDiv(uint64(uint32(ceilDiv(uint64(m.wantBlocks), bpg))), per)
	n := int64(ceilDiv(ceilDiv(want, bpg), per)) - int64(have)
	n = min(n, sb.BlockSize()/4)
	if n > 0 {
		sb.Compat |= ResizeInode
		m.resizeGDT = uint16(n)
	}
	return nil
}

func (m *mkfsState) journalGoal() error {
	if l := m.p.JournalLocation; l != "" {
		m.jGoal, m.jGoalSet = allocator.Block(parseNumBlocks(l, int(m.sb.BlockBits)-10)), true
	}
	if m.p.PackedMetaBlocks {
		m.jGoal, m.jGoalSet = 0, true
	}
	return nil
}

func ceilDiv(a, b uint64) uint64 { return (a + b - 1) / b }
