package mballoc

import "math/bits"

// markFreeSimple divides the free range [first, first+n) into aligned buddies,
// each as large as its place and the rest allow (ext4_mb_mark_free_simple).
func (a *Allocator) markFreeSimple(g *group, first, n int) {
	top := a.orders - 1
	for n > 0 {
		// A buddy is at most as long as what is left of the range, begins at a multiple of
		// its length, and has an order that exists.
		order := min(bits.Len(uint(n))-1, bits.TrailingZeros(uint(first)), top)
		g.counters[order]++
		if order > 0 {
			g.buddy[order].Clear(first >> order)
		}
		first += 1 << order
		n -= 1 << order
	}
}

// setLargest finds the order of the largest free buddy (mb_set_largest_free_order). The
// caller knows that it is at most top.
func (g *group) setLargest(top int) {
	for top >= 0 && g.counters[top] == 0 {
		top--
	}
	g.largest = top
}

// wordOrder is the order of a buddy that fills a word of the bitmap.
const wordOrder = 6

// orderAt is the order of the free buddy that holds the free cluster c
// (mb_find_order_for_block). A free buddy is as large as its place allows. So one that is
// smaller than a word of the bitmap is found from that word alone, and only for larger
// ones are the maps of the higher orders read.
func (a *Allocator) orderAt(g *group, c int) int {
	k := g.buddy[0].ZeroOrder(c)
	if k < wordOrder {
		return k
	}
	// Exactly one order has the bit of this place clear: the free buddies of a group do not
	// overlap.
	for ; k < a.orders; k++ {
		if !g.buddy[k].Test(c >> k) {
			return k
		}
	}
	panic(a.dump("free clusters without buddy", g, c, 0))
}

// findExtent measures the free space at cluster c: the rest of its buddy, and
// the buddies behind that while it is shorter than needed (mb_find_extent).
func (a *Allocator) findExtent(g *group, c, needed int) (start, n int) {
	if g.buddy[0].Test(c) {
		return 0, 0
	}
	// The rest of the buddy that c lies in.
	order := a.orderAt(g, c)
	block := c >> order
	n = (block+1)<<order - c
	// Free buddies may follow directly, up to the end of the bitmap.
	for needed > n {
		if block+1 >= a.maxClusters>>order {
			break
		}
		next := (block + 1) << order
		if g.buddy[0].Test(next) {
			break
		}
		order = a.orderAt(g, next)
		block = next >> order
		n += 1 << order
	}
	return c, n
}

// cutRun is the length that findExtent would give for a free run that begins at cluster
// off of a word of the bitmap and has n clusters, needed or more of them. The run must lie
// in the word, and must not be the whole word, which may be a part of a larger buddy.
func cutRun(off, n, needed int) int {
	k := 0
	for k < needed {
		k += 1 << min(bits.Len(uint(n-k))-1, bits.TrailingZeros(uint(off+k)))
	}
	return k
}

// markUsed takes the free range [start, start+n) out of the buddy
// (mb_mark_used). It returns what the first split left over, for the trace.
//
// Each buddy that the range touches is taken out whole, and what it had on either side of
// the range is put back. The kernel halves it until only the range is left, with the same
// result.
func (a *Allocator) markUsed(g *group, start, n int) (tail, buddy int) {
	a.ownBuddy(g)
	end := start + n
	// A request that found no space is tried again if the free space has changed meanwhile
	// (discard_pa_seq).
	a.discardSeq++
	g.free -= n
	// A lower bound at which the range begins moves to the range's end: there is no free
	// cluster before that.
	if g.firstFree == start {
		g.firstFree = end
	}
	if g.lowest == start {
		g.lowest = end
	}
	b := g.buddy[0]
	// A range with free neighbours on both sides cuts a fragment in two, one without any
	// was a whole fragment.
	left := start > 0 && !b.Test(start-1)
	right := end < a.maxClusters && !b.Test(end)
	if left && right {
		g.fragments++
	} else if !left && !right {
		g.fragments--
	}
	// Take out each buddy that the range touches, and give back what it has before the
	// range and behind it.
	for at := start; at < end; {
		order := a.orderAt(g, at)
		first := at >> order << order
		next := first + 1<<order
		// Order 0 has no bit of its own: its bits are those of the clusters, set below.
		g.counters[order]--
		if order > 0 {
			g.buddy[order].Set(at >> order)
			if tail == 0 && (first < at || next > end) {
				// The first buddy that is split is what the trace shows.
				tail, buddy = end-at, order
			}
			a.markFreeSimple(g, first, at-first)
			a.markFreeSimple(g, end, next-end)
		}
		at = next
	}
	// No larger buddy can have come into being.
	g.setLargest(g.largest)
	b.SetRange(start, n)
	a.order.changed(a, g.id, g)
	// The kernel packs the length into 16 bits, the order above them.
	return tail & 0xffff, buddy
}

// freeRange gives the used range [first, first+n) back to the buddy, merging it
// with free neighbours at every order (mb_free_blocks).
func (a *Allocator) freeRange(g *group, first, n int) {
	a.ownBuddy(g)
	last := first + n - 1
	b := g.buddy[0]
	if !b.AllSet(first, n) {
		panic(a.dump("freeing free clusters", g, first, n))
	}
	// Whether the clusters on both sides are free has to be known before and after the
	// range itself becomes free, which lies between them.
	left := first > 0 && !b.Test(first-1)
	b.ClearRange(first, n)
	right := last+1 < a.maxClusters && !b.Test(last+1)
	a.discardSeq++
	g.free += n
	g.firstFree = min(g.firstFree, first)
	g.lowest = min(g.lowest, first)
	// Fragments: the range joins two, lengthens one, or is one of its own.
	if left && right {
		g.fragments--
	} else if !left && !right {
		g.fragments++
	}
	// Order 0: a cluster at either end that is half of a pair merges with its free partner,
	// or else stays alone. What is left is whole pairs.
	top := max(g.largest, 0)
	if first&1 != 0 {
		if left {
			g.counters[0]--
		} else {
			first++
			g.counters[0]++
		}
	}
	if last&1 == 0 {
		if right {
			g.counters[0]--
		} else {
			last--
			g.counters[0]++
		}
	}
	// The pairs are buddies of order 1, which merge further up.
	if first <= last {
		top = max(top, a.markFree(g, first>>1, last>>1))
	}
	g.setLargest(top)
	a.order.changed(a, g.id, g)
}

// markFree frees the buddies [first, last] of order 1, growing or shrinking the
// range at its ends to go up an order (mb_buddy_mark_free). It returns the order at
// which it ended: no buddy that it made is larger.
func (a *Allocator) markFree(g *group, first, last int) int {
	for order := 1; ; {
		b := g.buddy[order]
		// The first is the right half of a pair: with a free left half it merges one order
		// up, otherwise it stays at this order. The last is treated likewise, as a left
		// half (mb_buddy_adjust_border).
		if first&1 != 0 {
			if b.Test(first - 1) {
				b.Clear(first)
				first++
				g.counters[order]++
			} else {
				first--
				b.Set(first)
				g.counters[order]--
			}
		}
		if last&1 == 0 {
			if last+1 >= a.maxClusters>>order || b.Test(last+1) {
				b.Clear(last)
				last--
				g.counters[order]++
			} else {
				last++
				b.Set(last)
				g.counters[order]--
			}
		}
		// Both ends were taken away, and nothing is left to go up.
		if first > last {
			return order
		}
		order++
		// A single buddy has no partner left to merge with, and the highest order has no
		// higher one.
		if first == last || order == a.orders {
			b.ClearRange(first, last-first+1)
			g.counters[order-1] += uint32(last - first + 1)
			return order - 1
		}
		first >>= 1
		last >>= 1
	}
}
