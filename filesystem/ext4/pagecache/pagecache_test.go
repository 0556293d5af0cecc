package pagecache

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCache(t *testing.T) {
	for _, c := range []struct {
		story string
		run   func(*Cache) uint32
		gone  uint32
		after string
	}{
		{"runs in one state join", func(c *Cache) uint32 { c.Add(0, 2, Delayed); c.Add(2, 3, Delayed); return 0 }, 0, "0-4 delayed"},
		{"from behind", func(c *Cache) uint32 { c.Add(2, 3, Delayed); c.Add(0, 2, Delayed); return 0 }, 0, "0-4 delayed"},
		{"on both sides", func(c *Cache) uint32 {
			c.Add(0, 1, Mapped)
			c.Add(2, 1, Mapped)
			c.Add(1, 1, Mapped)
			return 0
		}, 0, "0-2 mapped"},
		{"states stand apart", func(c *Cache) uint32 {
			c.Add(0, 2, Delayed)
			c.Add(2, 2, Unwritten)
			c.Add(4, 2, Mapped)
			return 0
		}, 0, "0-1 delayed; 2-3 unwritten; 4-5 mapped"},
		{"the middle is written", func(c *Cache) uint32 { c.Add(0, 10, Delayed); return c.Drop(3, 5) }, 2, "0-2 delayed; 5-9 delayed"},
		{"over several runs", func(c *Cache) uint32 {
			c.Add(0, 4, Delayed)
			c.Add(6, 4, Mapped)
			c.Add(10, 4, Unwritten)
			return c.Drop(2, 12)
		}, 8, "0-1 delayed; 12-13 unwritten"},
		{"what is clean", func(c *Cache) uint32 { c.Add(0, 2, Delayed); return c.Drop(5, 9) }, 0, "0-1 delayed"},
		{"to the end of all files", func(c *Cache) uint32 { c.Add(0, 2, Delayed); return c.Drop(1, math.MaxUint32) }, 1, "0-0 delayed"},
	} {
		var p Cache
		if gone := c.run(&p); gone != c.gone || p.String() != c.after {
			t.Errorf("%s: %d blocks gone, left %s; want %d, %s", c.story, gone, &p, c.gone, c.after)
		}
	}
}

// TestCacheModel compares runs with a state kept for each block.
func TestCacheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Cache
		var m [64]State
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			first := rapid.Uint32Range(0, 63).Draw(t, "first")
			end := rapid.Uint32Range(first+1, 64).Draw(t, "end")
			s := rapid.SampledFrom([]State{0, Mapped, Delayed, Unwritten}).Draw(t, "state")
			var want, gone uint32
			for b := first; b < end; b++ {
				if m[b] != 0 {
					want++
				}
				m[b] = s
			}
			if gone = c.Drop(first, end); s != 0 {
				c.Add(first, end-first, s)
			}
			if gone != want {
				t.Fatalf("dropping [%d, %d) made %d blocks clean, want %d", first, end, gone, want)
			}
			var dirty int64
			for b, s := range m {
				if c.State(uint32(b)) != s {
					t.Fatalf("block %d is in state %d, want %d: %s", b, c.State(uint32(b)), s, &c)
				}
				if s != 0 {
					dirty++
				}
			}
			if c.Dirty() != dirty {
				t.Fatalf("%d blocks are dirty, counted %d: %s", dirty, c.Dirty(), &c)
			}
		}
	})
}
