package study

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"

	"mbsim/internal/atomicfile"
	"mbsim/metrics"
	"mbsim/scenarios"
	"mbsim/study/stats"
)

// Result is what a study came to: study.json.
type Result struct {
	Schema       int              `json:"schema"`
	Scenario     string           `json:"scenario"` // name
	Question     string           `json:"question,omitempty"`
	Seed         uint64           `json:"seed"`
	Version      string           `json:"version"`
	Command      []string         `json:"command,omitempty"`
	Axes         []scenarios.Axis `json:"axes,omitempty"`
	Metric       string           `json:"metric"`          // the headline
	Asked        bool             `json:"asked,omitempty"` // the user named it
	Baseline     string           `json:"baseline"`        // the setting that others are compared with
	Base         string           `json:"base"`            // the setting whose expectations count
	Replications int              `json:"replications"`
	Until        *Until           `json:"until,omitempty"`
	// MinEffect is the least share of the baseline's mean that a difference must have to be a verdict.
	MinEffect float64 `json:"min_effect"`
	// Precise says that the rule of Until holds. Without one it is true.
	Precise  bool     `json:"precise"`
	Missing  int      `json:"missing,omitempty"` // runs of the plan that are not finished
	Warnings []string `json:"warnings,omitempty"`
	// StartingNotes say what the starting states do not tell, and what mounting them changes: a
	// note that all runs have is there once.
	StartingNotes []string        `json:"starting_notes,omitempty"`
	Metrics       []MetricInfo    `json:"metrics"` // those that any run has, in the order of the registry
	Settings      []SettingResult `json:"settings"`
}

// MetricInfo describes a metric to readers without the registry.
type MetricInfo struct {
	Name   string `json:"name"`
	Unit   string `json:"unit"`
	Better string `json:"better"`
}

// SettingResult is a setting and its runs.
type SettingResult struct {
	Name    string             `json:"name"`
	Variant string             `json:"variant,omitempty"`
	Values  []Value            `json:"values"`
	Own     int                `json:"own"`                      // the first so many are what the variant stands for
	Default bool               `json:"kernel_default,omitempty"` // what it sets is what the kernel has anyway
	Digest  string             `json:"scenario_digest"`
	Config  json.RawMessage    `json:"config"`
	Runs    []RunResult        `json:"runs"` // by replication
	Summary map[string]Summary `json:"summary"`
}

// RunResult is a run of a setting.
type RunResult struct {
	Replication int                `json:"replication"`
	ID          string             `json:"id"`
	Fingerprint string             `json:"fingerprint"`
	Events      uint64             `json:"events"`
	Simulated   int64              `json:"simulated_ns"`
	OutOfSpace  bool               `json:"out_of_space,omitempty"`
	Decisions   []string           `json:"decisions,omitempty"`
	Unmet       []string           `json:"unmet,omitempty"`
	Notes       []string           `json:"notes,omitempty"` // on the starting state
	Metrics     map[string]float64 `json:"metrics"`
}

// Summary is a metric of a setting over its replications. What cannot be known
// from so few of them is left out.
type Summary struct {
	N    int      `json:"n"`
	Mean float64  `json:"mean"`
	SD   *float64 `json:"sd,omitempty"`
	Half *float64 `json:"ci95_half,omitempty"`
	// Difference is to the baseline, which has none.
	Difference *SummaryDifference `json:"difference,omitempty"`
}

// SummaryDifference is a difference to the baseline, paired by replication.
type SummaryDifference struct {
	Pairs   int      `json:"pairs"`
	Mean    float64  `json:"mean"`
	Half    *float64 `json:"ci95_half,omitempty"`
	P       *float64 `json:"p,omitempty"`
	Holm    *float64 `json:"p_holm,omitempty"` // over the settings, for this metric
	Verdict Verdict  `json:"verdict"`
}

const (
	resultName = "study.json"
	csvName    = "study.csv"
)

// Result merges the finished runs of the plan.
func (s *Study) Result() (*Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return merge(s.Plan, s.done)
}

// Write writes study.csv, report.html and, last, study.json.
func (s *Study) Write() (*Result, error) {
	r, err := s.Result()
	if err != nil {
		return nil, err
	}
	// study.json comes last: with it, all others are there.
	var b bytes.Buffer
	if err := r.writeCSV(&b); err != nil {
		return nil, err
	}
	if err := atomicfile.WriteDurable(filepath.Join(s.Dir, csvName), b.Bytes()); err != nil {
		return nil, err
	}
	object, err := encode(r)
	if err != nil {
		return nil, err
	}
	if err := r.writePage(s.Dir); err != nil {
		return nil, err
	}
	return r, atomicfile.WriteDurable(filepath.Join(s.Dir, resultName), fileSeal.add(object))
}

// merge computes the result of a plan and its finished runs.
func merge(p *Plan, done map[string]*Record) (*Result, error) {
	r := &Result{Schema: planSchema, Scenario: p.Scenario, Question: p.Question, Seed: p.Seed, Version: p.Version, Command: p.Command,
		Axes: p.Axes, Metric: p.Metric, Baseline: p.Baseline, Base: p.Base, Replications: p.Replications, Until: p.Until, MinEffect: p.MinEffect, Asked: p.Metric != "", Warnings: p.Warnings}
	// The settings, with scenarios in the form in which all files have them.
	for _, s := range p.Settings {
		r.Settings = append(r.Settings, SettingResult{Name: s.Name, Variant: s.Variant, Values: s.Values, Own: s.Own, Default: s.Default, Digest: s.Digest, Config: compact(s.Config)})
	}
	// Their runs, in the order of the plan, and how many are missing.
	for _, t := range p.Tasks() {
		rec := done[t.ID]
		if rec == nil {
			r.Missing++
			continue
		}
		set := &r.Settings[t.Setting]
		set.Runs = append(set.Runs, RunResult{t.Replication, t.ID, rec.Fingerprint, rec.Events, rec.Simulated, rec.OutOfSpace, rec.Decisions, rec.Unmet, rec.Notes, rec.Metrics})
	}
	r.StartingNotes = startingNotes(p, done)
	// The metrics that any run has, and the statistics of each.
	for _, m := range metrics.List() {
		if r.some(m.Name) {
			r.Metrics = append(r.Metrics, MetricInfo{m.Name, m.Unit, m.Better.String()})
		}
	}
	if err := r.chooseMetric(); err != nil {
		return nil, err
	}
	r.summarize()
	return r, nil
}

// compact is JSON without white space.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// some says whether any run has the metric.
func (r *Result) some(metric string) bool {
	for i := range r.Settings {
		for j := range r.Settings[i].Runs {
			if _, ok := r.Settings[i].Runs[j].Metrics[metric]; ok {
				return true
			}
		}
	}
	return false
}

// headlines are the metrics that a study is about if nobody says: the first that every run has.
var headlines = []string{"extents_per_file_mean", "free_extents"}

// chooseMetric decides which metric the study is about, and which one its rule for further
// replications looks at.
func (r *Result) chooseMetric() error {
	// As asked for, or the rule's, or a headline of this package.
	if r.Metric == "" && r.Until != nil {
		r.Metric = r.Until.Metric
	}
	for _, name := range headlines {
		if r.Metric == "" && r.all(name) {
			r.Metric = name
		}
	}
	if r.Metric == "" {
		r.Metric = headlines[0]
	}
	// The rule looks at the study's metric if it names none.
	if u := r.Until; u != nil {
		with := *u // the plan's stays as the user wrote it
		if with.Metric == "" {
			with.Metric = r.Metric
		}
		r.Until = &with
		if r.Missing == 0 && !r.all(with.Metric) {
			return userErrorf("until: some setting has no value for %s: want another metric", with.Metric)
		}
	}
	return nil
}

// all says whether every run has the metric.
func (r *Result) all(metric string) bool {
	for i := range r.Settings {
		for j := range r.Settings[i].Runs {
			if _, ok := r.Settings[i].Runs[j].Metrics[metric]; !ok {
				return false
			}
		}
	}
	return true
}

// Find is the setting of this name, nil if there is none.
func (r *Result) Find(name string) *SettingResult {
	for i := range r.Settings {
		if r.Settings[i].Name == name {
			return &r.Settings[i]
		}
	}
	return nil
}

// Label is the setting's name as tables show it: the kernel's default is marked.
func (s *SettingResult) Label() string {
	if s.Default {
		return s.Name + " (kernel's default)"
	}
	return s.Name
}

// samples are the setting's runs as a group to compare.
func (s *SettingResult) samples(seed uint64) []Sample {
	var all []Sample
	for i := range s.Runs {
		all = append(all, Sample{seed, s.Runs[i].Replication, s.Runs[i].Metrics, s.Runs[i].Decisions})
	}
	return all
}

// Samples are a setting's runs as a group to compare.
func (r *Result) Samples(s *SettingResult) []Sample { return s.samples(r.Seed) }

// Effects compares a metric of all settings with the baseline. There is an effect for each
// setting, nil for the baseline, and their p values are corrected for their number.
func (r *Result) Effects(metric string) []*Effect {
	base := r.Find(r.Baseline)
	effects := make([]*Effect, len(r.Settings))
	var family []*Effect
	for i := range r.Settings {
		if x := &r.Settings[i]; x != base {
			e := Compare(r.Samples(base), r.Samples(x), metric, r.MinEffect)
			effects[i] = &e
			family = append(family, &e)
		}
	}
	Family(family)
	return effects
}

// Judge finds the verdicts anew: a difference of less than the share least is none.
func (r *Result) Judge(least float64) {
	r.MinEffect = least
	r.summarize()
}

// summarize computes the statistics of each metric and setting.
func (r *Result) summarize() {
	for i := range r.Settings {
		r.Settings[i].Summary = make(map[string]Summary)
	}
	// Metric by metric, since the correction is over the settings of one metric.
	for _, m := range r.Metrics {
		effects := r.Effects(m.Name)
		for i := range r.Settings {
			s := &r.Settings[i]
			mean := stats.MeanOf(Values(r.Samples(s), m.Name))
			if mean.N == 0 {
				continue
			}
			// The mean, and the difference to the baseline where there is one.
			sum := Summary{N: mean.N, Mean: mean.Value, SD: number(mean.SD), Half: number(mean.Half)}
			if e := effects[i]; e != nil && e.Difference.N > 0 {
				d := &e.Difference
				sum.Difference = &SummaryDifference{Pairs: d.N, Mean: d.Value, Half: number(d.Half), Holm: number(e.Holm), Verdict: e.Verdict}
				if d.N > 1 {
					sum.Difference.P = number(d.P)
				}
			}
			s.Summary[m.Name] = sum
		}
	}
	// Whether the plan's rule asks for further replications.
	r.Precise = r.Until == nil || r.precise()
}

// number is v, or nil where it is not finite, which JSON cannot hold.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
