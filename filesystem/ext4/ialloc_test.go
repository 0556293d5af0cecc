package ext4

import (
	"testing"

	"mbsim/allocator"
)

// TestPlacementKnowsTheParent: what package placement decides is tested there. Here it is told
// of the parent, and of the kernel.
func TestPlacementKnowsTheParent(t *testing.T) {
	c := script{size: 64 << 20, mkfs: "-b 1024 -O ^flex_bg", cpus: 1}
	fs, _, err := c.start()
	if err != nil {
		t.Fatal(err)
	}
	parent := &inode{largeInode: &largeInode{}}
	parent.Number = 2
	// Nothing is free by the counter, so that the limit of free clusters is below zero: in 5.10
	// no group meets it, and the first from the parent's on is taken that has the average of
	// free inodes, which group 0 has not; later kernels take the group to begin with, that of
	// the parent's last child.
	*fs.alloc.FreeClusters() = *allocator.NewPerCPUCounter(0, 1)
	for _, c := range []struct {
		clamps, top bool
		want        allocator.GroupID
	}{{false, false, 1}, {true, false, 3}, {false, true, 6}} {
		fs.quirks.ClampMinClusters = c.clamps
		// A directory at the top goes to the group with the fewest directories; "a" would
		// begin elsewhere.
		parent.topdir = c.top
		parent.lastAllocGroup = 3 + 1
		for g := range fs.geo.Groups {
			fs.inodeGroupOf(g).dirs = 1
		}
		fs.inodeGroupOf(6).dirs = 0
		if g, ok := fs.groupFor(parent, true, "a"); g != c.want || !ok {
			t.Errorf("clamps %t, top %t: group %d, %t, want %d", c.clamps, c.top, g, ok, c.want)
		}
	}
}
