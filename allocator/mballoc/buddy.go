package mballoc

import "math/bits"

// markFreeSimple divides the free range [first, first+n) into aligned buddies,
// each as large as its place and the rest allow (ext4_mb_mark_free_simple).
func (a *Allocator) markFreeSimple(g *group, first, n int) {
	top := a.orders - 1
	for n > 0 {
		order := min(bits.Len(uint(n))-1, top)
		if first != 0 {
			order = min(order, bits.TrailingZeros(uint(first)))
		}
		g.counters[order]++
		if order > 0 {
			g.buddy[order].Clear(first >> order)
		}
		first += 1 << order
		n -= 1 << order
	}
}

// setLargest finds the order of the largest free buddy
// (mb_set_largest_free_order).
func (a *Allocator) setLargest(g *group) {
	k := a.orders - 1
	for k >= 0 && g.counters[k] == 0 {
		k--
	}
	g.largest = k
}

// orderAt is the order of the free buddy that holds cluster c
// (mb_find_order_for_block).
func (a *Allocator) orderAt(g *group, c int) int {
	for k := 1; k < a.orders; k++ {
		if !g.buddy[k].Test(c >> k) {
			return k
		}
	}
	return 0
}

// findExtent measures the free space at cluster c: the rest of its buddy, and
// the buddies behind that while it is shorter than needed (mb_find_extent).
func (a *Allocator) findExtent(g *group, c, needed int) (start, n int) {
	if g.buddy[0].Test(c) {
		return 0, 0
	}
	order := a.orderAt(g, c)
	block := c >> order
	n = (block+1)<<order - c
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

// markUsed takes the free range [start, start+n) out of the buddy
// (mb_mark_used). It returns what the first split left over, for the trace.
func (a *Allocator) markUsed(g *group, start, n int) (tail, buddy int) {
	first, count := start, n
	a.discardSeq++
	g.free -= n
	if g.firstFree == start {
		g.firstFree += n
	}
	b := g.buddy[0]
	left := start > 0 && !b.Test(start-1)
	right := start+n < a.maxClusters && !b.Test(start+n)
	if left && right {
		g.fragments++
	} else if !left && !right {
		g.fragments--
	}
	split := false
	for n > 0 {
		order := a.orderAt(g, start)
		if start>>order<<order == start && n >= 1<<order {
			if order > 0 {
				g.buddy[order].Set(start >> order)
			}
			g.counters[order]--
			start += 1 << order
			n -= 1 << order
			continue
		}
		if !split {
			split = true
			tail, buddy = n, order
		}
		g.buddy[order].Set(start >> order)
		g.counters[order]--
		order--
		cur := start >> order &^ 1
		if order > 0 {
			g.buddy[order].Clear(cur)
			g.buddy[order].Clear(cur + 1)
		}
		g.counters[order] += 2
	}
	a.setLargest(g)
	b.SetRange(first, count)
	return tail & 0xffff, buddy
}

// freeRange gives the used range [first, first+n) back to the buddy, merging it
// with free neighbours at every order (mb_free_blocks).
func (a *Allocator) freeRange(g *group, first, n int) {
	last := first + n - 1
	b := g.buddy[0]
	if !b.AllSet(first, n) {
		panic(a.dump("freeing free clusters", g, first, n))
	}
	left := first > 0 && !b.Test(first-1)
	b.ClearRange(first, n)
	right := last+1 < a.maxClusters && !b.Test(last+1)
	a.discardSeq++
	g.free += n
	g.firstFree = min(g.firstFree, first)
	if left && right {
		g.fragments--
	} else if !left && !right {
		g.fragments++
	}
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
	if first <= last {
		a.markFree(g, first>>1, last>>1)
	}
	a.setLargest(g)
}

// markFree frees the buddies [first, last] of order 1, growing or shrinking the
// range at its ends to go up an order (mb_buddy_mark_free).
func (a *Allocator) markFree(g *group, first, last int) {
	for order := 1; order < a.orders; {
		b := g.buddy[order]
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
		if first > last {
			return
		}
		order++
		if first == last || order == a.orders {
			b.ClearRange(first, last-first+1)
			g.counters[order-1] += uint32(last - first + 1)
			return
		}
		first >>= 1
		last >>= 1
	}
}
