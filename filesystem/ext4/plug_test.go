package ext4

import (
	"testing"

	"mbsim/allocator"
)

// TestPlug gives the block layer chunks of 4K blocks, and looks after each at which
// of the chunks have left for the device. The sizes are those of recordings with the
// block layer's events, where they left so.
func TestPlug(t *testing.T) {
	type chunk struct {
		start allocator.Block
		len   uint32
		left  int // how many chunks have left when this one is submitted
	}
	var many []chunk
	for i := range 34 {
		c := chunk{start: allocator.Block(1000 + 100*i), len: 20}
		if i >= 32 { // BLK_MAX_REQUEST_COUNT of Linux 5.10.223, as recorded
			c.left = 32
		}
		many = append(many, c)
	}
	for _, c := range []struct {
		name   string
		chunks []chunk
	}{
		{"a large request leaves with the next", []chunk{{1000, 43, 0}, {2000, 47, 1}, {3000, 12, 2}, {4000, 42, 2}, {5000, 40, 4}}},
		{"merged behind", []chunk{{1000, 100, 0}, {1100, 100, 0}, {1200, 120, 0}, {1320, 1, 3}}},
		{"merged before", []chunk{{1100, 100, 0}, {1000, 100, 0}, {5000, 10, 2}}},
		{"a request has a largest size", []chunk{{1000, 152, 0}, {1152, 512, 1}, {3000, 319, 2}}},
		{"a small one leaves with the parts of a large one", []chunk{{1000, 10, 0}, {1010, 512, 1}}},
		{"a small one waits for a large one to be followed", []chunk{{1000, 20, 0}, {2000, 256, 0}, {3000, 256, 2}}},
		{"128K leave with the next", []chunk{{1000, 32, 0}, {2000, 1, 1}, {3000, 1, 1}}},
		{"less than 128K do not", []chunk{{1000, 31, 0}, {2000, 1, 0}, {3000, 1, 0}}},
		{"1280K are one request", []chunk{{1000, 320, 0}, {3000, 1, 1}}},
		{"a block more is another", []chunk{{1000, 10, 0}, {2000, 321, 1}, {4000, 1, 1}}},
		{"many small ones", many},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs, in := &FS{}, new(inode)
			fs.geo.BlockBits = 12
			var p plug
			p.start(fs, false)
			for i, x := range c.chunks {
				p.next()
				p.add(conversion{in: in, pblk: x.start, len: x.len})
				if p.sent != x.left {
					t.Fatalf("%d chunks have left after chunk %d, want %d", p.sent, i, x.left)
				}
			}
		})
	}
}

// TestSettled asks whether the worker that converts has come before the writer goes on: on a
// machine with one CPU once the writer has gathered 64 pages after its IO left, and never on
// one with several, or where processes run at once.
func TestSettled(t *testing.T) {
	for _, c := range []struct {
		name     string
		cpus     int
		page     uint32 // blocks
		gathered []uint32
		left     int // conversions that wait in the end
	}{
		{"63 pages", 1, 1, []uint32{63}, 2},
		{"64 pages", 1, 1, []uint32{64}, 1},
		{"64 pages in two parts", 1, 1, []uint32{30, 34}, 1},
		{"pages of four blocks", 1, 4, []uint32{255}, 2},
		{"64 pages of four blocks", 1, 4, []uint32{256}, 1},
		{"several CPUs", 2, 1, []uint32{1000}, 2},
	} {
		fs := mountSmall(t, "-b 4096", DefaultOptions(4096))
		fs.opt.CPUs, fs.blocksPerPage = c.cpus, c.page
		h, err := fs.Create(&task{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		in := h.(*handle).in
		var p plug
		p.start(fs, false)
		p.convertSent(&task{}, 500) // gathered before the first IO leaves
		p.add(conversion{in: in, pblk: 1000, lblk: 0, len: 32})
		p.next()
		p.add(conversion{in: in, pblk: 3000, lblk: 100, len: 1}) // the first leaves with this one
		for _, n := range c.gathered {
			p.convertSent(&task{}, n)
		}
		if len(fs.conversions) != c.left {
			t.Errorf("%s: %d conversions wait, want %d", c.name, len(fs.conversions), c.left)
		}
	}
}
