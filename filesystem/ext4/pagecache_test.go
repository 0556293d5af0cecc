package ext4

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// String writes the runs as "0-3 delayed".
func (c *pageCache) String() string {
	var out []string
	for _, r := range c.runs {
		out = append(out, fmt.Sprintf("%d-%d %s", r.lblk, r.next()-1, [...]string{"clean", "mapped", "delayed", "unwritten"}[r.state]))
	}
	return strings.Join(out, "; ")
}

func TestPageCache(t *testing.T) {
	for _, c := range []struct {
		story string
		run   func(*pageCache) uint32
		gone  uint32
		after string
	}{
		{"runs in one state join", func(c *pageCache) uint32 { c.add(0, 2, bufDelayed); c.add(2, 3, bufDelayed); return 0 }, 0, "0-4 delayed"},
		{"from behind", func(c *pageCache) uint32 { c.add(2, 3, bufDelayed); c.add(0, 2, bufDelayed); return 0 }, 0, "0-4 delayed"},
		{"on both sides", func(c *pageCache) uint32 {
			c.add(0, 1, bufMapped)
			c.add(2, 1, bufMapped)
			c.add(1, 1, bufMapped)
			return 0
		}, 0, "0-2 mapped"},
		{"states stand apart", func(c *pageCache) uint32 {
			c.add(0, 2, bufDelayed)
			c.add(2, 2, bufUnwritten)
			c.add(4, 2, bufMapped)
			return 0
		}, 0, "0-1 delayed; 2-3 unwritten; 4-5 mapped"},
		{"the middle is written", func(c *pageCache) uint32 { c.add(0, 10, bufDelayed); return c.drop(3, 5) }, 2, "0-2 delayed; 5-9 delayed"},
		{"over several runs", func(c *pageCache) uint32 {
			c.add(0, 4, bufDelayed)
			c.add(6, 4, bufMapped)
			c.add(10, 4, bufUnwritten)
			return c.drop(2, 12)
		}, 8, "0-1 delayed; 12-13 unwritten"},
		{"what is clean", func(c *pageCache) uint32 { c.add(0, 2, bufDelayed); return c.drop(5, 9) }, 0, "0-1 delayed"},
		{"to the end of all files", func(c *pageCache) uint32 { c.add(0, 2, bufDelayed); return c.drop(1, maxBlocks) }, 1, "0-0 delayed"},
	} {
		var p pageCache
		if gone := c.run(&p); gone != c.gone || p.String() != c.after {
			t.Errorf("%s: %d blocks gone, left %s; want %d, %s", c.story, gone, &p, c.gone, c.after)
		}
	}
}

// TestPageCacheModel compares runs with a state kept for each block.
func TestPageCacheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c pageCache
		var m [64]bufState
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			first := rapid.Uint32Range(0, 63).Draw(t, "first")
			end := rapid.Uint32Range(first+1, 64).Draw(t, "end")
			s := rapid.SampledFrom([]bufState{0, bufMapped, bufDelayed, bufUnwritten}).Draw(t, "state")
			var want, gone uint32
			for b := first; b < end; b++ {
				if m[b] != 0 {
					want++
				}
				m[b] = s
			}
			if gone = c.drop(first, end); s != 0 {
				c.add(first, end-first, s)
			}
			if gone != want {
				t.Fatalf("dropping [%d, %d) made %d blocks clean, want %d", first, end, gone, want)
			}
			var dirty int64
			for b, s := range m {
				if c.state(uint32(b)) != s {
					t.Fatalf("block %d is in state %d, want %d: %s", b, c.state(uint32(b)), s, &c)
				}
				if s != 0 {
					dirty++
				}
			}
			if c.count() != dirty {
				t.Fatalf("%d blocks are dirty, counted %d: %s", dirty, c.count(), &c)
			}
		}
	})
}
