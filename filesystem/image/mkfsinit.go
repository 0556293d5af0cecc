package image

import (
	"mbsim/allocator"
)

// initialize decides groups, inodes and descriptor blocks, dropping a last
// group too small for its own tables (ext2fs_initialize).
func (m *mkfsState) initialize() error {
	// Fields that have the same value in every file system that is made here.
	p, sb := m.p, &m.sb
	sb.Revision, sb.State, sb.FirstInode = 1, "clean", 11
	sb.Errors = "Continue"
	if p.Errors != "" {
		sb.Errors = p.Errors
	}
	if sb.InodeSize > 128 {
		sb.MinExtraIsize, sb.WantExtraIsize = 32, 32
	}
	sb.HashVersion, sb.Flags, sb.DefaultMountOpts = HashHalfMD4, FlagSignedHash, DefmXattrUser|DefmACL
	// With 1 KiB blocks the superblock is in block 1, and block 0 is the boot block.
	if sb.BlockBits == 10 && sb.ClusterBits == 0 {
		sb.FirstDataBlock = 1
	}
	m.csum = sb.ROCompat&(MetadataCsum|UninitBG) != 0
	m.zeroed = !p.NoDiscard || !p.LazyItableInit
	reserved := p.ReservedPercent
	if reserved < 0 {
		reserved = confReserved
	}
	// Size of a group, whole clusters of the device, and the blocks kept for root.
	if err := m.groupSize(); err != nil {
		return err
	}
	ratioMask := allocator.Block(1)<<sb.ClusterBits - 1
	sb.Blocks = m.wantBlocks &^ ratioMask
	wantReserved := allocator.Block(reserved * float64(m.wantBlocks) / 100.0)
	sb.ReservedBlocks = wantReserved
	if wantReserved >= m.wantBlocks {
		return mkfsErrorf("too small")
	}
	// A last group that is too small is dropped, and groups with too many inodes are made
	// smaller; both change the numbers, so all starts again.
	for {
		again, err := m.tryGroups(wantReserved)
		if err != nil {
			return err
		}
		if !again {
			break
		}
	}
	// What depends on the final number of groups.
	if sb.Compat&SparseSuper2 != 0 {
		m.backupGroups()
	}
	return m.journalSize()
}

// groupSize decides the clusters and blocks of a group.
func (m *mkfsState) groupSize() error {
	sb, per := &m.sb, uint64(m.p.BlocksPerGroup)
	// A bitmap of one block is the limit, and the free count of a descriptor has 16 bits.
	const maxClusters = 1<<16 - 8
	if per == 0 {
		per = uint64(sb.BlockSize()) * 8
		if sb.ROCompat&Bigalloc != 0 && int(sb.BlockBits)+int(sb.ClusterBits)-10+15 >= 32 {
			per = uint64(sb.BlockSize()-1) * 8
		}
	}
	per = min(per, maxClusters)
	if per<<sb.ClusterBits >= 1<<32 {
		return mkfsErrorf("%d clusters of %d blocks are too many for a group", per, 1<<sb.ClusterBits)
	}
	sb.ClustersPerGroup, sb.BlocksPerGroup = uint32(per), uint32(per<<sb.ClusterBits)
	return nil
}

// tryGroups makes one attempt with the present number of blocks and blocks a
// group, and reports whether another is needed.
func (m *mkfsState) tryGroups(wantReserved allocator.Block) (again bool, err error) {
	sb := &m.sb
	if sb.Blocks <= sb.FirstDataBlock {
		return false, mkfsErrorf("the device is too small for a file system")
	}
	// From blocks to groups, to descriptor blocks, to inodes a group.
	groups := ceilDiv(uint64(sb.Blocks-sb.FirstDataBlock), uint64(sb.BlocksPerGroup))
	if groups*leastInodes > maxBlocks32 {
		return false, mkfsErrorf("%d groups of %d blocks need more than 2^32 inodes, %d each: take larger groups (-g)", groups, sb.BlocksPerGroup, leastInodes)
	}
	m.descBlocks = uint32(ceilDiv(groups, uint64(sb.DescPerBlock())))
	again, err = m.inodesPerGroup(groups)
	if again || err != nil {
		return again, err
	}
	// Room for growth: as -E resize asks, else for the default factor.
	sb.ReservedGDT = m.resizeGDT
	if sb.ReservedGDT == 0 && sb.Compat&ResizeInode != 0 {
		sb.ReservedGDT = m.reservedGDT()
	}
	if int64(sb.ReservedGDT) > sb.BlockSize()/4 {
		return false, mkfsErrorf("too many reserved group descriptor blocks (%d)", sb.ReservedGDT)
	}
	if uint64(sb.ReservedGDT)+uint64(m.descBlocks) > uint64(sb.BlocksPerGroup)*3/4 {
		// The table would take more than 3/4 of a group: meta_bg spreads it.
		sb.Incompat |= MetaBG
		sb.Compat &^= ResizeInode
		sb.ReservedGDT = m.resizeGDT
	}
	// What one group may hold besides its data: superblock, two bitmaps, inode table,
	// descriptors and reserved descriptors.
	overhead := 3 + uint64(m.itb) + uint64(sb.ReservedGDT) + 1
	if sb.Incompat&MetaBG == 0 {
		overhead += uint64(m.descBlocks) - 1
	}
	if overhead > uint64(sb.BlocksPerGroup) {
		return false, mkfsErrorf("too many inodes: the tables of a group need %d of its %d blocks", overhead, sb.BlocksPerGroup)
	}
	return m.dropLastGroup(groups, wantReserved)
}

// dropLastGroup drops a last group that is too small for its tables and 50
// blocks more.
func (m *mkfsState) dropLastGroup(groups uint64, wantReserved allocator.Block) (again bool, err error) {
	// Tables, and for a group with a copy also superblock and descriptors. Under
	// sparse_super2 the last group has a copy if there are enough backups.
	sb := &m.sb
	overhead := 2 + uint64(m.itb)
	var hasSuper bool
	switch {
	case sb.Compat&SparseSuper2 == 0:
		hasSuper = m.hasSuper(allocator.GroupID(groups - 1))
	case groups == 2:
		hasSuper = m.p.NumBackupSB >= 1
	default:
		hasSuper = m.p.NumBackupSB >= 2
	}
	if hasSuper {
		overhead += 1 + uint64(m.descBlocks) + uint64(sb.ReservedGDT)
	}
	// rem is the blocks of the last group, 0 for a full one.
	rem := uint64(sb.Blocks-sb.FirstDataBlock) % uint64(sb.BlocksPerGroup)
	if groups == 1 && rem != 0 && rem < overhead {
		return false, mkfsErrorf("the device is too small for a file system")
	}
	if rem == 0 || rem >= overhead+50 {
		return false, nil
	}
	// The share of reserved blocks stays that of the whole device.
	sb.Blocks -= allocator.Block(rem)
	percent := 100.0 * float64(wantReserved) / float64(m.wantBlocks)
	sb.ReservedBlocks = allocator.Block(percent * float64(sb.Blocks) / 100.0)
	return true, nil
}

// leastInodes is the least number of inodes of a group, a byte of its bitmap.
const leastInodes = 8

// inodesPerGroup spreads the inodes asked for over the groups, in whole blocks
// of the table and multiples of 8.
func (m *mkfsState) inodesPerGroup(groups uint64) (again bool, err error) {
	sb := &m.sb
	// Without a number, one inode for 4 KiB.
	inodes := m.wantInodes
	if inodes == 0 {
		inodes = uint64(sb.Blocks) / uint64(max(1, 4096/sb.BlockSize()))
		if inodes >= 1<<32 {
			inodes = maxBlocks32
		}
	}
	inodes = max(inodes, uint64(sb.FirstInode)+1)
	// The inode bitmap has one block: with more inodes, groups become smaller.
	ipg := ceilDiv(inodes, groups)
	if ipg > uint64(sb.BlockSize())*8 {
		if sb.ROCompat&Bigalloc != 0 || sb.BlocksPerGroup < 256 {
			return false, mkfsErrorf("too many inodes: %d for each of %d groups", ipg, groups)
		}
		sb.BlocksPerGroup -= 8
		sb.ClustersPerGroup = sb.BlocksPerGroup
		sb.Blocks = m.wantBlocks
		return true, nil
	}
	// Whole blocks of the inode table, and whole bytes of the bitmap; fewer inodes a group
	// if the total would not fit into 32 bits.
	perBlock := uint64(sb.BlockSize()) / uint64(sb.InodeSize)
	ipg = min(ipg, 1<<16-perBlock)
	for {
		n := max(leastInodes, ceilDiv(ipg, perBlock)*perBlock) &^ 7
		if n*groups <= maxBlocks32 {
			sb.InodesPerGroup, sb.Inodes = uint32(n), uint32(n*groups)
			m.itb = uint32(ceilDiv(n, perBlock))
			return false, nil
		}
		ipg--
	}
}

// reservedGDT is the number of blocks to reserve so that the file system can
// grow 1024-fold, or to 2^32 blocks (calc_reserved_gdt_blocks).
func (m *mkfsState) reservedGDT() uint16 {
	sb := &m.sb
	// Descriptors of the largest size, less those that exist, at most what the
	// double-indirect block of the resize inode can name.
	top := uint64(maxBlocks32)
	if uint64(sb.Blocks) < top/1024 {
		top = uint64(sb.Blocks) * 1024
	}
	groups := ceilDiv(top-uint64(sb.FirstDataBlock), uint64(sb.BlocksPerGroup))
	n := uint32(ceilDiv(groups, uint64(sb.DescPerBlock()))) - m.descBlocks
	return uint16(min(uint64(n), uint64(sb.BlockSize()/4)))
}

// backupGroups decides the two groups with backups under sparse_super2.
func (m *mkfsState) backupGroups() {
	var b [2]uint32
	if m.p.NumBackupSB >= 1 {
		b[0] = 1
	}
	if m.p.NumBackupSB >= 2 {
		b[1] = ^uint32(0)
	}
	// Both are limited to the last group, 0 stands for none, and the lower comes first.
	last := uint32(m.sb.Groups()) - 1
	b[0], b[1] = min(b[0], last), min(b[1], last)
	if b[0] == b[1] {
		b[1] = 0
	}
	if b[0] > b[1] {
		b[0], b[1] = b[1], b[0]
	}
	m.sb.BackupGroups = b
}

// maxJournalBlocks is the size of the largest journal that mke2fs makes.
const maxJournalBlocks = 10240000

// journalSize decides the journal's blocks (figure_journal_size,
// ext2fs_default_journal_size).
func (m *mkfsState) journalSize() error {
	sb, p := &m.sb, m.p
	if sb.Compat&HasJournal == 0 {
		if sb.Compat&OrphanFile != 0 {
			return mkfsErrorf("the orphan_file feature needs a journal")
		}
		return nil
	}
	if sb.Blocks < 2048 { // too small for a journal: mke2fs goes on without
		sb.Compat &^= HasJournal | OrphanFile
		return nil
	}
	// Blocks, by the number of blocks of the file system.
	journal := uint32(262144)
	for _, s := range [...]struct{ below, journal uint32 }{
		{32768, 1024}, {256 << 10, 4096}, {512 << 10, 8192}, {4096 << 10, 16384},
		{8192 << 10, 32768}, {16384 << 10, 65536}, {32768 << 10, 131072},
	} {
		if sb.Blocks < allocator.Block(s.below) {
			journal = s.journal
			break
		}
	}
	// The area of fast commits comes on top, a 64th by default.
	fast := uint32(0)
	hasFast := sb.Compat&FastCommit != 0
	if hasFast {
		fast = journal / 64
	}
	// Sizes given in MiB and KiB become blocks.
	if p.JournalMB > 0 || hasFast && p.FastCommitKB > 0 {
		if p.JournalMB > 0 {
			journal = uint32(int64(p.JournalMB) * 1024 / (sb.BlockSize() / 1024))
		}
		if hasFast && p.FastCommitKB > 0 {
			fast = uint32(int64(p.FastCommitKB) * 1024 / sb.BlockSize())
		}
		if n := uint64(journal) + uint64(fast); n < 1024 || n > maxJournalBlocks {
			return mkfsErrorf("a journal of %d blocks: want 1024 to %d", n, maxJournalBlocks)
		} else if n > m.initialFree()/2 {
			return mkfsErrorf("a journal of %d blocks is too big for the file system", n)
		}
	}
	m.jBlocks = journal + fast
	m.fastBlocks = fast
	sb.JournalInode, sb.JournalBlocks = JournalInode, m.jBlocks
	return m.orphanSize()
}

// orphanSize decides the blocks of the orphan file
// (ext2fs_default_orphan_file_blocks).
func (m *mkfsState) orphanSize() error {
	sb := &m.sb
	if sb.Compat&OrphanFile == 0 {
		return nil
	}
	// Blocks, or bytes with a suffix.
	if s := m.p.OrphanFileSize; s != "" {
		m.orphan = uint32(parseNumBlocks(s, int(sb.BlockBits)-10))
		if m.orphan == 0 {
			return mkfsErrorf("invalid size of the orphan file %q", s)
		}
		return nil
	}
	// By the size of the file system: 32 to 512 blocks, rounded up to clusters.
	n := uint32(512)
	if sb.Blocks < 128<<10 {
		n = 32
	} else if sb.Blocks < 2<<20 {
		n = uint32(sb.Blocks / 4096)
	}
	mask := uint32(1)<<sb.ClusterBits - 1
	m.orphan = (n + mask) &^ mask
	return nil
}
