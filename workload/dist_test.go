package workload

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// phi is the distribution function of the standard normal distribution.
func phi(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// lognormalMean is the mean of a lognormal variable whose values below low and
// above high became low and high.
func lognormalMean(median, sigma, low, high float64) float64 {
	mu := math.Log(median)
	z := func(x float64) float64 { return (math.Log(x) - mu) / sigma }
	inside := math.Exp(mu+sigma*sigma/2) * (phi(z(high)-sigma) - phi(z(low)-sigma))
	return low*phi(z(low)) + inside + high*(1-phi(z(high)))
}

// paretoMean is that of a Pareto variable with values above high made high.
func paretoMean(low, alpha, high float64) float64 {
	tail := math.Pow(low/high, alpha)
	return alpha*low/(alpha-1)*(1-math.Pow(low/high, alpha-1)) + high*tail
}

// The mean of many draws is that of the formula, within five standard errors
// measured from the draws.
func TestDistMeans(t *testing.T) {
	bins := []Bin{{100, 1}, {1000, 2}, {5000, 1}}
	for _, c := range []struct {
		name string
		d    Dist
		mean float64
	}{
		{"constant", Dist{Kind: Constant, Value: 4096}, 4096},
		{"uniform", Dist{Kind: Uniform, Min: 10, Max: 21}, 15.5},
		{"uniform of one", Dist{Kind: Uniform, Min: 7, Max: 7}, 7},
		{"uniform from 0", Dist{Kind: Uniform, Max: 1}, 0.5},
		// Continuous on [min, max+1), rounded down: half a unit less.
		{"loguniform", Dist{Kind: LogUniform, Min: 1000, Max: 99999}, 99000/math.Log(100) - 0.5},
		{"lognormal", Dist{Kind: Lognormal, Median: 8192, Sigma: 1}, 8192 * math.Exp(0.5)},
		{"lognormal, clamped", Dist{Kind: Lognormal, Median: 8192, Sigma: 1.5, Min: 1000, Max: 100000}, lognormalMean(8192, 1.5, 1000, 100000)},
		{"lognormal without spread", Dist{Kind: Lognormal, Median: 8192}, 8192},
		{"pareto", Dist{Kind: Pareto, Min: 1000, Alpha: 2.5, Max: 1e6}, paretoMean(1000, 2.5, 1e6)},
		{"pareto, heavy", Dist{Kind: Pareto, Min: 4096, Alpha: 1.1, Max: 1 << 20}, paretoMean(4096, 1.1, 1<<20)},
		{"exponential", Dist{Kind: Exponential, Mean: 5000000}, 5000000},
		{"exponential, clamped", Dist{Kind: Exponential, Mean: 1000, Max: 1000}, 1000 * (1 - math.Exp(-1))},
		{"histogram", Dist{Kind: Histogram, Bins: bins}, (100 + 2*1000 + 5000) / 4.0},
		{"histogram of ranges", Dist{Kind: Histogram, Bins: bins, Ranges: true}, (50 + 2*550.5 + 3000.5) / 4},
		{"histogram of ranges from min", Dist{Kind: Histogram, Bins: bins, Ranges: true, Min: 90}, (95 + 2*550.5 + 3000.5) / 4},
	} {
		if err := c.d.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		const n = 200000
		s, r := c.d.Sampler(), stream(1)
		sum, squares := 0.0, 0.0
		for range n {
			x := float64(s.Draw(r))
			sum += x
			squares += x * x
		}
		mean := sum / n
		tolerance := 5*math.Sqrt(max(0, squares/n-mean*mean)/n) + 1e-9*mean
		if math.Abs(mean-c.mean) > tolerance {
			t.Errorf("%s: mean %.6g, want %.6g within %.2g", c.name, mean, c.mean, tolerance)
		}
	}
}

// The median of a lognormal distribution is what it says, and a log-uniform one
// has as many draws in each decade.
func TestDistShapes(t *testing.T) {
	const n = 100000
	r := stream(2)
	below := 0
	s := (&Dist{Kind: Lognormal, Median: 10000, Sigma: 2}).Sampler()
	for range n {
		if s.Draw(r) <= 10000 {
			below++
		}
	}
	if math.Abs(float64(below)-n/2) > 5*math.Sqrt(n)/2 {
		t.Errorf("%d of %d at or below the median", below, n)
	}
	var decades [3]int
	s = (&Dist{Kind: LogUniform, Min: 10, Max: 9999}).Sampler()
	for range n {
		decades[int(math.Log10(float64(s.Draw(r))))-1]++
	}
	for i, d := range decades {
		if math.Abs(float64(d)-n/3) > 5*math.Sqrt(n*2/9) {
			t.Errorf("decade %d has %d of %d", i, d, n)
		}
	}
}

// anyDist draws a distribution that passes Check.
func anyDist() *rapid.Generator[Dist] {
	return rapid.Custom(func(t *rapid.T) Dist {
		d := Dist{Kind: DistKind(rapid.IntRange(int(NoDist), int(Histogram)).Draw(t, "kind"))}
		d.Min = rapid.Int64Range(1, 1<<40).Draw(t, "min")
		d.Max = rapid.OneOf(rapid.Just(d.Min), rapid.Int64Range(d.Min, math.MaxInt64)).Draw(t, "max")
		d.Value = rapid.Int64Range(0, math.MaxInt64).Draw(t, "value")
		d.Median, d.Mean = 1+d.Value/2, 1+d.Value/2
		d.Sigma = rapid.Float64Range(0, 100).Draw(t, "sigma")
		d.Alpha = rapid.Float64Range(0.001, 1000).Draw(t, "alpha")
		d.Ranges = rapid.Bool().Draw(t, "ranges")
		last := d.Min
		for range rapid.IntRange(1, 5).Draw(t, "bins") {
			last += rapid.Int64Range(1, 1<<40).Draw(t, "value")
			d.Bins = append(d.Bins, Bin{last, rapid.Float64Range(0, 10).Draw(t, "weight")})
		}
		d.Bins[0].Weight++
		return d
	})
}

// Whatever the parameters: a draw lies between the bounds, and takes one number
// from the stream.
func TestDistProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDist().Draw(t, "dist")
		if err := d.Check(); err != nil {
			t.Fatalf("%+v: %v", d, err)
		}
		seed := rapid.Uint64().Draw(t, "seed")
		s, r, same := d.Sampler(), stream(seed), stream(seed)
		for range 20 {
			n := s.Draw(r)
			same.Float64()
			if n < 0 || d.Kind > Constant && (n < d.Min || n > d.Max) {
				t.Fatalf("%+v: drew %d", d, n)
			}
		}
		if r.Uint64() != same.Uint64() {
			t.Fatalf("%+v: it takes more or less than one number", d)
		}
	})
}

// A bin without weight never occurs, even at the ends.
func TestHistogramZeroWeights(t *testing.T) {
	for _, ranges := range []bool{false, true} {
		d := Dist{Kind: Histogram, Ranges: ranges, Bins: []Bin{{10, 0}, {20, 1}, {30, 0}, {40, 3}, {50, 0}}}
		s := d.Sampler()
		for u := range 1000 {
			x := s.bin(float64(u) / 1000)
			if ok := x == 20 || x == 40 || ranges && (x > 10 && x < 20 || x > 30 && x < 40); !ok {
				t.Fatalf("ranges %v: %v", ranges, x)
			}
		}
		if x := s.bin(math.Nextafter(1, 0)); x != 40 {
			t.Errorf("at the end: %v", x)
		}
	}
}

func TestDistCheck(t *testing.T) {
	for _, c := range []struct {
		d    Dist
		want string
	}{
		{Dist{Kind: Constant, Value: -1}, "constant: -1 is negative"},
		{Dist{Kind: Uniform, Min: -5, Max: 9}, "min: -5 is negative"},
		{Dist{Kind: Lognormal, Median: 1, Max: -5}, "max: -5 is negative"},
		{Dist{Kind: Uniform, Min: 5, Max: 4}, "max: 4 is below min, 5"},
		{Dist{Kind: Uniform, Min: 5}, "max: 0 is below min, 5"},
		{Dist{Kind: LogUniform, Max: 4}, "min: 0: want 1 or more"},
		{Dist{Kind: Pareto, Max: 4, Alpha: 1}, "min: 0: want 1 or more"},
		{Dist{Kind: Pareto, Min: 4}, "alpha: 0: want a number above 0, at most 1000"},
		{Dist{Kind: Pareto, Min: 4, Alpha: math.NaN()}, "alpha: NaN: want a number above 0, at most 1000"},
		{Dist{Kind: Lognormal, Sigma: 1}, "median: 0: want 1 or more"},
		{Dist{Kind: Lognormal, Median: 1, Sigma: -1}, "sigma: -1: want 0 to 100"},
		{Dist{Kind: Exponential}, "mean: 0: want 1 or more"},
		{Dist{Kind: Histogram}, "bins: none"},
		{Dist{Kind: Histogram, Bins: []Bin{{-1, 1}}}, "bins: the value of bin 0 is negative"},
		{Dist{Kind: Histogram, Bins: []Bin{{1, math.Inf(1)}}}, "bins: the weight of bin 0 is +Inf: want 0 to 1e15"},
		{Dist{Kind: Histogram, Bins: []Bin{{1, 0}, {2, 0}}}, "bins: all weights are 0"},
		{Dist{Kind: Histogram, Ranges: true, Bins: []Bin{{4, 1}, {4, 1}}}, "bins: the bound of bin 1 is 4, not above that of the bin before, 4"},
		{Dist{Kind: Histogram, Ranges: true, Min: 9, Bins: []Bin{{4, 1}}}, "bins: the bound of bin 0 is 4, below min, 9"},
	} {
		err := c.d.Check()
		var key *KeyError
		if err == nil || err.Error() != c.want || !errors.As(err, &key) {
			t.Errorf("%+v: got %v, want %s", c.d, err, c.want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, d := range []Dist{
		{Kind: Constant, Value: 1}, {Kind: LogUniform, Min: 1, Max: 1 << 20}, {Kind: Lognormal, Median: 8192, Sigma: 1},
		{Kind: Pareto, Min: 4096, Alpha: 1.2}, {Kind: Histogram, Bins: []Bin{{1, 1}, {2, 1}, {3, 1}}},
	} {
		b.Run(d.Kind.String(), func(b *testing.B) {
			s, r := d.Sampler(), stream(1)
			b.ReportAllocs()
			for range b.N {
				s.Draw(r)
			}
		})
	}
}
