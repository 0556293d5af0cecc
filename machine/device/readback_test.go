package device

import (
	"math/rand/v2"
	"strings"
	"testing"

	"mbsim/sim"
)

// files are n files of so many blocks each, in extents of the given length that lie
// one behind the other, or anywhere.
func files(n, blocks, extent uint64, anywhere bool) [][]Extent {
	g := rand.New(rand.NewPCG(5, 6))
	var all [][]Extent
	next := uint64(1000)
	for range n {
		var f []Extent
		for left := blocks; left > 0; {
			x := Extent{Block: next, Count: min(extent, left)}
			if anywhere {
				x.Block = g.Uint64N(terabyte/block - blocks)
			}
			next += x.Count
			left -= x.Count
			f = append(f, x)
		}
		all = append(all, f)
	}
	return all
}

func readBack(t *testing.T, medium Medium, all [][]Extent) ReadResult {
	t.Helper()
	r, err := ReadBack(Default(medium), terabyte, block, all)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// How extents lie decides the time on a disk, less on flash, and not at all on none.
func TestReadBack(t *testing.T) {
	for _, c := range []struct {
		what      string
		medium    Medium
		files     [][]Extent
		requests  uint64
		seeks     uint64
		low, high float64 // MB/s
	}{
		{"one piece", HDD, files(10, 2560, 2560, false), 10 * 80, 1, 205, 211},
		{"pieces in a row", HDD, files(10, 2560, 8, false), 10 * 80, 1, 205, 211},
		{"small files in a row", HDD, files(1000, 4, 4, false), 1000, 1, 80, 140},
		{"pieces of 1 MiB anywhere", HDD, files(10, 2560, 256, true), 10 * 80, 100, 52, 57},
		{"pieces of 32 KiB anywhere", HDD, files(10, 2560, 8, true), 10 * 320, 3200, 2.4, 2.8},
		{"small files anywhere", HDD, files(1000, 4, 4, true), 1000, 1000, 1.2, 1.4},
		{"one piece", SSD, files(10, 2560, 2560, false), 10 * 80, 1, 525, 560},
		{"pieces of 32 KiB anywhere", SSD, files(10, 2560, 8, true), 10 * 320, 3200, 230, 260},
		{"one piece", NVMe, files(10, 2560, 2560, false), 10 * 80, 1, 3200, 3500},
		{"pieces of 32 KiB anywhere", NVMe, files(10, 2560, 8, true), 10 * 320, 3200, 500, 560},
	} {
		r := readBack(t, c.medium, c.files)
		if rate := r.Rate() / 1e6; r.Requests != c.requests || r.Seeks != c.seeks || rate < c.low || rate > c.high {
			t.Errorf("%s on %v: %+v, %.1f MB/s; want %d requests, %d seeks, %g to %g MB/s", c.what, c.medium, r, rate, c.requests, c.seeks, c.low, c.high)
		}
	}
	r := readBack(t, None, files(10, 2560, 8, true))
	if r.Time != 0 || r.Rate() != 0 || r.Bytes != 10*2560*block || r.Requests != 3200 {
		t.Errorf("none: %+v", r)
	}
	if r := readBack(t, HDD, nil); r != (ReadResult{}) {
		t.Errorf("nothing: %+v", r)
	}
}

// A process that does the same on an engine takes the same time.
func TestReadBackIsTheDevice(t *testing.T) {
	for _, medium := range []Medium{HDD, SSD, NVMe} {
		all := files(20, 100, 7, true)
		want := readBack(t, medium, all)
		e := sim.New()
		d, err := New(e, Default(medium), terabyte)
		if err != nil {
			t.Fatal(err)
		}
		e.Go("reader", func(p *sim.Process) {
			for _, f := range all {
				left := uint64(window / block)
				for _, x := range f {
					for x.Count > 0 {
						n := min(x.Count, left)
						d.Do(p, Request{Kind: Read, Block: x.Block, Count: uint32(n), BlockSize: block})
						x.Block, x.Count = x.Block+n, x.Count-n
						if left -= n; left == 0 {
							left = uint64(window / block)
						}
					}
				}
			}
		})
		e.Run(sim.Forever)
		if s := d.Stats(); e.Now() != want.Time || s.Commands != want.Requests || s.ReadBytes != want.Bytes || s.Seeks != want.Seeks || s.Distance != want.Distance {
			t.Errorf("%v: %d ns, %+v; read back %+v", medium, e.Now(), s, want)
		}
		e.Close()
	}
}

// Where the device takes less than a window at once, it is read in parts.
func TestReadBackInParts(t *testing.T) {
	m := Default(SSD)
	m.MaxRequest = 48 * kib
	r, err := ReadBack(m, terabyte, block, [][]Extent{{{0, 64}, {64, 1}}, {{65, 12}, {100, 12}}})
	if err != nil {
		t.Fatal(err)
	}
	// Two windows of 48, 48 and 32 KiB and one of 4, then 48 and 48 KiB.
	if r.Requests != 9 || r.Seeks != 1 || r.Distance != (100-77)*block || r.Bytes != 89*block {
		t.Errorf("%+v", r)
	}
}

func TestReadBackRefuses(t *testing.T) {
	for _, c := range []struct {
		size, blockSize int64
		x               Extent
		want            string
	}{
		{0, block, Extent{}, "on a device of 0 bytes"},
		{terabyte, 0, Extent{}, "blocks of 0 bytes"},
		{100 * block, block, Extent{99, 2}, "blocks 99+2 lie behind the end of the device, 100 blocks"},
		{100 * block, block, Extent{1 << 63, 1 << 63}, "behind the end"},
		{100 * block, block, Extent{1, ^uint64(0)}, "behind the end"},
	} {
		_, err := ReadBack(Default(HDD), c.size, c.blockSize, [][]Extent{{c.x}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %s", c.x, err, c.want)
		}
	}
	if _, err := ReadBack(Model{Medium: HDD}, terabyte, block, nil); err == nil {
		t.Error("a model of zeros")
	}
}

func BenchmarkReadBack(b *testing.B) {
	for _, medium := range []Medium{HDD, NVMe} {
		b.Run(medium.String(), func(b *testing.B) {
			all := files(100, 100, 7, true)
			r, err := NewReader(Default(medium), terabyte, block)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := r.File(all[i%len(all)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(r.Result().Requests), "ns/request")
		})
	}
}
