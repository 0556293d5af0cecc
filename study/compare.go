package study

import (
	"cmp"
	"math"
	"slices"

	"mbsim/metrics"
	"mbsim/study/stats"
	"mbsim/workload"
)

// Sample is what one run of a group came to.
type Sample struct {
	Seed        uint64
	Replication int
	Values      map[string]float64
	Decisions   []string // what the outcome made the workload do; nil where that is not known
}

// Verdict says what a difference means.
type Verdict string

// The verdicts. Higher and Lower are of metrics that have no better direction.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Higher Verdict = "higher"
	Lower  Verdict = "lower"
	Same   Verdict = "same"  // in every pair
	Unsure Verdict = "~"     // no evidence: the interval holds zero, or there are too few pairs
	Small  Verdict = "small" // a difference with evidence, but less than anybody would act on
)

// DefaultMinEffect is the least share of the first mean that a difference must have to be a
// verdict, if nobody says.
const DefaultMinEffect = 0.01

// MinPairs are the fewest pairs that are evidence.
const MinPairs = 3

// permutationPairs are the fewest pairs whose permutation can reach p < 0.05.
const permutationPairs = 6

// Effect is the difference of one metric between two groups of runs: the second
// less the first.
type Effect struct {
	Metric     string
	A, B       stats.Mean // of the runs that are compared
	Difference stats.Difference
	Paired     bool
	Unpaired   int     // runs left out because the other group has none to pair them with
	Holm       float64 // p adjusted for the family of comparisons, NaN where there is no p
	Signs      float64 // p of the permutation of signs, NaN for too few pairs
	Verdict    Verdict

	ratioHalf float64 // half the width of the interval of the ratio of means, NaN where there is none
}

// Compare compares a metric of two groups, paired by seed and replication. Groups
// that have no pair are compared as independent samples. A difference of less than the share
// least of the first mean is no verdict.
func Compare(a, b []Sample, metric string, least float64) Effect {
	e := Effect{Metric: metric, Holm: math.NaN(), Signs: math.NaN(), Verdict: Unsure, ratioHalf: math.NaN()}
	// Pairs where there are any; what a seed does to both runs then cancels.
	// Runs whose workloads parted did not do the same: they are no pairs.
	x, y := pairs(a, b, metric)
	_, parted := Parted(a, b)
	e.Paired = len(x) > 0 && parted == 0
	if e.Paired {
		e.Difference = stats.Paired(x, y)
		_, e.ratioHalf = stats.Ratio(x, y)
		e.Unpaired = len(Values(a, metric)) + len(Values(b, metric)) - 2*len(x)
		if len(x) >= permutationPairs {
			e.Signs = stats.SignFlip(stats.Differences(x, y))
		}
	} else {
		// No pair: compare as independent samples.
		x, y = Values(a, metric), Values(b, metric)
		e.Difference = stats.Welch(x, y)
	}
	// Means of the runs that are compared, and not of those left out.
	e.A, e.B = stats.MeanOf(x), stats.MeanOf(y)
	if e.tested() {
		e.Holm = e.Difference.P
	}
	e.judge(slices.Equal(x, y), least)
	return e
}

// Parted says in how many pairs of runs the workloads did not do the same, because processes
// look at how full the device is or at what failed, and within how many operations of a process
// they part first.
func Parted(a, b []Sample) (within int64, n int) {
	for i := range a {
		for j := range b {
			if a[i].Seed != b[j].Seed || a[i].Replication != b[j].Replication {
				continue
			}
			if at, parted := workload.Parted(a[i].Decisions, b[j].Decisions); parted {
				if n++; n == 1 || at < within {
					within = at
				}
			}
		}
	}
	return within, n
}

// pairs returns the values of runs that have the same seed and replication, in their order.
func pairs(a, b []Sample, metric string) (x, y []float64) {
	a, b = slices.Clone(a), slices.Clone(b)
	order := func(s, t Sample) int {
		return cmp.Or(cmp.Compare(s.Seed, t.Seed), cmp.Compare(s.Replication, t.Replication))
	}
	// Sort both, and then walk along both at once.
	slices.SortStableFunc(a, order)
	slices.SortStableFunc(b, order)
	for len(a) > 0 && len(b) > 0 {
		switch c := order(a[0], b[0]); {
		case c < 0:
			a = a[1:]
		case c > 0:
			b = b[1:]
		default:
			// A metric that one of the two lacks makes no pair.
			v, ok1 := a[0].Values[metric]
			w, ok2 := b[0].Values[metric]
			if ok1 && ok2 {
				x, y = append(x, v), append(y, w)
			}
			a, b = a[1:], b[1:]
		}
	}
	return x, y
}

// tested says whether there are enough runs for a p value.
func (e *Effect) tested() bool { return e.Difference.N >= MinPairs }

// judge finds the verdict. equal says that all pairs have equal values. Where the first mean
// is 0 any difference with evidence is large enough.
func (e *Effect) judge(equal bool, least float64) {
	d := &e.Difference
	switch {
	case d.N == 0:
		// Nothing to judge.
	case equal && e.Paired:
		e.Verdict, e.Holm = Same, math.NaN()
	case !e.tested() || !d.Evidence():
	case math.Abs(d.Value) < least*math.Abs(e.A.Value):
		e.Verdict = Small
	default:
		e.Verdict = direction(e.Metric, d.Value)
	}
}

// direction is the verdict on a metric that rises (change > 0) or falls.
func direction(metric string, change float64) Verdict {
	better := metrics.Neither
	if id, err := metrics.Find(metric); err == nil {
		better = metrics.At(id).Better
	}
	switch {
	case better == metrics.Neither && change > 0:
		return Higher
	case better == metrics.Neither:
		return Lower
	case (better == metrics.Higher) == (change > 0):
		return Better
	}
	return Worse
}

// Family corrects the p values of comparisons that are looked at together (Holm), and returns
// how many there are.
func Family(effects []*Effect) int {
	var p []float64
	var of []*Effect
	// Those without a p value are no tests, and do not count.
	for _, e := range effects {
		if !math.IsNaN(e.Holm) {
			p, of = append(p, e.Difference.P), append(of, e)
		}
	}
	for i, v := range stats.Holm(p) {
		of[i].Holm = v
	}
	return len(p)
}

// Decided says whether there is a verdict, on the comparison alone.
func (e *Effect) Decided() bool {
	return e.Verdict != Unsure && e.Verdict != Same && e.Verdict != Small
}

// Doubtful says that there is evidence in the comparison alone, but not as one of
// its family.
func (e *Effect) Doubtful() bool {
	return e.Decided() && e.Holm >= 1-stats.Confidence
}

// Disagree says that the t test and the permutation of signs come to different
// conclusions: the differences are far from normal.
func (e *Effect) Disagree() bool {
	const level = 1 - stats.Confidence
	return !math.IsNaN(e.Signs) && (e.Difference.P < level) != (e.Signs < level)
}

// Relative returns the change as a share of the first mean, and half the width of its
// interval; NaN where that mean is zero. The interval is that of the ratio of means, unless
// only that of the difference agrees with the verdict: a table must not contradict itself.
func (e *Effect) Relative() (change, half float64) {
	if e.A.Value == 0 {
		return math.NaN(), math.NaN()
	}
	// The interval of the difference, and instead of it that of the ratio if both say the same
	// about zero.
	change, half = e.Difference.Value/math.Abs(e.A.Value), e.Difference.Half/math.Abs(e.A.Value)
	if (math.Abs(change) > e.ratioHalf) == (math.Abs(change) > half) && e.Verdict != Unsure {
		half = e.ratioHalf
	}
	return change, half
}
