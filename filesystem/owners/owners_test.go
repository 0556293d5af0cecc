package owners

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// TestCompare compares with a look at each member alone, on random bitmaps.
func TestCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int, odds int) bitmap.Bits {
		b := bitmap.New(n)
		for i := 0; i < n; i += 1 + r.IntN(20) {
			if r.IntN(odds) == 0 {
				b.SetRange(i, min(n-i, 1+r.IntN(90)))
			}
		}
		return b
	}
	for range 2000 {
		n := 1 + r.IntN(300)
		g := group{n: uint32(n), before: random(n, 3), now: random(n, 3), held: random(n, 4), owned: random(n, 4)}
		if r.IntN(5) == 0 {
			g.held = nil
		}
		if r.IntN(5) == 0 {
			g.owned = nil
		}
		var want, got [kinds][]int
		test := func(b bitmap.Bits, i int) bool { return b != nil && b.Test(i) }
		for i := range n {
			system, owned, now := g.before.Test(i) && !test(g.held, i), test(g.owned, i), g.now.Test(i)
			for k, is := range [kinds]bool{system && owned, now && !system && !owned, !now && (system || owned)} {
				if is {
					want[k] = append(want[k], i)
				}
			}
		}
		last := [kinds]int{-1, -1, -1}
		for _, s := range g.compare() {
			if int(s.from) <= last[s.kind] || s.to <= s.from {
				t.Fatalf("a span [%d, %d) that touches the one before, up to %d", s.from, s.to, last[s.kind])
			}
			last[s.kind] = int(s.to)
			for i := s.from; i < s.to; i++ {
				got[s.kind] = append(got[s.kind], int(i))
			}
		}
		for k := range kinds {
			if !slices.Equal(got[k], want[k]) {
				t.Fatalf("%v: got %v, want %v", k, got[k], want[k])
			}
		}
	}
}

// disk is a device of two groups of 100 blocks, ten of each group the system's.
type disk struct {
	now  [2]bitmap.Bits
	free [2]uint32
	sum  int64
}

var geometry = allocator.Geometry{BlockBits: 12, Blocks: 180, ClustersPerGroup: 100, BlocksPerGroup: 100, InodesPerGroup: 50, Groups: 2}

func (*disk) Desc(id allocator.GroupID) allocator.GroupDesc {
	return allocator.GroupDesc{FreeClusters: 90 - 20*uint32(id), FreeInodes: 39}
}
func (*disk) BlockBitmap(id allocator.GroupID, bits []uint64) { bitmap.Bits(bits).SetRange(0, 10) }
func (*disk) InodeBitmap(id allocator.GroupID, bits []uint64) { bitmap.Bits(bits).SetRange(0, 11) }
func (*disk) SystemZone(b allocator.Block, n uint32) bool     { return false }
func (*disk) Touched() iter.Seq[allocator.GroupID]            { return slices.Values([]allocator.GroupID{0, 1}) }
func (d *disk) PeekFree(id allocator.GroupID) (uint32, bool)  { return d.free[id], true }
func (d *disk) PeekBitmap(id allocator.GroupID) []uint64      { return d.now[id] }
func (d *disk) CountFreeClusters() int64                      { return int64(d.free[0] + d.free[1]) }
func (d *disk) FreeClusters() *allocator.PerCPUCounter        { return allocator.NewPerCPUCounter(d.sum, 1) }

// TestBlocks breaks each rule of the block bitmaps in turn.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		do   func(d *disk, x *Blocks)
		want string
	}{
		{func(*disk, *Blocks) {}, "<nil>"},
		{func(d *disk, _ *Blocks) { d.now[0].SetRange(60, 2); d.free[0] -= 2; d.sum -= 2 }, "blocks 60 to 61 of group 0: in use and nobody's"},
		{func(d *disk, x *Blocks) { d.now[0].Set(60); x.Stuck = func(allocator.GroupID) uint32 { return 1 } }, "group 1: its descriptor counts 69 free clusters; at mount it was 70, so its bitmap makes it 70"},
		{func(d *disk, _ *Blocks) { d.now[1].Clear(20) }, "block 120 of group 1: in use and free on disk\ngroup 1: its descriptor counts 69 free clusters; at mount it was 70, so its bitmap makes it 70"},
		{func(d *disk, _ *Blocks) { d.now[1].Clear(0); d.free[1]++; d.sum++ }, "block 100 of group 1: in use and free on disk"},
		{func(_ *disk, x *Blocks) { Own(&geometry, x.Now, 5, 1) }, "block 5 of group 0: a file's and the file system's own"},
		{func(d *disk, _ *Blocks) { d.sum++ }, "the counter has 160 free clusters, the descriptors 159"},
		{func(_ *disk, x *Blocks) { x.Now = nil }, "block 120 of group 1: in use and nobody's"},
		{func(_ *disk, x *Blocks) { Own(&geometry, x.Before, 7, 1); Own(&geometry, x.Now, 7, 1) }, "<nil>"},
	} {
		d := &disk{now: [2]bitmap.Bits{bitmap.New(100), bitmap.New(100)}, free: [2]uint32{90, 69}, sum: 159}
		for id := range d.now {
			d.BlockBitmap(allocator.GroupID(id), d.now[id])
		}
		d.now[1].Set(20)
		x := &Blocks{Geometry: &geometry, Source: d, Allocator: d, Before: NewSet(100), Now: NewSet(100)}
		if err := Own(&geometry, x.Now, 120, 1); err != nil {
			t.Fatal(err)
		}
		c.do(d, x)
		var r Report
		x.Check(&r)
		if got := fmt.Sprint(r.Err()); got != c.want && !(strings.HasPrefix(c.want, "group 1") && strings.HasPrefix(got, c.want)) {
			t.Errorf("got %v\nwant %v", got, c.want)
		}
	}
}

// TestInodes breaks each rule of the inode bitmaps in turn.
func TestInodes(t *testing.T) {
	for _, c := range []struct {
		do   func(g *[2]InodeGroup, x *Inodes)
		want string
	}{
		{func(*[2]InodeGroup, *Inodes) {}, "<nil>"},
		{func(g *[2]InodeGroup, _ *Inodes) { g[1].Bits.Set(30); g[1].Free-- }, "inode 81 is in use and nobody's"},
		{func(g *[2]InodeGroup, _ *Inodes) { g[1].Bits.Clear(20); g[1].Free++ }, "inode 71 is in use and free on disk"},
		{func(g *[2]InodeGroup, _ *Inodes) { g[1].Free++ }, "group 1: its descriptor counts 39 free inodes; at mount it was 39, so its bitmap makes it 38"},
		{func(g *[2]InodeGroup, _ *Inodes) { g[1].Dirs-- }, "group 1: its descriptor counts 0 directories; at mount it was 0, so its files make it 1"},
		{func(g *[2]InodeGroup, _ *Inodes) { g[0].Dirs++ }, "group 0: nothing touched its inodes, and its descriptor counts 39 free and 1 directories, at mount 39 and 0"},
		{func(_ *[2]InodeGroup, x *Inodes) { OwnInode(&geometry, x.Now, 3) }, "inode 3 is a file's and the file system's own"},
	} {
		x := &Inodes{Geometry: &geometry, Source: new(disk), Before: NewSet(50), Now: NewSet(50), DirsBefore: NewSet(50), DirsNow: NewSet(50)}
		g := [2]InodeGroup{{Free: 39}, {Free: 38, Dirs: 1, Bits: bitmap.New(50)}}
		x.Source.InodeBitmap(1, g[1].Bits)
		g[1].Bits.Set(20)
		if !OwnInode(&geometry, x.Now, 71) || OwnInode(&geometry, x.Now, 71) || !OwnInode(&geometry, x.DirsNow, 71) {
			t.Fatal("an inode is new once")
		}
		c.do(&g, x)
		x.Group = func(id allocator.GroupID) (InodeGroup, bool) { return g[id], g[id].Bits != nil || g[id].Dirs > 0 }
		var r Report
		free, dirs := x.Check(&r)
		if got := fmt.Sprint(r.Err()); got != c.want {
			t.Errorf("got %v\nwant %v", got, c.want)
		}
		if free != int64(g[0].Free+g[1].Free) || dirs != int64(g[0].Dirs+g[1].Dirs) {
			t.Errorf("sums %d and %d of %+v", free, dirs, g)
		}
	}
}

func TestOwn(t *testing.T) {
	s := NewSet(100)
	for _, c := range []struct {
		b    allocator.Block
		want string
	}{{0, ""}, {179, ""}, {0, "block 0 of group 0: two owners"}, {180, "block 180: not on the device of 180 blocks"}} {
		if err := Own(&geometry, s, c.b, 1); err == nil && c.want != "" || err != nil && err.Error() != c.want {
			t.Errorf("block %d: %v", c.b, err)
		}
	}
}

// TestOwnRuns claims runs of blocks in any order, over the bounds of groups and in parts
// of clusters, and compares with one block at a time.
func TestOwnRuns(t *testing.T) {
	geo := allocator.Geometry{BlockBits: 12, ClusterBits: 2, FirstDataBlock: 0, Blocks: 1000, ClustersPerGroup: 32, BlocksPerGroup: 128, Groups: 8}
	r := rand.New(rand.NewPCG(3, 4))
	s, have := NewSet(geo.ClustersPerGroup), make(map[allocator.Block]bool)
	for range 400 {
		b := allocator.Block(r.IntN(1000))
		n := uint64(1 + r.IntN(min(200, 1000-int(b))))
		if r.IntN(3) > 0 {
			n = min(n, 3)
		}
		twice := false
		for c := b >> 2; c <= (b+allocator.Block(n)-1)>>2; c++ {
			twice = twice || have[c]
			have[c] = true
		}
		if err := Own(&geo, s, b, n); (err != nil) != twice {
			t.Fatalf("blocks %d+%d: %v; want two owners: %t", b, n, err, twice)
		}
		if len(have) > 200 {
			s, have = NewSet(geo.ClustersPerGroup), make(map[allocator.Block]bool)
		}
	}
	if err := Own(&geo, s, 990, 11); err == nil {
		t.Error("blocks behind the end have an owner")
	}
}

// TestReport: of one subject ten contradictions are told, and all are counted.
func TestReport(t *testing.T) {
	var r Report
	if r.Err() != nil {
		t.Error("an empty report is an error")
	}
	r.About("inode", 12)
	for i := range 13 {
		r.Errorf("wrong %d", i)
	}
	r.AboutAll()
	r.Errorf("all\nof it")
	text := r.Err().Error()
	if !strings.HasPrefix(text, "inode 12: wrong 0\n") || strings.Contains(text, "wrong 10") || !strings.HasSuffix(text, "\nall\nof it\n3 contradictions more") {
		t.Error(text)
	}
	if s := Summary(r.Err()); s != "inode 12: wrong 0 (and 11 more)" {
		t.Error(s)
	}
	if s := Summary(errors.New("a\nb")); s != "a; b" {
		t.Error(s)
	}
}
