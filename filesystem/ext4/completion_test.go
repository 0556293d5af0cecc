package ext4

import (
	"slices"
	"testing"

	"mbsim/allocator"
)

// TestIOOrder lets IO of 4K blocks leave together, and asks in which order it ends. The first case
// is what a recording of Linux 7.2.12 shows (full-1, line 1857, in the second recording).
func TestIOOrder(t *testing.T) {
	type part struct {
		group int
		start allocator.Block
		len   uint32
	}
	for _, c := range []struct {
		name  string
		parts []part
		want  []int // the groups as they end
	}{
		{"last request first", []part{{1, 35311, 17}, {1, 37807, 15}, {2, 37822, 2}, {2, 38769, 14}, {3, 38783, 1}, {3, 40401, 7}, {4, 40408, 5}}, []int{4, 3, 2, 1}},
		{"a group ends with its lowest request", []part{{1, 9000, 5}, {1, 1000, 5}, {2, 5000, 5}}, []int{2, 1}},
		{"one request from its start on", []part{{1, 1010, 10}, {2, 1000, 10}}, []int{2, 1}},
	} {
		fs, in := &FS{}, new(inode)
		fs.geo.BlockBits = 12
		var p plug
		p.start(fs, false)
		for i, x := range c.parts {
			if i == 0 || x.group != c.parts[i-1].group {
				p.next()
			}
			p.add(conversion{in: in, pblk: x.start, len: x.len})
		}
		p.finish()
		var got []int
		for _, x := range fs.conversions {
			if len(got) == 0 || got[len(got)-1] != x.group {
				got = append(got, x.group)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: groups end in the order %v, want %v", c.name, got, c.want)
		}
	}
}

// TestByFile puts conversions of three files together.
func TestByFile(t *testing.T) {
	a, b, c := new(inode), new(inode), new(inode)
	c.brief.state = briefUnwritten // has only one
	all := []conversion{{in: b, lblk: 1}, {in: a, lblk: 2}, {in: b, lblk: 3}, {in: c, lblk: 4}, {in: a, lblk: 5}, {in: b, lblk: 6}}
	byFile(all, make(map[*inode]int))
	for i, want := range []uint32{1, 3, 6, 2, 5, 4} {
		if all[i].lblk != want {
			t.Errorf("place %d: %d, want %d", i, all[i].lblk, want)
		}
	}
}

// TestFlusherSettles asks after how many ranges the worker has its turn beside the flusher, where
// writers go on.
func TestFlusherSettles(t *testing.T) {
	for _, c := range []struct {
		flusher bool
		ranges  int
		left    int
	}{{true, settleRanges - 1, 1}, {true, settleRanges, 0}, {false, 2 * settleRanges, 1}} {
		fs := mountSmall(t, "-b 4096", DefaultOptions(4096))
		fs.quirks.WriterGoesOn = true
		h, err := fs.Create(&task{}, "a")
		if err != nil {
			t.Fatal(err)
		}
		var p plug
		p.start(fs, c.flusher)
		p.next()
		p.add(conversion{in: h.(*handle).in, pblk: 1000, lblk: 0, len: 1})
		p.next()
		p.flush()
		for range c.ranges {
			p.next()
		}
		p.convertSent(&task{}, 1)
		if len(fs.conversions) != c.left {
			t.Errorf("flusher %v, %d ranges: %d conversions wait, want %d", c.flusher, c.ranges, len(fs.conversions), c.left)
		}
	}
}
