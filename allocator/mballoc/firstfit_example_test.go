package mballoc

import (
	"math/rand/v2"
	"testing"

	"mbsim/allocator"
)

// This is the example of docs/ADD-A-POLICY.md: a kernel like Linux 5.10 but for the order
// in which a search meets the groups.

// firstFit meets the groups by their numbers from group 0 on, whatever the goal is.
type firstFit struct{}

// pass implements Order. The rung decides in s.visit whether a group is good enough.
func (firstFit) pass(s *searchPass) (next int) {
	s.readAheadFrom(0)
	for id := range s.n {
		s.maybeReadAhead(id)
		if s.visit(id) {
			return s.ac.criteria
		}
	}
	return s.exhausted()
}

// changed, listsOf and summary implement Order. This order keeps no lists of groups.
func (firstFit) changed(*Allocator, allocator.GroupID, *group)    {}
func (firstFit) listsOf(*Allocator, *group) (largest, mean int32) { return -1, -1 }
func (firstFit) summary() (largest, mean []int)                   { return nil, nil }

// FirstFit is Linux 5.10 with the order firstFit.
var FirstFit = Kernel{
	Name: "first-fit", Doc: "Linux 5.10.223, but every search begins in group 0",
	Order:       func(*Allocator) Order { return firstFit{} },
	Ladder:      Linux5_10.Ladder,
	Preallocs:   Linux5_10.Preallocs,
	StreamGoals: Linux5_10.StreamGoals,
	Tunables:    Linux5_10.Tunables,
	Stats:       Linux5_10.Stats,
	Quirks:      Linux5_10.Quirks,
}

// TestFirstFitFillsFromTheFront asks for single clusters with goals all over a disk with
// holes. First-fit takes none behind a group that still has a free one; Linux 5.10 does.
func TestFirstFitFillsFromTheFront(t *testing.T) {
	const groups, clusters = 8, 256
	// behind counts the requests that were served behind a group with free clusters.
	behind := func(k Kernel) (n int) {
		rnd := rand.New(rand.NewPCG(1, 2))
		disk := NewDisk(12, 0, 0, clusters, groups, 0)
		for range groups * 10 {
			disk.Take(allocator.GroupID(rnd.IntN(groups)), rnd.IntN(clusters-9), 1+rnd.IntN(9))
		}
		a := disk.Mount(t, func(c *Config) { c.Kernel = k })
		for left := a.CountFreeClusters(); left > 0; left-- {
			r := Request{Inode: &Inode{Number: 12, Extents: true}, Goal: allocator.Block(rnd.IntN(groups * clusters)), Len: 1}
			b, ok := a.NewBlocks(0, &r)
			if id, _ := a.geo.GroupOf(b); !ok || r.Len != 1 {
				t.Fatalf("%s: %d clusters are free, but a request got %d", k.Name, left, r.Len)
			} else if id > 0 && a.FreeClustersOf(id-1) > 0 {
				n++
			}
		}
		return n
	}
	if n := behind(FirstFit); n != 0 {
		t.Errorf("first-fit passed over a free cluster %d times", n)
	}
	if behind(Linux5_10) == 0 {
		t.Error("Linux 5.10 passed over no free cluster, so the test shows nothing")
	}
}

// TestFirstFitTakesTheFirstThatFits holds each request's place against the holes.
func TestFirstFitTakesTheFirstThatFits(t *testing.T) {
	disk := NewDisk(12, 0, 0, 1024, 4, 0)
	disk.Free(0, [2]int{10, 4}, [2]int{100, 16})
	disk.Free(1, [2]int{0, 8})
	a := disk.Mount(t, func(c *Config) { c.Kernel = FirstFit })
	for _, want := range []struct{ n, group, start int }{
		{4, 0, 10}, {16, 0, 100}, {8, 1, 0}, {32, 2, 0}, {5, 2, 32},
	} {
		r := Request{Inode: &Inode{Number: 12, Extents: true}, Goal: 3 * 1024, Len: uint32(want.n)}
		b, ok := a.NewBlocks(0, &r)
		if id, at := a.geo.GroupOf(b); !ok || int(id) != want.group || int(at) != want.start || int(r.Len) != want.n {
			t.Errorf("%d clusters: got %d at cluster %d of group %d, want cluster %d of group %d", want.n, r.Len, at, id, want.start, want.group)
		}
	}
}
