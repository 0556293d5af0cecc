package reservation

import "mbsim/allocator"

// holds reports whether goal, a place in group id, lies in the window; without a
// goal, whether the window touches the group (goal_in_my_reservation).
func (a *Allocator) holds(w *Window, id allocator.GroupID, goal int) bool {
	first := a.geo.GroupStart(id)
	last := first + allocator.Block(a.blocksIn(id)) - 1
	if w.start > last || w.end < first {
		return false
	}
	b := first + allocator.Block(goal)
	return goal < 0 || b >= w.start && b <= w.end
}

// tryReserved takes up to n blocks in a row in group id, inside the window of
// the file, which gets a new one there as long as it has none that serves
// (ext2_try_to_allocate_with_rsv). It does not deviate from the kernel.
func (a *Allocator) tryReserved(id allocator.GroupID, g *group, goal int, n uint32, w *Window) (at int, got uint32) {
	if w == nil {
		return a.tryAllocate(id, g, goal, n, nil)
	}
	// Until blocks are found, or there is no room for another window.
	for failed := false; ; failed = true {
		if w.empty() || failed || !a.holds(w, id, goal) {
			// The file needs a new window: it has none, the last one is full, or the goal
			// is elsewhere. The window is at least as long as the request.
			w.size = max(w.size, n)
			if !a.newWindow(w, id, g, goal) {
				return none, 0
			}
			// The new window may begin behind the goal; then its first free block is taken.
			if !a.holds(w, id, goal) {
				goal = none
			}
		} else if goal >= 0 {
			// The goal lies in the window. If the request reaches beyond its end, the
			// window is lengthened.
			rest := uint32(w.end - a.geo.GroupStart(id) - allocator.Block(goal) + 1)
			if rest < n {
				a.extend(w, n-rest)
			}
		}
		at, got = a.tryAllocate(id, g, goal, n, w)
		if at >= 0 {
			w.hits += got
			a.stats.WindowBlocks += uint64(got)
			return at, got
		}
	}
}

// newWindow gives the file another window in group id, at goal or after it, with
// at least one free block. Without room the file is left without a window, but
// for one that reaches into the next group (alloc_new_reservation). It does not
// deviate from the kernel.
func (a *Allocator) newWindow(w *Window, id allocator.GroupID, g *group, goal int) bool {
	first := a.geo.GroupStart(id)
	blocks := a.blocksIn(id)
	last := first + allocator.Block(blocks) - 1
	start := first + allocator.Block(max(goal, 0))
	if !w.empty() {
		// A window that reaches into the next group is kept for that group.
		if w.start <= last && w.end > last && start >= w.start {
			return false
		}
		a.stats.HitsAtEnd[w.hitClass()]++
		// A file that used more than half of its window gets one twice as long.
		if w.hits > uint32(w.end-w.start+1)/2 {
			w.size = min(w.size*2, MaxWindow)
			a.stats.WindowsDoubled++
		}
	}
	// Windows are booked one after the other, until one has a free block in the bitmap.
	for from := a.windows.find(start); ; from = w {
		if !a.book(from, w, start, last) {
			break
		}
		// Behind the last free block of the group no window helps.
		free := g.bits.NextZero(int(w.start-first), blocks)
		if free >= blocks {
			break
		}
		// The first free block lies in the window, which is therefore good. Otherwise the
		// next is booked from that block on.
		start = first + allocator.Block(free)
		if start <= w.end {
			a.stats.WindowsMade++
			return true
		}
	}
	// There is no room, so the file keeps none.
	if !w.empty() {
		a.windows.remove(w)
	}
	a.stats.WindowsFailed++
	return false
}

// book makes w the first range of its size between windows, from on, that begins
// in [start, last] (find_next_reservable_window). It does not deviate from the
// kernel.
func (a *Allocator) book(from, w *Window, start, last allocator.Block) bool {
	size := allocator.Block(w.size)
	before := from
	for {
		a.stats.WindowsSearched++
		// The first place behind the window before it.
		start = max(start, before.end+1)
		if start > last {
			return false
		}
		// The gap up to the next window is long enough, or nothing follows.
		if next := before.next; next == nil || start+size <= next.start {
			break
		}
		before = before.next
	}
	// The window moves: it leaves its old place in the tree, unless the new one follows
	// that directly.
	if before != w && !w.empty() {
		a.windows.remove(w)
	}
	w.start, w.end, w.hits = start, start+size-1, 0
	if before != w {
		a.windows.insert(w)
	}
	return true
}

// extend lengthens w by n blocks, or up to the next window
// (try_to_extend_reservation). It does not deviate from the kernel.
func (a *Allocator) extend(w *Window, n uint32) {
	if w.next != nil {
		n = min(n, uint32(w.next.start-w.end-1))
	}
	if n > 0 {
		w.end += allocator.Block(n)
		a.stats.WindowsExtended++
		a.stats.BlocksExtended += uint64(n)
	}
}
