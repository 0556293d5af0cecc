package device

import (
	"fmt"
	"math"
)

// seekCurve is the time of a seek by its distance, after Ruemmler and Wilkes, An
// Introduction to Disk Drive Modeling, IEEE Computer 27(3), 1994. With x the share
// of all cylinders that the arm crosses:
//
//	a + b*sqrt(x)  up to the knee, where the arm speeds up and slows down
//	c + e*x        beyond it, where it coasts
//
// Data sheets tell three times. a is that of the shortest seek; b, c and e follow
// from the longest, from the mean over all pairs of cylinders (in which x has the
// density 2(1-x)), and from both parts meeting at the knee.
type seekCurve struct {
	cylinders  float64
	knee       float64
	a, b, c, e float64 // ns
}

// newSeekCurve computes the curve of an arm with so many cylinders to go.
func newSeekCurve(m *Model, cylinders int64) (seekCurve, error) {
	a, mean, full := float64(m.TrackSeek), float64(m.AverageSeek), float64(m.FullSeek)
	k := float64(m.SeekKnee) / 1000
	r := math.Sqrt(k)
	// Integrals of 2(1-x), of 2(1-x)sqrt(x) below the knee, and of 2(1-x) and
	// 2(1-x)x above it.
	below := 2*k - k*k
	belowRoot := 4*k*r/3 - 4*k*k*r/5
	above := 1 - below
	aboveX := 1.0/3 - k*k + 2*k*k*k/3
	// Whole nanoseconds: some machines round a product and a sum once, not twice.
	e := math.Round((a*below + (full-a)*belowRoot/r + full*above - mean) / ((1-k)*belowRoot/r + above - aboveX))
	s := seekCurve{cylinders: float64(cylinders), knee: k, a: a, e: e, c: full - e, b: math.Round((full - a - e*(1-k)) / r)}
	if s.b < 0 || s.e < 0 {
		return s, fmt.Errorf("average_seek: no curve from %d ns (track_seek) to %d ns (full_seek) has a mean of %d ns with its knee at %d thousandths",
			m.TrackSeek, m.FullSeek, m.AverageSeek, m.SeekKnee)
	}
	return s, nil
}

// time is that of a seek over so many cylinders, ns. The conversions make all
// machines round products.
func (s *seekCurve) time(distance int64) int64 {
	if distance == 0 {
		return 0
	}
	x := float64(distance) / s.cylinders
	if x <= s.knee {
		return int64(s.a + float64(s.b*math.Sqrt(x)))
	}
	return int64(s.c + float64(s.e*x))
}
