package fio

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/internal/input"
	"mbsim/internal/nearest"
)

// Kind is what the requests of a job do.
type Kind struct{ Reads, Writes, Trims, Random bool }

// Job is one job with all its settings. Sizes are in bytes; what a key of fio means fio(1) says.
type Job struct {
	Name string
	Line int

	Kind    Kind
	Run     int64 // random requests that follow one another before the next is drawn
	Gap     int64 // bytes passed over between requests that are in order
	MixRead int64 // percent of requests that read, where a job does both

	Reads, Writes     Blocks
	Size, IOSize      Share
	FileLow, FileHigh int64 // of each file; 0 where Size is shared among them
	Files, Jobs       int64
	Loops, Requests   int64

	Fsync, Fdatasync int64 // after so many writes, 0 for never
	EndFsync         bool
	EndSyncfs        bool
	FsyncOnClose     bool
	CreateFsync      bool
	CreateOnOpen     bool
	CreateOnly       bool
	Overwrite        bool
	Append           bool
	Unlink           bool
	UnlinkEachLoop   bool
	NoMap            bool
	Direct           bool
	Sync             bool
	Stonewall        bool   // it begins when all jobs before it have ended
	Fallocate        string // none, native, keep, truncate

	Directory, Filename, Format string

	Offset, OffsetIncrement Share
	OffsetAlign             int64
	Distribution            Distribution
	Seed                    int64
	Engine                  string
	Service                 string // roundrobin, random, sequential
	ServiceRun              int64
}

// Note is a key that has no effect on the requests, though it has one in fio.
type Note struct {
	Text string
	Line int
}

// Jobs is what a job file holds.
type Jobs struct {
	Jobs  []Job
	Notes []Note // in the order of the file
	Lines int64
}

// Options say where a job file finds what it names.
type Options struct {
	// Include opens a file that the job file includes; nil refuses that.
	Include func(name string) (io.ReadCloser, error)
	// Env gives ${NAME}; nil refuses that.
	Env func(name string) (string, bool)
}

// Files are options for a job file on disk: includes from beside it, and the environment.
func Files(jobFile string) Options {
	return Options{Env: os.LookupEnv, Include: func(name string) (io.ReadCloser, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(jobFile), name)
		}
		return os.Open(name)
	}}
}

// parser reads a job file.
type parser struct {
	opt    Options
	out    Jobs
	global Job
	job    *Job // that the next keys are for, nil before the first section
	depth  int  // of includes
}

// ParseJobs reads a job file. name is its name in errors, which have the form name:line:column: message.
func ParseJobs(r io.Reader, name string, opt Options) (*Jobs, error) {
	p := &parser{opt: opt, global: defaults()}
	if err := p.read(r, name); err != nil {
		return nil, err
	}
	// A job file without sections of jobs says nothing to do.
	if len(p.out.Jobs) == 0 {
		return nil, fmt.Errorf("%s:1:1: no job is in it: want a section such as [job1]", name)
	}
	return &p.out, nil
}

// defaults are the settings of a job that sets nothing.
func defaults() Job {
	return Job{
		Kind: kinds["read"], Run: 1, MixRead: 50, Reads: Blocks{Min: 4096, Max: 4096}, Writes: Blocks{Min: 4096, Max: 4096},
		Files: 1, Jobs: 1, Loops: 1, CreateFsync: true, Fallocate: "native", Format: "$jobname.$jobnum.$filenum",
		Distribution: Distribution{Kind: "random"}, Engine: "psync", Service: "roundrobin", ServiceRun: 1,
	}
}

// read reads a file, and those that it includes.
func (p *parser) read(r io.Reader, name string) error {
	lines := input.NewLines(r, name, input.MaxLine)
	for lines.Next() {
		p.out.Lines++
		if at, err := p.line(string(lines.Line()), name, lines.Number()); err != nil {
			if at < 0 {
				return err // of an included file, which has its own place
			}
			return fmt.Errorf("%s:%d:%d: %w", name, lines.Number(), at+1, err)
		}
	}
	return lines.Err()
}

// line reads a line. at is the byte of what is wrong with it.
func (p *parser) line(full, file string, number int) (at int, err error) {
	text := strings.TrimSpace(full)
	at = strings.Index(full, text)
	switch zero := strings.IndexByte(full, 0); {
	case zero >= 0:
		return zero, fmt.Errorf("a zero byte: this is not a text")
	case text == "", text[0] == '#', text[0] == ';':
		return 0, nil
	case text[0] == '[':
		name, _, ok := strings.Cut(text[1:], "]")
		if !ok || name == "" {
			return at, fmt.Errorf("want the name of a section between [ and ]")
		}
		p.section(name, number)
		return 0, nil
	case strings.HasPrefix(text, "include "):
		return p.include(strings.TrimSpace(text[len("include "):]), at)
	case p.job == nil:
		return at, fmt.Errorf("%q stands before the first section, such as [global]", text)
	}
	name, value, has := strings.Cut(text, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	valueAt := at
	if has {
		valueAt = strings.Index(full, "=") + 1
	}
	value, err = p.expand(strings.Trim(value, `"`))
	if err != nil {
		return valueAt, err
	}
	return valueAt, p.set(name, value, file, number)
}

// section begins a section.
func (p *parser) section(name string, line int) {
	if name == "global" {
		p.job = &p.global // what follows is for the jobs behind it
		return
	}
	j := p.global
	j.Name, j.Line = name, line
	p.out.Jobs = append(p.out.Jobs, j)
	p.job = &p.out.Jobs[len(p.out.Jobs)-1]
}

// maxIncludes is how deep files may include one another.
const maxIncludes = 16

func (p *parser) include(name string, at int) (int, error) {
	if p.opt.Include == nil {
		return at, fmt.Errorf("include: no other file can be read here")
	}
	if p.depth == maxIncludes {
		return at, fmt.Errorf("include: files include one another more than %d times", maxIncludes)
	}
	f, err := p.opt.Include(name)
	if err != nil {
		return at, err
	}
	defer f.Close()
	p.depth++
	defer func() { p.depth-- }()
	return -1, p.read(f, name)
}

// expand replaces ${NAME} by the variable of the environment.
func (p *parser) expand(s string) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("${ has no }")
		}
		if p.opt.Env == nil {
			return "", fmt.Errorf("${%s}: there is no environment here", name)
		}
		value, ok := p.opt.Env(name)
		if !ok {
			return "", fmt.Errorf("${%s}: the environment has no such variable", name)
		}
		b.WriteString(value)
		s = after
	}
}

// set sets a key of the section.
func (p *parser) set(name, value, file string, line int) error {
	switch k := keys[name]; {
	case k != nil:
		if err := k(p.job, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	case harmless[name]:
	case notKept[name]:
		p.out.Notes = append(p.out.Notes, Note{fmt.Sprintf("%s is not kept: a script says neither when nor how fast", name), line})
		if !strings.Contains(timed, " "+name+" ") {
			p.out.Notes[len(p.out.Notes)-1].Text = name + " is not kept: requests are made as without it"
		}
	default:
		all := nearestKeys()
		slices.Sort(all) // the nearest of several is the first one
		best, _ := nearest.Of(name, all)
		p.out.Notes = append(p.out.Notes, Note{fmt.Sprintf("unknown key %q, passed over (did you mean %q?)", name, best), line})
	}
	return nil
}

// timed are the keys of notKept that are about time.
const timed = " runtime timeout time_based ramp_time startdelay thinktime thinktime_spin thinktime_blocks rate rate_min rate_iops rate_iops_min rate_process "
