package imports

import "math/bits"

// permutation is a random order of the numbers below n that needs no memory: a cipher on the smallest even
// number of bits that holds them. A number that the cipher takes out of the range is put in again, until it
// falls into it: on average less than four times.
type permutation struct {
	n    uint64
	half uint // bits of one half
	key  [4]uint64
}

// newPermutation makes the order of a seed.
func newPermutation(n, seed uint64) permutation {
	p := permutation{n: n, half: max(uint(bits.Len64(n-1)+1)/2, 1)}
	for i := range p.key {
		p.key[i] = mix(seed + uint64(i)*0x9e3779b97f4a7c15)
	}
	return p
}

// mix spreads every bit of x over all.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// at is the number at a place of the order.
func (p *permutation) at(x uint64) uint64 {
	mask := uint64(1)<<p.half - 1
	for {
		// Each round changes one half by a function of the other, and so can be taken back: no two numbers
		// become one.
		left, right := x>>p.half, x&mask
		for _, k := range p.key {
			left, right = right, left^(mix(right+k)&mask)
		}
		if x = left<<p.half | right; x < p.n {
			return x
		}
	}
}
