package metrics

import (
	"path/filepath"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// drawn is a file system whose bitmaps are written out: '.' is a free cluster,
// anything else one in use; a string a group.
type drawn []string

func (d drawn) Desc(id allocator.GroupID) allocator.GroupDesc {
	n := uint32(0)
	for _, c := range d[id] {
		if c == '.' {
			n++
		}
	}
	return allocator.GroupDesc{FreeClusters: n}
}

func (d drawn) BlockBitmap(id allocator.GroupID, b []uint64) {
	bits := bitmap.Bits(b)
	bits.SetRange(0, len(b)*64)
	for i, c := range d[id] {
		if c == '.' {
			bits.Clear(i)
		}
	}
}
func (drawn) InodeBitmap(allocator.GroupID, []uint64) {}
func (drawn) SystemZone(allocator.Block, uint32) bool { return false }

// geometry is that of groups of so many blocks of 1K, the first block being 1.
func (d drawn) geometry(clusterBits uint8) *allocator.Geometry {
	cpg := uint32(len(d[0]))
	g := &allocator.Geometry{
		BlockBits: 10, ClusterBits: clusterBits, FirstDataBlock: 1, ClustersPerGroup: cpg, BlocksPerGroup: cpg << clusterBits,
		Groups: allocator.GroupID(len(d)),
	}
	if clusterBits > 0 {
		g.FirstDataBlock = 0
	}
	for _, s := range d {
		g.Blocks += allocator.Block(len(s)) << clusterBits
	}
	g.Blocks += g.FirstDataBlock
	return g
}

func TestFreeSpaceOf(t *testing.T) {
	type bins map[int]Bin
	for _, c := range []struct {
		name                   string
		d                      drawn
		clusterBits            uint8
		blocks, n, least, most uint64
		bins                   bins
		from4K                 float64
	}{
		{"full", drawn{"xxxxxxxx", "xxxx"}, 0, 0, 0, 0, 0, bins{}, nan},
		{"empty, over a border", drawn{"........", "...."}, 0, 12, 1, 12, 12, bins{3: {1, 12}}, 1},
		{"pieces", drawn{".x..x...", "x.x."}, 0, 8, 5, 1, 3, bins{0: {3, 3}, 1: {2, 5}}, 0},
		{"one ends a group, one begins the next", drawn{"xxxxxx..", "...x"}, 0, 5, 1, 5, 5, bins{2: {1, 5}}, 1},
		{"four blocks are of the class from four on", drawn{"x....x..", "xxxx"}, 0, 6, 2, 2, 4, bins{1: {1, 2}, 2: {1, 4}}, 4. / 6},
		{"clusters of two blocks", drawn{".x..x...", "x.x."}, 1, 16, 5, 2, 6, bins{1: {3, 6}, 2: {2, 10}}, 10. / 16},
	} {
		f := FreeSpaceOf(c.d, c.d.geometry(c.clusterBits))
		var want Bins
		for i, b := range c.bins {
			want[i] = b
		}
		if f.Blocks != c.blocks || f.Extents != c.n || f.Min != c.least || f.Max != c.most || f.Sizes != want || !same(f.ShareFrom(4096), c.from4K) {
			t.Errorf("%s: %+v, from 4K %v", c.name, f, f.ShareFrom(4096))
		}
	}
}

// A group of many pieces is not kept but read again, and those around it still
// are found: the last four of the fourth group join the first of the fifth.
func TestCrowdedGroups(t *testing.T) {
	crowd := ".x.x.x.x.x.x.x.x.x.x.x.x"
	d := drawn{"xxxx....xxxx....xxxxxxxx", crowd, crowd, "........xxxxxxxxxxxx....", crowd}
	m := newFreeMap(d, d.geometry(0))
	f := m.scan(nil)
	if f.Extents != 2+12+12+1+1+11 || f.Blocks != 8+12+12+12+12 || f.Max != 8 || f.Sizes[2] != (Bin{3, 13}) || f.Sizes[0] != (Bin{35, 35}) {
		t.Errorf("%+v", f)
	}
	if len(m.kept) != 4 {
		t.Errorf("%d runs kept", len(m.kept))
	}
}

// What the simulator leaves on disk has the free space that the real kernel left,
// as dumpe2fs shows it after the recorder unmounted.
func TestFreeSpaceAgreesWithTheKernel(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			after := filepath.Join(dir, "after.dumpe2fs.gz")
			if !exists(after) {
				after = filepath.Join(dir, "5.10", "after.dumpe2fs.gz")
			}
			r := start(t, dir)
			r.perform(t, r.c.Ops, 0, nil)
			if err := r.play.CloseAll(); err != nil {
				t.Fatal(err)
			}
			if err := r.fs.Remount(&r.play.Task); err != nil {
				t.Fatal(err)
			}
			l := readLayout(t, after)
			geo := l.Geometry()
			got := newFreeMap(r.layout, &geo).scan(r.fs.Allocator().PeekBitmap)
			if want := FreeSpaceOf(l, &geo); got != want {
				t.Errorf("simulated %+v\nkernel    %+v", got, want)
			}
		})
	}
}
