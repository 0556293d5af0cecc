package study

import (
	"math"

	"mbsim/study/stats"
)

// roundRuns is how many runs a round of further replications has at least, so
// that several can go on at once. It must not depend on the machine: the rule is
// looked at after whole rounds.
const roundRuns = 8

// Extend adds a round of replications to the plan if its rule asks for one. All runs of the
// plan must be finished.
func (s *Study) Extend() (bool, error) {
	p := s.Plan
	if p.Until == nil {
		return false, nil
	}
	// The rule's own limit, and that of all studies.
	most := min(p.Until.Max, maxRuns/len(p.Settings))
	if p.Replications >= most {
		return false, nil
	}
	r, err := s.Result()
	if err != nil || r.Precise {
		return false, err
	}
	// As many replications as make a round of enough runs.
	round := (roundRuns + len(p.Settings) - 1) / len(p.Settings)
	p.Replications = min(p.Replications+round, most)
	s.mu.Lock()
	s.count()
	s.mu.Unlock()
	return true, s.writePlan()
}

// precise says whether the rule holds: the interval of each setting's difference to the
// baseline is at most the share CI of the baseline's mean to either side. With one setting it
// is the interval of the mean itself.
func (r *Result) precise() bool {
	metric := r.Until.Metric
	base := stats.MeanOf(Values(r.Samples(r.Find(r.Baseline)), metric))
	limit := r.Until.CI * math.Abs(base.Value)
	if len(r.Settings) == 1 {
		return base.Half <= limit
	}
	for _, e := range r.Effects(metric) {
		// An interval that is not known (NaN) is not narrow enough.
		if e != nil && !(e.Difference.Half <= limit) {
			return false
		}
	}
	return true
}

// Values returns the values of a metric of those samples that have it.
func Values(samples []Sample, metric string) (all []float64) {
	for _, s := range samples {
		if v, ok := s.Values[metric]; ok {
			all = append(all, v)
		}
	}
	return all
}
