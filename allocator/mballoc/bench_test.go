package mballoc

import (
	"testing"

	"mbsim/allocator"
	"mbsim/internal/invariants"
)

// path is a way through the allocator: after start, each call of the function it
// returns goes it once and leaves the disk as it was, or does so after some
// calls.
type path struct {
	name  string
	start func(tb testing.TB, k Kernel) func()
}

// paths are what a request may cost, from the cheapest on.
var paths = []path{
	{"inode preallocation", startInodePA},
	{"locality group", startGroupPA},
	{"goal", startGoal},
	{"cr0", startCr0},
	{"cr1, last of 1024 groups", startCr1},
	{"cr2, 1024 groups", startCr2},
	{"cr3, 1024 groups nearly full", startCr3},
	{"free and commit", startFreeCommit},
	{"discard for space", startDiscard},
	{"generate buddy", startGenerate},
}

// BenchmarkPath measures every path in every kernel that has an algorithm of its own: the
// others differ from those by lines.
func BenchmarkPath(b *testing.B) {
	for _, name := range []string{"5.10", "6.1", "6.12", "7.2"} {
		k, err := KernelByName(name)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range paths {
			b.Run(k.Name+"/"+p.name, func(b *testing.B) {
				step := p.start(b, k)
				b.ReportAllocs()
				for b.Loop() {
					step()
				}
			})
		}
	}
}

// TestPathsAllocateNothing: in the steady state no path takes memory.
func TestPathsAllocateNothing(t *testing.T) {
	if invariants.Enabled {
		t.Skip("the checks take memory")
	}
	for _, k := range Kernels() {
		for _, p := range paths {
			t.Run(k.Name+"/"+p.name, func(t *testing.T) {
				step := p.start(t, k)
				for range 2500 { // until all lists have grown
					step()
				}
				if n := testing.AllocsPerRun(500, step); n != 0 {
					t.Errorf("%g allocations a call", n)
				}
			})
		}
	}
}

// of configures a kernel, with lists of groups if it keeps any.
func of(k Kernel) func(*Config) {
	return func(cfg *Config) {
		cfg.Kernel, cfg.OptimizeScan = k, true
		cfg.Tunables = k.DefaultTunables(&cfg.Geometry, cfg.FlexFeature)
	}
}

// immediate is of, but what is freed is free at once, so that a path can undo itself.
func immediate(k Kernel) func(*Config) {
	return func(cfg *Config) {
		of(k)(cfg)
		cfg.ImmediateFree = true
	}
}

// loaded loads all buddies: without, the cheap criteria pass groups over.
func loaded(a *Allocator) *Allocator {
	for id := range a.geo.Groups {
		a.load(id)
	}
	return a
}

// must allocates and fails the test where that fails, or where it was not served
// by the criteria wanted, as Linux 5.10 numbers them; -1 for any.
func must(tb testing.TB, a *Allocator, r *Request, cr int) allocator.Block {
	// Some ladders have a rung more, behind the first two.
	if cr > 1 {
		cr += len(a.kernel.Ladder) - len(ladder5_10)
	}
	hits := a.stats.RungHits
	b, ok := a.NewBlocks(0, r)
	if !ok || cr >= 0 && a.stats.RungHits[cr] != hits[cr]+1 {
		tb.Fatalf("%d blocks at %d, %t; hits by criteria %v", r.Len, b, ok, a.stats.RungHits)
	}
	return b
}

// startInodePA: a file grows block by block; every 2048 blocks it is truncated.
func startInodePA(tb testing.TB, k Kernel) func() {
	a := NewDisk(12, 0, 0, 32768, 8, 0).Mount(tb, immediate(k))
	in := &Inode{Number: 12, Regular: true, Extents: true, Size: 8 << 20, Writers: 1}
	var r Request
	var first allocator.Block
	n := uint32(0)
	return func() {
		r = Request{Inode: in, Len: 1, Logical: n, Flags: HintData | DelallocReserved}
		b := must(tb, a, &r, -1)
		if n == 0 {
			first = b
		}
		if n++; n == 2048 {
			a.DiscardInode(0, in, 0)
			a.FreeBlocks(0, in, first, n, 0, 0)
			n = 0
		}
	}
}

// startGroupPA: small files are made and removed.
func startGroupPA(tb testing.TB, k Kernel) func() {
	a := NewDisk(12, 0, 0, 32768, 8, 0).Mount(tb, immediate(k))
	in := &Inode{Number: 12, Regular: true, Extents: true, Size: 8192, Writers: 1}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 2, Flags: HintData | DelallocReserved}
		b := must(tb, a, &r, -1)
		a.FreeBlocks(0, in, b, 2, 0, 0)
	}
}

// startGoal: a block at its goal, and gone again.
func startGoal(tb testing.TB, k Kernel) func() {
	a := NewDisk(12, 0, 0, 32768, 8, 0).Mount(tb, immediate(k))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 1, Goal: 70000, Flags: HintTryGoal}
		if b := must(tb, a, &r, -1); b != 70000 {
			tb.Fatal(b)
		}
		a.FreeBlocks(0, in, 70000, 1, 0, 0)
	}
}

// startCr0: sixteen blocks from the buddy.
func startCr0(tb testing.TB, k Kernel) func() {
	a := loaded(NewDisk(12, 0, 0, 32768, 8, 0).Mount(tb, immediate(k)))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 16, Goal: 70000}
		b := must(tb, a, &r, 0)
		a.FreeBlocks(0, in, b, 16, 0, 0)
	}
}

// startCr1: only the last of many groups has fragments that are long enough on
// average.
func startCr1(tb testing.TB, k Kernel) func() {
	const groups = 1024
	d := NewDisk(12, 0, 0, 4096, groups, 0)
	for id := range allocator.GroupID(groups - 1) {
		for c := 0; c < 4096; c += 4 {
			d.Take(id, c, 2)
		}
	}
	a := loaded(d.Mount(tb, immediate(k)))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 5}
		b := must(tb, a, &r, 1)
		a.FreeBlocks(0, in, b, 5, 0, 0)
	}
}

// startCr2: no group has long fragments on average, but one has one.
func startCr2(tb testing.TB, k Kernel) func() {
	const groups = 1024
	d := NewDisk(12, 0, 0, 4096, groups, 0)
	for id := range allocator.GroupID(groups) {
		d.Free(id, [2]int{7, 1}, [2]int{99, 1})
	}
	d.Free(groups-1, [2]int{3, 1}, [2]int{5, 1}, [2]int{10, 1}, [2]int{64, 8})
	a := loaded(d.Mount(tb, immediate(k)))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 5}
		b := must(tb, a, &r, 2)
		a.FreeBlocks(0, in, b, r.Len, 0, 0)
	}
}

// startCr3: single clusters are all there is.
func startCr3(tb testing.TB, k Kernel) func() {
	const groups = 1024
	d := NewDisk(12, 0, 0, 4096, groups, 0)
	for id := range allocator.GroupID(groups) {
		d.Free(id, [2]int{7, 1}, [2]int{99, 1}, [2]int{1000, 1})
	}
	a := loaded(d.Mount(tb, immediate(k)))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: in, Len: 5}
		b := must(tb, a, &r, 3)
		a.FreeBlocks(0, in, b, r.Len, 0, 0)
	}
}

// startFreeCommit: a block is taken and freed, and the transaction commits.
func startFreeCommit(tb testing.TB, k Kernel) func() {
	a := loaded(NewDisk(12, 0, 0, 32768, 8, 0).Mount(tb, of(k)))
	in := &Inode{Number: 12, Extents: true}
	var r Request
	tid := uint64(0)
	return func() {
		r = Request{Inode: in, Len: 16, Goal: 70000}
		b := must(tb, a, &r, 0)
		a.FreeBlocks(0, in, b, 16, 0, tid)
		a.Committed(tid)
		tid++
	}
}

// startDiscard: a search finds nothing until the preallocation of another file
// is discarded.
func startDiscard(tb testing.TB, k Kernel) func() {
	d := NewDisk(12, 0, 0, 2048, 2, 0)
	d.Free(0, [2]int{1000, 5})
	d.Take(1, 0, 2048)
	a := d.Mount(tb, immediate(k))
	holder := &Inode{Number: 12, Regular: true, Extents: true, Size: 8 << 20, Writers: 1}
	in := &Inode{Number: 13, Extents: true}
	var r Request
	return func() {
		r = Request{Inode: holder, Len: 1, Flags: HintData | DelallocReserved}
		held := must(tb, a, &r, -1)
		r = Request{Inode: in, Len: 4}
		b := must(tb, a, &r, -1)
		a.FreeBlocks(0, in, b, 4, 0, 0)
		a.FreeBlocks(0, holder, held, 1, 0, 0)
	}
}

// startGenerate: the buddy of a group with a thousand fragments.
func startGenerate(tb testing.TB, k Kernel) func() {
	d := NewDisk(12, 0, 0, 32768, 2, 0)
	for c := 0; c < 32768; c += 32 {
		d.Take(1, c, 8+c%23)
	}
	a := d.Mount(tb, of(k))
	g := a.load(1)
	return func() { a.generate(1, g) }
}
