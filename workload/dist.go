package workload

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// DistKind is the kind of a distribution.
type DistKind uint8

// The kinds of distributions.
const (
	NoDist      DistKind = iota // none was given
	Constant                    // Value
	Uniform                     // Min to Max, each whole number as likely
	LogUniform                  // Min to Max, each factor as likely
	Lognormal                   // Median, Sigma
	Pareto                      // Min, Alpha
	Exponential                 // Mean
	Histogram                   // Bins
)

var distNames = [...]string{"none", "constant", "uniform", "loguniform", "lognormal", "pareto", "exponential", "histogram"}

func (k DistKind) String() string { return distNames[k] }

// Dist is a distribution of sizes in bytes or times in nanoseconds. Every draw
// is a whole number of 0 or more. What is drawn below Min or above Max becomes
// Min or Max; a Max of 0 is no limit but for Uniform and LogUniform, which need
// one.
type Dist struct {
	Kind   DistKind
	Value  int64
	Min    int64
	Max    int64
	Median int64
	Sigma  float64 // standard deviation of the natural logarithm
	Alpha  float64 // tail index
	Mean   int64
	Bins   []Bin
	// Ranges makes the value of a bin its upper bound: a draw lies anywhere
	// above the value of the bin before, or from Min on in the first.
	Ranges bool
}

// Bin is a value of a histogram and how often it occurs relative to others.
type Bin struct {
	Value  int64
	Weight float64
}

// KeyError is a setting that makes no sense, by its name in a scenario.
type KeyError struct{ Key, Message string }

func (e *KeyError) Error() string { return e.Key + ": " + e.Message }

func keyErrorf(key, format string, a ...any) error {
	return &KeyError{key, fmt.Sprintf(format, a...)}
}

// maxDraw is the largest draw: about 4 EiB, or 146 years.
const maxDraw = 1 << 62

// Check reports what makes d no distribution.
func (d *Dist) Check() error {
	switch {
	case d.Value < 0:
		return keyErrorf("constant", "%d is negative", d.Value)
	case d.Min < 0:
		return keyErrorf("min", "%d is negative", d.Min)
	case d.Max < 0:
		return keyErrorf("max", "%d is negative", d.Max)
	case d.Max < d.Min && (d.Max > 0 || d.Kind == Uniform || d.Kind == LogUniform):
		return keyErrorf("max", "%d is below min, %d", d.Max, d.Min)
	}
	// Each kind has parameters of its own.
	switch d.Kind {
	case LogUniform, Pareto:
		if d.Min < 1 {
			return keyErrorf("min", "0: want 1 or more")
		}
		if d.Kind == Pareto && !(d.Alpha > 0 && d.Alpha <= 1000) {
			return keyErrorf("alpha", "%g: want a number above 0, at most 1000", d.Alpha)
		}
	case Lognormal:
		if d.Median < 1 {
			return keyErrorf("median", "%d: want 1 or more", d.Median)
		}
		if !(d.Sigma >= 0 && d.Sigma <= 100) {
			return keyErrorf("sigma", "%g: want 0 to 100", d.Sigma)
		}
	case Exponential:
		if d.Mean < 1 {
			return keyErrorf("mean", "%d: want 1 or more", d.Mean)
		}
	case Histogram:
		return d.checkBins()
	}
	return nil
}

func (d *Dist) checkBins() error {
	if len(d.Bins) == 0 {
		return keyErrorf("bins", "none")
	}
	// Bounds must go up, so that every range holds a value, and some weight must be above 0.
	total, last := 0.0, int64(-1)
	for i, b := range d.Bins {
		switch {
		case b.Value < 0:
			return keyErrorf("bins", "the value of bin %d is negative", i)
		case !(b.Weight >= 0 && b.Weight <= 1e15):
			return keyErrorf("bins", "the weight of bin %d is %g: want 0 to 1e15", i, b.Weight)
		case d.Ranges && i == 0 && b.Value < d.Min:
			return keyErrorf("bins", "the bound of bin 0 is %d, below min, %d", b.Value, d.Min)
		case d.Ranges && b.Value <= last:
			return keyErrorf("bins", "the bound of bin %d is %d, not above that of the bin before, %d", i, b.Value, last)
		}
		total += b.Weight
		last = b.Value
	}
	if total == 0 {
		return keyErrorf("bins", "all weights are 0")
	}
	return nil
}

// Sampler draws from a distribution.
type Sampler struct {
	d          *Dist
	quantile   func(float64) float64
	cumulative []float64 // of the bins, divided by their sum
}

// Sampler prepares d, which must pass Check, for drawing. Of NoDist every draw
// is 0.
func (d *Dist) Sampler() *Sampler {
	// Quantile functions turn one number from 0 to 1 into a draw.
	s := &Sampler{d: d}
	switch d.Kind {
	case Lognormal:
		// gonum does not take a deviation of 0.
		if d.Sigma == 0 {
			s.quantile = func(float64) float64 { return float64(d.Median) }
			break
		}
		s.quantile = distuv.LogNormal{Mu: math.Log(float64(d.Median)), Sigma: d.Sigma}.Quantile
	case Pareto:
		s.quantile = distuv.Pareto{Xm: float64(d.Min), Alpha: d.Alpha}.Quantile
	case Exponential:
		s.quantile = distuv.Exponential{Rate: 1 / float64(d.Mean)}.Quantile
	case Histogram:
		// The weights, summed up and divided by their total, are the quantiles of the bins.
		total := 0.0
		for _, b := range d.Bins {
			total += b.Weight
			s.cumulative = append(s.cumulative, total)
		}
		for i := range s.cumulative {
			s.cumulative[i] /= total
		}
	}
	return s
}

// Draw draws. It takes exactly one number from r, whatever the distribution, so
// that a draw more or less is the only thing that moves a stream.
func (s *Sampler) Draw(r *rand.Rand) int64 {
	// One number is drawn even for a constant, so that another kind leaves what follows.
	u := r.Float64()
	d := s.d
	switch d.Kind {
	case NoDist:
		return 0
	case Constant:
		return d.Value
	case Uniform:
		return d.clamp(float64(d.Min) + math.Floor(u*(float64(d.Max)-float64(d.Min)+1)))
	case LogUniform:
		low, high := float64(d.Min), float64(d.Max)+1
		return d.clamp(math.Floor(low * math.Exp(u*math.Log(high/low))))
	case Histogram:
		return d.clamp(s.bin(u))
	}
	return d.clamp(math.Round(s.quantile(u)))
}

// bin is the value that the histogram has at u.
func (s *Sampler) bin(u float64) float64 {
	// The first bin whose sum is above u. Rounding may leave u above all, or lead to a bin
	// without weight.
	i := sort.Search(len(s.cumulative), func(i int) bool { return s.cumulative[i] > u })
	i = min(i, len(s.cumulative)-1)
	for i > 0 && s.d.Bins[i].Weight == 0 {
		i--
	}
	high := float64(s.d.Bins[i].Value)
	if !s.d.Ranges {
		return high
	}
	// The range of the bin is divided in the proportion of u between the two sums.
	low, from := float64(s.d.Min), 0.0
	if i > 0 {
		low, from = float64(s.d.Bins[i-1].Value)+1, s.cumulative[i-1]
	}
	part := (u - from) / (s.cumulative[i] - from)
	return min(high, low+math.Floor(part*(high-low+1)))
}

func (d *Dist) clamp(x float64) int64 {
	// A larger number, infinity too, becomes the largest draw: its conversion would overflow.
	n := int64(maxDraw)
	if !(x >= maxDraw) {
		n = int64(max(x, 0))
	}
	if d.Max > 0 {
		n = min(n, d.Max)
	}
	return max(n, d.Min)
}
