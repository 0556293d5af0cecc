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
		if i >= plugRequests {
			c.left = plugRequests
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
		{"many small ones", many},
	} {
		t.Run(c.name, func(t *testing.T) {
			fs := &FS{}
			fs.geo.BlockBits = 12
			var p plug
			p.start(fs)
			for i, x := range c.chunks {
				p.add(x.start, x.len)
				fs.conversions = append(fs.conversions, conversion{len: x.len})
				if p.sent != x.left {
					t.Fatalf("%d chunks have left after chunk %d, want %d", p.sent, i, x.left)
				}
			}
		})
	}
}
