package stats

import "math"

// Difference is that of two means: second less first.
type Difference struct {
	N     int // pairs; for Welch the smaller sample
	Value float64
	Half  float64 // half the width of the confidence interval, NaN for N < 2
	T, DF float64
	P     float64 // of the t test, two-sided; 1 for N < 2
}

// Evidence says whether the interval leaves out zero.
func (d *Difference) Evidence() bool { return math.Abs(d.Value) > d.Half }

// Paired compares a[i] with b[i].
//
// Deviates from scipy.stats.ttest_rel where all differences are equal: scipy
// divides by zero, here the interval has no width, and P is 0, or 1 if the
// differences are zero.
func Paired(a, b []float64) Difference {
	d := Differences(a, b)
	m := MeanOf(d)
	return difference(m.Value, len(d), m.SD/math.Sqrt(float64(len(d))), float64(len(d)-1))
}

// Differences are b[i] - a[i].
func Differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	return d
}

// Welch compares two samples that nothing pairs, and whose variances may differ
// (scipy.stats.ttest_ind with equal_var=False, but for variances of zero, as in
// Paired).
func Welch(a, b []float64) Difference {
	ma, mb := MeanOf(a), MeanOf(b)
	va, vb := ma.SD*ma.SD/float64(ma.N), mb.SD*mb.SD/float64(mb.N)
	// The degrees of freedom by Welch and Satterthwaite.
	df := math.Inf(1)
	if va+vb > 0 {
		df = (va + vb) * (va + vb) / (va*va/float64(ma.N-1) + vb*vb/float64(mb.N-1))
	}
	return difference(mb.Value-ma.Value, min(ma.N, mb.N), math.Sqrt(va+vb), df)
}

// difference computes interval and p value from a standard error and its degrees of freedom.
func difference(value float64, n int, se, df float64) Difference {
	d := Difference{N: n, Value: value, Half: math.NaN(), T: math.NaN(), DF: df, P: 1}
	switch {
	case n < 2:
	case se == 0:
		d.Half = 0
		if value != 0 {
			d.T, d.P = math.Copysign(math.Inf(1), value), 0
		}
	default:
		d.Half = quantile(df) * se
		d.T = value / se
		d.P = min(1, 2*student(df).CDF(-math.Abs(d.T)))
	}
	return d
}

// Ratio is how much the mean of b is above that of a, as a share of it, with half
// the width of the interval: of the ratio of means of paired samples (Cochran,
// Sampling Techniques, 6.4, in its large-sample form, with Student's t). A spread
// that both have in proportion does not widen it. NaN where the mean of a is not
// above zero, or for fewer than two pairs.
func Ratio(a, b []float64) (change, half float64) {
	ma, mb := mean(a), mean(b)
	if len(a) < 2 || !(ma > 0) {
		return math.NaN(), math.NaN()
	}
	// The spread is that of what a proportional change leaves unexplained: b - r*a.
	r := mb / ma
	rest := make([]float64, len(a))
	for i := range a {
		rest[i] = b[i] - r*a[i]
	}
	n := float64(len(a))
	se := math.Sqrt(variance(rest, 0)/n) / ma // the rests sum to zero
	return r - 1, quantile(n-1) * se
}
