package placement

import (
	"mbsim/allocator"
	"mbsim/filesystem/dirent"
)

// Groups is what a Policy weighs.
type Groups interface {
	// Inodes are the free inodes and the directories of a group, as its descriptor counts
	// them.
	Inodes(g allocator.GroupID) (free, dirs uint32)
	// Clusters are the free clusters of a group, as its descriptor counts them.
	Clusters(g allocator.GroupID) uint64
	// Flex sums the groups of flex group f (struct flex_groups). It is asked only where there
	// are flex groups.
	Flex(f uint32) Counts
	// Approximate is the whole file system by counters that are read cheaply, none below
	// zero (percpu_counter_read_positive).
	Approximate() Counts
}

// Counts are the numbers of a flex group or of a file system (struct orlov_stats).
type Counts struct {
	Inodes   uint32 // free
	Dirs     uint32 // inodes that are directories
	Clusters uint64 // free
}

// Policy decides for one file system.
type Policy struct {
	Geometry *allocator.Geometry
	Groups   Groups
	Seed     dirent.Seed // of the hash that says where the search for a directory of the root begins
	// ClampMinClusters lets the limit of free clusters be 0 where it came out negative, as
	// later kernels do.
	ClampMinClusters bool
}

// Parent is the directory that the new inode is named in.
type Parent struct {
	Number uint32 // of its inode
	Top    bool   // it is the root, or marked as the root of a hierarchy (EXT4_INODE_TOPDIR)
	// Last is one more than the group in which its last new inode was looked for, 0 for none
	// (i_last_alloc_group).
	Last uint32
}

// group is the parent's own group.
func (p *Policy) group(parent Parent) allocator.GroupID {
	return allocator.GroupID((parent.Number - 1) / p.Geometry.InodesPerGroup)
}

// last is the group of Parent.Last, false where there is none.
func (d Parent) last() (allocator.GroupID, bool) {
	return allocator.GroupID(d.Last - 1), d.Last > 0
}

// inodes is the number of free inodes of a group.
func (p *Policy) inodes(g allocator.GroupID) uint32 {
	free, _ := p.Groups.Inodes(g)
	return free
}

// firstInFlex returns the first group of flex group f that has a free inode, false if none
// has. Without flex_bg f is the group itself, which is taken untested, as in
// find_group_orlov.
func (p *Policy) firstInFlex(f uint32) (allocator.GroupID, bool) {
	geo := p.Geometry
	if geo.FlexBits == 0 {
		return allocator.GroupID(f), true
	}
	first := allocator.GroupID(f << geo.FlexBits)
	for g := first; g < min(first+allocator.GroupID(geo.FlexSize()), geo.Groups); g++ {
		if p.inodes(g) > 0 {
			return g, true
		}
	}
	return 0, false
}

// File chooses a group for a file, near its directory (find_group_other). The group is not
// valid if the second result is false: then no group has a free inode.
func (p *Policy) File(parent Parent) (allocator.GroupID, bool) {
	geo, own := p.Geometry, p.group(parent)
	// With flex groups: a group of the parent's flex group, then of the one that took the
	// parent's last inode, then Orlov's choice as for a directory.
	if geo.FlexBits > 0 {
		if g, ok := p.firstInFlex(geo.Flex(own)); ok {
			return g, true
		}
		if last, ok := parent.last(); ok {
			if g, ok := p.firstInFlex(geo.Flex(last)); ok {
				return g, true
			}
		}
		return p.near(parent)
	}
	// Without flex groups a group is good that has a free inode and a free cluster. The
	// parent's own group comes first.
	good := func(g allocator.GroupID) bool { return p.inodes(g) > 0 && p.Groups.Clusters(g) > 0 }
	if good(own) {
		return own, true
	}
	// Then a quadratic hash: the start depends on the parent's number, so that the files of
	// different directories of one group go to different groups, and the steps double.
	g := (own + allocator.GroupID(parent.Number)) % geo.Groups
	for i := allocator.GroupID(1); i < geo.Groups; i <<= 1 {
		g += i
		if g >= geo.Groups {
			g -= geo.Groups
		}
		if good(g) {
			return g, true
		}
	}
	// Last, any group with a free inode, even one without a free block.
	g = own
	for range geo.Groups {
		g++
		if g >= geo.Groups {
			g = 0
		}
		if p.inodes(g) > 0 {
			return g, true
		}
	}
	return 0, false
}
