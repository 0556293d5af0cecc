package mballoc

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// The cases of the kernel's own unit test of mballoc (fs/ext4/mballoc-test.c of
// 7.2), and the same on 4K blocks without clusters, with every kernel. The simple
// allocator's are in simple_test.go.

// layouts are the kernel's layouts: four groups of 8192 blocks.
var layouts = []struct {
	name                   string
	blockBits, clusterBits uint8
}{
	{"1K blocks, 8K clusters", 10, 3},
	{"4K blocks, 32K clusters", 12, 3},
	{"64K blocks, 512K clusters", 16, 3},
	{"4K blocks, no clusters", 12, 0},
}

const layoutGroups = 4

func layoutDisk(i int) *Disk {
	l := layouts[i]
	return NewDisk(l.blockBits, l.clusterBits, 0, 8192>>l.clusterBits, layoutGroups, 0)
}

// seedsOf is how many random sources a kernel is tried with: the default kernel with n, the
// others, which share what these tests look at, with one.
func seedsOf(k Kernel, n uint64) uint64 {
	if k.Name == DefaultKernel.Name {
		return n
	}
	return 1
}

// forLayouts runs f on each layout with each kernel and a random source whose seed it names.
func forLayouts(t *testing.T, f func(t *testing.T, a *Allocator, rnd *rand.Rand)) {
	for _, k := range Kernels() {
		for i, l := range layouts {
			for seed := range seedsOf(k, 4) {
				t.Run(fmt.Sprintf("%s/%s/seed=%d", k.Name, l.name, seed), func(t *testing.T) {
					f(t, layoutDisk(i).Mount(t, of(k)), rand.New(rand.NewPCG(seed, 0)))
				})
			}
		}
	}
}

// randomRanges draws eight ranges {start, length} of [0, size), one from each
// eighth, in a random order.
func randomRanges(rnd *rand.Rand, size int) [][2]int {
	const n = 8
	ranges := make([][2]int, n)
	for i, at := range rnd.Perm(n) {
		part := size / n
		start := rnd.IntN(part)
		ranges[i] = [2]int{at*part + start, 1 + rnd.IntN(part-start)}
	}
	return ranges
}

// paired is what a buddy must look like, found from below: two free buddies of
// one order that are each other's make one of the next.
type paired struct {
	free      [maxOrders][]bool // by order: whether a buddy of just this order is free
	counters  [maxOrders]uint32
	fragments int
	clusters  int
	first     int
}

func pairUp(used bitmap.Bits, orders, clusters int) *paired {
	p := &paired{first: clusters}
	size := len(used) * 64
	p.free[0] = make([]bool, size)
	for i := range clusters {
		if used.Test(i) {
			continue
		}
		p.free[0][i] = true
		p.clusters++
		if p.clusters == 1 {
			p.first = i
		}
		if i == 0 || used.Test(i-1) {
			p.fragments++
		}
	}
	for k := 1; k < orders; k++ {
		below := p.free[k-1]
		p.free[k] = make([]bool, len(below)/2)
		for i := range p.free[k] {
			if below[2*i] && below[2*i+1] {
				below[2*i], below[2*i+1] = false, false
				p.free[k][i] = true
			}
		}
	}
	for k := range orders {
		for _, f := range p.free[k] {
			if f {
				p.counters[k]++
			}
		}
	}
	return p
}

// check compares a group's buddy with p. A bit of order 0 is clear in every free
// cluster, not only in those whose buddy is not free.
func (p *paired) check(t *testing.T, a *Allocator, g *group) {
	t.Helper()
	for k := a.orders - 1; k > 0; k-- {
		for i, free := range p.free[k] {
			if g.buddy[k].Test(i) == free {
				t.Fatalf("order %d, buddy %d: free %t, should be %t", k, i, !free, free)
			}
		}
	}
	if g.counters != p.counters {
		t.Errorf("buddies by order %v, want %v", g.counters[:a.orders], p.counters[:a.orders])
	}
	if g.fragments != p.fragments || g.free != p.clusters || g.firstFree > p.first {
		t.Errorf("%d fragments, %d free, first %d; want %d, %d, at most %d", g.fragments, g.free, g.firstFree, p.fragments, p.clusters, p.first)
	}
	largest := a.orders - 1
	for largest >= 0 && p.counters[largest] == 0 {
		largest--
	}
	if g.largest != largest {
		t.Errorf("largest order %d, want %d", g.largest, largest)
	}
}

// TestGenerateBuddy: a buddy generated from a bitmap is the one that pairing
// from below gives.
func TestGenerateBuddy(t *testing.T) {
	for _, k := range Kernels() {
		for i, l := range layouts {
			for seed := range seedsOf(k, 8) {
				t.Run(fmt.Sprintf("%s/%s/seed=%d", k.Name, l.name, seed), func(t *testing.T) {
					testGenerateBuddy(t, layoutDisk(i), k, rand.New(rand.NewPCG(seed, 0)))
				})
			}
		}
	}
}

func testGenerateBuddy(t *testing.T, d *Disk, k Kernel, rnd *rand.Rand) {
	size := int(d.Geo.ClustersPerGroup)
	for _, r := range randomRanges(rnd, size) {
		d.Take(0, r[0], r[1])
	}
	a := d.Mount(t, of(k))
	g := a.load(0)
	want := pairUp(g.disk, a.orders, size)
	want.check(t, a, g)
	if g.firstFree != want.first {
		t.Errorf("first free cluster %d, want %d", g.firstFree, want.first)
	}
}

// TestGenerateBuddyOfExtremes: a full, an empty and a checkered group.
func TestGenerateBuddyOfExtremes(t *testing.T) {
	for i, l := range layouts {
		d := layoutDisk(i)
		size := int(d.Geo.ClustersPerGroup)
		d.Take(0, 0, size)
		for c := 0; c < size; c += 2 {
			d.Take(2, c, 1)
		}
		a := d.Mount(t, nil)
		for id := range allocator.GroupID(3) {
			t.Run(fmt.Sprintf("%s/group %d", l.name, id), func(t *testing.T) {
				g := a.load(id)
				pairUp(g.disk, a.orders, size).check(t, a, g)
			})
		}
	}
}

// TestMarkUsed: after each of eight ranges taken from an empty group the buddy
// is the one generated anew.
func TestMarkUsed(t *testing.T) {
	forLayouts(t, func(t *testing.T, a *Allocator, rnd *rand.Rand) {
		size := int(a.geo.ClustersPerGroup)
		g := a.load(1)
		used := bitmap.New(a.maxClusters)
		used.SetRange(size, a.maxClusters-size)
		for _, r := range randomRanges(rnd, size) {
			a.markUsed(g, r[0], r[1])
			used.SetRange(r[0], r[1])
			pairUp(used, a.orders, size).check(t, a, g)
		}
		// What is left of it, from the front.
		for i := used.NextZero(0, size); i < size; i = used.NextZero(i, size) {
			n := used.NextSet(i, size) - i
			a.markUsed(g, i, n)
			used.SetRange(i, n)
			pairUp(used, a.orders, size).check(t, a, g)
		}
		if g.free != 0 || g.largest != -1 {
			t.Errorf("a full group has %d free, largest order %d", g.free, g.largest)
		}
	})
}

// TestFreeRange: the same from a full group, freeing.
func TestFreeRange(t *testing.T) {
	forLayouts(t, func(t *testing.T, a *Allocator, rnd *rand.Rand) {
		size := int(a.geo.ClustersPerGroup)
		g := a.load(1)
		a.markUsed(g, 0, size)
		used := bitmap.New(a.maxClusters)
		used.Fill()
		for _, r := range randomRanges(rnd, size) {
			a.freeRange(g, r[0], r[1])
			used.ClearRange(r[0], r[1])
			pairUp(used, a.orders, size).check(t, a, g)
		}
		for i := used.NextSet(0, size); i < size; i = used.NextSet(i, size) {
			n := used.NextZero(i, size) - i
			a.freeRange(g, i, n)
			used.ClearRange(i, n)
			pairUp(used, a.orders, size).check(t, a, g)
		}
		if g.free != size || g.fragments != 1 || g.firstFree != 0 {
			t.Errorf("an empty group has %d free in %d fragments from %d", g.free, g.fragments, g.firstFree)
		}
	})
}

// TestMarkDiskUsed: on disk just the range is taken, and the counts follow.
func TestMarkDiskUsed(t *testing.T) {
	forLayouts(t, func(t *testing.T, a *Allocator, rnd *rand.Rand) {
		size := int(a.geo.ClustersPerGroup)
		total := a.freeClusters.Sum()
		for _, r := range randomRanges(rnd, size) {
			before := append(bitmap.Bits(nil), a.BitmapOf(1)...)
			before.SetRange(r[0], r[1])
			ac := &allocation{best: freeExtent{group: 1, start: r[0], len: r[1]}, flags: DelallocReserved}
			a.markDiskUsed(ac, 0)
			total -= int64(r[1])
			for i := range before {
				if a.BitmapOf(1)[i] != before[i] {
					t.Fatalf("range %v: word %d is %016x, want %016x", r, i, a.BitmapOf(1)[i], before[i])
				}
			}
			if n := before.CountZero(size); n != int(a.FreeClustersOf(1)) || a.freeClusters.Sum() != total {
				t.Fatalf("descriptor %d, counter %d; want %d, %d", a.FreeClustersOf(1), a.freeClusters.Sum(), n, total)
			}
		}
	})
}

// BenchmarkMarkUsed is the kernel's mark_used_cost: eight ranges are taken and
// given back.
func BenchmarkMarkUsed(b *testing.B) {
	for i, l := range layouts {
		b.Run(l.name, func(b *testing.B) {
			a := layoutDisk(i).Mount(b, nil)
			g := a.load(1)
			rnd := rand.New(rand.NewPCG(1, 0))
			ranges := randomRanges(rnd, int(a.geo.ClustersPerGroup))
			b.ReportAllocs()
			for b.Loop() {
				for _, r := range ranges {
					a.markUsed(g, r[0], r[1])
				}
				for _, r := range ranges {
					a.freeRange(g, r[0], r[1])
				}
			}
		})
	}
}
