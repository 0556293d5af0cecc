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
	groups := int64(fs.geo.Groups)
	averageInodes := fs.approximate(fs.freeInodes) / groups
	averageBlocks := fs.alloc.ApproximateFree() / groups
	var g allocator.GroupID
	var ok bool
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
	perGroup := int64(fs.geo.InodesPerGroup)
	dirs := max(1, fs.approximate(fs.dirCount))
	blocksPerDir := (int64(fs.geo.Blocks) - fs.alloc.ApproximateFree()) / dirs
	maxDirs := dirs/int64(fs.geo.Groups) + perGroup/16
	minInodes := averageInodes - perGroup/4
	minBlocks := averageBlocks - int64(fs.geo.BlocksPerGroup)/4
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
	groups := fs.geo.Groups
	good := func(g allocator.GroupID) bool {
		return fs.inodeGroups[g].free > 0 && fs.alloc.FreeClustersOf(g) > 0
	}
	home := fs.groupOf(parent)
	if good(home) {
		return home, true
	}
	g := allocator.GroupID((uint64(home) + uint64(parent.number)) % uint64(groups))
	for i := allocator.GroupID(1); i < groups; i <<= 1 {
		if g += i; g >= groups {
			g -= groups
		}
		if good(g) {
			return g, true
		}
	}
	return fs.cycle((home+1)%groups, func(g allocator.GroupID) bool { return fs.inodeGroups[g].free > 0 })
}

// takeInode takes a free inode for a new file or directory in parent
// (ext2_new_inode). It returns its number.
func (fs *FS) takeInode(t *task, parent *inode, dir bool) (uint32, errno) {
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
	x := &fs.inodeGroups[g]
	x.bits.Set(bit)
	x.free--
	fs.freeInodes.Add(t.CPU, -1)
	switch {
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
