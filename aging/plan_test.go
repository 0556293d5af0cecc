package aging

import (
	"math"
	"testing"
)

// Files that live as Lifetimes says have, at one moment, the ages that were given: as many are older than an
// age as live longer, summed over the births of all times.
func TestLifetimes(t *testing.T) {
	for _, p := range Profiles() {
		lives := Lifetimes(p.Ages)
		// The share of the files alive whose age is in each bin: the integral of the share of lives
		// that are longer. A life lies at the upper bound of its bin, as the densities step there.
		total, mean := 0.0, 0.0
		for _, l := range lives {
			total += l.Weight
			mean += l.Weight * l.Value
		}
		if !(total > 0 && mean > 0) {
			t.Fatalf("%s: lives %v", p.Name, lives)
		}
		ages := 0.0
		for _, a := range p.Ages {
			ages += a.Weight
		}
		// At the bounds that remain, the cumulative share must be the observed one.
		for _, at := range lives {
			alive := 0.0
			for _, l := range lives {
				alive += l.Weight * math.Min(l.Value, at.Value)
			}
			seen := 0.0
			for _, a := range p.Ages {
				if a.Value <= at.Value {
					seen += a.Weight
				}
			}
			if got, want := alive/mean, seen/ages; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %g of the files are younger than %g h, want %g", p.Name, got, at.Value, want)
			}
		}
	}
}

// The mean of a lognormal distribution without a limit is known.
func TestMeanSize(t *testing.T) {
	p := Profile{Median: 1000, Sigma: 1}
	if got, want := p.MeanSize(1<<50), 1000*math.Exp(0.5); math.Abs(got-want) > 1e-3 {
		t.Errorf("%g, want %g", got, want)
	}
	p = Profile{Sizes: []Bin{{0, 1}, {100, 1}}}
	if got := p.MeanSize(1 << 50); got != 25 {
		t.Errorf("%g, want 25", got)
	}
}
