package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"mbsim/metrics"
)

// The objects of a study in the page's data.
type (
	dataStudy struct {
		Keys     []string      `json:"keys"`
		Baseline int           `json:"baseline"`
		Settings []dataSetting `json:"settings"`
		Metrics  []dataMetric  `json:"metrics"`
	}
	dataSetting struct {
		Name   string   `json:"name"`
		Values []string `json:"values"`
		Runs   int      `json:"runs"`
	}
	dataMetric struct {
		Name    string         `json:"name"`
		Unit    string         `json:"unit"`
		Better  string         `json:"better"`
		Doc     string         `json:"doc"`
		Words   string         `json:"words"` // what the effects show, in a sentence
		Results []dataEstimate `json:"results"`
		Effects []dataEffect   `json:"effects"`
	}
	dataEstimate struct {
		Mean *json.Number `json:"m"`
	}
	dataEffect struct {
		Key        string      `json:"key"`
		Difference bool        `json:"difference,omitempty"`
		Numeric    bool        `json:"numeric,omitempty"` // its levels are numbers, between which there are others
		Levels     []dataLevel `json:"levels"`
	}
	dataLevel struct {
		Value    string      `json:"value"`
		Mean     json.Number `json:"mean"`
		Low      json.Number `json:"low"`
		High     json.Number `json:"high"`
		Settings int         `json:"n"`
	}
)

// known is a number for the page, nil where it is unknown.
func known(v float64) *json.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	n := sixDigits(v)
	return &n
}

// data packs the study for the page's script.
func (s *Study) data() *dataStudy {
	out := &dataStudy{Keys: s.Keys, Baseline: s.Baseline}
	for i := range s.Settings {
		x := &s.Settings[i]
		out.Settings = append(out.Settings, dataSetting{x.Name, x.Values, x.Runs})
	}
	// Each metric, with what each setting came to and the effects of the keys.
	for m := range s.Metrics {
		at := s.metric(m)
		one := dataMetric{Name: at.Name, Unit: at.Unit, Better: at.Better.String(), Doc: at.Doc, Words: s.words(m)}
		for i := range s.Settings {
			e := &s.Settings[i].Results[m]
			one.Results = append(one.Results, dataEstimate{known(e.Mean)})
		}
		for _, e := range s.shown(m) {
			// Levels are never unknown: effects leaves out settings without a value.
			d := dataEffect{Key: e.Key, Difference: e.Difference, Numeric: e.isNumeric()}
			for _, l := range e.Levels {
				d.Levels = append(d.Levels, dataLevel{l.Value, sixDigits(l.Mean), sixDigits(l.Low), sixDigits(l.High), l.Settings})
			}
			one.Effects = append(one.Effects, d)
		}
		out.Metrics = append(out.Metrics, one)
	}
	return out
}

// metric describes metric m of the study, whose name check has found.
func (s *Study) metric(m int) metrics.Metric {
	id, _ := metrics.Find(s.Metrics[m])
	return metrics.At(id)
}

// words says what the study shows of metric m.
func (s *Study) words(m int) string {
	at := s.metric(m)
	out := s.mostMoving(m, at)
	// How many settings could be compared with the baseline, and how many differ.
	evident, compared := 0, 0
	for i := range s.Settings {
		if d := s.Settings[i].Results[m].Delta; d != nil && i != s.Baseline {
			compared++
			if d.Evident && d.Mean != 0 {
				evident++
			}
		}
	}
	if compared > 0 {
		out += fmt.Sprintf(" %s of %d settings differ from %s with evidence.", upper(zero(evident)), compared, s.Settings[s.Baseline].Name)
	}
	return out
}

// mostMoving says in a sentence which key has the values whose means are farthest apart, and
// which setting is best.
func (s *Study) mostMoving(m int, at metrics.Metric) string {
	// Find the key with the largest spread.
	effects := s.effects(m)
	most := -1
	for i := range effects {
		if len(effects[i].Levels) > 1 && (most < 0 || effects[i].spread() > effects[most].spread()) {
			most = i
		}
	}
	if most < 0 || effects[most].spread() == 0 {
		return fmt.Sprintf("No setting changes %s.", at.Name)
	}
	// From which value to which the metric goes.
	e := &effects[most]
	by := func(a, b level) int { return compareFloats(a.Mean, b.Mean) }
	lo, hi := slices.MinFunc(e.Levels, by), slices.MaxFunc(e.Levels, by)
	out := fmt.Sprintf("%s goes from %s at %s=%s to %s at %s.", at.Name, amount(lo.Mean, at.Unit), e.Key, lo.Value, amount(hi.Mean, at.Unit), hi.Value)
	if len(s.Keys) > 1 {
		out = fmt.Sprintf("Of the keys, %s moves %s most: it", e.Key, at.Name) + out[len(at.Name):]
	}
	if best := s.best(m, at.Better); best >= 0 {
		out += fmt.Sprintf(" Best in the mean is %s with %s.", s.Settings[best].Name, amount(s.Settings[best].Results[m].Mean, at.Unit))
	}
	return out
}

// best returns the setting with the best mean of metric m, the first of equals, or -1 where no
// direction is better.
func (s *Study) best(m int, better metrics.Better) int {
	best := -1
	for i := range s.Settings {
		v := s.Settings[i].Results[m].Mean
		if math.IsNaN(v) || better == metrics.Neither {
			continue
		}
		if best < 0 || (v > s.Settings[best].Results[m].Mean) == (better == metrics.Higher) && v != s.Settings[best].Results[m].Mean {
			best = i
		}
	}
	return best
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// zero is a count in a sentence.
func zero(n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}

// upper is the text of zero at the start of a sentence.
func upper(s string) string {
	if s == "none" {
		return "None"
	}
	return s
}
