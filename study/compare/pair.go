package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"mbsim/metrics"
	"mbsim/study"
	"mbsim/study/stats"
)

// Options choose which metrics are compared.
type Options struct {
	Metrics []string // in this order; none for the headlines of the registry
	All     bool     // every metric
	Expect  []string // keys that may differ
	// MinEffect is the least share of the first mean that a difference must have to be a verdict.
	MinEffect float64
	Width     int // of text, in characters; 0 is any number
}

// Pair is the comparison of two sides.
type Pair struct {
	A, B      *Side
	Effects   []*study.Effect // of metrics that both sides have
	Headline  *study.Effect
	MinEffect float64
	Family    int // comparisons that Holm's correction is for
	Keys      []KeyDifference
	Warnings  []string
}

// headlines are what the sentence is about, if nobody says: the first that both
// sides have.
var headlines = []string{"extents_per_file_mean", "free_extents"}

// Compare compares the metrics that both sides have.
func Compare(a, b *Side, opt Options) (*Pair, error) {
	p := &Pair{A: a, B: b, MinEffect: opt.MinEffect}
	names, err := chosen(opt)
	if err != nil {
		return nil, err
	}
	// A metric that was asked for by name must be there; any other is left out.
	for _, name := range names {
		e := study.Compare(a.Samples, b.Samples, name, opt.MinEffect)
		if e.Difference.N > 0 {
			p.Effects = append(p.Effects, &e)
		} else if opt.Metrics != nil {
			return nil, userErrorf("%s has no value in both of %s and %s", name, a.Name, b.Name)
		}
	}
	// Correct for the number of comparisons, and choose what the sentence is about.
	p.Family = study.Family(p.Effects)
	first := headlines
	if opt.Metrics != nil {
		first = opt.Metrics
	}
	for _, name := range first {
		if i := slices.IndexFunc(p.Effects, func(e *study.Effect) bool { return e.Metric == name }); i >= 0 && p.Headline == nil {
			p.Headline = p.Effects[i]
		}
	}
	// What else differs between the two.
	p.Keys = differences(a.Configs, b.Configs, slices.Concat(a.Asked, b.Asked, opt.Expect))
	p.warn()
	return p, nil
}

// chosen returns the names of the metrics to compare: those asked for, or the headlines of the
// registry, or all.
func chosen(opt Options) (names []string, err error) {
	if opt.Metrics != nil {
		for _, name := range opt.Metrics {
			if _, err := metrics.Find(name); err != nil {
				return nil, userErrorf("%w", err)
			}
		}
		return opt.Metrics, nil
	}
	for _, h := range metrics.Headings() {
		for _, id := range h.Metrics {
			if m := metrics.At(id); m.Headline || opt.All {
				names = append(names, m.Name)
			}
		}
	}
	return names, nil
}

// warn notes what makes the comparison doubtful.
func (p *Pair) warn() {
	say := func(format string, a ...any) { p.Warnings = append(p.Warnings, fmt.Sprintf(format, a...)) }
	// Settings: different scenarios differ in everything, so that listing keys says nothing.
	if p.A.Scenario != p.B.Scenario {
		say("they are runs of different scenarios: %s and %s", p.A.Scenario, p.B.Scenario)
	} else if text := unasked(p.Keys); text != "" {
		say("the two differ in more than was asked: %s", text)
	}
	// Programs, and studies that are not finished.
	if !sameVersion(p.A.Version, p.B.Version) {
		say("they were made by different versions of mbsim: %s and %s", p.A.Version, p.B.Version)
	}
	for _, s := range []*Side{p.A, p.B} {
		if s.Missing > 0 {
			say("%s is not finished: %d of %d runs are missing", s.Name, s.Missing, s.Missing+len(s.Samples))
		}
	}
	// Pairs that are missing.
	if h := p.Headline; h != nil {
		within, parted := study.Parted(p.A.Samples, p.B.Samples)
		switch {
		case parted > 0:
			say("the workload looks at how full the device is, or at what failed, and did not do the same in %s: they part within %d operations of a process, and are compared as independent samples",
				plural(parted, "pair", "pairs"), within)
		case !h.Paired:
			say("no run has a partner with its seed: compared as independent samples, which takes many more runs to see the same")
		case h.Unpaired > 0:
			say("%d runs have no partner with their seed and replication, and are left out", h.Unpaired)
		}
	}
	// Statistics that contradict each other.
	var far []string
	for _, e := range p.Effects {
		if e.Disagree() {
			far = append(far, e.Metric)
		}
	}
	if far != nil {
		say("differences far from normal, where the permutation of signs contradicts the t test: %s", strings.Join(far, ", "))
	}
}

// sameVersion says whether two versions can be the same code. A study names the executable
// where the commit does not identify the code; a run's manifest does not.
func sameVersion(a, b string) bool {
	x, _, named1 := strings.Cut(a, " executable ")
	y, _, named2 := strings.Cut(b, " executable ")
	if named1 && named2 {
		return a == b
	}
	return strings.TrimSuffix(x, " modified") == strings.TrimSuffix(y, " modified")
}

// unasked lists the differences that nobody asked for, the first of many.
func unasked(keys []KeyDifference) string {
	const some = 8
	var parts []string
	n := 0
	for _, k := range keys {
		if k.Asked {
			continue
		}
		if n++; n <= some {
			parts = append(parts, fmt.Sprintf("%s (%s, %s)", k.Key, shown(k.A), shown(k.B)))
		}
	}
	if n > some {
		parts = append(parts, fmt.Sprintf("and %d more", n-some))
	}
	return strings.Join(parts, ", ")
}

// Sentence is what the headline comes to.
func (p *Pair) Sentence() string {
	if p.Headline == nil {
		return "There is no metric that both have."
	}
	return sentence(p.Headline, p.A.Name, p.B.Name)
}

// sentence says an effect in words.
func sentence(e *study.Effect, a, b string) string {
	d := &e.Difference
	// How many runs it rests on.
	runs := plural(d.N, "pair", "pairs")
	if !e.Paired {
		runs = "at least " + plural(d.N, "run", "runs") + " of each"
	}
	// From the least evidence to the most.
	switch {
	case e.Verdict == study.Same:
		return fmt.Sprintf("%s is the same in both, in %s of runs.", e.Metric, runs)
	case e.Verdict == study.Unsure && math.IsNaN(e.Holm):
		return fmt.Sprintf("%s of %s is %s, but %s cannot tell that from chance.", e.Metric, b, comparative(e, a), runs)
	case e.Verdict == study.Unsure:
		return fmt.Sprintf("There is no evidence that %s differs: %s (%s, %s).", e.Metric, change(e), runs, pSentence(e.Holm))
	}
	verdict := ""
	if e.Verdict == study.Small {
		verdict = ", too little to matter"
	}
	if e.Verdict == study.Better || e.Verdict == study.Worse {
		verdict = ", which is " + string(e.Verdict)
	}
	// Evidence that does not stand after the correction is told with both p values.
	p := pSentence(e.Holm)
	if e.Doubtful() {
		p = pSentence(d.P) + " alone, but " + p + " after correction for all metrics"
	}
	return fmt.Sprintf("%s of %s is %s%s (%s, %s).", e.Metric, b, comparative(e, a), verdict, runs, p)
}

// comparative says a change in words, such as "21.5 ± 2.0% lower than of A".
func comparative(e *study.Effect, than string) string {
	text := change(e)
	if factor, ok := strings.CutPrefix(text, "×"); ok {
		return factor + " times that of " + than
	}
	word := "higher"
	if e.Difference.Value < 0 {
		word = "lower"
	}
	return strings.TrimLeft(text, "+-") + " " + word + " than of " + than
}

// plural is a count of things.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// best returns the settings that have a mean in the order of the metric's direction, the best
// first. Equal ones keep their order.
func best(metric metrics.Metric, means []stats.Mean) []int {
	var order []int
	for i := range means {
		if means[i].N > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		c := cmp.Compare(means[i].Value, means[j].Value)
		if metric.Better == metrics.Higher {
			return -c
		}
		return c
	})
	return order
}
