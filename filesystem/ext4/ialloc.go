package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// inodeGroup is what the descriptor and the bitmap of one group say of its
// inodes.
type inodeGroup struct {
	free, dirs  uint32
	unused      uint32 // bg_itable_unused
	blockUninit bool
	bits        bitmap.Bits // the inode bitmap, once read
	firstFree   uint32      // no inode below it is free
	deleted     []uint32    // when inodes were deleted, s; nil where that does not matter (recent.go)
}

// flexInodes sums the inodes of a flex group (struct flex_groups).
type flexInodes struct {
	free, dirs uint32
	known      bool
}

// groupsPerPage groups share a page of inode groups, made on first touch.
const groupsPerPage = 256

// inodeGroupOf is the inode side of group g.
func (fs *FS) inodeGroupOf(g allocator.GroupID) *inodeGroup {
	page := &fs.inodeGroups[g/groupsPerPage]
	if *page == nil {
		first := g / groupsPerPage * groupsPerPage
		*page = make([]inodeGroup, min(groupsPerPage, fs.geo.Groups-first))
		for i := range *page {
			d := fs.layout.Desc(first + allocator.GroupID(i))
			(*page)[i] = inodeGroup{free: d.FreeInodes, dirs: d.UsedDirs, unused: d.UnusedInodes, blockUninit: d.BlockUninit}
		}
	}
	return &(*page)[g%groupsPerPage]
}

// flexOf is the inode side of a flex group.
func (fs *FS) flexOf(f uint32) *flexInodes {
	x := &fs.flexes[f]
	if !x.known {
		x.known = true
		first := allocator.GroupID(f << fs.geo.FlexBits)
		for g := first; g < min(first+allocator.GroupID(fs.geo.FlexSize()), fs.geo.Groups); g++ {
			ig := fs.inodeGroupOf(g)
			x.free += ig.free
			x.dirs += ig.dirs
		}
	}
	return x
}

// orlovStats are the numbers that find_group_orlov weighs of a group, or of a
// flex group (get_orlov_stats).
type orlovStats struct {
	clusters     uint64
	inodes, dirs uint32
}

func (fs *FS) orlovStats(g uint32) orlovStats {
	if fs.geo.FlexBits > 0 {
		x := fs.flexOf(g)
		return orlovStats{uint64(fs.alloc.FlexFreeClusters(g)), x.free, x.dirs}
	}
	ig := fs.inodeGroupOf(allocator.GroupID(g))
	return orlovStats{uint64(fs.alloc.FreeClustersOf(allocator.GroupID(g))), ig.free, ig.dirs}
}

// flexCount is the number of flex groups, or of groups without flex_bg.
func (fs *FS) flexCount() uint32 {
	return (uint32(fs.geo.Groups) + fs.geo.FlexSize() - 1) >> fs.geo.FlexBits
}

// findGroupOrlov chooses a group for a directory, or for a file whose parent's
// flex group is full (find_group_orlov). Top-level directories are spread: the
// hash of the name says where to begin, and the fewest directories among those
// with at least average room win. name is empty for files.
func (fs *FS) findGroupOrlov(parent *inode, dir bool, name string) (allocator.GroupID, bool) {
	n := fs.flexCount()
	flexSize := fs.geo.FlexSize()
	freeInodes := uint32(fs.freeInodes.ReadPositive())
	avgInodes := freeInodes / n
	avgClusters := uint64(fs.alloc.FreeClusters().ReadPositive()) / uint64(n)
	ndirs := uint32(fs.dirCount.ReadPositive())
	if dir && (parent == fs.root || parent.topdir) {
		hash, _ := dirent.HashName(name, dirent.HalfMD4, fs.dirOptions.Seed)
		start := hash % n
		best, found := fs.geo.InodesPerGroup, int64(-1)
		for i := range n {
			g := (start + i) % n
			s := fs.orlovStats(g)
			if s.inodes == 0 || s.dirs >= best || s.inodes < avgInodes || s.clusters < avgClusters {
				continue
			}
			best, found = s.dirs, int64(g)
		}
		if found >= 0 {
			if g, ok := fs.firstInFlex(uint32(found)); ok {
				return g, true
			}
		}
		return fs.orlovFallback(parent, freeInodes)
	}
	perFlex := int32(fs.geo.InodesPerGroup * flexSize)
	maxDirs := uint32(int32(ndirs/n) + perFlex/16)
	minInodes := uint32(max(1, int32(avgInodes)-perFlex/4))
	// In 5.10 a negative limit turns, compared with an unsigned count, into one
	// that no group meets (mended in 6.1).
	minClusters := int64(int32(avgClusters - uint64(fs.geo.ClustersPerGroup)*uint64(flexSize)/4))
	start := uint32(fs.groupOf(parent)) >> fs.geo.FlexBits
	if parent.lastAllocGroup > 0 {
		start = uint32(parent.lastAllocGroup-1) >> fs.geo.FlexBits
	}
	for i := range n {
		g := (start + i) % n
		s := fs.orlovStats(g)
		if s.dirs >= maxDirs || s.inodes < minInodes || s.clusters < uint64(minClusters) {
			continue
		}
		if g, ok := fs.firstInFlex(g); ok {
			return g, true
		}
		break
	}
	return fs.orlovFallback(parent, freeInodes)
}

// firstInFlex is the first group of a flex group with a free inode; without
// flex_bg the group itself.
func (fs *FS) firstInFlex(f uint32) (allocator.GroupID, bool) {
	if fs.geo.FlexBits == 0 {
		return allocator.GroupID(f), true
	}
	first := allocator.GroupID(f << fs.geo.FlexBits)
	for g := first; g < min(first+allocator.GroupID(fs.geo.FlexSize()), fs.geo.Groups); g++ {
		if fs.inodeGroupOf(g).free > 0 {
			return g, true
		}
	}
	return 0, false
}

// orlovFallback is the first group from the parent's on with at least average
// free inodes, or with any.
func (fs *FS) orlovFallback(parent *inode, freeInodes uint32) (allocator.GroupID, bool) {
	n := fs.geo.Groups
	for _, avg := range []uint32{freeInodes / uint32(n), 0} {
		for i := range n {
			g := (fs.groupOf(parent) + i) % n
			if free := fs.inodeGroupOf(g).free; free > 0 && free >= avg {
				return g, true
			}
		}
	}
	return 0, false
}

// findGroupOther chooses a group for a file: one near its directory
// (find_group_other).
func (fs *FS) findGroupOther(parent *inode) (allocator.GroupID, bool) {
	n := fs.geo.Groups
	if fs.geo.FlexBits > 0 {
		if g, ok := fs.firstInFlex(fs.geo.Flex(fs.groupOf(parent))); ok {
			return g, true
		}
		if parent.lastAllocGroup > 0 {
			if g, ok := fs.firstInFlex(fs.geo.Flex(allocator.GroupID(parent.lastAllocGroup - 1))); ok {
				return g, true
			}
		}
		return fs.findGroupOrlov(parent, false, "")
	}
	good := func(g allocator.GroupID) bool {
		return fs.inodeGroupOf(g).free > 0 && fs.alloc.FreeClustersOf(g) > 0
	}
	if good(fs.groupOf(parent)) {
		return fs.groupOf(parent), true
	}
	g := (fs.groupOf(parent) + allocator.GroupID(parent.Number)) % n
	for i := allocator.GroupID(1); i < n; i <<= 1 {
		g += i
		if g >= n {
			g -= n
		}
		if good(g) {
			return g, true
		}
	}
	g = fs.groupOf(parent)
	for range n {
		if g++; g >= n {
			g = 0
		}
		if fs.inodeGroupOf(g).free > 0 {
			return g, true
		}
	}
	return 0, false
}

// allocInode takes a free inode for a new file or directory in parent
// (__ext4_new_inode). It returns its number.
func (fs *FS) allocInode(t *task, parent *inode, dir bool, name string) (uint32, errno) {
	ipg := fs.geo.InodesPerGroup
	var g allocator.GroupID
	var from uint32
	ok := true
	if goal := fs.goalTunable; goal > 0 && goal <= fs.inodesCount {
		g, from = allocator.GroupID((goal-1)/ipg), (goal-1)%ipg
	} else if dir {
		g, ok = fs.findGroupOrlov(parent, dir, name)
	} else {
		g, ok = fs.findGroupOther(parent)
	}
	parent.lastAllocGroup = int32(g) + 1
	if !ok {
		return 0, filesystem.ENOSPC
	}
	for range fs.geo.Groups {
		ig := fs.inodeGroupOf(g)
		if ig.free > 0 {
			if bit, ok := fs.takeInodeBit(ig, g, from); ok {
				fs.j.start()
				fs.inodeTaken(t, ig, g, bit, dir)
				return uint32(g)*ipg + bit + 1, 0
			}
		}
		from = 0
		if g++; g == fs.geo.Groups {
			g = 0
		}
	}
	return 0, filesystem.ENOSPC
}

// readInodeBitmap has the inode bitmap of group g in memory.
func (fs *FS) readInodeBitmap(ig *inodeGroup, g allocator.GroupID) {
	if ig.bits == nil {
		ig.bits = bitmap.New(int(fs.geo.InodesPerGroup))
		fs.layout.InodeBitmap(g, ig.bits)
	}
}

// nextFree is the first free inode of a group at from or after it, ipg (the inodes of a
// group) where there is none.
func (ig *inodeGroup) nextFree(from, ipg uint32) uint32 {
	return uint32(ig.bits.NextZero(int(max(from, ig.firstFree)), int(ipg)))
}

// takeInodeBit takes the first free inode of a group at from or after it.
func (fs *FS) takeInodeBit(ig *inodeGroup, g allocator.GroupID, from uint32) (uint32, bool) {
	fs.readInodeBitmap(ig, g)
	if ig.deleted != nil {
		return fs.takeSettled(ig, from)
	}
	bit := ig.nextFree(from, fs.geo.InodesPerGroup)
	if bit == fs.geo.InodesPerGroup {
		return 0, false
	}
	ig.bits.Set(int(bit))
	if from <= ig.firstFree {
		ig.firstFree = bit + 1
	}
	return bit, true
}

// inodeTaken brings the counts up to date after inode bit of group g was taken.
func (fs *FS) inodeTaken(t *task, ig *inodeGroup, g allocator.GroupID, bit uint32, dir bool) {
	if ig.blockUninit && fs.groupChecksums {
		ig.blockUninit = false
		fs.alloc.ClearBlockUninit(g)
	}
	fs.journals(inodeBitmap, uint64(g))
	x := fs.flexOf(fs.geo.Flex(g))
	x.free--
	ig.free--
	fs.freeInodes.Add(t.CPU, -1)
	if dir {
		ig.dirs++
		fs.dirCount.Add(t.CPU, 1)
		x.dirs++
	}
}

// freeInode gives an inode back (ext4_free_inode).
func (fs *FS) freeInode(t *task, in *inode) {
	ipg := fs.geo.InodesPerGroup
	g := allocator.GroupID((in.Number - 1) / ipg)
	bit := (in.Number - 1) % ipg
	ig := fs.inodeGroupOf(g)
	fs.readInodeBitmap(ig, g)
	fs.journals(inodeBitmap, uint64(g))
	ig.bits.Clear(int(bit))
	ig.firstFree = min(ig.firstFree, bit)
	fs.noteDeleted(ig, bit)
	x := fs.flexOf(fs.geo.Flex(g))
	x.free++
	ig.free++
	fs.freeInodes.Add(t.CPU, 1)
	if in.isDir() {
		ig.dirs--
		fs.dirCount.Add(t.CPU, -1)
		x.dirs--
	}
}
