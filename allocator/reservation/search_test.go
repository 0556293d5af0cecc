package reservation

import (
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// naiveUsable says what find_next_usable_block does, bit by bit.
func naiveUsable(b bitmap.Bits, start, end int) int {
	if start > 0 {
		for i := start; i < end && (i == start || i%64 != 0); i++ {
			if start%64 != 0 && !b.Test(i) {
				return i
			}
		}
	}
	for first := start / 8 * 8; first < end; first += 8 {
		free := true
		for i := first; i < first+8; i++ {
			free = free && !b.Test(i)
		}
		if free && first >= start {
			return first
		}
		if free {
			break // the scan stops at the first free byte, usable or not
		}
	}
	for i := start; i < end; i++ {
		if !b.Test(i) {
			return i
		}
	}
	return none
}

// drawBits draws a bitmap of 320 bits with runs of both kinds; what is behind end
// is in use, as it is behind a group's end.
func drawBits(t *rapid.T) (b bitmap.Bits, end int) {
	b = bitmap.New(320)
	for range rapid.IntRange(0, 25).Draw(t, "runs") {
		start := rapid.IntRange(0, 319).Draw(t, "start")
		n := rapid.SampledFrom([]int{1, 1, 2, 5, 8, 30, 100}).Draw(t, "n")
		n = min(n, 320-start)
		if rapid.Bool().Draw(t, "used") {
			b.SetRange(start, n)
		} else {
			b.ClearRange(start, n)
		}
	}
	if rapid.Bool().Draw(t, "nearly full") {
		hole := rapid.IntRange(0, 319).Draw(t, "hole")
		b.Fill()
		b.ClearRange(hole, min(rapid.IntRange(0, 20).Draw(t, "hole bits"), 320-hole))
	}
	end = rapid.IntRange(1, 320).Draw(t, "end")
	b.SetRange(end, 320-end)
	return b, end
}

func TestNextUsable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, end := drawBits(t)
		start := rapid.IntRange(0, end-1).Draw(t, "from")
		if got, want := nextUsable(b, start, end), naiveUsable(b, start, end); got != want {
			t.Errorf("from %d to %d: got %d, want %d in %x", start, end, got, want, b)
		}
	})
}

// TestNextUsableTable shows the three steps of the search; f is a free bit.
func TestNextUsableTable(t *testing.T) {
	for _, c := range []struct {
		name             string
		free             [][2]int // [start, +n)
		start, end, want int
	}{
		{"nothing", nil, 5, 320, none},
		{"at the start", [][2]int{{5, 1}}, 5, 320, 5},
		{"before the next multiple of 64", [][2]int{{63, 1}, {8, 1}}, 9, 320, 63},
		{"a free byte before a nearer bit", [][2]int{{64, 1}, {200, 8}}, 9, 320, 200},
		{"bytes begin at multiples of 8", [][2]int{{100, 10}, {152, 8}}, 9, 320, 152},
		{"any bit if no byte is free", [][2]int{{100, 10}}, 9, 320, 100},
		{"a multiple of 64 has no near", [][2]int{{65, 1}, {200, 8}}, 64, 320, 200},
		{"block 0 has no near", [][2]int{{1, 1}, {200, 8}}, 0, 320, 200},
		{"the byte of the start does not count, and ends the scan", [][2]int{{64, 8}, {200, 8}}, 66, 320, 66},
		{"the last byte may reach over the end", [][2]int{{312, 4}, {316, 4}}, 130, 316, 312},
	} {
		b := bitmap.New(320)
		b.Fill()
		for _, f := range c.free {
			b.ClearRange(f[0], f[1])
		}
		if got := nextUsable(b, c.start, c.end); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// naiveTry says what ext2_try_to_allocate does, bit by bit, in a group of end
// blocks and without a window.
func naiveTry(b bitmap.Bits, goal, end int, n uint32) (at int, got uint32) {
	if goal < 0 {
		if goal = naiveUsable(b, 0, end); goal < 0 {
			return none, 0
		}
		for i := 0; i < 7 && goal > 0 && !b.Test(goal-1); i++ {
			goal--
		}
	}
	for ; goal < end && (got == 0 || !b.Test(goal)) && got < n; goal++ {
		if !b.Test(goal) {
			b.Set(goal)
			got++
		}
	}
	if got == 0 {
		return none, 0
	}
	return goal - int(got), got
}

func TestTryAllocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits, end := drawBits(t)
		naive := append(bitmap.Bits(nil), bits...)
		goal := rapid.IntRange(-1, end-1).Draw(t, "goal")
		n := rapid.Uint32Range(1, 80).Draw(t, "n")
		a := &Allocator{changes: allocator.NewChanges(1), geo: allocator.Geometry{BlocksPerGroup: 320, ClustersPerGroup: 320, Groups: 1, Blocks: allocator.Block(end)}}
		at, got := a.tryAllocate(0, &group{bits: bits}, goal, n, nil)
		wantAt, want := naiveTry(naive, goal, end, n)
		if at != wantAt || got != want {
			t.Fatalf("goal %d, %d blocks: got %d+%d, want %d+%d", goal, n, at, got, wantAt, want)
		}
		for i := range bits {
			if bits[i] != naive[i] {
				t.Fatalf("word %d: %x, want %x", i, bits[i], naive[i])
			}
		}
	})
}
