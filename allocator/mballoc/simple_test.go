package mballoc

import (
	"math/rand/v2"
	"testing"

	"mbsim/allocator"
)

// TestNewBlocksSimple walks the way of the kernel's unit test: the goal, the
// cluster behind it, the next group once the goal's is full, group 0 once all
// behind it are, and no space once that is too.
func TestNewBlocksSimple(t *testing.T) {
	for i, l := range layouts {
		t.Run(l.name, func(t *testing.T) {
			a := layoutDisk(i).Mount(t, nil)
			geo := &a.geo
			all := int(geo.ClustersPerGroup)
			goalGroup := allocator.GroupID(1)
			goal := geo.GroupStart(goalGroup)
			expect := func(want allocator.Block) {
				t.Helper()
				got, ok := a.NewBlocksSimple(goal, nil)
				if !ok || got != want {
					t.Fatalf("block %d, %t; want %d", got, ok, want)
				}
				id, off := geo.GroupOf(want)
				if !a.at(id).disk.Test(int(off)) {
					t.Fatalf("block %d is not marked", want)
				}
			}
			expect(goal)
			expect(goal + allocator.Block(geo.ClusterRatio()))
			a.MarkBlocks(geo.GroupStart(goalGroup), int(geo.BlocksPerGroup), true)
			expect(geo.GroupStart(goalGroup + 1))
			for id := goalGroup + 1; id < geo.Groups; id++ {
				a.MarkBlocks(geo.GroupStart(id), int(geo.BlocksPerGroup), true)
				if n := a.FreeClustersOf(id); n != 0 {
					t.Fatalf("group %d has %d free clusters of %d", id, n, all)
				}
			}
			expect(geo.GroupStart(0))
			a.MarkBlocks(geo.GroupStart(0), int(geo.BlocksPerGroup), true)
			if b, ok := a.NewBlocksSimple(goal, nil); ok {
				t.Fatalf("block %d of a full disk", b)
			}
		})
	}
}

// TestNewBlocksSimplePlaces: what else decides the place.
func TestNewBlocksSimplePlaces(t *testing.T) {
	tests := []struct {
		name     string
		goal     allocator.Block
		take     [][2]int // of group 1
		excluded []allocator.Block
		want     allocator.Block
	}{
		{name: "a goal beyond the disk is the first block", goal: 40000, want: 0},
		{name: "inside a group", goal: 8192 + 100, want: 8192 + 100},
		{name: "behind what is taken", goal: 8192, take: [][2]int{{0, 50}, {51, 20}}, want: 8192 + 50},
		{name: "not before the goal", goal: 8192 + 60, take: [][2]int{{0, 50}, {51, 20}}, want: 8192 + 71},
		{name: "past what replay will fill", goal: 8192, excluded: []allocator.Block{8192, 8193, 8195}, want: 8194},
		{name: "the rest of the group excluded", goal: 16383, excluded: []allocator.Block{16383, 16384}, want: 16385},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := NewDisk(12, 0, 0, 8192, layoutGroups, 0)
			for _, r := range tt.take {
				d.Take(1, r[0], r[1])
			}
			a := d.Mount(t, nil)
			got, ok := a.NewBlocksSimple(tt.goal, func(b allocator.Block) bool {
				for _, x := range tt.excluded {
					if x == b {
						return true
					}
				}
				return false
			})
			if !ok || got != tt.want {
				t.Errorf("block %d, %t; want %d", got, ok, tt.want)
			}
		})
	}
}

// TestSimpleOfTheSeed: the profile 5.10-seed searches to the end of the disk and
// not around it, and mistakes a cluster's number in its group for a block's.
func TestSimpleOfTheSeed(t *testing.T) {
	seed := func(cfg *Config) { cfg.Kernel = Linux5_10Seed }
	d := NewDisk(12, 0, 1, 8192, layoutGroups, 0)
	d.Free(2, [2]int{8190, 2})
	d.Take(3, 0, 8192)
	a := d.Mount(t, seed)
	before := a.FlexFreeClusters(1)
	for _, want := range []allocator.Block{2*8192 + 8190, 2*8192 + 8191} {
		if b, ok := a.NewBlocksSimple(2*8192, nil); !ok || b != want {
			t.Fatalf("block %d, %t; want %d", b, ok, want)
		}
	}
	if b, ok := a.NewBlocksSimple(2*8192, nil); ok {
		t.Errorf("block %d: groups 0 and 1 are free, but lie before the goal", b)
	}
	if n := before - a.FlexFreeClusters(1); n != 2 {
		t.Errorf("two blocks took %d off the flex group", n)
	}
	a.MarkBlocks(2*8192+8190, 2, false)
	if n := before - a.FlexFreeClusters(1); n != 4 {
		t.Errorf("freeing them again took the flex group to %d below, want 4: the seed subtracts always", n)
	}

	d = NewDisk(12, 3, 0, 1024, layoutGroups, 0)
	d.Take(1, 0, 10)
	a = d.Mount(t, seed)
	// Cluster 10 of group 1 begins at block 8192+80; the seed says 8192+10. That
	// is less than a cluster, so that nothing is marked and the next gets it too.
	for range 2 {
		if b, ok := a.NewBlocksSimple(8192, nil); !ok || b != 8192+10 {
			t.Errorf("block %d, %t; want %d", b, ok, 8192+10)
		}
	}
	a.MarkBlocks(8192+80, 16, true)
	if n := a.FreeClustersOf(1); n != 1024-12 {
		t.Errorf("%d free clusters after two whole ones were marked, want %d", n, 1024-12)
	}
}

// TestFreeBlocksSimple frees eight random ranges of a group in use; what is free
// already does not count twice.
func TestFreeBlocksSimple(t *testing.T) {
	forLayouts(t, func(t *testing.T, a *Allocator, rnd *rand.Rand) {
		const id = 1
		a.MarkBlocks(a.geo.GroupStart(id), int(a.geo.BlocksPerGroup), true)
		want := append([]uint64(nil), a.BitmapOf(id)...)
		free := uint32(0)
		for _, r := range randomRanges(rnd, int(a.geo.ClustersPerGroup)) {
			for range 2 {
				a.FreeBlocksSimple(a.geo.BlockAt(id, allocator.GroupOffset(r[0])), r[1])
			}
			free += uint32(r[1])
			for i := r[0]; i < r[0]+r[1]; i++ {
				want[i/64] &^= 1 << (i % 64)
			}
			for i, w := range a.BitmapOf(id) {
				if w != want[i] {
					t.Fatalf("range %v: word %d is %016x, want %016x", r, i, w, want[i])
				}
			}
			if n := a.FreeClustersOf(id); n != free {
				t.Fatalf("descriptor: %d free, want %d", n, free)
			}
		}
	})
}

// TestRemountCountsAfterReplay: what replay did behind the counters' back shows
// in them after the mount that follows it.
func TestRemountCountsAfterReplay(t *testing.T) {
	a := NewDisk(12, 0, 1, 8192, layoutGroups, 0).Mount(t, nil)
	total, flex := a.freeClusters.Sum(), a.FlexFreeClusters(0)
	a.MarkBlocks(8000, 400, true) // over the border of groups 0 and 1
	a.FreeBlocksSimple(8100, 10)
	if err := a.Remount(); err != nil {
		t.Fatal(err)
	}
	if n := total - a.freeClusters.Sum(); n != 390 {
		t.Errorf("%d clusters less are free, want 390", n)
	}
	if n := flex - a.FlexFreeClusters(0); n != 390 {
		t.Errorf("%d clusters less are free in the flex group, want 390", n)
	}
	if b, ok := a.NewBlocks(0, &Request{Inode: &Inode{Number: 12, Extents: true}, Len: 10, Goal: 8100, Flags: HintTryGoal}); !ok || b != 8100 {
		t.Errorf("block %d, %t; want 8100, which was freed", b, ok)
	}
}
