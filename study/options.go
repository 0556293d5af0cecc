package study

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mbsim/scenarios"
)

// Options are what the user asks for beside the scenario's own sweep.
type Options struct {
	// Sets are key=value, or key=VALUES as scenarios.ParseAxis reads them.
	Sets         []string
	Replications int     // 0 for the sweep's
	Until        string  // such as ci=2%,max=50,metric=NAME; "" for the sweep's
	Baseline     string  // name of a setting; "" for the sweep's
	Metric       string  // the headline; "" for the first that every setting has
	MinEffect    float64 // the least share of the baseline's mean that is a verdict
	Version      string  // of the code
	Command      []string
	Metrics      []string // names that until and expect may use
	// Alone makes settings of Sets only, whatever sweep the scenario has. Its replications hold.
	Alone bool
}

// UserError is a mistake of the user in one line.
type UserError struct{ Err error }

func (e *UserError) Error() string { return e.Err.Error() }
func (e *UserError) Unwrap() error { return e.Err }

func userErrorf(format string, a ...any) error { return &UserError{fmt.Errorf(format, a...)} }

// defaultReplications are enough for a first interval.
const defaultReplications = 5

// maxSettings is how many settings a study may have.
const maxSettings = 10000

// maxRuns is how many runs a study may have: they and their records are kept in memory.
const maxRuns = 200_000

// request is the Options with their sets parsed.
type request struct {
	opt   Options
	axes  []scenarios.Axis
	fixed []string // sets with one value, as given
}

// readOptions parses the sets: those of several values become axes of the grid.
func readOptions(opt Options) (*request, error) {
	q := &request{opt: opt}
	seen := make(map[string]bool)
	for _, set := range opt.Sets {
		// Sets of the sweep block itself are left to the scenario's own parser.
		key := scenarios.KeyOf(set)
		if strings.HasPrefix(key, "sweep.") || key == "sweep" {
			q.fixed = append(q.fixed, set)
			continue
		}
		// One value is the same for all settings; several are an axis.
		a, err := scenarios.ParseAxis(set)
		if err != nil {
			return nil, &UserError{err}
		}
		if seen[a.Key] {
			return nil, userErrorf("--set %s: %s is set twice", set, a.Key)
		}
		seen[a.Key] = true
		if len(a.Values) == 1 {
			q.fixed = append(q.fixed, set)
			continue
		}
		if err := scenarios.CheckSweepKey(a.Key); err != nil {
			return nil, userErrorf("--set %s: %w", set, err)
		}
		q.axes = append(q.axes, a)
	}
	return q, nil
}

// load reads the scenario with what holds for all settings.
func (q *request) load(name string) (*scenarios.Scenario, error) {
	sets := slices.Clone(q.fixed)
	// Which tunables and mount options there are depends on the kernel: where several are
	// compared, the first stands for all until each is looked at.
	for _, a := range q.axes {
		if a.Key == scenarios.ProfileKey {
			sets = append(sets, a.Key+"="+a.Values[0])
		}
	}
	// --until is another way to write keys of the sweep block.
	const until = "sweep.until."
	if q.opt.Until != "" {
		for part := range strings.SplitSeq(q.opt.Until, ",") {
			sets = append(sets, until+part)
		}
	}
	// The error must name the flag that the user wrote.
	s, err := scenarios.Load(name, scenarios.Options{Sets: sets, Metrics: q.opt.Metrics})
	var e *scenarios.Error
	if errors.As(err, &e) && strings.HasPrefix(e.Set, until) {
		return nil, userErrorf("--until %s: %s", strings.TrimPrefix(e.Set, until), e.Message)
	}
	if err != nil {
		return nil, &UserError{err}
	}
	return s, nil
}

// overrides says whether a --set sets the key.
func (q *request) overrides(key string) bool {
	for _, set := range q.fixed {
		if scenarios.KeyOf(set) == key {
			return true
		}
	}
	return slices.ContainsFunc(q.axes, func(a scenarios.Axis) bool { return a.Key == key })
}
