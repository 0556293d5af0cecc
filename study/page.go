package study

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/internal/atomicfile"
	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/scenarios"
	"mbsim/study/stats"
)

const pageName = "report.html"

// What the variants of a sweep are called among the keys that settings vary.
const (
	variantKey = "variant"
	kernelKey  = "kernel" // where they are kernels
)

// writePage writes the study's page, and its pictures beside it.
func (r *Result) writePage(dir string) error {
	s := r.Page()
	pictures, err := reports.StudyPictures(s, reports.Paper, reports.PNG)
	if err != nil {
		return err
	}
	page := reports.File{Name: pageName, Write: (&reports.Page{Study: s}).Write}
	// Each file appears whole. The result, which comes last, makes them count.
	for _, f := range append(pictures, page) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			return err
		}
		if err := atomicfile.WriteDurable(filepath.Join(dir, f.Name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// Page returns the study as its page shows it: the headline metric, and those headlines of the
// registry that differ between settings.
func (r *Result) Page() *reports.Study {
	s := &reports.Study{Name: r.Scenario, Question: r.Question, Command: r.Command, Keys: r.keys(), Confidence: stats.Confidence, Asked: r.Asked, Notes: r.notes()}
	// The settings, and which of them is the baseline.
	for i := range r.Settings {
		x := &r.Settings[i]
		if x.Name == r.Baseline {
			s.Baseline = i
		}
		s.Settings = append(s.Settings, reports.StudySetting{Name: x.Label(), Values: x.valuesOf(s.Keys), Runs: len(x.Runs)})
	}
	// The study's own metric comes first, whether it differs or not.
	shown := []string{r.Metric}
	for _, m := range r.Metrics {
		if id, err := metrics.Find(m.Name); err == nil && metrics.At(id).Headline && m.Name != r.Metric {
			shown = append(shown, m.Name)
		}
	}
	// A metric that is the same everywhere would only fill the table.
	for _, name := range shown {
		effects := r.Effects(name)
		if name != r.Metric && !slices.ContainsFunc(effects, differs) {
			continue
		}
		s.Metrics = append(s.Metrics, name)
		for i := range r.Settings {
			s.Settings[i].Results = append(s.Settings[i].Results, estimate(stats.MeanOf(Values(r.Samples(&r.Settings[i]), name)), effects[i]))
		}
	}
	return s
}

// differs says whether a setting differs from the baseline in some pair of runs.
func differs(e *Effect) bool { return e != nil && e.Difference.N > 0 && e.Verdict != Same }

// estimate is a mean with its interval, and the difference to the baseline where there is one.
func estimate(m stats.Mean, e *Effect) reports.Estimate {
	out := reports.Estimate{Mean: m.Value, Low: m.Value - m.Half, High: m.Value + m.Half}
	if e == nil || e.Difference.N == 0 {
		return out
	}
	d := &e.Difference
	evident := e.Decided() && !e.Doubtful()
	out.Delta = &reports.Delta{Mean: d.Value, Low: d.Value - d.Half, High: d.Value + d.Half, P: e.Holm, Evident: evident}
	return out
}

// keys returns what the settings vary: the variant, and the keys beside it.
func (r *Result) keys() (keys []string) {
	// The variant comes first, if there are any.
	if name := r.variantName(); name != "" {
		keys = append(keys, name)
	}
	for i := range r.Settings {
		s := &r.Settings[i]
		// What a variant's name stands for is no key of its own.
		for _, v := range s.Values[s.Own:] {
			if !slices.Contains(keys, v.Key) {
				keys = append(keys, v.Key)
			}
		}
	}
	return keys
}

// variantName is the key that stands for the variants: the kernel, if that is all they set, and
// "" where there are none.
func (r *Result) variantName() (name string) {
	for i := range r.Settings {
		s := &r.Settings[i]
		if s.Variant == "" {
			continue
		}
		name = kernelKey
		if s.Own != 1 || s.Values[0].Key != scenarios.ProfileKey {
			return variantKey
		}
	}
	return name
}

// valuesOf returns the setting's values of keys, "" where it has none.
func (s *SettingResult) valuesOf(keys []string) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		if key == variantKey || key == kernelKey {
			out[i] = s.Variant
		}
		for _, v := range s.Values {
			if v.Key == key {
				out[i] = v.Value
			}
		}
	}
	return out
}

// notes say how the figures came about, and what to be careful with.
func (r *Result) notes() []string {
	notes := []string{fmt.Sprintf("Intervals are of %.0f%% (Student's t) over %d replications; differences are paired by replication.", 100*stats.Confidence, r.Replications)}
	if len(r.Settings) > 2 {
		notes = append(notes, fmt.Sprintf("p is corrected for the %d settings of a metric (Holm).", len(r.Settings)-1))
	}
	if s := r.Remark(); s != "" {
		notes = append(notes, s)
	}
	for _, s := range r.StartingNotes {
		notes = append(notes, StartingNote(s))
	}
	return append(notes, r.Doubts()...)
}

// Doubts are warnings about the study as a whole, in sentences.
func (r *Result) Doubts() []string {
	var all []string
	// Warnings of the plan, and a study that is not finished or not precise.
	for _, w := range r.Warnings {
		all = append(all, w+".")
	}
	if r.Missing > 0 {
		all = append(all, fmt.Sprintf("The study is not finished: %d of %d runs are missing.", r.Missing, r.Replications*len(r.Settings)))
	}
	if u := r.Until; u != nil && !r.Precise {
		all = append(all, fmt.Sprintf("The differences in %s are not known to ±%g%% after %d replications, which is the most allowed.", u.Metric, math.Round(1e5*u.CI)/1e3, r.Replications))
	}
	// Runs that ended early, or did not meet what the scenario expects.
	full, total := 0, 0
	for i := range r.Settings {
		for j := range r.Settings[i].Runs {
			total++
			if r.Settings[i].Runs[j].OutOfSpace {
				full++
			}
		}
	}
	if full > 0 {
		all = append(all, fmt.Sprintf("%d of %d runs ended because the device was full.", full, total))
	}
	all = append(all, r.partings()...)
	if n, runs := r.Find(r.Base).unmet(); n > 0 {
		all = append(all, fmt.Sprintf("%d of %d runs of %s did not meet the scenario's expectations.", n, runs, r.Base))
	}
	return all
}

// partings say which settings' workloads did not do the same as the baseline's.
func (r *Result) partings() []string {
	base := r.Find(r.Baseline)
	var names []string
	first := int64(0)
	for i := range r.Settings {
		s := &r.Settings[i]
		if within, n := Parted(r.Samples(base), r.Samples(s)); n > 0 {
			names = append(names, s.Name)
			if first == 0 || within < first {
				first = within
			}
		}
	}
	if names == nil {
		return nil
	}
	const some = 6
	if more := len(names) - some; more > 0 {
		names = append(names[:some], fmt.Sprintf("%d more", more))
	}
	return []string{fmt.Sprintf("The workload looks at how full the device is, or at what failed, and so did not do the same under %s and under %s: "+
		"they part within %d operations of a process. These are compared as independent runs, not in pairs.", r.Baseline, strings.Join(names, ", "), first)}
}

// unmet is how many of the setting's runs did not meet what the scenario expects, and of how many.
func (s *SettingResult) unmet() (n, runs int) {
	if s == nil {
		return 0, 0
	}
	for i := range s.Runs {
		if len(s.Runs[i].Unmet) > 0 {
			n++
		}
	}
	return n, len(s.Runs)
}

// Met says whether the runs of the base setting met what the scenario expects. What it
// expects of itself need not hold for other settings.
func (r *Result) Met() bool {
	n, _ := r.Find(r.Base).unmet()
	return n == 0
}

// Remark says quietly which other settings do not meet the scenario's expectations, "" for none.
func (r *Result) Remark() string {
	var names []string
	for i := range r.Settings {
		s := &r.Settings[i]
		if n, _ := s.unmet(); n > 0 && s.Name != r.Base {
			names = append(names, s.Name)
		}
	}
	if names == nil {
		return ""
	}
	const some = 6
	if more := len(names) - some; more > 0 {
		names = append(names[:some], fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("The scenario's expectations are for %s; not all of them hold for %s.", r.Base, strings.Join(names, ", "))
}
