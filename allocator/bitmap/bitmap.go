// Package bitmap is raw bits: bit i of word i/64. A set bit means in use, so that
// a free bit is a zero, as in ext2's and ext4's bitmaps.
//
// Ranges are [start, start+n). Nothing here knows what a bit stands for.
//
// Read next: allocator/mballoc, which keeps one bitmap an order.
package bitmap

import "math/bits"

// Bits is a bitmap; its length is a multiple of 64 bits.
type Bits []uint64

// New makes a bitmap of n bits, all zero, rounded up to whole words.
func New(n int) Bits { return make(Bits, (n+63)/64) }

// Test reports whether bit i is set.
func (b Bits) Test(i int) bool { return b[i>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bits) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// SetRange sets the bits [start, start+n).
func (b Bits) SetRange(start, n int) {
	for n > 0 {
		mask, k := span(start, n)
		b[start>>6] |= mask
		start, n = start+k, n-k
	}
}

// ClearRange clears the bits [start, start+n).
func (b Bits) ClearRange(start, n int) {
	for n > 0 {
		mask, k := span(start, n)
		b[start>>6] &^= mask
		start, n = start+k, n-k
	}
}

// AllSet reports whether all bits of [start, start+n) are set.
func (b Bits) AllSet(start, n int) bool {
	for n > 0 {
		mask, k := span(start, n)
		if b[start>>6]&mask != mask {
			return false
		}
		start, n = start+k, n-k
	}
	return true
}

// AllClear reports whether no bit of [start, start+n) is set.
func (b Bits) AllClear(start, n int) bool {
	for n > 0 {
		mask, k := span(start, n)
		if b[start>>6]&mask != 0 {
			return false
		}
		start, n = start+k, n-k
	}
	return true
}

// span is the mask of the bits of [start, start+n) in the word of start, and how
// many they are.
func span(start, n int) (mask uint64, k int) {
	off := uint(start) & 63
	k = min(n, 64-int(off))
	return ^uint64(0) >> (64 - uint(k)) << off, k
}

// Fill sets every bit.
func (b Bits) Fill() {
	for i := range b {
		b[i] = ^uint64(0)
	}
}

// NextZero is the first zero bit in [start, end), end where there is none.
func (b Bits) NextZero(start, end int) int {
	if start >= end {
		return end
	}
	w := start >> 6
	x := ^b[w] & (^uint64(0) << (uint(start) & 63))
	for x == 0 {
		w++
		if w<<6 >= end {
			return end
		}
		x = ^b[w]
	}
	return min(w<<6+bits.TrailingZeros64(x), end)
}

// NextSet is the first set bit in [start, end), end where there is none.
func (b Bits) NextSet(start, end int) int {
	if start >= end {
		return end
	}
	w := start >> 6
	x := b[w] & (^uint64(0) << (uint(start) & 63))
	for x == 0 {
		w++
		if w<<6 >= end {
			return end
		}
		x = b[w]
	}
	return min(w<<6+bits.TrailingZeros64(x), end)
}

// CountZero counts the zero bits of [0, n).
func (b Bits) CountZero(n int) int {
	zeros := 0
	for i := 0; i < n; i += 64 {
		x := ^b[i>>6]
		if n-i < 64 {
			x &= 1<<uint(n-i) - 1
		}
		zeros += bits.OnesCount64(x)
	}
	return zeros
}
