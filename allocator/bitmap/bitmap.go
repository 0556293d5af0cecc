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
func New(n int) Bits { return make(Bits, Words(n)) }

// Words is the number of words that n bits take.
func Words(n int) int { return (n + 63) / 64 }

// Test reports whether bit i is set.
func (b Bits) Test(i int) bool { return b[i>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bits) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// SetRange sets the bits [start, start+n).
func (b Bits) SetRange(start, n int) {
	if n <= 0 {
		return
	}
	i, j, first, last := ends(start, n)
	if i == j {
		b[i] |= first & last
		return
	}
	// The ends are parts of a word, and what lies between is whole words.
	b[i] |= first
	b[i+1 : j].Fill()
	b[j] |= last
}

// ClearRange clears the bits [start, start+n).
func (b Bits) ClearRange(start, n int) {
	if n <= 0 {
		return
	}
	i, j, first, last := ends(start, n)
	if i == j {
		b[i] &^= first & last
		return
	}
	// As in SetRange.
	b[i] &^= first
	clear(b[i+1 : j])
	b[j] &^= last
}

// AllSet reports whether all bits of [start, start+n) are set.
func (b Bits) AllSet(start, n int) bool { return b.all(start, n, ^uint64(0)) }

// AllClear reports whether no bit of [start, start+n) is set.
func (b Bits) AllClear(start, n int) bool { return b.all(start, n, 0) }

// all reports whether the bits of [start, start+n) are as those of word, which is
// all ones or all zeros.
func (b Bits) all(start, n int, word uint64) bool {
	if n <= 0 {
		return true
	}
	i, j, first, last := ends(start, n)
	if i == j {
		return (b[i]^word)&first&last == 0
	}
	// A bit that differs from word's shows as a one.
	if (b[i]^word)&first|(b[j]^word)&last != 0 {
		return false
	}
	for _, x := range b[i+1 : j] {
		if x != word {
			return false
		}
	}
	return true
}

// ends are the words of the first and the last bit of [start, start+n), and in
// each the bits that the range may have: those from its start on, and those up to
// its end.
func ends(start, n int) (i, j int, first, last uint64) {
	end := start + n - 1
	return start >> 6, end >> 6, ^uint64(0) << (uint(start) & 63), ^uint64(0) >> (^uint(end) & 63)
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
	// The bits before start count as ones.
	x := b[w] | (1<<(uint(start)&63) - 1)
	if x == ^uint64(0) {
		b = b[:(end+63)>>6]
		for w++; w < len(b) && b[w] == ^uint64(0); w++ {
		}
		if w < len(b) { // else the end is before w
			x = b[w]
		}
	}
	return min(w<<6+bits.TrailingZeros64(^x), end)
}

// NextSet is the first set bit in [start, end), end where there is none.
func (b Bits) NextSet(start, end int) int {
	if start >= end {
		return end
	}
	w := start >> 6
	// The bits before start count as zeros.
	x := b[w] & (^uint64(0) << (uint(start) & 63))
	if x == 0 {
		b = b[:(end+63)>>6]
		for w++; w < len(b) && b[w] == 0; w++ {
		}
		if w < len(b) { // else the end is before w
			x = b[w]
		}
	}
	return min(w<<6+bits.TrailingZeros64(x), end)
}

// ZerosFrom is the zero bits of the word of bit i, as ones, from bit i on.
func (b Bits) ZerosFrom(i int) uint64 { return ^b[i>>6] & (^uint64(0) << (uint(i) & 63)) }

// CountZero counts the zero bits of [0, n).
func (b Bits) CountZero(n int) int {
	zeros := 0
	for i := 0; i < n; i += 64 {
		x := ^b[i>>6]
		// In the last word only the bits before n count.
		if n-i < 64 {
			x &= 1<<uint(n-i) - 1
		}
		zeros += bits.OnesCount64(x)
	}
	return zeros
}

// ZeroOrder is the largest k up to 6 for which the 2^k bits around bit i, aligned,
// are all zero. Bit i is.
func (b Bits) ZeroOrder(i int) int {
	x := ^b[i>>6]
	if x == ^uint64(0) {
		return 6
	}
	off := uint(i) & 63
	for k := uint(0); ; k++ {
		// What makes 2^k bits 2^(k+1). All six do only in a word of zeros.
		other := (uint64(1)<<(1<<k) - 1) << ((off>>k ^ 1) << k)
		if x&other != other {
			return int(k)
		}
	}
}
