package reservation

import (
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/alloctest"
)

// newAllocator is an allocator over an empty disk of full-sized groups.
func newAllocator(t testing.TB, groups int, window uint32) *Allocator {
	t.Helper()
	d := alloctest.NewDisk(alloctest.Shape{BlockBits: 12, Groups: groups, BlocksPerGroup: 32768, LastGroup: 32768})
	a, err := New(Config{Geometry: d.Geometry, Source: d, Window: window, CPUs: 1})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewRefuses(t *testing.T) {
	d := alloctest.NewDisk(alloctest.Shape{BlockBits: 12, Groups: 1, BlocksPerGroup: 64, LastGroup: 64})
	for want, change := range map[string]func(*Config){
		"0 CPUs":                 func(c *Config) { c.CPUs = 0 },
		"clusters of 4 blocks":   func(c *Config) { c.Geometry.ClusterBits = 2 },
		"no groups":              func(c *Config) { c.Geometry.Groups = 0 },
		"at most 2^32-1":         func(c *Config) { c.Geometry.Blocks = 1 << 32 },
		"windows of 1028 blocks": func(c *Config) { c.Window = 1028 },
	} {
		c := Config{Geometry: d.Geometry, Source: d, Window: 8, CPUs: 1}
		change(&c)
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one about %q", err, want)
		}
	}
}

// TestFreeBlocksPanics: what no caller may free.
func TestFreeBlocksPanics(t *testing.T) {
	for name, r := range map[string]alloctest.Range{
		"free":          {Start: 100, Len: 1},
		"half free":     {Start: 49, Len: 2},
		"metadata":      {Start: 3, Len: 1},
		"past the end":  {Start: 65530, Len: 10},
		"far past it":   {Start: 1 << 40, Len: 1},
		"group's table": {Start: 32768 + 4, Len: 1},
	} {
		a := newAllocator(t, 2, 8)
		a.NewBlocks(0, &Request{Goal: 40, Len: 10})
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: freed", name)
				}
			}()
			a.FreeBlocks(0, r.Start, r.Len)
		}()
	}
}

// TestFreeBlocksAcross frees a run that reaches over a group's end.
func TestFreeBlocksAcross(t *testing.T) {
	d := alloctest.NewDisk(alloctest.Shape{BlockBits: 12, Groups: 2, BlocksPerGroup: 64, LastGroup: 64})
	d2 := noMetadata{d}
	a, err := New(Config{Geometry: d.Geometry, Source: d2, CPUs: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []Request{{Goal: 60, Len: 4}, {Goal: 64, Len: 4}} {
		if b, ok := a.NewBlocks(0, &r); !ok || b != r.Goal || r.Len != 4 {
			t.Fatalf("got %d+%d", b, r.Len)
		}
	}
	a.FreeBlocks(0, 60, 8)
	if a.CountFreeClusters() != 128 || a.FreeClustersOf(0) != 64 || a.FreeClustersOf(1) != 64 {
		t.Errorf("%d blocks are free", a.CountFreeClusters())
	}
	if err := a.Check(); err != nil {
		t.Error(err)
	}
}

// noMetadata is a disk on which every block is free.
type noMetadata struct{ *alloctest.Disk }

func (d noMetadata) BlockBitmap(allocator.GroupID, []uint64) {}
func (d noMetadata) Desc(allocator.GroupID) allocator.GroupDesc {
	return allocator.GroupDesc{FreeClusters: 64, BlockBitmap: 1 << 20, InodeBitmap: 1 << 20, InodeTable: 1 << 20}
}

// TestRemount: bitmaps are cold again, and a window that is held is a mistake.
func TestRemount(t *testing.T) {
	a := newAllocator(t, 2, 8)
	var w Window
	a.InitWindow(&w)
	take := func() {
		if _, ok := a.NewBlocks(0, &Request{Goal: 100, Len: 1, Window: &w}); !ok {
			t.Fatal("no space")
		}
	}
	take()
	if err := a.Remount(); err == nil {
		t.Error("remounted with a window held")
	}
	a.DiscardWindow(&w)
	if err := a.Remount(); err != nil {
		t.Fatal(err)
	}
	take()
	if s := a.Stats(); s.BitmapLoads != 1 || s.Requests != 1 {
		t.Errorf("after the remount: %+v", s)
	}
	if free, touched := a.PeekFree(1); touched || free != 32768-5 {
		t.Errorf("group 1 was not looked at: %d free, %v", free, touched)
	}
	for id := range a.Touched() {
		if id != 0 || a.PeekBitmap(id) == nil || a.PeekBitmap(1) != nil {
			t.Errorf("group %d touched", id)
		}
	}
}

// TestCounterBatch: with several CPUs the counter lags behind, and an ordinary
// user may be refused, or served, by the wrong count.
func TestCounterBatch(t *testing.T) {
	d := alloctest.NewDisk(alloctest.Shape{BlockBits: 12, Groups: 1, BlocksPerGroup: 1024, LastGroup: 1024})
	a, err := New(Config{Geometry: d.Geometry, Source: d, CPUs: 2, RootReserved: 1000})
	if err != nil {
		t.Fatal(err)
	}
	served := 0
	for {
		if _, ok := a.NewBlocks(0, &Request{Len: 1, Unprivileged: true}); !ok {
			break
		}
		served++
	}
	if want := 32; served != want { // 1017 are free, 17 more than the reserve, but 32 are counted at once
		t.Errorf("served %d blocks, want %d", served, want)
	}
	if err := a.Check(); err != nil {
		t.Error(err)
	}
}

// BenchmarkNewBlocks is a request inside a window that is extended or replaced now
// and then: a file that grows block by block.
func BenchmarkNewBlocks(b *testing.B) {
	a := newAllocator(b, 64, DefaultWindow)
	var w Window
	a.InitWindow(&w)
	for id := range a.geo.Groups {
		a.loaded(id)
	}
	const batch = 1 << 20
	goal := allocator.Block(100)
	r := Request{Window: &w}
	taken := make([]alloctest.Range, 0, batch)
	b.ReportAllocs()
	for b.Loop() {
		r.Goal, r.Len = goal, 1
		at, ok := a.NewBlocks(0, &r)
		if !ok {
			b.Fatal("no space")
		}
		goal = at + 1
		if taken = append(taken, alloctest.Range{Start: at, Len: 1}); len(taken) == batch {
			giveBack(a, &taken)
			goal = 100
		}
	}
}

func giveBack(a *Allocator, taken *[]alloctest.Range) {
	for _, x := range *taken {
		a.FreeBlocks(0, x.Start, x.Len)
	}
	*taken = (*taken)[:0]
}

// BenchmarkManyFiles is 1000 files that grow in turns, two blocks at a time, so
// that their windows crowd the tree, and are closed now and then.
func BenchmarkManyFiles(b *testing.B) {
	a := newAllocator(b, 64, DefaultWindow)
	const files, batch = 1000, 1 << 19
	windows := make([]Window, files)
	goals := make([]allocator.Block, files)
	reset := func(i int) {
		a.DiscardWindow(&windows[i])
		a.InitWindow(&windows[i])
		goals[i] = allocator.Block(i%16*2048 + 8)
	}
	for i := range windows {
		reset(i)
	}
	for id := range a.geo.Groups {
		a.loaded(id)
	}
	taken := make([]alloctest.Range, 0, batch)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f := i % files
		if i%100_003 == 0 {
			reset(f)
		}
		r := Request{Goal: goals[f], Len: 2, Window: &windows[f]}
		at, ok := a.NewBlocks(0, &r)
		if !ok {
			b.Fatal("no space")
		}
		goals[f] = at + allocator.Block(r.Len)
		if taken = append(taken, alloctest.Range{Start: at, Len: r.Len}); len(taken) == batch {
			giveBack(a, &taken)
		}
	}
}

// BenchmarkFull is a request on a device of which 99% is in use, in single free
// blocks: every window has to be sought.
func BenchmarkFull(b *testing.B) {
	a := newAllocator(b, 64, DefaultWindow)
	for {
		if _, ok := a.NewBlocks(0, &Request{Len: 4096}); !ok {
			break
		}
	}
	for at := allocator.Block(50); at < a.geo.Blocks; at += 101 {
		if id, off := a.geo.GroupOf(at); off > 10 && int(off) < a.blocksIn(id) {
			a.FreeBlocks(0, at, 1)
		}
	}
	var w Window
	a.InitWindow(&w)
	goal := allocator.Block(0)
	b.ReportAllocs()
	for b.Loop() {
		r := Request{Goal: goal, Len: 1, Window: &w}
		at, ok := a.NewBlocks(0, &r)
		if !ok {
			b.Fatal("no space")
		}
		a.FreeBlocks(0, at, 1)
		goal = (at + 1000) % a.geo.Blocks
	}
}

// TestNoAllocations holds what the benchmarks show: the allocation path takes no
// memory.
func TestNoAllocations(t *testing.T) {
	a := newAllocator(t, 4, DefaultWindow)
	for id := range a.geo.Groups {
		a.loaded(id)
	}
	windows := make([]Window, 50)
	for i := range windows {
		a.InitWindow(&windows[i])
	}
	i := 0
	var r Request
	if n := testing.AllocsPerRun(2000, func() {
		w := &windows[i%len(windows)]
		r = Request{Goal: allocator.Block(i * 37 % 131072), Len: uint32(i%9 + 1), Window: w}
		if i%10 == 9 {
			a.DiscardWindow(w)
		}
		b, ok := a.NewBlocks(0, &r)
		if ok && i%3 == 0 {
			a.FreeBlocks(0, b, r.Len)
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations a request", n)
	}
	if err := a.Check(); err != nil {
		t.Error(err)
	}
}
