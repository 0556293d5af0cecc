package ext4

import (
	"mbsim/allocator"
	"mbsim/allocator/bitmap"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4/journal"
	"mbsim/filesystem/ext4/placement"
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
			// A group that nobody has touched is not made for this: its descriptor has the counts.
			if fs.inodeGroups[g/groupsPerPage] == nil {
				d := fs.layout.Desc(g)
				x.free += d.FreeInodes
				x.dirs += d.UsedDirs
				continue
			}
			ig := fs.inodeGroupOf(g)
			x.free += ig.free
			x.dirs += ig.dirs
		}
	}
	return x
}

// groupCounts is what package placement weighs of a file system.
type groupCounts struct{ fs *FS }

// Inodes implements placement.Groups.
func (c groupCounts) Inodes(g allocator.GroupID) (free, dirs uint32) {
	ig := c.fs.inodeGroupOf(g)
	return ig.free, ig.dirs
}

// Clusters implements placement.Groups.
func (c groupCounts) Clusters(g allocator.GroupID) uint64 {
	return uint64(c.fs.alloc.FreeClustersOf(g))
}

// Flex implements placement.Groups.
func (c groupCounts) Flex(f uint32) placement.Counts {
	x := c.fs.flexOf(f)
	return placement.Counts{Inodes: x.free, Dirs: x.dirs, Clusters: uint64(c.fs.alloc.FlexFreeClusters(f))}
}

// Approximate implements placement.Groups.
func (c groupCounts) Approximate() placement.Counts {
	return placement.Counts{
		Inodes:   uint32(c.fs.freeInodes.ReadPositive()),
		Dirs:     uint32(c.fs.dirCount.ReadPositive()),
		Clusters: uint64(c.fs.alloc.FreeClusters().ReadPositive()),
	}
}

// groupFor chooses the group to look for a new inode in, by the policy for directories or by
// that for files. The group is not valid if the second result is false.
func (fs *FS) groupFor(parent *inode, dir bool, name string) (allocator.GroupID, bool) {
	policy := placement.Policy{Geometry: &fs.geo, Groups: groupCounts{fs}, Seed: fs.dirOptions.Seed, ClampMinClusters: fs.quirks.ClampMinClusters}
	at := placement.Parent{Number: parent.Number, Top: parent == fs.root || parent.topdir, Last: uint32(parent.lastAllocGroup)}
	if dir {
		return policy.Directory(at, name)
	}
	return policy.File(at)
}

// allocInode takes a free inode for a new file or directory in parent (__ext4_new_inode).
// It returns the inode's number, which counts from 1.
func (fs *FS) allocInode(t *task, parent *inode, dir bool, name string) (uint32, errno) {
	ipg := fs.geo.InodesPerGroup
	// The group to begin with: that of the tunable inode_goal if it is set, otherwise the
	// one that the policy chooses.
	var g allocator.GroupID
	var from uint32
	ok := true
	if goal := fs.goalTunable; goal > 0 && goal <= fs.inodesCount {
		g, from = allocator.GroupID((goal-1)/ipg), (goal-1)%ipg
	} else {
		g, ok = fs.groupFor(parent, dir, name)
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
			fs.useInodeBitmap(ig, g)
			if bit, ok := fs.takeInodeBit(ig, g, from); ok {
				fs.journal.Start()
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
	fs.journal.Note(journal.InodeBitmap, uint64(g))
	fs.journal.TouchInodes(g)
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
	fs.useInodeBitmap(ig, g)
	fs.readInodeBitmap(ig, g)
	fs.journal.Note(journal.InodeBitmap, uint64(g))
	fs.journal.TouchInodes(g)
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
