package run

import (
	"errors"

	"mbsim/metrics"
	"mbsim/scenarios"
)

// Verdict is whether an expectation was met.
type Verdict struct {
	Expect scenarios.Expect
	Value  float64
	Met    bool
	Absent bool // the run has no value for the metric
}

// finish takes the last samples and reads what the kernel would show. Reading
// mb_groups loads buddies, which mb_stats counts, so both come after the metrics.
func (r *runner) finish() (*Outcome, error) {
	if r.timed != nil {
		if err := r.timed.readBack(r); err != nil {
			return nil, err
		}
	}
	out := &Outcome{
		Result: r.collector.Finish(r.engine.Now()), OutOfSpace: r.outOfSpace,
		Events: r.engine.Events(), Fingerprint: r.fingerprint(), Ops: r.record,
	}
	var err error
	if out.Groups, err = r.m.groups(); err != nil {
		return nil, err
	}
	if out.Stats, err = r.m.stats(); err != nil {
		return nil, err
	}
	for _, x := range r.scenario.Expect {
		v := Verdict{Expect: x}
		v.Value, err = out.Result.Stat(x.Metric, x.Stat)
		absent := new(metrics.AbsentError)
		switch {
		case errors.As(err, &absent):
			v.Absent = true
		case err != nil:
			return nil, err
		default:
			v.Met = x.Holds(v.Value)
		}
		out.Verdicts = append(out.Verdicts, v)
	}
	return out, nil
}
