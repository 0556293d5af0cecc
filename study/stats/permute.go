package stats

import (
	"math"
	"math/rand/v2"
)

// exactPairs is how many pairs are permuted completely: 65,536 ways.
const exactPairs = 16

// draws is how many ways are tried for more.
const draws = 20000

// SignFlip is the two-sided p of the permutation test on paired differences: the
// share of all ways to choose the differences' signs whose sum lies at least as
// far from zero. It assumes only that a difference is as likely as its opposite.
// With n pairs it cannot be below 2/2^n. For more than 16 pairs it is the share
// of 20,000 ways drawn at random, always the same.
//
// It is scipy.stats.permutation_test with permutation_type='samples'.
func SignFlip(d []float64) float64 {
	if len(d) == 0 {
		return 1
	}
	size := 0.0
	for _, v := range d {
		size += math.Abs(v)
	}
	// Sums that differ by rounding are equal.
	limit := math.Abs(signed(d, 0)) - 1e-14*size
	// Few pairs: try all ways to choose the signs.
	if len(d) <= exactPairs {
		far := 0
		for signs := range uint64(1) << len(d) {
			if math.Abs(signed(d, signs)) >= limit {
				far++
			}
		}
		return float64(far) / float64(uint64(1)<<len(d))
	}
	// Many pairs: draw ways from a stream with a fixed key, so that the result is always the same.
	src := rand.NewChaCha8([32]byte([]byte("mbsim study: permutation of sign")))
	far := 1 // the one observed
	for range draws {
		sum := 0.0
		var signs uint64
		// A new word of random bits for each 64 signs.
		for i, v := range d {
			if i%64 == 0 {
				signs = src.Uint64()
			}
			if signs>>(i%64)&1 != 0 {
				v = -v
			}
			sum += v
		}
		if math.Abs(sum) >= limit {
			far++
		}
	}
	return float64(far) / (draws + 1)
}

// signed is the sum with the sign of d[i] turned where bit i is set.
func signed(d []float64, signs uint64) (sum float64) {
	for i, v := range d {
		if signs>>i&1 != 0 {
			v = -v
		}
		sum += v
	}
	return sum
}
