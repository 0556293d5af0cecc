package allocator

import "iter"

// Changes are the groups whose block bitmap on disk has changed since somebody asked, so that who
// follows a file system need not look at groups where nothing happens.
type Changes struct {
	list []GroupID
	in   []uint64 // a bit for each group in list
}

// NewChanges makes an empty list for a file system of n groups.
func NewChanges(n GroupID) Changes { return Changes{in: make([]uint64, (n+63)/64)} }

// Add notes that the bitmap of a group changes.
func (c *Changes) Add(id GroupID) {
	if w, bit := &c.in[id/64], uint64(1)<<(id%64); *w&bit == 0 {
		*w |= bit
		c.list = append(c.list, id)
	}
}

// Take lists the groups in the order of their first changes, and forgets them. A group that is
// added meanwhile is listed too.
func (c *Changes) Take() iter.Seq[GroupID] {
	return func(yield func(GroupID) bool) {
		for k := 0; k < len(c.list); k++ {
			id := c.list[k]
			c.in[id/64] &^= 1 << (id % 64)
			if !yield(id) {
				c.list = append(c.list[:0], c.list[k+1:]...)
				return
			}
		}
		c.list = c.list[:0]
	}
}
