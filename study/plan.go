package study

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/internal/atomicfile"
	"mbsim/internal/input"
	"mbsim/scenarios"
)

// planSchema changes when a field of plan.json, runs.ndjson or study.json changes
// its meaning or goes.
const planSchema = 1

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
	Metric   string           `json:"metric,omitempty"` // headline asked for
	// Replications are those planned by now; Until may add some.
	Replications int      `json:"replications"`
	Until        *Until   `json:"until,omitempty"`
	Warnings     []string `json:"warnings,omitempty"`
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
	Values  []Value         `json:"values"` // what it sets
	Own     int             `json:"own"`    // the first so many are what the variant stands for
	Digest  string          `json:"scenario_digest"`
	Config  json.RawMessage `json:"config"`   // the resolved scenario
	Text    string          `json:"scenario"` // likewise, as YAML
}

// NewPlan plans a study of a scenario: a file, or one that comes with mbsim.
func NewPlan(name string, opt Options) (*Plan, error) {
	q, err := readOptions(opt)
	if err != nil {
		return nil, err
	}
	s, err := q.load(name)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, err
	}
	p := &Plan{Schema: planSchema, Scenario: s.Name, Question: s.Question, Dir: dir, Seed: s.Seed,
		Version: opt.Version, Command: opt.Command, Metric: opt.Metric}
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
	baseline := opt.Baseline
	if baseline == "" && s.Sweep != nil {
		baseline = s.Sweep.Baseline
	}
	if baseline == defaultName && points[0].name() != defaultName {
		points = append([]point{{}}, points...)
	}
	for i := range points {
		setting, err := q.setting(name, &points[i])
		if err != nil {
			return nil, err
		}
		p.Settings = append(p.Settings, *setting)
	}
	p.repeat(s, opt.Replications)
	if err := p.checkRuns(p.Replications); err != nil {
		return nil, err
	}
	return p, p.setBaseline(baseline)
}

// setting reads the scenario at a point.
func (q *request) setting(name string, pt *point) (*Setting, error) {
	sets := slices.Clone(q.fixed)
	for _, v := range pt.values {
		sets = append(sets, v.set())
	}
	s, err := scenarios.Load(name, scenarios.Options{Sets: sets, Metrics: q.opt.Metrics})
	if err != nil {
		if len(pt.values) > 1 || len(pt.values) == 1 && !strings.Contains(err.Error(), pt.values[0].set()) {
			err = fmt.Errorf("setting %s: %w", pt.name(), err)
		}
		return nil, &UserError{err}
	}
	return &Setting{Name: pt.name(), Variant: pt.variant, Values: pt.values, Own: pt.own, Digest: s.Digest(), Config: s.ResolvedJSON(), Text: string(s.Resolved())}, nil
}

// repeat decides how often settings are run.
func (p *Plan) repeat(s *scenarios.Scenario, asked int) {
	p.Replications = asked
	if w := s.Sweep; w != nil {
		if p.Replications == 0 {
			p.Replications = w.Replications
		}
		if u := w.Until; u != nil {
			p.Until = &Until{u.CI, u.Max, u.Metric}
		}
	}
	if s.Workload.Script != nil {
		if p.Replications > 1 || p.Until != nil {
			p.Warnings = append(p.Warnings, "The workload is a script, which draws no random numbers: one replication is all there is")
		}
		p.Replications, p.Until = 1, nil
	}
	if p.Replications == 0 {
		p.Replications = defaultReplications
	}
	if p.Until != nil {
		p.Replications = min(p.Replications, p.Until.Max)
	}
}

// checkRuns refuses more runs than a study may have.
func (p *Plan) checkRuns(replications int) error {
	if n := len(p.Settings); replications > maxRuns/n {
		return userErrorf("%d replications of %d settings are more than %d runs: no study may have more", replications, n, maxRuns)
	}
	return nil
}

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

// names lists the settings, or some of them.
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

func (p *Plan) setting(name string) int {
	return slices.IndexFunc(p.Settings, func(s Setting) bool { return s.Name == name })
}

// Task is a run of the plan.
type Task struct {
	Setting     int // of Plan.Settings
	Replication int
	ID          string
}

// Tasks are all runs of the plan: one replication of all settings, then the next.
func (p *Plan) Tasks() []Task {
	tasks := make([]Task, 0, p.Replications*len(p.Settings))
	for r := range p.Replications {
		for i := range p.Settings {
			tasks = append(tasks, Task{i, r, p.id(i, r)})
		}
	}
	return tasks
}

// id names a run by all that decides it.
func (p *Plan) id(setting, replication int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "mbsim run %d\n%s\n%d\n%d\n%s\n", planSchema, p.Settings[setting].Digest, p.Seed, replication, p.Version))
	return fmt.Sprintf("%x", h[:16])
}

const planName = "plan.json"

func (p *Plan) write(dir string) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(p); err != nil {
		return err
	}
	return atomicfile.WriteDurable(filepath.Join(dir, planName), b.Bytes())
}

// ReadPlan reads the plan of a study's folder.
func ReadPlan(dir string) (*Plan, error) {
	path := filepath.Join(dir, planName)
	raw, err := input.ReadFile(path, "the plan of a study", input.MaxWhole)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, userErrorf("%s: no study: there is no %s", dir, planName)
	}
	if err != nil {
		return nil, err
	}
	p := &Plan{}
	switch err := json.Unmarshal(raw, p); {
	case err != nil:
		return nil, userErrorf("%s: %w", path, err)
	case p.Schema != planSchema:
		return nil, userErrorf("%s: schema %d: this mbsim reads %d", path, p.Schema, planSchema)
	case len(p.Settings) == 0 || p.Replications < 1 || p.setting(p.Baseline) < 0:
		return nil, userErrorf("%s: no settings, no replications or no baseline", path)
	}
	if err := p.checkRuns(p.Replications); err != nil {
		return nil, userErrorf("%s: %w", path, err)
	}
	return p, nil
}
