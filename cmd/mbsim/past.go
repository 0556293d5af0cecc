package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"path"
	"path/filepath"
	"strings"
	"time"

	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/kerneltext/procfs"
	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/run"
	"mbsim/scenarios"
)

// past makes a stored run again.
type past struct {
	dir      string
	run      *reports.Run
	base     string // folder of the scenario, "" where the manifest tells
	progress string
	stderr   io.Writer
}

// state is a file system at some moment.
type state struct {
	fs    filesystem.FileSystem
	ext4  *ext4.FS // nil for ext2
	files iter.Seq[filesystem.FileInfo]
}

// scenario is the one that the manifest holds, as it was resolved.
func (p *past) scenario() (*scenarios.Scenario, error) {
	m := &p.run.Manifest
	base := p.base
	if base == "" && len(m.Command) > 2 {
		base = filepath.Dir(m.Command[2])
	}
	s, err := scenarios.Parse(m.Config, filepath.Join(base, "manifest.json"), scenarios.Options{})
	if err != nil {
		return nil, usagef("%s: its scenario cannot be read again: %v", p.dir, err)
	}
	if s.Digest() != m.ScenarioDigest {
		return nil, usagef("%s: a file that its scenario names has changed since, or this mbsim understands it otherwise", p.dir)
	}
	return s, nil
}

// end makes the run again and looks at where it ended.
func (p *past) end(ctx context.Context, look func(state) error) error {
	s, err := p.scenario()
	if err != nil {
		return err
	}
	out, err := p.again(ctx, s)
	if err != nil {
		return err
	}
	return look(stateOf(out.Result.System()))
}

// again performs the scenario and compares with the run's fingerprint.
func (p *past) again(ctx context.Context, s *scenarios.Scenario) (*run.Outcome, error) {
	out, err := p.perform(ctx, s, run.Options{})
	if err != nil {
		return nil, err
	}
	m := &p.run.Manifest
	if got := fmt.Sprintf("%016x", out.Fingerprint); got != m.Fingerprint {
		text := ""
		if b := reports.Build(); b.Version != m.Version || b.Revision != m.Revision || b.Modified || m.Modified {
			text = fmt.Sprintf("; mbsim %s %s made it, this is %s %s", m.Version, m.Revision, b.Version, b.Revision)
		}
		return nil, usagef("%s: made again, the run takes another way or its blocks lie elsewhere (fingerprint %s, was %s)%s", p.dir, got, m.Fingerprint, text)
	}
	return out, nil
}

// at looks at the run at a time. The run is made twice: once to see that it is the
// same, and once more, sampled at that time, up to there. Sampling changes nothing
// in what is simulated.
func (p *past) at(ctx context.Context, at int64, look func(state) error) error {
	s, err := p.scenario()
	if err != nil {
		return err
	}
	if s.Profile == scenarios.ProfileExt2 {
		return usagef("%s: --at: a run of ext2 can be shown at its end only", p.dir)
	}
	if _, err := p.again(ctx, s); err != nil {
		return err
	}
	if s, err = p.scenario(); err != nil {
		return err
	}
	if s.Sample = at; at == 0 {
		s.Sample = time.Hour.Nanoseconds() // the first sample is at 0
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &visitor{at: at, look: func(fs *ext4.FS) error { defer cancel(); return look(stateOf(fs)) }}
	_, err = p.perform(ctx, s, run.Options{Files: v})
	switch {
	case v.done:
		return v.err
	case err != nil:
		return err
	}
	return &exitError{exitInternal, fmt.Errorf("%s: the run never came to %s", p.dir, time.Duration(at))}
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

// visitor looks at the file system at the first sample from a time on.
type visitor struct {
	at   int64
	look func(*ext4.FS) error
	done bool
	err  error
}

// Sampled implements ext4.Sampler.
func (v *visitor) Sampled(fs *ext4.FS, now int64) {
	if !v.done && now >= v.at {
		v.done = true
		v.err = v.look(fs)
	}
}

// InodeAllocated implements ext4.Observer.
func (*visitor) InodeAllocated(number, parent, mode uint32) {}

// WritePagesExtent implements ext4.Observer.
func (*visitor) WritePagesExtent(number, lblk, n uint32) {}

// Commit implements ext4.Observer.
func (*visitor) Commit(tid uint64) {}

var _ ext4.Sampler = (*visitor)(nil)

func stateOf(fs filesystem.FileSystem) state {
	s := state{fs: fs, files: fs.Files()}
	s.ext4, _ = fs.(*ext4.FS)
	return s
}

// write writes the state in a form.
func (s *state) write(w io.Writer, as, name string, files []string) error {
	if as == "filefrag" {
		return s.fileFrag(w, files)
	}
	a := s.ext4.Allocator()
	geo := s.fs.Geometry()
	switch as {
	case "mb_groups":
		return procfs.WriteGroups(w, geo.Groups, a.PeekGroup)
	case "mb_stats":
		stats := a.Stats()
		return procfs.WriteStats(w, a.Kernel(), &stats, geo.Groups)
	}
	f := metrics.FreeSpaceNow(s.ext4.Source(), geo, metrics.Mballoc(a))
	return reports.WriteFreeFrag(w, name, &f, f.Blocks)
}

// fileFrag writes the regular files that the patterns choose, or all.
func (s *state) fileFrag(w io.Writer, patterns []string) error {
	const format, regular = 0o170000, 0o100000
	x := reports.NewFileFrag(w, s.fs.Statfs())
	met := make([]bool, len(patterns))
	for f := range s.files {
		if f.Mode&format != regular || !chosen(f.Path, patterns, met) {
			continue
		}
		if err := x.Write(&f); err != nil {
			return err
		}
	}
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
		for up := name; up != "." && up != "/"; up = path.Dir(up) {
			if ok, _ := path.Match(p, up); ok || up == p {
				found, met[i] = true, true
			}
		}
	}
	return found
}
