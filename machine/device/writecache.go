package device

// writeCache is what a drive has taken and not yet written: sorted ranges that
// neither overlap nor touch.
type writeCache struct {
	size    int64 // bytes it holds; 0 for none
	idle    int64 // ns without reads before the drive empties it
	chunk   int64 // most bytes that leave it at once
	bytes   int64
	since   int64 // when it last became other than empty
	extents []span
}

// span is the bytes [from, to).
type span struct{ from, to int64 }

// behind is the index of the first range that ends behind b, or at it.
func (c *writeCache) behind(b int64) int {
	low, high := 0, len(c.extents)
	for low < high {
		mid := (low + high) / 2
		if c.extents[mid].to < b {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// add puts a range in, joined with those it overlaps or touches.
func (c *writeCache) add(from, to int64) {
	i := c.behind(from)
	j := i
	for j < len(c.extents) && c.extents[j].from <= to {
		e := c.extents[j]
		c.bytes -= e.to - e.from
		from, to = min(from, e.from), max(to, e.to)
		j++
	}
	c.bytes += to - from
	if i == j {
		c.extents = append(c.extents, span{})
		copy(c.extents[i+1:], c.extents[i:])
	} else {
		c.extents = append(c.extents[:i+1], c.extents[j:]...)
	}
	c.extents[i] = span{from, to}
}

// holds says whether all of a range is in it.
func (c *writeCache) holds(from, to int64) bool {
	if len(c.extents) == 0 {
		return false
	}
	i := c.behind(from + 1)
	return i < len(c.extents) && c.extents[i].from <= from && to <= c.extents[i].to
}

// take takes out what is next for an arm that is at byte b: at most chunk bytes of
// the first range at or behind b, else of the first of all. It must not be empty.
func (c *writeCache) take(b int64) (from, to int64) {
	i := c.behind(b + 1)
	if i == len(c.extents) {
		i = 0
	}
	e := &c.extents[i]
	from = e.from
	if from < b && b < e.to {
		from = b
	}
	to = min(e.to, from+c.chunk)
	c.bytes -= to - from
	switch {
	case from == e.from && to == e.to:
		c.extents = append(c.extents[:i], c.extents[i+1:]...)
	case from == e.from:
		e.from = to
	case to == e.to:
		e.to = from
	default:
		end := e.to
		e.to = from
		c.extents = append(c.extents, span{})
		copy(c.extents[i+2:], c.extents[i+1:])
		c.extents[i+1] = span{to, end}
	}
	return from, to
}
