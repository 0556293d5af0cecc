package ext4

import (
	"slices"
)

// Delayed blocks of a bigalloc file are reserved by cluster. A cluster that is
// already allocated, or already reserved, for another block needs no second
// reservation; where an allocated cluster also holds delayed blocks, a pending
// reservation remembers it, so that freeing the allocated part keeps a
// reservation for the delayed one (fs/ext4/extents_status.c).

// pending lists them.
func (t *esTree) pending() []uint32 {
	if t.clu == nil {
		return nil
	}
	return *t.clu
}

func (t *esTree) pendingAt(clu uint32) (int, bool) { return slices.BinarySearch(t.pending(), clu) }

func (t *esTree) isPending(clu uint32) bool { _, ok := t.pendingAt(clu); return ok }

func (t *esTree) addPending(clu uint32) {
	if i, ok := t.pendingAt(clu); !ok {
		if t.clu == nil {
			t.clu = new([]uint32)
		}
		*t.clu = slices.Insert(*t.clu, i, clu)
	}
}

func (t *esTree) dropPending(clu uint32) {
	if i, ok := t.pendingAt(clu); ok {
		*t.clu = slices.Delete(*t.clu, i, i+1)
	}
}

// revisePending makes or drops the pending reservations of the clusters at the
// ends of [lblk, lblk+n), which have just been mapped (__revise_pending).
func (t *esTree) revisePending(lblk, n uint32, bits uint8) {
	ratio := uint32(1) << bits
	end := lblk + n - 1
	first, last := lblk&^(ratio-1), end|(ratio-1)
	before := first != lblk && t.any(first, lblk-1, isDelayedOnly)
	after := func() bool { return last != end && t.any(end+1, last, isDelayedOnly) }
	settle := func(pending bool, b uint32) {
		if pending {
			t.addPending(b >> bits)
		} else {
			t.dropPending(b >> bits)
		}
	}
	if lblk>>bits == end>>bits {
		settle(before || after(), last)
		return
	}
	settle(before, first)
	settle(after(), last)
}

// delayedClusters counts the clusters with delayed-only blocks in [start, end]
// (__es_delayed_clu).
func (t *esTree) delayedClusters(start, end uint32, bits uint8) uint32 {
	var n uint32
	counted := int64(-1)
	for i := t.search(start); i < len(t.ext) && t.ext[i].lblk <= end; i++ {
		e := &t.ext[i]
		if !e.delayedOnly() {
			continue
		}
		first, last := max(e.lblk, start)>>bits, min(e.end(), end)>>bits
		n += last - first
		if int64(first) != counted {
			n++
		}
		counted = int64(last)
	}
	return n
}

// reservedCount tallies the reservations that go with a removed range.
type reservedCount struct {
	bits        uint8
	n           int64 // clusters with delayed-only blocks
	found       bool
	first, last uint32 // first and last delayed-only block seen
	partial     bool
	clu         uint32 // the partial cluster being tracked
}

// add counts the part [lblk, lblk+n) of e (count_rsvd).
func (c *reservedCount) add(e esExtent, lblk, n uint32) {
	if !e.delayedOnly() {
		return
	}
	if c.bits == 0 {
		c.n += int64(n)
		return
	}
	ratio := uint32(1) << c.bits
	i, end := max(lblk, e.lblk), min(lblk+n-1, e.end())
	if !c.found {
		c.first, c.found = i, true
	}
	c.last = end
	if c.partial && c.clu != i>>c.bits {
		c.n++
		c.partial = false
	}
	if i&(ratio-1) != 0 {
		if fill := i | (ratio - 1); end >= fill {
			c.n++
			c.partial = false
			i = fill + 1
		}
	}
	if i+ratio-1 <= end {
		clusters := (end - i + 1) >> c.bits
		c.n += int64(clusters)
		i += clusters << c.bits
	}
	if !c.partial && i <= end {
		c.partial, c.clu = true, i>>c.bits
	}
}

// release is the number of reservations to give back once [.., end] is gone
// from t, dropping the pending reservations inside it (get_rsvd).
func (c *reservedCount) release(t *esTree) int64 {
	if c.bits == 0 {
		return c.n
	}
	if c.partial {
		c.n++
	}
	if c.n == 0 {
		return 0
	}
	ratio := uint32(1) << c.bits
	first, last := c.first>>c.bits, c.last>>c.bits
	left, right := false, false
	if start := c.first &^ (ratio - 1); start < c.first && t.any(start, c.first-1, isDelayedOnly) {
		c.n--
		left = true
	}
	if fill := c.last | (ratio - 1); (!left || first != last) && fill > c.last && t.any(c.last+1, fill, isDelayedOnly) {
		c.n--
		right = true
	}
	if first == last {
		if left || right {
			return c.n
		}
	} else {
		if left {
			first++
		}
		if right {
			last--
		}
	}
	if first <= last {
		i, _ := t.pendingAt(first)
		j, clu := i, t.pending()
		for j < len(clu) && clu[j] <= last {
			c.n--
			j++
		}
		if j > i {
			*t.clu = slices.Delete(clu, i, j)
		}
	}
	return c.n
}
