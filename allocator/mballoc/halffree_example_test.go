package mballoc

import "testing"

// This is the second example of docs/ADD-A-POLICY.md: a kernel with a ladder of its own.

// halfFree is a kernel that prefers groups that are at least half free.
var halfFree = Kernel{
	Name: "half-free", Doc: "Linux 5.10.223, but groups that are at least half free come first",
	Ladder: []Rung{
		{Key: "half", Label: "half free", Doc: "a group of which at least half is free", Scan: scanComplex, limits: wantHalfFree},
		{Key: "cr3", Label: "criteria 3", Doc: "anything at all", Scan: scanComplex, limits: wantAnything},
	},
	Stats: []StatLine{
		{1, "half_hits", func(s *Stats) uint64 { return s.RungHits[0] }},
		{1, "cr3_hits", func(s *Stats) uint64 { return s.RungHits[1] }},
	},
	Order:       Linux5_10.Order,
	Preallocs:   Linux5_10.Preallocs,
	StreamGoals: Linux5_10.StreamGoals,
	Tunables:    Linux5_10.Tunables,
	Quirks:      Linux5_10.Quirks,
}

// wantHalfFree asks for the goal's clusters and for half of the group's.
func wantHalfFree(a *Allocator, ac *allocation, l *limits) {
	l.free = max(ac.goal.len, int(a.geo.ClustersPerGroup)/2)
}

// TestHalfFree has the goal in a group that is a quarter free, where Linux 5.10 allocates.
// The rung sends the request on to the next group, until no group is half free any more.
func TestHalfFree(t *testing.T) {
	for _, c := range []struct {
		k      Kernel
		groups []int
	}{
		{Linux5_10, []int{0, 0, 0}},
		{halfFree, []int{1, 1, 0}}, // with the second request group 1 is less than half free
	} {
		disk := NewDisk(12, 0, 0, 1024, 2, 0)
		disk.Free(0, [2]int{0, 256})
		disk.Free(1, [2]int{0, 600})
		a := disk.Mount(t, func(cfg *Config) { cfg.Kernel = c.k })
		for i, want := range c.groups {
			r := Request{Inode: &Inode{Number: 12, Extents: true}, Len: 80}
			b, ok := a.NewBlocks(0, &r)
			if id, _ := a.geo.GroupOf(b); !ok || int(id) != want || r.Len != 80 {
				t.Errorf("%s, request %d: %d clusters in group %d, want 80 in group %d", c.k.Name, i, r.Len, id, want)
			}
		}
		if hits := a.Stats().RungHits; c.k.Name == halfFree.Name && (hits[0] != 2 || hits[1] != 1) {
			t.Errorf("the rungs ended %v searches, want 2 and 1", hits[:2])
		}
	}
}
