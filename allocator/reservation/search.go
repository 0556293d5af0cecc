package reservation

import (
	"math/bits"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// none is the place that no search found.
const none = -1

// nextUsable finds a free block of a group in [start, end): within the next 64
// bits of start, counted to a multiple of 64; else the first byte all free; else
// the first free block (find_next_usable_block). It does not deviate from the
// kernel.
func nextUsable(b bitmap.Bits, start, end int) int {
	if start > 0 {
		// Close to the start any free block will do.
		near := min((start+63)&^63, end)
		if i := b.NextZero(start, near); i < near {
			return i
		}
	}
	// Farther away eight free blocks in a row are better, which leaves room to grow.
	if i := freeByte(b, start/8, (end+7)/8) * 8; i < end && i >= start {
		return i
	}
	// There are none, so the first free block is taken.
	if i := b.NextZero(start, end); i < end {
		return i
	}
	return none
}

// freeByte is the first byte in [from, end) whose bits are all zero, end where
// there is none.
func freeByte(b bitmap.Bits, from, end int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	if from >= end {
		return end
	}
	for w := from / 8; w*8 < end; w++ {
		x := b[w]
		if w == from/8 {
			// Bytes of this word before from count as in use.
			x |= 1<<(uint(from)%8*8) - 1
		}
		// The lowest high bit set marks the lowest byte that is zero; borrows
		// mark wrong bytes above it only (Warren, Hacker's Delight, 6-1).
		if zero := (x - ones) &^ x & highs; zero != 0 {
			return min(w*8+bits.TrailingZeros64(zero)/8, end)
		}
	}
	return end
}

// tryAllocate takes up to n blocks in a row in group id: inside w if that is not
// nil, at goal or the first free ones after it, or without a goal (negative) at
// the first usable place, up to 7 blocks before it if those are free too
// (ext2_try_to_allocate). It returns the place in the group, none if there is
// no room, and the blocks taken. It does not deviate from the kernel.
func (a *Allocator) tryAllocate(id allocator.GroupID, g *group, goal int, n uint32, w *Window) (at int, got uint32) {
	first := a.geo.GroupStart(id)
	start, end := 0, a.blocksIn(id)
	if w != nil {
		// The part of the window that lies in this group.
		if w.start >= first {
			start = int(w.start - first)
		}
		if last := first + allocator.Block(end) - 1; w.end < last {
			end = int(w.end-first) + 1
		}
		// A goal outside the window does not count.
		if goal < start || goal >= end {
			goal = none
		}
	}
	if goal < 0 {
		// Without a goal the search begins at the first usable place.
		goal = nextUsable(g.bits, start, end)
		if goal < 0 {
			return none, 0
		}
		if w == nil {
			// Without a window, up to 7 free blocks directly before it are taken too: a
			// free byte may begin in the middle of a free run.
			for i := 0; i < 7 && goal > start && !g.bits.Test(goal-1); i++ {
				goal--
			}
		}
	}
	// The kernel tries each place in turn and goes on from the next one while another CPU
	// takes it. Here the first free one is taken.
	goal = g.bits.NextZero(goal, end)
	if goal >= end {
		return none, 0
	}
	// As many free blocks in a row as were asked for, at most.
	stop := g.bits.NextSet(goal, min(end, goal+int(n)))
	a.changes.Add(id)
	g.bits.SetRange(goal, stop-goal)
	return goal, uint32(stop - goal)
}
