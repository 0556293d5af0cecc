package replay

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/internal/crash"
	"mbsim/internal/input"
	"mbsim/internal/memory"
	"mbsim/kernels"
	"mbsim/workload"
)

// Config says what to replay.
type Config struct {
	Kernel string         // one of kernels.Names
	Case   *workload.Case // its operations need not be parsed yet
	Layout *image.Layout  // the starting state; Run changes it
	// Seed decides how the writers of a case that has any interleave.
	Seed uint64
	// Turns, if not nil, say when the clock and the kernel's threads had their turn.
	Turns *Turns
	// Blocks and Files, if not nil, observe every decision of ext4's allocator and of ext4
	// itself.
	Blocks mballoc.Observer
	Files  ext4.Observer
	// Before, if not nil, is called before each operation.
	Before func(*workload.Op)
	// Final, if not nil, is called with the file system when the script is over and its files are closed;
	// it may change the file system.
	Final func(*kernels.Mounted) error
	// Performed, if not nil, is given what each operation of the script returned, instead
	// of Outcome.
	Performed func(play.Result)
}

// Outcome is what came of a replay, in the texts of the oracle.
type Outcome struct {
	Files     []byte // files.txt
	Groups    []byte // mb_groups.txt, nil where the file system has none
	Stats     []byte // mb_stats.txt, likewise
	Structs   []byte // mb_structs.txt, likewise
	Shrinker  []byte // es_shrinker_info.txt, likewise
	GroupsLog []byte // mb_groups.log, nil where the script has no stat
	Results   []play.Result
	PID       int
	// Writers are the results of each of the case's writers, in their order.
	Writers [][]play.Result
}

// machine is a mounted file system and what the script's stat has collected.
type machine struct {
	*kernels.Mounted
	groupsLog bytes.Buffer
	line      int   // of the script, that is under way
	now       int64 // the time in ns that a script with times has told last
}

// clock is the clock of a script with times.
type clock struct {
	*machine
	kernels.Threads
}

// SetTime implements play.Clock.
func (c clock) SetTime(ns int64) { c.now = ns }

// beginLine gives their turn to those who had one at the beginning of a line of the script.
func (m *machine) beginLine(line int) {
	m.line = line
	if m.Turns != nil {
		m.Turns.BeginLine(line)
	}
}

// endLine gives their turn to those who had one in the line that ends.
func (m *machine) endLine() {
	if m.Turns != nil {
		m.Turns.EndLine()
	}
}

// Run performs the case: its script, and then its writers, if it has any, all at
// once. A broken invariant is an error (crash.Panic).
func Run(cfg Config) (out *Outcome, err error) {
	err = crash.Guard(func() error {
		out, err = perform(cfg)
		return err
	})
	return out, err
}

// perform is Run, but a panic while mounting stays a panic.
func perform(cfg Config) (*Outcome, error) {
	if len(cfg.Case.Writers) > 0 {
		if cfg.Turns != nil {
			return nil, caseErrorf("%s: a case with writers has no turns to follow", cfg.Case.Dir)
		}
		return runConcurrently(&cfg)
	}
	m, err := mount(&cfg, nil)
	if err != nil {
		return nil, err
	}
	// The process may begin on any CPU. The recorder's begins on the last one
	// more often than not; scripts that care name their CPU.
	p := play.Player{
		FS: m, CPUs: cfg.Case.SMP, Stat: m.appendGroups,
		Task: filesystem.Task{CPU: cfg.Case.SMP - 1, PID: max(cfg.Case.PIDMod, 0)},
	}
	if cfg.Case.Times {
		p.Clock = clock{m, m.Threads}
	}
	out := &Outcome{PID: p.Task.PID}
	// Whoever wants each result at once gets it; otherwise all are kept.
	performed := cfg.Performed
	if performed == nil {
		performed = func(r play.Result) { out.Results = append(out.Results, r) }
	}
	// at is the operation under way, for the error of a broken invariant.
	var at *workload.Op
	err = guarded(&at, func() error {
		for op, mistake := range cfg.Case.Operations() {
			if mistake != nil {
				return mistake
			}
			at = op
			if op.Kind.Times() && !cfg.Case.Times {
				return op.Misplaced(filepath.Join(cfg.Case.Dir, "ops"), "case.env does not say TIMES=1")
			}
			if cfg.Before != nil {
				cfg.Before(op)
			}
			m.beginLine(op.Line)
			ret, err := p.Do(op)
			m.endLine()
			if err != nil {
				return err
			}
			performed(play.Result{Line: op.Line, Ret: ret})
		}
		// The script is over: a panic from here on belongs to no operation.
		at = nil
		if err := m.finish(&p, out); err != nil || cfg.Final == nil {
			return err
		}
		return cfg.Final(m.Mounted)
	})
	if mistake := (*workload.ScriptError)(nil); errors.As(err, &mistake) {
		return nil, mistake // it names its file
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Case.Dir, err)
	}
	return out, nil
}

// guarded turns a broken invariant into an error that names the operation.
func guarded(at **workload.Op, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			where := "at the end"
			if *at != nil {
				where = fmt.Sprintf("line %d (%s)", (*at).Line, workload.FormatOp(**at))
			}
			err = fmt.Errorf("%s: %w", where, crash.Recovered(r))
		}
	}()
	return f()
}

// CaseError is a mistake in a case: in what it says of the file system, or in its starting state.
type CaseError struct{ Err error }

func (e *CaseError) Error() string { return e.Err.Error() }
func (e *CaseError) Unwrap() error { return e.Err }

func caseErrorf(format string, a ...any) error { return &CaseError{fmt.Errorf(format, a...)} }

// mount mounts as the case says. Mistakes in case.env name it.
func mount(cfg *Config, host ext4.Host) (*machine, error) {
	c := cfg.Case
	sys, err := kernels.Find(cfg.Kernel)
	if err != nil {
		return nil, err
	}
	if host != nil && !sys.Times {
		return nil, caseErrorf("%s: writers at once are not modelled for %s", c.Dir, sys.Name)
	}
	// What cannot fit into memory is refused before anything is made.
	geo := cfg.Layout.Geometry()
	what := fmt.Sprintf("%s/case.env: SIZE: a file system of %s in %d groups", c.Dir, input.Bytes(int64(geo.Blocks)<<geo.BlockBits), geo.Groups)
	if err := memory.Check(what, sys.Memory(geo.Groups)); err != nil {
		return nil, err
	}
	// Some recorders have one CPU, whatever the case says.
	if sys.Recorder.OneCPU && !c.Times {
		c.SMP = 1
	}
	_, options := sys.CaseArguments(c)
	if err := sys.CheckMount(options); err != nil {
		return nil, caseErrorf("%s/case.env: %w", c.Dir, err)
	}
	opt := kernels.Options{Stamps: cfg.Final != nil, Mount: options, CPUs: c.SMP, Host: host, Files: cfg.Files, Blocks: cfg.Blocks, Tunables: make(map[string]uint32)}
	for _, t := range c.Tunables {
		// Like the kernel this takes octal and hexadecimal numbers too.
		v, err := strconv.ParseUint(t.Value, 0, 32)
		if err != nil {
			return nil, caseErrorf("%s/case.env: tunable %s is %q: want a number", c.Dir, t.Name, t.Value)
		}
		opt.Tunables[t.Name] = uint32(v)
	}
	// In a recording's turns there is a clock, which goes by lines.
	m := new(machine)
	if cfg.Turns != nil {
		opt.Turns = &cfg.Turns.Threads
		opt.Clock = func() int64 { return cfg.Turns.clock(m.line) }
	}
	// A script with times tells the time, and when the kernel's threads had theirs.
	if c.Times {
		opt.Clock = func() int64 { return m.now }
		opt.DirtyBackground, opt.WritebackChunk, opt.Seed = c.DirtyBackground, c.WritebackChunk, c.Seed
		opt.LazyInit = func() func() { return func() {} }
	}
	m.Mounted, err = sys.Mount(cfg.Layout, opt)
	if err != nil {
		return nil, caseErrorf("%s/case.env: %w", c.Dir, err)
	}
	return m, nil
}

// finish writes the texts in the order the recorder does: files.txt while the
// process lives, which then closes its files; mb_groups, for which every buddy
// is loaded; mb_stats, which counts that too; mb_structs_summary and es_shrinker_info.
func (m *machine) finish(p *play.Player, out *Outcome) error {
	var b bytes.Buffer
	if err := play.WriteFiles(&b, m); err != nil {
		return err
	}
	out.Files = b.Bytes()
	if err := p.CloseAll(); err != nil {
		return err
	}
	return m.readProc(out)
}

// readProc reads mb_groups, mb_stats, mb_structs_summary and es_shrinker_info, where the file system
// has them.
func (m *machine) readProc(out *Outcome) error {
	var groups, stats, structs, shrinker bytes.Buffer
	there, err := m.ReadProc(kernels.MbGroups, &groups)
	if err != nil || !there {
		return err
	}
	// mb_stats comes second: it counts the buddies that reading mb_groups has loaded.
	if _, err := m.ReadProc(kernels.MbStats, &stats); err != nil {
		return err
	}
	// As not every kernel has the third, it stays nil there.
	if _, err := m.ReadProc(kernels.MbStructs, &structs); err != nil {
		return err
	}
	if _, err := m.ReadProc(kernels.EsShrinker, &shrinker); err != nil {
		return err
	}
	out.Structs, out.Shrinker = structs.Bytes(), shrinker.Bytes()
	out.Groups, out.Stats, out.GroupsLog = groups.Bytes(), stats.Bytes(), m.groupsLog.Bytes()
	return nil
}

// appendGroups performs the script's stat.
func (m *machine) appendGroups() error {
	there, err := m.ReadProc(kernels.MbGroups, &m.groupsLog)
	if err != nil || !there {
		return err
	}
	return m.groupsLog.WriteByte('\n')
}
