package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/scenarios"
	"mbsim/sim"
	"mbsim/workload"
)

// A randomCase is a scenario that a generator made, to be played under the check of
// the whole file system. What it does is either a workload of classes, and then its
// text is a scenario that mbsim run takes, or rounds of scripts that run at once,
// which scenarios do not have: they can do anything to the same files, such as
// rename one that another process writes to.
type randomCase struct {
	Seed     uint64            `yaml:"seed"`
	Profile  string            `yaml:"profile"`
	Device   caseDevice        `yaml:"device"`
	Mount    string            `yaml:"mount,omitempty"`
	CPUs     int               `yaml:"cpus"`
	Memory   map[string]string `yaml:"memory,omitempty"`
	Timing   *caseTiming       `yaml:"timing,omitempty"`
	Workload caseWorkload      `yaml:"workload"`
	Rounds   []caseRound       `yaml:"rounds,omitempty"`
}

type caseDevice struct {
	Mkfs struct {
		Size    string `yaml:"size"`
		Options string `yaml:"options,omitempty"`
	} `yaml:"mkfs"`
}

type caseTiming struct {
	Storage string `yaml:"storage"`
}

type caseWorkload struct {
	Script string      `yaml:"script,omitempty"`
	Phases []casePhase `yaml:"phases,omitempty"`
}

type casePhase struct {
	Name    string      `yaml:"name"`
	Classes []caseClass `yaml:"classes"`
	Until   caseUntil   `yaml:"until"`
	Then    string      `yaml:"then"`
}

type caseUntil struct {
	Operations int    `yaml:"operations"`
	Used       string `yaml:"used,omitempty"`
}

type caseClass struct {
	Name          string         `yaml:"name"`
	Count         int            `yaml:"count"`
	Think         string         `yaml:"think,omitempty"`
	Mix           map[string]int `yaml:"mix,flow"`
	Files         int            `yaml:"files,omitempty"`
	FileSize      caseRange      `yaml:"file_size"`
	AppendSize    caseRange      `yaml:"append_size"`
	OverwriteSize caseRange      `yaml:"overwrite_size"`
	Chunk         string         `yaml:"chunk,omitempty"`
	Sparse        bool           `yaml:"sparse,omitempty"`
	KeepOpen      bool           `yaml:"keep_open,omitempty"`
	FsyncOnClose  string         `yaml:"fsync_on_close,omitempty"`
	FallocateMode string         `yaml:"fallocate_mode,omitempty"`
	TargetUsed    string         `yaml:"target_used,omitempty"`
	OnFull        string         `yaml:"on_full,omitempty"`
	Directories   map[string]int `yaml:"directories,omitempty,flow"`
}

// caseRange is a distribution between two sizes.
type caseRange struct {
	LogUniform struct {
		Min int `yaml:"min"`
		Max int `yaml:"max"`
	} `yaml:"loguniform,flow"`
}

// caseRound is scripts that run at once, and what is done when all have ended.
type caseRound struct {
	Writers []caseWriter `yaml:"writers"`
	Then    string       `yaml:"then"` // sync, remount or nothing
}

// caseWriter is one process: operations of the oracle's language, a line each, and
// read besides.
type caseWriter struct {
	CPU int    `yaml:"cpu"`
	Ops string `yaml:"ops"`
}

func (w *caseWriter) lines() []string { return strings.Split(strings.TrimRight(w.Ops, "\n"), "\n") }

// text is the case as YAML.
func (c *randomCase) text() string {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(c); err != nil {
		panic(err) // a mistake in the types above
	}
	return b.String()
}

// clone is a copy that has nothing in common with c that may change.
func (c *randomCase) clone() *randomCase {
	x := *c
	x.Memory = maps.Clone(c.Memory)
	if c.Timing != nil {
		t := *c.Timing
		x.Timing = &t
	}
	x.Workload.Phases = slices.Clone(c.Workload.Phases)
	for i := range x.Workload.Phases {
		p := &x.Workload.Phases[i]
		p.Classes = slices.Clone(p.Classes)
		for k := range p.Classes {
			p.Classes[k].Mix = maps.Clone(p.Classes[k].Mix)
		}
	}
	x.Rounds = slices.Clone(c.Rounds)
	for i := range x.Rounds {
		x.Rounds[i].Writers = slices.Clone(c.Rounds[i].Writers)
	}
	return &x
}

// parseCase reads what text writes.
func parseCase(text string) (*randomCase, error) {
	c := new(randomCase)
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	return c, d.Decode(c)
}

// operations counts what the case does, at most.
func (c *randomCase) operations() (n int) {
	for _, r := range c.Rounds {
		for i := range r.Writers {
			n += len(r.Writers[i].lines())
		}
	}
	for _, p := range c.Workload.Phases {
		n += p.Until.Operations
	}
	return n
}

// runChecked plays a case under the check, as often as can be. A text whose case
// cannot start has a *StartError.
func runChecked(text string) error {
	return runCheckedBy(text, func(r *runner) error { return nil })
}

// runCheckedBy plays a case with one more check besides the file system's.
func runCheckedBy(text string, more func(*runner) error) error {
	c, err := parseCase(text)
	if err != nil {
		return &StartError{err}
	}
	rounds := c.Rounds
	c.Rounds = nil
	s, err := scenarios.Parse([]byte(c.text()), "case.yaml", scenarios.Options{})
	if err != nil {
		return &StartError{err}
	}
	writers := make([][][]workload.Op, len(rounds))
	for i := range rounds {
		for k := range rounds[i].Writers {
			ops, err := parseOps(&rounds[i].Writers[k])
			if err != nil {
				return &StartError{err}
			}
			writers[i] = append(writers[i], ops)
		}
	}
	r := newRunner(context.Background(), s, Options{Check: CheckSync})
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		return &StartError{err}
	}
	check := r.m.Check
	r.m.Check = func() error { return errors.Join(check(), more(r)) }
	_, err = r.play(func() {
		r.engine.At(caseLimit, func() {
			r.fail(fmt.Errorf("after %d s processes still wait for each other: %v", caseLimit/sim.Second, r.engine.Unfinished()))
		})
		if len(rounds) == 0 {
			r.launch()
			return
		}
		r.engine.Go("rounds", func(p *sim.Process) { r.rounds(p, rounds, writers) })
	})
	return err
}

// parseOps are the operations of a writer.
func parseOps(w *caseWriter) ([]workload.Op, error) {
	var ops []workload.Op
	for _, line := range w.lines() {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "read" {
			off, err := strconv.ParseInt(f[2], 10, 64)
			n, err2 := strconv.ParseInt(f[3], 10, 64)
			if err := errors.Join(err, err2); err != nil {
				return nil, err
			}
			ops = append(ops, workload.Op{Kind: workload.Read, FD: f[1], Off: off, Len: n})
			continue
		}
		more, err := workload.ParseScript(strings.NewReader(line+"\n"), "ops")
		if err != nil {
			return nil, err
		}
		ops = append(ops, more...)
	}
	return ops, nil
}

// caseLimit is how much simulated time a case may take, ns: more than any takes whose
// processes do not wait for each other for ever.
const caseLimit = 10 * sim.Minute

// rounds performs the rounds of a case, and settles.
func (r *runner) rounds(p *sim.Process, rounds []caseRound, writers [][][]workload.Op) {
	r.collector.Begin("rounds", true, p.Now())
	main := r.player(0, root)
	for i := range rounds {
		r.round(p, &rounds[i], writers[i])
		then := map[string]workload.Then{"sync": workload.ThenSync, "remount": workload.ThenRemount}[rounds[i].Then]
		err := r.between(p, main, then)
		if err == nil {
			err = r.checkDue(CheckPhase)
		}
		if err != nil {
			r.fail(err)
		}
		if r.err != nil {
			return
		}
	}
	r.settle(p, main)
}

// round lets the writers of a round run at once, until all have ended.
func (r *runner) round(p *sim.Process, round *caseRound, writers [][]workload.Op) {
	left := len(writers)
	for i, ops := range writers {
		r.engine.Go(fmt.Sprintf("writer %d", i), func(wp *sim.Process) {
			if err := r.writer(wp, round.Writers[i].CPU%r.scenario.CPUs, ops); err != nil {
				r.fail(err)
			}
			if left--; left == 0 {
				p.Wake()
			}
		})
	}
	if left > 0 {
		p.Park("the writers of the round")
	}
}

func (r *runner) writer(p *sim.Process, cpu int, ops []workload.Op) error {
	pl := r.player(cpu, root)
	for i := range ops {
		if _, err := r.perform(p, pl, &ops[i]); err != nil {
			return err
		}
	}
	return r.closeAll(p, pl)
}
