package study

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mbsim/internal/shell"
)

// Load reads what a study came to. Of one that is not finished it is what is there.
//
// study.json must be, byte for byte, what its plan and its records come to: those of
// plan.json and runs.ndjson, or, where it was taken out of its folder, those that it
// repeats itself. So nothing in a Result that Load returns needs another check.
func Load(dir string) (*Result, error) {
	path := filepath.Join(dir, resultName)
	r := &Result{}
	object, err := readSealed(path, r)
	if errors.Is(err, fs.ErrNotExist) {
		return loadPart(dir)
	}
	if err != nil {
		return nil, err
	}
	// What study.json says it was merged from is checked first, since it may stand alone.
	p, done, err := r.origin()
	if err != nil {
		return nil, userErrorf("%s: %w", path, err)
	}
	// In its folder the plan and the records themselves count.
	if exists(dir, planName) {
		if p, err = ReadPlan(dir); err != nil {
			return nil, err
		}
	}
	if exists(dir, runsName) {
		if done, err = readRuns(dir); err != nil {
			return nil, err
		}
	}
	// Merge anew and compare byte by byte: so nothing in study.json needs a test of its own.
	again, err := merge(p, done)
	if err != nil {
		return nil, userErrorf("%s: %w", path, err)
	}
	text, err := encode(again)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(text, object) {
		return nil, userErrorf("%s:%d: not what %s and %s come to: mbsim merge %s writes it again", path, differAt(text, object), planName, runsName, shell.Quote(dir))
	}
	return again, nil
}

// exists says whether dir has an entry of this name.
func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// differAt is the number of the first line in which two texts differ.
func differAt(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return 1 + bytes.Count(a[:n], []byte{'\n'})
}

// asked is the metric that the user named, "" for none.
func (r *Result) asked() string {
	if r.Asked {
		return r.Metric
	}
	return ""
}

// origin is what the result was merged from: the plan, and records by id. Both are
// checked.
func (r *Result) origin() (*Plan, map[string]*Record, error) {
	// The plan, from its fields in the result.
	p := &Plan{Schema: r.Schema, Scenario: r.Scenario, Question: r.Question, Seed: r.Seed, Version: r.Version, Command: r.Command,
		Axes: r.Axes, Baseline: r.Baseline, Base: r.Base, Metric: r.asked(), Replications: r.Replications, Until: r.Until, MinEffect: r.MinEffect, Warnings: r.Warnings}
	for i := range r.Settings {
		s := &r.Settings[i]
		p.Settings = append(p.Settings, Setting{Name: s.Name, Variant: s.Variant, Values: s.Values, Own: s.Own, Default: s.Default, Digest: s.Digest, Config: s.Config})
	}
	if err := p.check(); err != nil {
		return nil, nil, err
	}
	// The records, from the runs of each setting.
	done := make(map[string]*Record)
	for i := range r.Settings {
		s := &r.Settings[i]
		for j := range s.Runs {
			x := &s.Runs[j]
			rec := &Record{Schema: r.Schema, ID: x.ID, Setting: s.Name, Digest: s.Digest, Seed: r.Seed, Replication: x.Replication, Version: r.Version,
				Fingerprint: x.Fingerprint, Events: x.Events, Simulated: x.Simulated, OutOfSpace: x.OutOfSpace, Decisions: x.Decisions, Unmet: x.Unmet, Notes: x.Notes, Metrics: x.Metrics}
			if err := rec.check(); err != nil {
				return nil, nil, fmt.Errorf("settings[%d].runs[%d]: %w", i, j, err)
			}
			done[rec.ID] = rec
		}
	}
	return p, done, nil
}

// readRuns returns the records of runs.ndjson by id.
func readRuns(dir string) (map[string]*Record, error) {
	path := filepath.Join(dir, runsName)
	records, _, err := readRecords(path)
	if err != nil {
		return nil, err
	}
	done := make(map[string]*Record)
	if _, err := collect(done, records); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return done, nil
}

// loadPart returns what there is of a study that is not finished.
func loadPart(dir string) (*Result, error) {
	p, err := ReadPlan(dir)
	if err != nil {
		return nil, err
	}
	done, err := readRuns(dir)
	if err != nil {
		return nil, err
	}
	return merge(p, done)
}
