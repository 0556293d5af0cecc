package blockcache

import "mbsim/allocator"

// Cache is the blocks in memory, by number. It is not safe for concurrent use.
type Cache struct {
	half        int // blocks of each of the two below
	recent, old map[allocator.Block]struct{}
}

// New returns an empty cache of up to limit blocks, at least 2.
func New(limit int64) *Cache {
	return &Cache{half: int(max(1, limit/2)), recent: make(map[allocator.Block]struct{})}
}

// Use brings block b into memory, and reports whether it was there.
func (c *Cache) Use(b allocator.Block) (was bool) {
	if _, was = c.recent[b]; was {
		return true
	}
	_, was = c.old[b]
	// The recent half is full: it becomes the old one, and what was in that is forgotten.
	if len(c.recent) == c.half {
		c.old, c.recent = c.recent, make(map[allocator.Block]struct{})
	}
	c.recent[b] = struct{}{}
	return was
}

// Missing uses the blocks [b, b+n), and calls read with each range of them that was not in
// memory, in ascending order.
func (c *Cache) Missing(b allocator.Block, n uint32, read func(b allocator.Block, n uint32)) {
	first, missing := b, uint32(0)
	for i := range allocator.Block(n) {
		if !c.Use(b + i) {
			if missing == 0 {
				first = b + i
			}
			missing++
		} else if missing > 0 {
			read(first, missing)
			missing = 0
		}
	}
	if missing > 0 {
		read(first, missing)
	}
}

// Drop forgets all blocks, as an unmount does.
func (c *Cache) Drop() {
	clear(c.recent)
	c.old = nil
}
