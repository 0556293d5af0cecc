package run

import (
	"errors"
	"fmt"

	"mbsim/kernels"
	"mbsim/metrics"
	"mbsim/scenarios"
)

// Failed says that an expectation was not met.
func (v *Verdict) Failed() bool { return !v.Met && !v.NotApplicable }

// Verdict is whether an expectation was met.
type Verdict struct {
	Expect scenarios.Expect
	Value  float64
	Met    bool
	Absent bool // the run has no value for the metric
	// NotApplicable says that the metric does not exist for this kernel or policy, or without
	// time: then the expectation is neither met nor not.
	NotApplicable bool
}

// listedGroups is the most groups that are all listed at the end of a run: 2 TB of the usual ones.
// Of more only those are that the run has looked into.
const listedGroups = 1 << 14

// finish takes the last samples and reads what the kernel would show. Reading
// mb_groups loads buddies, which mb_stats counts, so both come after the metrics.
func (r *runner) finish() (*Outcome, error) {
	// How long it takes to read all files is a metric: it must be known before the last sample.
	if r.timed != nil {
		if err := r.timed.readBack(r); err != nil {
			return nil, err
		}
	}
	// Metrics and fingerprint first: to read mb_groups loads buddies, which changes the counters.
	out := &Outcome{
		Result: r.collector.Finish(r.engine.Now()), OutOfSpace: r.outOfSpace, Notes: r.m.notes,
		Events: r.engine.Events(), Fingerprint: r.fingerprint(), Ops: r.record, Mounted: r.m.Mounted,
		DirtyBackground: r.dirtyBackground, WritebackChunk: r.writebackChunk,
	}
	out.Result.Warnings = append(r.warnings, failures(out.Result)...)
	if r.population != nil {
		out.Decisions = r.population.Decisions()
	}
	var err error
	groups := kernels.MbGroups
	if r.m.Geometry().Groups > listedGroups {
		groups = kernels.LoadedGroups
	}
	if out.Groups, err = r.m.proc(groups); err != nil {
		return nil, err
	}
	if out.Stats, err = r.m.proc(kernels.MbStats); err != nil {
		return nil, err
	}
	for _, x := range r.scenario.Expect {
		// An expectation on a metric that this run does not have is neither met nor a mistake.
		v := Verdict{Expect: x}
		v.Value, err = out.Result.Stat(x.Metric, x.Stat)
		absent := new(metrics.AbsentError)
		switch {
		case errors.As(err, &absent):
			v.Absent, v.NotApplicable = true, !out.Result.Applies(x.Metric)
		case err != nil:
			return nil, err
		default:
			v.Met = x.Holds(v.Value)
		}
		out.Verdicts = append(out.Verdicts, v)
	}
	return out, nil
}

// manyFailures is the share of operations that may fail before a run is worth a warning.
const manyFailures = 0.1

// failures warn of a run in which a large share of what processes asked for failed: then it
// measures something else than its author meant.
func failures(r *metrics.Result) []string {
	get := func(name string) float64 {
		v, err := r.Value(name)
		if err != nil {
			return 0
		}
		return v
	}
	all, failed, full := get("ops"), get("ops_failed"), get("ops_enospc")
	if failed <= manyFailures*all {
		return nil
	}
	return []string{fmt.Sprintf("%.0f of %.0f operations failed (%.0f%%), %.0f of them for want of space", failed, all, 100*failed/all, full)}
}
