package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"mbsim/filesystem"
	"mbsim/kernels"
	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/run"
	"mbsim/scenarios"
)

// past performs a stored run again.
type past struct {
	dir      string
	run      *reports.Run
	base     string // folder of the scenario, "" where the manifest tells
	progress string
	stderr   io.Writer
}

// scenario is the one that the manifest holds, as it was resolved.
func (p *past) scenario() (*scenarios.Scenario, error) {
	m := &p.run.Manifest
	// The third word of the stored command is the scenario: paths in it are relative to its folder.
	base := p.base
	if base == "" && len(m.Command) > 2 {
		base = filepath.Dir(m.Command[2])
	}
	s, err := scenarios.Parse(m.Config, filepath.Join(base, "manifest.json"), scenarios.Options{})
	if err != nil {
		return nil, usagef("%s: its scenario cannot be read again: %v", p.dir, err)
	}
	// The digest covers the files that the scenario names, which may have changed since.
	if s.Digest() != m.ScenarioDigest {
		return nil, usagef("%s: a file that its scenario names has changed since, or this mbsim understands it otherwise", p.dir)
	}
	return s, nil
}

// state makes the run again, and shows it at a time, or at its end where that is negative. Either way the
// run is first seen to be the same.
func (p *past) state(ctx context.Context, at int64, look func(*kernels.Mounted) error) error {
	if at >= 0 {
		return p.at(ctx, at, look)
	}
	s, err := p.scenario()
	if err != nil {
		return err
	}
	var shown error // a mistake of the user's
	_, err = p.perform(ctx, s, run.Options{Stamps: true, Final: func(out *run.Outcome) error {
		if err := p.compare(out); err != nil {
			shown = err
			return nil
		}
		shown = look(out.Mounted)
		return nil
	}})
	return errors.Join(err, shown)
}

// end makes the run again and looks at where it ended.
func (p *past) end(ctx context.Context, look func(*kernels.Mounted) error) error {
	s, err := p.scenario()
	if err != nil {
		return err
	}
	out, err := p.again(ctx, s)
	if err != nil {
		return err
	}
	return look(out.Mounted)
}

// again performs the scenario and compares with the run's fingerprint.
func (p *past) again(ctx context.Context, s *scenarios.Scenario) (*run.Outcome, error) {
	out, err := p.perform(ctx, s, run.Options{})
	if err != nil {
		return nil, err
	}
	if err := p.compare(out); err != nil {
		return nil, err
	}
	return out, nil
}

// compare refuses an outcome that is not the run's: a run that goes another way would show another file
// system than the one stored.
func (p *past) compare(out *run.Outcome) error {
	m := &p.run.Manifest
	if got := fmt.Sprintf("%016x", out.Fingerprint); got != m.Fingerprint {
		return usagef("%s: made again, the run takes another way or its blocks lie elsewhere (fingerprint %s, was %s)%s", p.dir, got, m.Fingerprint, otherBuild(m))
	}
	return nil
}

// otherBuild is the end of an error message that says that another build of mbsim made the
// run, or empty if that is not known. Two builds of one version may still differ if they
// have uncommitted changes, or if their commit is unknown.
func otherBuild(m *reports.Manifest) string {
	b := reports.Build()
	switch {
	case b.Version != m.Version || b.Revision != m.Revision:
		return fmt.Sprintf("; mbsim %s %s made it, this is %s %s", m.Version, m.Revision, b.Version, b.Revision)
	case b.Revision == "" || b.Modified || m.Modified:
		return "; another build of mbsim made it"
	}
	return ""
}

// at looks at the run at a time. The run is made twice: once to see that it is the
// same, and once more up to there.
func (p *past) at(ctx context.Context, at int64, look func(*kernels.Mounted) error) error {
	s, err := p.scenario()
	if err != nil {
		return err
	}
	if _, err := p.again(ctx, s); err != nil {
		return err
	}
	// A run changes the starting state that it is given, so the scenario is read again.
	s, err = p.scenario()
	if err != nil {
		return err
	}
	var shown error // a mistake of the user's, such as a file that is not there
	_, err = p.perform(ctx, s, run.Options{At: at, Stamps: true, Look: func(m *kernels.Mounted) error {
		shown = look(m)
		return nil
	}})
	return errors.Join(err, shown)
}

// perform performs a scenario with a bar.
func (p *past) perform(ctx context.Context, s *scenarios.Scenario, opt run.Options) (*run.Outcome, error) {
	bar, err := newBar(p.progress, false, s.Name, p.stderr)
	if err != nil {
		return nil, err
	}
	opt.Progress = bar.update
	out, err := performRun(ctx, s, opt)
	bar.done(err == nil)
	return out, err
}

// writeState writes the state of a file system in a form.
func writeState(m *kernels.Mounted, w io.Writer, as, name string, files []string) error {
	switch as {
	case "filefrag":
		return fileFrag(m, w, files)
	case "e2freefrag":
		f := metrics.FreeSpaceNow(m.Source, m.Geometry(), m.Policy)
		return reports.WriteFreeFrag(w, name, &f, f.Blocks)
	}
	// All other forms are files of /proc/fs/ext4/DEV, read without leaving a trace.
	there, err := m.PeekProc(as, w)
	if !there {
		return usagef("%s: %s has no %s", name, m.System.Name, as)
	}
	return err
}

// fileFrag writes the regular files that the patterns choose, or all.
func fileFrag(m *kernels.Mounted, w io.Writer, patterns []string) error {
	x := reports.NewFileFrag(w, m.Statfs())
	met := make([]bool, len(patterns))
	for f := range m.Files() {
		if !filesystem.IsRegular(f.Mode) || !chosen(f.Path, patterns, met) {
			continue
		}
		if err := x.Write(&f); err != nil {
			return err
		}
	}
	// A pattern that chose nothing is most likely misspelt.
	for i, p := range patterns {
		if !met[i] {
			return usagef("no regular file is called %s", p)
		}
	}
	return nil
}

// chosen says whether a pattern names the path or a folder above it, and marks
// all that do.
func chosen(name string, patterns []string, met []bool) bool {
	found := len(patterns) == 0
	for i, p := range patterns {
		p = strings.Trim(p, "/")
		// A pattern that names a folder chooses all that is below it, so every folder above the
		// file is compared. A malformed pattern, of which Match returns an error, is compared
		// letter by letter.
		for up := name; up != "." && up != "/"; up = path.Dir(up) {
			if ok, _ := path.Match(p, up); ok || up == p {
				found, met[i] = true, true
			}
		}
	}
	return found
}
