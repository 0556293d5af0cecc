package study

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"mbsim/metrics"
	"mbsim/run"
	"mbsim/scenarios"
)

// Perform performs one run of the plan. progress, which may be nil, is called with the share
// of the run that is done.
func (p *Plan) Perform(ctx context.Context, t Task, progress func(float64)) (Record, error) {
	start := time.Now() // for estimates only
	set := &p.Settings[t.Setting]
	fail := func(err error) (Record, error) {
		return Record{}, fmt.Errorf("%s, replication %d: %w", set.Name, t.Replication, err)
	}
	// The scenario comes from the plan, never from the file, which may have changed since.
	s, err := p.load(set)
	if err != nil {
		return fail(err)
	}
	opt := run.Options{Replication: t.Replication}
	if progress != nil {
		opt.Progress = func(p run.Progress) { progress(p.Done) }
	}
	// A mistake in what the run starts from is the user's; anything else is mbsim's.
	out, err := run.Run(ctx, s, opt)
	if errors.As(err, new(*run.StartError)) {
		return fail(&UserError{err})
	}
	if err != nil {
		return fail(err)
	}
	// The record. Only Took differs from machine to machine.
	r := Record{Schema: planSchema, ID: t.ID, Setting: set.Name, Digest: set.Digest, Seed: p.Seed, Replication: t.Replication, Version: p.Version,
		Fingerprint: fmt.Sprintf("%016x", out.Fingerprint), Events: out.Events, Simulated: out.Result.End - out.Result.Start,
		OutOfSpace: out.OutOfSpace, Decisions: out.Decisions, Notes: out.Notes, Metrics: Measured(out.Result), Took: int64(time.Since(start))}
	for _, v := range out.Verdicts {
		if v.Failed() {
			r.Unmet = append(r.Unmet, v.Expect.String())
		}
	}
	return r, nil
}

// load reads a setting's scenario from the plan, and makes sure by its digest that the files
// it starts from have not changed since.
func (p *Plan) load(set *Setting) (*scenarios.Scenario, error) {
	s, err := scenarios.Parse([]byte(set.Text), filepath.Join(p.Dir, p.Scenario+".yaml"), scenarios.Options{})
	if err != nil {
		return nil, &UserError{err}
	}
	if s.Digest() != set.Digest {
		return nil, userErrorf("a file that the scenario names is not what it was when the study was planned")
	}
	return s, nil
}

// Measured returns the values of a run by name: those of its measured phases, where it has
// any.
func Measured(r *metrics.Result) map[string]float64 {
	row := r.Final
	if r.Measured != nil {
		row = r.Measured
	}
	all := make(map[string]float64)
	for id, m := range metrics.List() {
		if v := row[id]; !math.IsNaN(v) && !math.IsInf(v, 0) {
			all[m.Name] = v
		}
	}
	return all
}
