package reports

import (
	"fmt"
	"math"
	"slices"

	"mbsim/metrics"
)

// Study is what a study of several settings came to, as its part of the page
// needs it. Package study fills it.
type Study struct {
	Name       string
	Question   string
	Command    []string // that makes the study again
	Keys       []string // what the settings vary, such as s_mb_order2_reqs
	Metrics    []string // names of the registry; the first is the one that the study is about
	Asked      bool     // the user named it
	Baseline   int      // the setting that others are compared with
	Confidence float64  // of all intervals, such as 0.95
	Notes      []string // sentences on method, and warnings
	Settings   []StudySetting
}

// StudySetting is one setting of a study.
type StudySetting struct {
	Name    string
	Values  []string // of Study.Keys
	Runs    int      // replications
	Results []Estimate
}

// Estimate is what the replications of a setting came to in one metric of
// Study.Metrics. NaN is an unknown: a metric that the setting does not have, a
// bound that one replication does not give.
type Estimate struct {
	Mean, Low, High float64 // of the metric
	Delta           *Delta  // to the baseline, nil where there is none
}

// Delta is a paired difference to the baseline: by replication.
type Delta struct {
	Mean, Low, High float64 // in the metric's unit
	P               float64 // adjusted as the study's notes say; NaN where unknown
	Evident         bool    // the evidence suffices
}

// check says whether the study is well formed: all metrics are known, and each setting has a
// value for each key and a result for each metric.
func (s *Study) check() error {
	for _, name := range s.Metrics {
		if _, err := metrics.Find(name); err != nil {
			return fmt.Errorf("study %s: %w", s.Name, err)
		}
	}
	if len(s.Settings) == 0 || len(s.Metrics) == 0 || s.Baseline < 0 || s.Baseline >= len(s.Settings) {
		return fmt.Errorf("study %s: %d settings, %d metrics, baseline %d", s.Name, len(s.Settings), len(s.Metrics), s.Baseline)
	}
	for i := range s.Settings {
		if x := &s.Settings[i]; len(x.Values) != len(s.Keys) || len(x.Results) != len(s.Metrics) {
			return fmt.Errorf("study %s: setting %s has %d values and %d results: want %d and %d", s.Name, x.Name, len(x.Values), len(x.Results), len(s.Keys), len(s.Metrics))
		}
	}
	return nil
}

// word says in a word whether a difference is for the better; "~" where the evidence does not
// suffice, "" where nothing is known.
func (d *Delta) word(better metrics.Better) string {
	switch {
	case d == nil:
		return ""
	case !d.Evident:
		return "~"
	}
	return changeWord(d.Mean, better)
}

// changeWord says in a word whether a change is for the better, or only which way it goes where
// no direction is better.
func changeWord(change float64, better metrics.Better) string {
	switch {
	case change == 0:
		return "same"
	case better == metrics.Neither && change > 0:
		return "higher"
	case better == metrics.Neither:
		return "lower"
	case (change > 0) == (better == metrics.Higher):
		return "better"
	}
	return "worse"
}

// level is one value of a key, and the mean of the settings that have it.
type level struct {
	Value    string
	Mean     float64
	Low      float64 // the least mean of a setting that has the value
	High     float64 // and the largest
	Settings int
}

// effect is what one key does to one metric.
type effect struct {
	Key        string
	Difference bool // to the baseline, by replication, with its interval
	Levels     []level
}

// spread is the distance between the smallest and the largest mean of a level.
func (e *effect) spread() float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range e.Levels {
		lo, hi = min(lo, l.Mean), max(hi, l.Mean)
	}
	return hi - lo
}

// effects returns the main effects of all keys on metric m: for each value of a key the mean
// over the settings that have it. Values are in the order in which the settings have them.
func (s *Study) effects(m int) []effect {
	var out []effect
	for k, key := range s.Keys {
		e := effect{Key: key}
		for i := range s.Settings {
			x := &s.Settings[i]
			v := x.Results[m].Mean
			// A setting without the metric takes no part.
			if math.IsNaN(v) {
				continue
			}
			// Find the level of the setting's value; the first setting that has it makes it.
			at := slices.IndexFunc(e.Levels, func(l level) bool { return l.Value == x.Values[k] })
			if at < 0 {
				at = len(e.Levels)
				e.Levels = append(e.Levels, level{Value: x.Values[k], Low: v, High: v})
			}
			l := &e.Levels[at]
			l.Mean += v
			l.Settings++
			l.Low, l.High = min(l.Low, v), max(l.High, v)
		}
		// From sums to means.
		for i := range e.Levels {
			e.Levels[i].Mean /= float64(e.Levels[i].Settings)
		}
		out = append(out, e)
	}
	return out
}

// shown returns the effects that plots of metric m show: those of keys with several values. If
// there is only one key, and each of its values is one setting, then bounds are those of the
// confidence intervals, and a second effect is added: the paired difference to the baseline,
// which is known far better than the means.
func (s *Study) shown(m int) []effect {
	// The general case: bounds are the smallest and the largest mean of a setting.
	all := slices.DeleteFunc(s.effects(m), func(e effect) bool { return len(e.Levels) < 2 })
	if len(all) != 1 || len(s.Keys) != 1 || slices.ContainsFunc(all[0].Levels, func(l level) bool { return l.Settings > 1 }) {
		return all
	}
	// One key: take intervals from the settings themselves.
	d := effect{Key: s.Keys[0], Difference: true}
	known := true
	for i := range all[0].Levels {
		l := &all[0].Levels[i]
		at := slices.IndexFunc(s.Settings, func(x StudySetting) bool { return x.Values[0] == l.Value })
		r := &s.Settings[at].Results[m]
		if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
			l.Low, l.High = r.Low, r.High
		}
		// The baseline differs from itself by nothing. Without all differences there is no plot of
		// them.
		switch x := r.Delta; {
		case at == s.Baseline:
			d.Levels = append(d.Levels, level{Value: l.Value, Settings: 1})
		case x == nil || math.IsNaN(x.Mean+x.Low+x.High):
			known = false
		default:
			d.Levels = append(d.Levels, level{l.Value, x.Mean, x.Low, x.High, 1})
		}
	}
	if known {
		all = append(all, d)
	}
	return all
}
