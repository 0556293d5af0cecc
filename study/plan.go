package study

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mbsim/scenarios"
)

// planSchema changes when a field of plan.json, runs.ndjson or study.json changes
// its meaning or goes. Since 2 they have checksums; what was written before is
// refused.
const planSchema = 2

// Plan is what a study runs: enough for another machine to run any part of it.
type Plan struct {
	Schema   int              `json:"schema"`
	Scenario string           `json:"scenario"` // name
	Question string           `json:"question,omitempty"`
	Dir      string           `json:"dir"` // what paths in the scenarios are relative to
	Seed     uint64           `json:"seed"`
	Version  string           `json:"version"` // of the code: other code would be other runs
	Command  []string         `json:"command,omitempty"`
	Axes     []scenarios.Axis `json:"axes,omitempty"` // of the grid
	Settings []Setting        `json:"settings"`
	Baseline string           `json:"baseline"`
	Base     string           `json:"base"`             // the setting that is the scenario as it is, or else the baseline: expectations are its own
	Metric   string           `json:"metric,omitempty"` // headline asked for
	// Replications are those planned by now; Until may add some.
	Replications int      `json:"replications"`
	Until        *Until   `json:"until,omitempty"`
	MinEffect    float64  `json:"min_effect"` // the least share that is a verdict
	Warnings     []string `json:"warnings,omitempty"`

	mu    sync.Mutex
	tasks []Task // as far as Tasks has made them; settings, seed and version do not change
}

// Until is a rule that adds replications.
type Until struct {
	CI     float64 `json:"ci"` // half the width of an interval, as a share
	Max    int     `json:"max"`
	Metric string  `json:"metric,omitempty"`
}

// Setting is a scenario with some keys set.
type Setting struct {
	Name    string          `json:"name"`
	Variant string          `json:"variant,omitempty"`
	Values  []Value         `json:"values"`                   // what it sets
	Own     int             `json:"own"`                      // number of Values, from the first on, that the variant's name stands for
	Default bool            `json:"kernel_default,omitempty"` // what it sets is what the kernel has anyway
	Digest  string          `json:"scenario_digest"`
	Config  json.RawMessage `json:"config"`   // the resolved scenario
	Text    string          `json:"scenario"` // likewise, as YAML
}

// NewPlan plans a study of a scenario: a file, or one that comes with mbsim.
func NewPlan(name string, opt Options) (*Plan, error) {
	// The options, and the scenario with what holds for all settings.
	q, err := readOptions(opt)
	if err != nil {
		return nil, err
	}
	s, err := q.load(name)
	if err != nil {
		return nil, err
	}
	if opt.Alone && s.Sweep != nil {
		s.Sweep = &scenarios.Sweep{Replications: s.Sweep.Replications}
	}
	// Paths in the scenario are relative to its folder, from wherever the plan is read later.
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	p := &Plan{Schema: planSchema, Scenario: s.Name, Question: s.Question, Dir: dir, Seed: s.Seed,
		Version: opt.Version, Command: opt.Command, Metric: opt.Metric, MinEffect: opt.MinEffect}
	// The settings: the product of the dimensions that the constraint leaves.
	dims, axes, err := q.dimensions(s)
	if err != nil {
		return nil, err
	}
	p.Axes = axes
	var constraint *scenarios.Constraint
	if s.Sweep != nil {
		constraint = s.Sweep.Constraint
	}
	points, err := q.points(dims, constraint)
	if err != nil {
		return nil, err
	}
	// The scenario as it is joins the settings if it is to be the baseline.
	baseline := opt.Baseline
	if baseline == "" && s.Sweep != nil {
		baseline = s.Sweep.Baseline
	}
	if baseline == defaultName && points[0].name() != defaultName {
		points = append([]point{{}}, points...)
	}
	// Each point becomes a setting with a resolved scenario of its own.
	for i := range points {
		setting, err := q.setting(name, &points[i])
		if err != nil {
			return nil, err
		}
		p.Settings = append(p.Settings, *setting)
	}
	// How often each is run, and what the others are compared with.
	p.repeat(s, opt.Replications)
	if err := p.setBaseline(baseline); err != nil {
		return nil, err
	}
	p.Base = p.Baseline
	for i := range p.Settings {
		if p.Settings[i].Digest == s.Digest() {
			p.Base = p.Settings[i].Name
		}
	}
	if err := p.check(); err != nil {
		return nil, userErrorf("%s: %w", name, err)
	}
	return p, nil
}

// setting reads the scenario with the values of a point set.
func (q *request) setting(name string, pt *point) (*Setting, error) {
	sets := slices.Clone(q.fixed)
	for _, v := range pt.values {
		sets = append(sets, v.set())
	}
	s, err := scenarios.Load(name, scenarios.Options{Sets: sets, Metrics: q.opt.Metrics})
	if err != nil {
		// An error that does not name the value must name the setting, of which there are many.
		if len(pt.values) > 1 || len(pt.values) == 1 && !strings.Contains(err.Error(), pt.values[0].set()) {
			err = fmt.Errorf("setting %s: %w", pt.name(), err)
		}
		return nil, &UserError{err}
	}
	return &Setting{Name: pt.name(), Variant: pt.variant, Values: pt.values, Own: pt.own, Default: pt.isDefault(), Digest: s.Digest(), Config: s.ResolvedJSON(), Text: string(s.Resolved())}, nil
}

// repeat decides how often settings are run: as asked for, or as the sweep says, or by default.
func (p *Plan) repeat(s *scenarios.Scenario, asked int) {
	p.Replications = asked
	// What the sweep says, where nothing was asked for.
	if w := s.Sweep; w != nil {
		if p.Replications == 0 {
			p.Replications = w.Replications
		}
		if u := w.Until; u != nil {
			p.Until = &Until{u.CI, u.Max, u.Metric}
		}
	}
	// All replications of a script would be the same run.
	if s.Workload.Script != nil {
		if p.Replications > 1 || p.Until != nil {
			p.Warnings = append(p.Warnings, "The workload is a script, which draws no random numbers: one replication is all there is")
		}
		p.Replications, p.Until = 1, nil
	}
	// The default, and no more than the rule for further ones allows.
	if p.Replications == 0 {
		p.Replications = defaultReplications
	}
	if p.Until != nil {
		p.Replications = min(p.Replications, p.Until.Max)
	}
}

// setBaseline sets the baseline to the setting asked for, or to the first.
func (p *Plan) setBaseline(asked string) error {
	if asked == "" {
		asked = p.Settings[0].Name
	}
	if p.setting(asked) < 0 {
		return userErrorf("baseline %q is no setting: there are %s", asked, p.names())
	}
	p.Baseline = asked
	return nil
}

// names lists the settings for an error, or the first of many.
func (p *Plan) names() string {
	const some = 12
	var names []string
	for i := range p.Settings {
		if i == some {
			names = append(names, fmt.Sprintf("and %d more", len(p.Settings)-some))
			break
		}
		names = append(names, p.Settings[i].Name)
	}
	return strings.Join(names, "; ")
}

// setting returns the place of the setting of this name, -1 if there is none.
func (p *Plan) setting(name string) int {
	return slices.IndexFunc(p.Settings, func(s Setting) bool { return s.Name == name })
}

// Task is a run of the plan.
type Task struct {
	Setting     int // of Plan.Settings
	Replication int
	ID          string
}

// Tasks are all runs of the plan: one replication of all settings, then the next. The
// caller may not change them.
func (p *Plan) Tasks() []Task {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Ids take long; further replications come behind those that are there.
	for n := len(p.tasks); n < p.Replications*len(p.Settings); n++ {
		i, r := n%len(p.Settings), n/len(p.Settings)
		p.tasks = append(p.tasks, Task{i, r, p.id(i, r)})
	}
	return p.tasks[:p.Replications*len(p.Settings)]
}

// id names a run of the plan.
func (p *Plan) id(setting, replication int) string {
	return runID(p.Settings[setting].Digest, p.Seed, replication, p.Version)
}

// runID names a run by all that decides it.
func runID(digest string, seed uint64, replication int, version string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "mbsim run 1\n%s\n%d\n%d\n%s\n", digest, seed, replication, version))
	return hex.EncodeToString(h[:16])
}

// planName is the file of a study's folder that holds the plan.
const planName = "plan.json"

// text returns the content of plan.json.
func (p *Plan) text() ([]byte, error) {
	object, err := encode(p)
	return fileSeal.add(object), err
}

// ReadPlan reads the plan of a study's folder. What it returns has been checked.
func ReadPlan(dir string) (*Plan, error) {
	path := filepath.Join(dir, planName)
	p := &Plan{}
	_, err := readSealed(path, p)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, userErrorf("%s: no study: there is no %s", dir, planName)
	case err != nil:
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, userErrorf("%s: %w", path, err)
	}
	return p, nil
}
