package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"pgregory.net/rapid"
)

type interval struct {
	T  float64 `json:"t"`
	P  float64 `json:"p"`
	DF float64 `json:"df"`
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// recorded is testdata/scipy.json, which testdata/make_scipy_json.py made.
type recorded struct {
	Cases []struct {
		Name          string
		A, B          []float64
		MeanA         float64   `json:"mean_a"`
		SDA           float64   `json:"sd_a"`
		MeanLo        float64   `json:"mean_lo"`
		MeanHi        float64   `json:"mean_hi"`
		Paired        *interval `json:"paired"`
		Welch         interval  `json:"welch"`
		SignFlip      *float64  `json:"sign_flip"`
		SignFlipAbout *float64  `json:"sign_flip_about"`
	}
	P, Holm []float64
}

func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*max(math.Abs(want), 1e-12)) {
		t.Errorf("%s is %.17g, scipy has %.17g", what, got, want)
	}
}

func TestScipy(t *testing.T) {
	raw, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Cases) < 10 {
		t.Fatalf("%d cases", len(r.Cases))
	}
	for _, c := range r.Cases {
		t.Run(c.Name, func(t *testing.T) {
			m := MeanOf(c.A)
			near(t, "mean", m.Value, c.MeanA, 1e-14)
			near(t, "standard deviation", m.SD, c.SDA, 1e-13)
			near(t, "half width", m.Half, (c.MeanHi-c.MeanLo)/2, 1e-8)
			check := func(test string, d Difference, want interval) {
				near(t, test+" t", d.T, want.T, 1e-9)
				near(t, test+" df", d.DF, want.DF, 1e-12)
				near(t, test+" p", d.P, want.P, 1e-8)
				near(t, test+" difference", d.Value, (want.Lo+want.Hi)/2, 1e-9)
				near(t, test+" half width", d.Half, (want.Hi-want.Lo)/2, 1e-8)
				if d.Evidence() != (want.Lo > 0 || want.Hi < 0) {
					t.Errorf("%s: evidence is %v with an interval of %g to %g", test, d.Evidence(), want.Lo, want.Hi)
				}
			}
			if c.Paired != nil {
				check("paired", Paired(c.A, c.B), *c.Paired)
			}
			check("welch", Welch(c.A, c.B), c.Welch)
			if c.SignFlip != nil {
				near(t, "permutation", SignFlip(Differences(c.A, c.B)), *c.SignFlip, 1e-12)
			}
			if c.SignFlipAbout != nil {
				near(t, "permutation", SignFlip(Differences(c.A, c.B)), *c.SignFlipAbout, 0.02)
			}
		})
	}
	for i, p := range Holm(r.P) {
		near(t, "holm", p, r.Holm[i], 1e-12)
	}
}

// What scipy has no answer for.
func TestDegenerate(t *testing.T) {
	tenth := 0.1 // as a variable: constants would be exact
	for _, c := range []struct {
		name        string
		a, b        []float64
		value, p, d float64 // d is the half width, NaN for none
		evidence    bool
	}{
		{"nothing", nil, nil, math.NaN(), 1, math.NaN(), false},
		{"one pair", []float64{3}, []float64{4}, 1, 1, math.NaN(), false},
		{"the same", []float64{3, 5, 7}, []float64{3, 5, 7}, 0, 1, 0, false},
		{"always one more", []float64{3, 5, 7}, []float64{4, 6, 8}, 1, 0, 0, true},
		{"constants", []float64{0.1, 0.1, 0.1}, []float64{0.4, 0.4, 0.4}, 0.4 - tenth, 0, 0, true},
	} {
		d := Paired(c.a, c.b)
		same := func(x, y float64) bool { return x == y || math.IsNaN(x) && math.IsNaN(y) }
		if !same(d.Value, c.value) || d.P != c.p || !same(d.Half, c.d) || d.Evidence() != c.evidence {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	w := Welch([]float64{2, 2, 2}, []float64{3, 3})
	if w.Value != 1 || w.Half != 0 || w.P != 0 || w.N != 2 {
		t.Errorf("Welch without variance: %+v", w)
	}
	if p := SignFlip(nil); p != 1 {
		t.Errorf("no pairs: p is %v", p)
	}
}

// An interval of 95% holds the truth in about 95% of all samples, and p is below
// 5% in about 5% of samples without an effect.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const trials = 4000
	holds, small, flips, ratios := 0, 0, 0, 0
	for range trials {
		a, b := make([]float64, 8), make([]float64, 8)
		for i := range a {
			seed := 10 * rng.NormFloat64()
			a[i] = seed + rng.NormFloat64()
			b[i] = seed + rng.NormFloat64() + 0.5
		}
		d := Paired(a, b)
		if math.Abs(d.Value-0.5) <= d.Half {
			holds++
		}
		for i := range b {
			b[i] -= 0.5
		}
		if Paired(a, b).P < 0.05 {
			small++
		}
		if SignFlip(Differences(a, b)) < 0.05 {
			flips++
		}
		for i := range a {
			a[i] = 20 + 4*rng.NormFloat64()
			b[i] = a[i] * (0.3 + 0.02*rng.NormFloat64())
		}
		if change, half := Ratio(a, b); math.Abs(change+0.7) <= half {
			ratios++
		}
	}
	// Three standard errors of a share of 5% in 4000 trials are 1.03%.
	for what, share := range map[string]float64{
		"intervals without the truth": 1 - float64(holds)/trials, "ratios without the truth": 1 - float64(ratios)/trials, "small p": float64(small) / trials, "small permutation p": float64(flips) / trials,
	} {
		if share < 0.0397 || share > 0.0603 {
			t.Errorf("%s: %.2f%%, want about 5%%", what, 100*share)
		}
	}
}

// Holm never lets a p fall, keeps their order, and of one comparison changes
// nothing.
func TestHolm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		adjusted := Holm(p)
		for i := range p {
			if adjusted[i] < p[i] || adjusted[i] > 1 || len(p) == 1 && adjusted[i] != p[i] {
				t.Fatalf("%v becomes %v", p, adjusted)
			}
			for j := range p {
				if p[i] < p[j] && adjusted[i] > adjusted[j] {
					t.Fatalf("%v becomes %v: the order changed", p, adjusted)
				}
			}
		}
	})
}
