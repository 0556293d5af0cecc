package study

import (
	"math"
	"testing"
)

// group is runs of replications 0, 1, ... with these values of two metrics.
func group(metric string, values ...float64) (all []Sample) {
	for r, v := range values {
		s := Sample{Seed: 1, Replication: r, Values: map[string]float64{}}
		if !math.IsNaN(v) {
			s.Values[metric] = v
		}
		all = append(all, s)
	}
	return all
}

func TestCompare(t *testing.T) {
	nan := math.NaN()
	const lower, higher, neither = "extents_per_file_mean", "layout_score", "files"
	for _, c := range []struct {
		name     string
		metric   string
		a, b     []float64
		verdict  Verdict
		pairs    int
		unpaired int
	}{
		{"less of what should be low", lower, []float64{5, 9, 7, 3}, []float64{4, 8.1, 6, 2.1}, Better, 4, 0},
		{"more of what should be low", lower, []float64{5, 9, 7, 3}, []float64{6, 10.1, 8, 4.1}, Worse, 4, 0},
		{"more of what should be high", higher, []float64{5, 9, 7, 3}, []float64{6, 10.1, 8, 4.1}, Better, 4, 0},
		{"more of what is neither", neither, []float64{5, 9, 7, 3}, []float64{6, 10.1, 8, 4.1}, Higher, 4, 0},
		{"less of what is neither", neither, []float64{6, 10, 8, 4}, []float64{5, 9, 7, 3}, Lower, 4, 0},
		{"no evidence", lower, []float64{5, 9, 7, 3}, []float64{6, 8, 8, 2}, Unsure, 4, 0},
		{"too few pairs", lower, []float64{5, 9}, []float64{4, 8}, Unsure, 2, 0},
		{"one pair", lower, []float64{5}, []float64{4}, Unsure, 1, 0},
		{"the same", lower, []float64{5, 9, 7}, []float64{5, 9, 7}, Same, 3, 0},
		{"the same once", lower, []float64{5}, []float64{5}, Same, 1, 0},
		{"a value is missing", lower, []float64{5, nan, 9, 7, 3}, []float64{4, 3, 8.1, 6, 2.1}, Better, 4, 1},
		{"more replications", lower, []float64{5, 9, 7, 3}, []float64{4, 8.1, 6, 2.1, 5, 8}, Better, 4, 2},
		{"evidence of next to nothing", lower, []float64{500, 900, 700, 300}, []float64{499, 899.1, 699, 299.1}, Small, 4, 0},
		{"more hits of a goal", "mb_goal_hits", []float64{5, 9, 7, 3}, []float64{6, 10.1, 8, 4.1}, Higher, 4, 0},
		{"from nothing", lower, []float64{0, 0, 0}, []float64{0.001, 0.0011, 0.001}, Worse, 3, 0},
		{"no value", lower, []float64{nan, nan}, []float64{4, 8}, Unsure, 0, 0},
	} {
		e := Compare(group(c.metric, c.a...), group(c.metric, c.b...), c.metric, DefaultMinEffect)
		if e.Verdict != c.verdict || e.Difference.N != c.pairs || e.Unpaired != c.unpaired {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

// Runs of different seeds cannot be paired: what their seeds do to the values
// hides the difference.
func TestUnpaired(t *testing.T) {
	const m = "extents_per_file_mean"
	a := group(m, 5, 9, 7, 3)
	b := group(m, 4, 8.1, 6, 2.1)
	for i := range b {
		b[i].Seed = 2
	}
	e := Compare(a, b, m, 0)
	if e.Paired || e.Verdict != Unsure || e.Difference.N != 4 || e.Difference.Value > -0.9 {
		t.Errorf("%+v", e)
	}
	for i := range b {
		b[i].Values[m] -= 100
	}
	if e := Compare(a, b, m, 0); e.Verdict != Better {
		t.Errorf("far apart: %+v", e)
	}
}

// One of many comparisons needs better evidence.
func TestFamily(t *testing.T) {
	const m = "files"
	a := group(m, 1, 2, 3, 4, 5)
	weak := Compare(a, group(m, 2, 2.5, 3.8, 5.5, 5.1), m, 0)
	if p := weak.Difference.P; p < 0.02 || p > 0.05 || weak.Verdict != Higher {
		t.Fatalf("%+v", weak)
	}
	none, same := Compare(a, group(m, 0, 3, 2, 5, 5), m, 0), Compare(a, a, m, 0)
	if n := Family([]*Effect{&weak, &same}); n != 1 || weak.Doubtful() {
		t.Errorf("alone: %d comparisons, doubtful %v", n, weak.Doubtful())
	}
	other := weak
	if n := Family([]*Effect{&weak, &none, &same, &other}); n != 3 || !weak.Doubtful() || none.Doubtful() || same.Doubtful() {
		t.Errorf("%d comparisons, doubtful %v %v %v", n, weak.Doubtful(), none.Doubtful(), same.Doubtful())
	}
	if weak.Verdict != Higher || weak.Holm != 3*weak.Difference.P {
		t.Errorf("%+v", weak)
	}
}

// A t test that one run decides is not believed by the permutation.
func TestDisagree(t *testing.T) {
	const m = "files"
	a := group(m, 0, 0, 0, 0, 0, 0, 0, 0)
	if e := Compare(a, group(m, 1, 1.1, 1.2, 0.9, 1, 1.1, 0.8, 1), m, 0); e.Disagree() {
		t.Errorf("clear: %+v", e)
	}
	if e := Compare(a, group(m, 10, 10, 10, 10, 10, 10, -30, 10), m, 0); e.Disagree() {
		t.Errorf("unclear to both: %+v", e)
	}
	if e := Compare(a, group(m, 1, 1, 1, 1, 1, 1, 100, -0.5), m, 0); e.Difference.P < 0.05 || !e.Disagree() == (e.Signs < 0.05) {
		t.Errorf("one large: %+v", e)
	}
}
