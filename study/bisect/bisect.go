package bisect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"mbsim/kernels"
	"mbsim/metrics"
	"mbsim/scenarios"
	"mbsim/study"
	"mbsim/study/stats"
)

// Key is what the settings of the study set.
const Key = scenarios.ProfileKey

// Bisection is two kernels, and the changes in which they differ.
type Bisection struct {
	From, To string // texts of profiles
	Steps    []Step // in the order of the way
}

// Step is a change in which the two kernels differ.
type Step struct {
	Change *kernels.Change
	// Added says that To has it; otherwise From does.
	Added bool
	// In is From with the change as To has it, and Out is To with the change as From has it.
	// What had to be switched with it is in InAlong and OutAlong.
	In, Out           string
	InAlong, OutAlong []string
	// Way is the profile on the way from From to To after this step.
	Way string
}

// New finds the changes in which two profiles differ. An error is the user's.
func New(from, to string) (*Bisection, error) {
	a, b := kernels.ParseProfile(from), kernels.ParseProfile(to)
	for _, x := range []struct {
		flag string
		kernels.Profile
	}{{"--from", a}, {"--to", b}} {
		if err := x.Check(); err != nil {
			return nil, &study.UserError{Err: fmt.Errorf("%s: %w", x.flag, err)}
		}
		if x.Base() == "" {
			return nil, &study.UserError{Err: fmt.Errorf("%s: %s has no changes that could be switched", x.flag, x.Profile)}
		}
	}
	before, after := a.Set(), b.Set()
	switch {
	case a.Base() != b.Base():
		return nil, &study.UserError{Err: fmt.Errorf("%s and %s differ in more than changes: one is built on %s, the other on %s", a, b, a.Base(), b.Base())}
	case maps.Equal(before, after):
		return nil, &study.UserError{Err: fmt.Errorf("%s and %s have the same changes: there is nothing to tell apart", a, b)}
	}
	out := &Bisection{From: a.String(), To: b.String()}
	known := &texts{}
	known.of(a)
	known.of(b)
	// The way: each step is one change, since what it needs has come before it.
	way := a
	for _, c := range wayOf(before, after) {
		s := Step{Change: c, Added: after[c.Name]}
		var p kernels.Profile
		p, s.InAlong = a.Switch(c.Name, s.Added)
		s.In = known.of(p)
		p, s.OutAlong = b.Switch(c.Name, !s.Added)
		s.Out = known.of(p)
		way, _ = way.Switch(c.Name, s.Added)
		s.Way = known.of(way)
		out.Steps = append(out.Steps, s)
	}
	return out, nil
}

// wayOf are the changes in which two sets differ in the order in which they are made: those
// that are added in the order of the registry, and then those that go, the last first, as one
// may need another.
func wayOf(before, after map[string]bool) (way []*kernels.Change) {
	var gone []*kernels.Change
	all := kernels.Changes()
	for i := range all {
		name := all[i].Name
		switch {
		case after[name] && !before[name]:
			way = append(way, &all[i])
		case before[name] && !after[name]:
			gone = append(gone, &all[i])
		}
	}
	slices.Reverse(gone)
	return append(way, gone...)
}

// texts gives profiles that are the same set of changes the same text: the first one's.
type texts struct {
	sets  []map[string]bool
	names []string
}

// of is the text of a profile.
func (t *texts) of(p kernels.Profile) string {
	set := p.Set()
	for i := range t.sets {
		if maps.Equal(t.sets[i], set) {
			return t.names[i]
		}
	}
	t.sets, t.names = append(t.sets, set), append(t.names, p.String())
	return p.String()
}

// Profiles are the profiles to run, each once, From first and To second.
func (b *Bisection) Profiles() []string {
	all := []string{b.From, b.To}
	for i := range b.Steps {
		s := &b.Steps[i]
		all = append(all, s.In, s.Out, s.Way)
	}
	seen := make(map[string]bool)
	return slices.DeleteFunc(all, func(p string) bool {
		twice := seen[p]
		seen[p] = true
		return twice
	})
}

// Set is what makes the settings, as a sweep's --set takes it.
func (b *Bisection) Set() string { return Key + "=" + strings.Join(b.Profiles(), ",") }

// SettingOf is the name of a profile's setting.
func SettingOf(profile string) string { return Key + "=" + profile }

// Finding is what a study of a bisection came to, in one metric.
type Finding struct {
	*Bisection
	Study    *study.Result
	Metric   metrics.Metric
	Old, New stats.Mean    // under From and To
	Total    *study.Effect // from From to To
	Effects  []Effects     // of Steps
}

// Effects is what one change does.
type Effects struct {
	In  *study.Effect // in the older kernel
	Out *study.Effect // in the newer one: what it does there that is missing without it
	Way *study.Effect // on the way
}

// Find compares the settings of a study that was made of the bisection. The p values of each
// column are corrected for the number of changes.
func (b *Bisection) Find(r *study.Result, metric string) (*Finding, error) {
	id, err := metrics.Find(metric)
	if err != nil {
		return nil, &study.UserError{Err: err}
	}
	// The samples of a profile.
	samples := make(map[string][]study.Sample)
	for _, p := range b.Profiles() {
		s := r.Find(SettingOf(p))
		if s == nil {
			return nil, fmt.Errorf("the study has no setting %s", SettingOf(p))
		}
		samples[p] = r.Samples(s)
	}
	compare := func(x, y string) *study.Effect {
		e := study.Compare(samples[x], samples[y], metric, r.MinEffect)
		return &e
	}
	f := &Finding{Bisection: b, Study: r, Metric: metrics.At(id), Total: compare(b.From, b.To)}
	f.Old, f.New = stats.MeanOf(study.Values(samples[b.From], metric)), stats.MeanOf(study.Values(samples[b.To], metric))
	if f.Old.N == 0 || f.New.N == 0 {
		return nil, &study.UserError{Err: fmt.Errorf("%s has no value in runs of %s and of %s", metric, b.From, b.To)}
	}
	// Three columns, each a family of comparisons.
	var in, out, way []*study.Effect
	before := b.From
	for i := range b.Steps {
		s := &b.Steps[i]
		e := Effects{In: compare(b.From, s.In), Out: compare(s.Out, b.To), Way: compare(before, s.Way)}
		before = s.Way
		f.Effects = append(f.Effects, e)
		in, out, way = append(in, e.In), append(out, e.Out), append(way, e.Way)
	}
	for _, family := range [][]*study.Effect{in, out, way} {
		study.Family(family)
	}
	return f, nil
}

// Evident says whether an effect is one with evidence that stands after the correction. Of
// fewer replications than any evidence needs it says whether there is a difference at all.
func Evident(e *study.Effect) bool {
	switch e.Verdict {
	case study.Same, study.Small:
		return false
	case study.Unsure:
		return e.Difference.N < study.MinPairs && e.Difference.Value != 0
	}
	return !e.Doubtful()
}
