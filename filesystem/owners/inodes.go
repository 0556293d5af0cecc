package owners

import (
	"slices"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// InodeGroup is what a file system has in memory of the inodes of a group.
type InodeGroup struct {
	Free, Dirs uint32      // as its descriptor counts
	Bits       bitmap.Bits // its bitmap, nil where that is as it was at mount
}

// Inodes is what the inode bitmaps are checked with.
type Inodes struct {
	Geometry *allocator.Geometry
	Source   allocator.Source // the file system at mount
	// Before are the inodes that files had at mount, Now those they have;
	// DirsBefore and DirsNow those of directories.
	Before, Now, DirsBefore, DirsNow *Set
	// Group is what is kept of a group, and false where nothing is: it is as it
	// was at mount.
	Group func(allocator.GroupID) (InodeGroup, bool)
}

// OwnInode adds an inode to a set and reports whether it was not there before.
func OwnInode(geo *allocator.Geometry, s *Set, number uint32) (fresh bool) {
	return s.Add(allocator.GroupID((number-1)/geo.InodesPerGroup), (number-1)%geo.InodesPerGroup, 1)
}

// Check compares the bitmaps of inodes with the files, and what each descriptor
// counts with the bitmaps. It returns the sums over all descriptors.
func (x *Inodes) Check(r *Report) (free, dirs int64) {
	// The sums take every group. Bitmaps are compared only where inodes are owned or a bitmap
	// was loaded, and the others must count what they counted at mount.
	ids := groupsOf(slices.Values[[]allocator.GroupID](nil), x.Before, x.Now)
	for id := range x.Geometry.Groups {
		g, touched := x.Group(id)
		d := x.Source.Desc(id)
		if !touched {
			g = InodeGroup{Free: d.FreeInodes, Dirs: d.UsedDirs}
		}
		free += int64(g.Free)
		dirs += int64(g.Dirs)
		if _, owned := slices.BinarySearch(ids, id); owned || g.Bits != nil {
			x.group(id, &g, &d, r)
		} else if g.Free != d.FreeInodes || g.Dirs != d.UsedDirs {
			r.Errorf("group %d: nothing touched its inodes, and its descriptor counts %d free and %d directories, at mount %d and %d", id, g.Free, g.Dirs, d.FreeInodes, d.UsedDirs)
		}
	}
	return free, dirs
}

// group checks one group, which d described at mount.
func (x *Inodes) group(id allocator.GroupID, in *InodeGroup, d *allocator.GroupDesc, r *Report) {
	per := x.Geometry.InodesPerGroup
	g := group{n: per, before: bitmap.New(int(per)), now: in.Bits, held: x.Before.Bits(id), owned: x.Now.Bits(id)}
	x.Source.InodeBitmap(id, g.before)
	// A bitmap that is not loaded is as it was at mount.
	if g.now == nil {
		g.now = g.before
	}
	for _, s := range g.compare() {
		// Inode numbers begin at 1.
		if first, last := uint32(id)*per+s.from+1, uint32(id)*per+s.to; first == last {
			r.Errorf("inode %d is %v", first, s.kind)
		} else {
			r.Errorf("inodes %d to %d are %v", first, last, s.kind)
		}
	}
	// The counts must have changed as the bitmap and the directories have.
	if want := d.FreeInodes + g.zeros(g.now) - g.zeros(g.before); in.Free != want {
		r.Errorf("group %d: its descriptor counts %d free inodes; at mount it was %d, so its bitmap makes it %d", id, in.Free, d.FreeInodes, want)
	}
	if want := d.UsedDirs + x.DirsNow.count(id) - x.DirsBefore.count(id); in.Dirs != want {
		r.Errorf("group %d: its descriptor counts %d directories; at mount it was %d, so its files make it %d", id, in.Dirs, d.UsedDirs, want)
	}
}

// count is the number of members of a group.
func (s *Set) count(id allocator.GroupID) uint32 {
	b := s.Bits(id)
	return uint32(len(b)*64 - b.CountZero(len(b)*64))
}
