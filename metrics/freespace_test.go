package metrics

import (
	"iter"
	"math/rand/v2"
	"path/filepath"
	"strings"
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

// scribbled is a file system of groups in memory, of which the bitmaps change as a test says.
type scribbled struct {
	drawn
	geo     *allocator.Geometry
	now     []bitmap.Bits // nil where nothing has changed
	changes allocator.Changes
}

func (s *scribbled) Count(Row)                                {}
func (s *scribbled) TakeChanged() iter.Seq[allocator.GroupID] { return s.changes.Take() }
func (s *scribbled) Touched() iter.Seq[allocator.GroupID]     { return nil }
func (s *scribbled) PeekBitmap(id allocator.GroupID) []uint64 { return s.now[id] }
func (s *scribbled) PeekFree(id allocator.GroupID) (uint32, bool) {
	return uint32(s.now[id].CountZero(int(s.geo.ClustersIn(id)))), s.now[id] != nil
}

// set changes clusters [from, to) of a group.
func (s *scribbled) set(id allocator.GroupID, from, to int, used bool) {
	if s.now[id] == nil {
		s.now[id] = bitmap.New(int(s.geo.ClustersPerGroup))
		s.BlockBitmap(id, s.now[id])
	}
	s.changes.Add(id)
	if used {
		s.now[id].SetRange(from, to-from)
	} else {
		s.now[id].ClearRange(from, to-from)
	}
}

// TestFollowingIsCounting: the free space that is followed from change to change is what a look at
// all groups counts, on random histories in which groups become full, and free as a whole, beside
// each other and at both ends of the device; and so is the block map.
func TestFollowingIsCounting(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		d := make(drawn, 1+r.IntN(200))
		const clusters = 24
		for i := range d {
			n := clusters
			if i == len(d)-1 {
				n = 1 + r.IntN(clusters)
			}
			switch b := []byte(strings.Repeat(".", n)); r.IntN(4) {
			case 0:
				for range 1 + r.IntN(8) {
					b[r.IntN(n)] = 'x'
				}
				d[i] = string(b)
			case 1:
				d[i] = strings.Repeat("x", n)
			default:
				d[i] = string(b)
			}
		}
		s := &scribbled{drawn: d, geo: d.geometry(uint8(seed % 2)), now: make([]bitmap.Bits, len(d)), changes: allocator.NewChanges(allocator.GroupID(len(d)))}
		if seed%2 == 1 && r.IntN(2) == 0 {
			s.geo.Blocks-- // the last cluster is cut short
		}
		m := newFreeMap(s, s.geo, s, 1+r.IntN(20))
		for range 60 {
			for range r.IntN(6) {
				id := allocator.GroupID(r.IntN(len(d)))
				n := int(s.geo.ClustersIn(id))
				from := r.IntN(n)
				to := from + 1 + r.IntN(n-from)
				if r.IntN(3) == 0 {
					from, to = 0, n
				}
				s.set(id, from, to, r.IntN(2) == 0)
			}
			m.follow()
			if r.IntN(3) == 0 {
				continue // several changes before the pieces are counted
			}
			got := m.space()
			if want := scanFree(s, s.geo, s.PeekBitmap); got != want {
				t.Fatalf("seed %d: followed %+v\ncounted %+v", seed, got, want)
			}
			var sum int64
			for _, n := range m.bands.free {
				sum += n
			}
			if clusters := int64(got.Blocks+uint64(s.geo.ClusterRatio())-1) >> s.geo.ClusterBits; sum != clusters || m.free != clusters {
				t.Fatalf("seed %d: %d free clusters in bands, %d in all, of %d", seed, sum, m.free, clusters)
			}
		}
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
			got := FreeSpaceNow(r.layout, &geo, Mballoc(r.fs.Allocator()))
			if want := FreeSpaceOf(l, &geo); got != want {
				t.Errorf("simulated %+v\nkernel    %+v", got, want)
			}
		})
	}
}
