package ext2

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/filesystem"
)

// inodeGroup is what the descriptor and the bitmap of one group say of its
// inodes.
type inodeGroup struct {
	free, dirs uint32
	debt       uint8       // s_debts: directories not yet followed by files, 0 to 255
	bits       bitmap.Bits // the inode bitmap, nil until it is first read
	full       int         // the inodes [0, full) are in use
}

// Orlov's limits: how many inodes and blocks a directory is expected to bring.
const (
	inodeCost = 64
	blockCost = 256
)

// readInodeGroups reads all descriptors, as mounting does.
func (fs *FS) readInodeGroups() {
	fs.inodeGroups = make([]inodeGroup, fs.geo.Groups)
	for g := range fs.inodeGroups {
		d := fs.layout.Desc(allocator.GroupID(g))
		fs.inodeGroups[g] = inodeGroup{free: d.FreeInodes, dirs: d.UsedDirs}
	}
	fs.countInodes()
}

// countInodes sets the counters that the descriptors add up to
// (ext2_count_free_inodes, ext2_count_dirs).
func (fs *FS) countInodes() {
	var free, dirs int64
	for i := range fs.inodeGroups {
		free += int64(fs.inodeGroups[i].free)
		dirs += int64(fs.inodeGroups[i].dirs)
	}
	fs.freeInodes = allocator.NewPerCPUCounter(free, fs.opt.CPUs)
	fs.dirCount = allocator.NewPerCPUCounter(dirs, fs.opt.CPUs)
}

// approximate reads a counter as the kernel does: exactly where it was built for
// one CPU.
func (fs *FS) approximate(c *allocator.PerCPUCounter) int64 {
	if fs.opt.CPUs == 1 {
		return c.SumPositive()
	}
	return c.ReadPositive()
}

// dirGroupOld chooses the group of a directory with oldalloc: of those with at
// least average free inodes, the one with the most free blocks (find_group_dir).
func (fs *FS) dirGroupOld() (allocator.GroupID, bool) {
	// The average is exact here, where Orlov uses the approximate counters.
	average := uint32(fs.freeInodes.Sum() / int64(fs.geo.Groups))
	best, most, found := allocator.GroupID(0), uint32(0), false
	for g := range fs.geo.Groups {
		free := fs.inodeGroups[g].free
		if free == 0 || free < average {
			continue
		}
		if blocks := fs.alloc.FreeClustersOf(g); !found || blocks > most {
			best, most, found = g, blocks, true
		}
	}
	return best, found
}

// cycle calls good with every group from first on, until it says yes.
func (fs *FS) cycle(first allocator.GroupID, good func(allocator.GroupID) bool) (allocator.GroupID, bool) {
	for i := range fs.geo.Groups {
		if g := (first + i) % fs.geo.Groups; good(g) {
			return g, true
		}
	}
	return 0, false
}

// dirGroupOrlov chooses the group of a directory as Orlov's allocator does:
// those below the root are spread, others stay near their parent
// (find_group_orlov).
//
// Deviates from the kernel: the random group that the search begins at comes
// from Options.Seed.
func (fs *FS) dirGroupOrlov(parent *inode) (allocator.GroupID, bool) {
	// The averages come from counters that may lag behind by what each CPU has not yet
	// added.
	groups := int64(fs.geo.Groups)
	averageInodes := fs.approximate(fs.freeInodes) / groups
	averageBlocks := fs.alloc.ApproximateFree() / groups
	var g allocator.GroupID
	var ok bool
	// Directories of the top level begin at a random group and take the emptiest one. Others
	// take the first group, from their parent's on, that meets Orlov's limits.
	first := fs.groupOf(parent)
	if parent == fs.root || parent.topdir {
		first = allocator.GroupID(fs.orlov.Uint32N(uint32(fs.geo.Groups)))
		g, ok = fs.emptiest(first, averageInodes, averageBlocks)
	} else {
		g, ok = fs.cycle(first, fs.orlovLimits(averageInodes, averageBlocks))
	}
	if ok {
		return g, true
	}
	// Without such a group, one with at least average free inodes will do, then any with a
	// free inode (fallback).
	for _, atLeast := range [...]int64{averageInodes, 0} {
		g, ok = fs.cycle(first, func(g allocator.GroupID) bool {
			free := fs.inodeGroups[g].free
			return free > 0 && int64(free) >= atLeast
		})
		if ok {
			return g, true
		}
	}
	return 0, false
}

// emptiest is the group with the fewest directories, the first from first on, of
// those with at least average room.
func (fs *FS) emptiest(first allocator.GroupID, inodes, blocks int64) (best allocator.GroupID, found bool) {
	// A group with as many directories as inodes never qualifies. All groups are visited.
	fewest := fs.geo.InodesPerGroup
	fs.cycle(first, func(g allocator.GroupID) bool {
		x := &fs.inodeGroups[g]
		if x.free > 0 && x.dirs < fewest && int64(x.free) >= inodes && int64(fs.alloc.FreeClustersOf(g)) >= blocks {
			best, fewest, found = g, x.dirs, true
		}
		return false
	})
	return best, found
}

// orlovLimits says of a group whether one more directory does it no harm.
func (fs *FS) orlovLimits(averageInodes, averageBlocks int64) func(allocator.GroupID) bool {
	// Limits on directories, free inodes and free blocks of the group follow the average.
	perGroup := int64(fs.geo.InodesPerGroup)
	dirs := max(1, fs.approximate(fs.dirCount))
	blocksPerDir := (int64(fs.geo.Blocks) - fs.alloc.ApproximateFree()) / dirs
	maxDirs := dirs/int64(fs.geo.Groups) + perGroup/16
	minInodes := averageInodes - perGroup/4
	minBlocks := averageBlocks - int64(fs.geo.BlocksPerGroup)/4
	// The debt limits how many directories may follow each other without files: as many as
	// would fill the group with blocks, or with inodes, at the rate expected of each.
	maxDebt := int64(fs.geo.BlocksPerGroup) / max(blocksPerDir, blockCost)
	maxDebt = max(1, min(maxDebt, perGroup/inodeCost, 255))
	return func(g allocator.GroupID) bool {
		x := &fs.inodeGroups[g]
		return x.free > 0 && int64(x.debt) < maxDebt && int64(x.dirs) < maxDirs &&
			int64(x.free) >= minInodes && int64(fs.alloc.FreeClustersOf(g)) >= minBlocks
	}
}

// fileGroup chooses the group of a file: its directory's, or one that files of
// other directories in that group are unlikely to choose (find_group_other).
func (fs *FS) fileGroup(parent *inode) (allocator.GroupID, bool) {
	// The parent's own group comes first, if it has a free inode and a free block.
	groups := fs.geo.Groups
	good := func(g allocator.GroupID) bool {
		return fs.inodeGroups[g].free > 0 && fs.alloc.FreeClustersOf(g) > 0
	}
	home := fs.groupOf(parent)
	if good(home) {
		return home, true
	}
	// Then a quadratic hash from a start that depends on the parent, so that the files of
	// different directories in this group go to different groups.
	g := allocator.GroupID((uint64(home) + uint64(parent.number)) % uint64(groups))
	for i := allocator.GroupID(1); i < groups; i <<= 1 {
		g += i
		if g >= groups {
			g -= groups
		}
		if good(g) {
			return g, true
		}
	}
	// Last, any group with a free inode, with or without free blocks.
	return fs.cycle((home+1)%groups, func(g allocator.GroupID) bool { return fs.inodeGroups[g].free > 0 })
}

// takeInode takes a free inode for a new file or directory in parent
// (ext2_new_inode). It returns its number.
func (fs *FS) takeInode(t *task, parent *inode, dir bool) (uint32, errno) {
	// The strategy gives the group where the search begins.
	var g allocator.GroupID
	var ok bool
	switch {
	case !dir:
		g, ok = fs.fileGroup(parent)
	case fs.opt.OldAlloc:
		g, ok = fs.dirGroupOld()
	default:
		g, ok = fs.dirGroupOrlov(parent)
	}
	if !ok {
		return 0, filesystem.ENOSPC
	}
	// The bitmap decides: from that group on, the first group with a clear bit. full saves
	// the search through inodes that are known to be in use.
	bit := 0
	perGroup := int(fs.geo.InodesPerGroup)
	g, ok = fs.cycle(g, func(g allocator.GroupID) bool {
		x := fs.inodeBits(g)
		bit = x.bits.NextZero(x.full, perGroup)
		x.full = bit
		return bit < perGroup
	})
	if !ok {
		return 0, filesystem.ENOSPC
	}
	// Bitmap, descriptor and counters change together.
	x := &fs.inodeGroups[g]
	x.bits.Set(bit)
	x.free--
	fs.freeInodes.Add(t.CPU, -1)
	switch {
	// A directory raises the debt of its group, a file lowers it.
	case dir:
		fs.dirCount.Add(t.CPU, 1)
		x.dirs++
		x.debt = uint8(min(int(x.debt)+1, 255))
	case x.debt > 0:
		x.debt--
	}
	return uint32(int(g)*perGroup + bit + 1), 0
}

// inodeBits is group g with its inode bitmap (read_inode_bitmap).
func (fs *FS) inodeBits(g allocator.GroupID) *inodeGroup {
	x := &fs.inodeGroups[g]
	if x.bits == nil {
		x.bits = bitmap.New(int(fs.geo.InodesPerGroup))
		fs.layout.InodeBitmap(g, x.bits)
	}
	return x
}

// freeInode gives an inode back (ext2_free_inode, ext2_release_inode).
func (fs *FS) freeInode(t *task, in *inode) {
	x := fs.inodeBits(fs.groupOf(in))
	// Inode numbers begin at 1, bits at 0.
	bit := int((in.number - 1) % fs.geo.InodesPerGroup)
	x.bits.Clear(bit)
	x.full = min(x.full, bit)
	x.free++
	fs.freeInodes.Add(t.CPU, 1)
	if in.isDir() {
		x.dirs--
		fs.dirCount.Add(t.CPU, -1)
	}
}
