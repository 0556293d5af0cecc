package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/filesystem"
	"mbsim/filesystem/dirent"
)

// inodeGroup is what the descriptor and the inode bitmap of one group say about its inodes.
type inodeGroup struct {
	free, dirs  uint32
	unused      uint32 // bg_itable_unused
	blockUninit bool
	bits        bitmap.Bits // the inode bitmap, once read
	firstFree   uint32      // no inode below it is free
	deleted     *deletions  // nil where that does not matter (recent.go)
}

// flexInodes sums the inodes of a flex group (struct flex_groups).
type flexInodes struct {
	free, dirs uint32
	known      bool
}

// groupsPerPage groups share a page of FS.inodeGroups, which is made when the first of them
// is touched.
const groupsPerPage = 256

// inodeGroupOf returns the inode side of group g, read from the descriptors on first use.
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

// flexOf returns the inode side of flex group f, summed over its groups on first use.
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

// orlovStats returns the numbers of group g, or of flex group g where there are flex
// groups.
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

// findGroupOrlov chooses a group for a directory, or for a file if the flex group of its
// parent is full (find_group_orlov). Directories at the top are spread over the device;
// deeper ones stay near their parent as long as the groups there are not much worse than
// the average. name is empty for files. The group is not valid if the second result is
// false.
func (fs *FS) findGroupOrlov(parent *inode, dir bool, name string) (allocator.GroupID, bool) {
	// The averages for a flex group. The counters are read cheaply, as the kernel reads
	// them, and may be off by what the CPUs hold back.
	n := fs.flexCount()
	flexSize := fs.geo.FlexSize()
	freeInodes := uint32(fs.freeInodes.ReadPositive())
	avgInodes := freeInodes / n
	avgClusters := uint64(fs.alloc.FreeClusters().ReadPositive()) / uint64(n)
	ndirs := uint32(fs.dirCount.ReadPositive())
	if dir && (parent == fs.root || parent.topdir) {
		// Spread: the search begins at the hash of the name. Of all flex groups with at
		// least average free inodes and clusters, the one with the fewest directories wins,
		// the first of several. As in the kernel it must have fewer directories than a
		// group has inodes. The minor hash is not used.
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
	// Cluster: the first flex group from the parent's on whose numbers are within these
	// limits is taken (max_dirs, min_inodes, min_clusters).
	perFlex := int32(fs.geo.InodesPerGroup * flexSize)
	maxDirs := uint32(int32(ndirs/n) + perFlex/16)
	minInodes := uint32(max(1, int32(avgInodes)-perFlex/4))
	// The kernel keeps min_clusters in a signed 32-bit variable, and compares it with an
	// unsigned 64-bit count. A negative limit so becomes one that no group meets, and the
	// fallback decides. Later kernels take 0 for it.
	minClusters := int64(int32(avgClusters - uint64(fs.geo.ClustersPerGroup)*uint64(flexSize)/4))
	if fs.quirks.ClampMinClusters {
		minClusters = max(0, minClusters)
	}
	// The search begins where the last inode of this parent went (i_last_alloc_group).
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
		// Only the first flex group within the limits is tried. If none of its groups has a
		// free inode after all, the fallback decides.
		if g, ok := fs.firstInFlex(g); ok {
			return g, true
		}
		break
	}
	return fs.orlovFallback(parent, freeInodes)
}

// firstInFlex returns the first group of flex group f that has a free inode, false if none
// has. Without flex_bg f is the group itself, which is taken untested, as in
// find_group_orlov.
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

// orlovFallback returns the first group, from the parent's on, that has at least the
// average of free inodes; if there is none, since the counter is approximate, the first
// with a free inode.
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

// findGroupOther chooses a group for a file, near its directory (find_group_other). The
// group is not valid if the second result is false.
func (fs *FS) findGroupOther(parent *inode) (allocator.GroupID, bool) {
	n := fs.geo.Groups
	// With flex groups: a group of the parent's flex group, then of the one that took the
	// parent's last inode, then Orlov's choice as for a directory.
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
	// Without flex groups a group is good that has a free inode and a free cluster. The
	// parent's own group comes first.
	good := func(g allocator.GroupID) bool {
		return fs.inodeGroupOf(g).free > 0 && fs.alloc.FreeClustersOf(g) > 0
	}
	if good(fs.groupOf(parent)) {
		return fs.groupOf(parent), true
	}
	// Then a quadratic hash: the start depends on the parent's number, so that the files of
	// different directories of one group go to different groups, and the steps double.
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
	// Last, any group with a free inode, even one without a free block.
	g = fs.groupOf(parent)
	for range n {
		g++
		if g >= n {
			g = 0
		}
		if fs.inodeGroupOf(g).free > 0 {
			return g, true
		}
	}
	return 0, false
}

// allocInode takes a free inode for a new file or directory in parent (__ext4_new_inode).
// It returns the inode's number, which counts from 1.
func (fs *FS) allocInode(t *task, parent *inode, dir bool, name string) (uint32, errno) {
	ipg := fs.geo.InodesPerGroup
	// The group to begin with: that of the tunable inode_goal if it is set, otherwise the
	// one that the policy for directories or for files chooses.
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
	// The parent remembers the choice, even if the inode then comes from a later group or
	// the choice has failed. lastAllocGroup is one more than the group, so that 0 means
	// none.
	parent.lastAllocGroup = int32(g) + 1
	if !ok {
		return 0, filesystem.ENOSPC
	}
	// The first free inode from the chosen group on, going round once through all groups.
	// Inode numbers below the goal count only in the first of them.
	for range fs.geo.Groups {
		ig := fs.inodeGroupOf(g)
		if ig.free > 0 {
			if bit, ok := fs.takeInodeBit(ig, g, from); ok {
				fs.journal.start()
				fs.inodeTaken(t, ig, g, bit, dir)
				return uint32(g)*ipg + bit + 1, 0
			}
		}
		from = 0
		g++
		if g == fs.geo.Groups {
			g = 0
		}
	}
	return 0, filesystem.ENOSPC
}

// readInodeBitmap has the inode bitmap of group g in memory: it is read when the group is
// first used.
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

// takeInodeBit takes the first free inode of group g at bit from or after it. It returns
// the inode's bit, false if there is none.
func (fs *FS) takeInodeBit(ig *inodeGroup, g allocator.GroupID, from uint32) (uint32, bool) {
	fs.readInodeBitmap(ig, g)
	// Without a journal, numbers that were deleted recently are passed over (recent.go).
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

// inodeTaken brings descriptor and counters up to date after inode bit of group g was
// taken.
func (fs *FS) inodeTaken(t *task, ig *inodeGroup, g allocator.GroupID, bit uint32, dir bool) {
	// The first inode of a group also initializes the block bitmap, which so loses the flag
	// EXT4_BG_BLOCK_UNINIT: the mballoc criteria treat such groups differently.
	if ig.blockUninit && fs.groupChecksums {
		ig.blockUninit = false
		fs.alloc.ClearBlockUninit(g)
	}
	fs.noteJournalled(inodeBitmap, uint64(g))
	// The part of the inode table that was never used ends behind the highest inode that was.
	ig.unused = min(ig.unused, fs.geo.InodesPerGroup-bit-1)
	// The flex group is summed before ig changes: its first use reads the groups' counts.
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

// freeInode marks the inode free in its group's bitmap and corrects the counters
// (ext4_free_inode).
func (fs *FS) freeInode(t *task, in *inode) {
	ipg := fs.geo.InodesPerGroup
	g := allocator.GroupID((in.Number - 1) / ipg)
	bit := (in.Number - 1) % ipg
	ig := fs.inodeGroupOf(g)
	fs.readInodeBitmap(ig, g)
	fs.noteJournalled(inodeBitmap, uint64(g))
	ig.bits.Clear(int(bit))
	ig.firstFree = min(ig.firstFree, bit)
	// Without a journal the time of the deletion keeps the number from being used again
	// soon.
	fs.noteDeleted(ig, bit)
	// The flex group is summed before ig changes: its first use reads the groups' counts.
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
