package run

import (
	"context"
	"errors"
	"fmt"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/play"
	"mbsim/internal/crash"
	"mbsim/internal/memory"
	"mbsim/kernels"
	"mbsim/metrics"
	"mbsim/scenarios"
	"mbsim/sim"
	"mbsim/workload"
)

// callTime is what a system call takes, ns.
const callTime = 10 * sim.Microsecond

// Options of a run.
type Options struct {
	// Replication makes the random streams those of another replication of the
	// same seed (sim.Streams). Runs of different scenarios with equal seed and
	// replication draw the same numbers.
	Replication int
	// Progress, if not nil, is called now and then.
	Progress func(Progress)
	// Record keeps the operations performed, for a script; with RecordTimes also when and by whom, and
	// what the clock did in between.
	Record, RecordTimes bool
	// Check is when the whole file system is checked. Contradictions end the run
	// with a *CheckError.
	Check CheckMode
	// Keep makes a cancelled run an outcome: what there is so far, marked Interrupted.
	Keep bool
	// Look, if not nil, is called with the file system as it is at the simulated time At, ns,
	// before anything that happens at that time. The run then ends, and its outcome is nil.
	Look func(*kernels.Mounted) error
	At   int64
	// Final, if not nil, is called with the outcome before the starting state is closed; it may change
	// the file system.
	Final func(*Outcome) error
	// Stamps keeps the times of inodes (kernels.Options.Stamps).
	Stamps bool
	// Blocks and Files, if not nil, observe every decision of ext4's allocator and of ext4
	// itself.
	Blocks mballoc.Observer
	Files  ext4.Observer
}

// Outcome is what a run came to.
type Outcome struct {
	Result      *metrics.Result
	Verdicts    []Verdict // of the scenario's expectations, in their order
	Notes       []string  // on the starting state (image.Layout.Notes)
	OutOfSpace  bool      // the first ENOSPC ended the run
	Interrupted bool      // the context was cancelled (Options.Keep): results so far, and no verdicts
	Events      uint64
	Fingerprint uint64 // of all events, all results of operations and where blocks lie in the end: equal runs have equal ones
	Groups      []byte // mb_groups, of a large file system the groups looked into; nil for ext2
	Stats       []byte // mb_stats, nil for ext2
	Ops         []workload.Op
	// DirtyBackground is the number of dirty blocks above which writeback begins, and WritebackChunk
	// how many pages of a file it takes in a turn.
	DirtyBackground int64
	WritebackChunk  uint32
	Decisions       []string         // of the workload's processes (workload.Population)
	Mounted         *kernels.Mounted // the file system as the run left it
}

// runner is a run in progress.
type runner struct {
	scenario *scenarios.Scenario
	options  Options
	ctx      context.Context

	engine      *sim.Engine
	m           machine
	collector   *metrics.Collector
	fs          filesystem.FileSystem // counts what goes through it
	cpus        []*sim.Resource
	commitTimer *sim.Timer
	flushTimer  *sim.Timer
	sampleTimer *sim.Timer

	dirtyBackground int64           // dirty blocks above which the flusher writes
	writebackChunk  uint32          // pages of a file that it takes in a turn
	dirtyLimit      int64           // dirty blocks above which writers wait
	timed           *timed          // nil where work takes no time
	kernel          filesystem.Task // of kernel threads

	population *workload.Population
	phase      int
	phaseStart int64
	active     int // processes of the phase that have not ended
	pids       int
	calls      int64 // operations performed
	activities int64 // completed in the phases before
	stopping   bool
	outOfSpace bool
	err        error

	inside     int  // processes and kernel threads in the middle of an operation
	checkWaits bool // a check is to be performed once inside is 0

	memory   *memory.Watch
	warnings []string

	record     []workload.Op
	recordCPU  int
	recordTime int64
	recordPID  int
	lastReport int64
}

// Run plays a scenario. The error of a cancelled context is that of the context; a
// *StartError is the user's: what the scenario describes cannot be had, or needs more memory than
// there is. A *CheckError is one of the file system's checks. A panic is an
// error that names seed and replication (crash.Panic).
func Run(ctx context.Context, s *scenarios.Scenario, opt Options) (out *Outcome, err error) {
	err = crash.Guard(func() error {
		out, err = perform(ctx, s, opt)
		return err
	})
	if crash.Of(err) != nil {
		return nil, fmt.Errorf("seed %d, replication %d: %w", s.Seed, opt.Replication, err)
	}
	return out, err
}

// perform is Run, but a panic in it stays a panic.
func perform(ctx context.Context, s *scenarios.Scenario, opt Options) (*Outcome, error) {
	r := newRunner(ctx, s, opt)
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		return nil, &StartError{err}
	}
	return r.play(r.launch)
}

func newRunner(ctx context.Context, s *scenarios.Scenario, opt Options) *runner {
	return &runner{scenario: s, options: opt, ctx: ctx, engine: sim.New(), memory: memory.NewWatch(), recordCPU: -1}
}

// launch starts the processes of the scenario's workload.
func (r *runner) launch() {
	if r.scenario.Workload.Script != nil {
		r.engine.Go("script", r.script)
		return
	}
	r.population = workload.NewPopulation(r.scenario.CPUs, sim.Streams(r.scenario.Seed, r.options.Replication))
	r.engine.Go("phases", r.phases)
}

// play plays the scenario on what mount mounted, and closes that. launch starts
// the processes, of which one settles in the end.
func (r *runner) play(launch func()) (out *Outcome, err error) {
	s := r.scenario
	// The starting state is closed in any case. That it cannot be closed is an error only where
	// there is no other.
	defer func() {
		if e := r.m.close(); err == nil {
			err = e
		}
	}()
	r.collector, err = metrics.New(metrics.Config{
		FS: r.m.FileSystem, Policy: r.m.Policy, Source: r.m.Source,
		Look: r.m.Look, Lost: r.m.Lost, StatusTree: r.m.StatusTree, Metadata: r.m.Metadata, Transactions: r.m.Transactions, CutPromised: r.m.CutPromised, Time: r.countTime(), Times: r.recorders(), Atomic: r.timed == nil,
	})
	if err != nil {
		return nil, err
	}
	// Processes work through the collector's view, which counts what they do.
	r.fs = r.collector.FileSystem()
	for i := range s.CPUs {
		r.cpus = append(r.cpus, r.engine.NewResource(fmt.Sprintf("CPU %d", i), 1))
	}
	r.startBackground()
	// With a fixed interval the first sample is taken at once. Otherwise perform offers one after
	// each operation.
	if s.Sample > 0 {
		r.sampleTimer = r.engine.NewTimer(r.sampleDue)
		r.sampleTimer.Set(0)
	}
	launch()
	if r.options.Look != nil {
		return nil, r.lookAt(r.options.At)
	}
	// settle stops the engine at the end of a run. If nobody did, no event is left while processes
	// still wait.
	if stopped := r.engine.Run(sim.Forever); !stopped && r.err == nil {
		return nil, r.stuck()
	}
	if r.options.Keep && errors.Is(r.err, context.Canceled) {
		return r.keep()
	}
	if r.err != nil {
		return nil, r.err
	}
	if r.inside == 0 {
		// Before finish, which has all groups loaded, so that there is more to check.
		if err = r.checkDue(CheckEnd); err != nil {
			return nil, err
		}
		return r.finishAll()
	}
	// A kernel thread is still at work. The outcome is taken now, as it would be without a
	// check, and the check waits until the thread has left.
	out, err = r.finish()
	if err != nil {
		return nil, err
	}
	if err = r.checkLater(); err != nil {
		return nil, err
	}
	return out, r.final(out)
}

// finishAll is finish, and shows the outcome to whoever wants it.
func (r *runner) finishAll() (*Outcome, error) {
	out, err := r.finish()
	if err != nil {
		return nil, err
	}
	return out, r.final(out)
}

// final shows the outcome to whoever wants it while the starting state is still open.
func (r *runner) final(out *Outcome) error {
	if r.options.Final == nil {
		return nil
	}
	return r.options.Final(out)
}

// keep is the outcome of a run that was interrupted.
func (r *runner) keep() (*Outcome, error) {
	r.warnings = append(r.warnings, fmt.Sprintf("interrupted after %.3f simulated seconds: these are the results so far", float64(r.engine.Now())/float64(sim.Second)))
	out, err := r.finish()
	if err != nil {
		return nil, err
	}
	// Nobody expected anything of half a run.
	out.Interrupted, out.Verdicts = true, nil
	return out, nil
}

// lookAt plays the run up to a time, what happens then excluded, and shows it.
func (r *runner) lookAt(at int64) error {
	if at > 0 {
		r.engine.Run(at - 1)
	}
	if r.err != nil {
		return r.err
	}
	return r.options.Look(r.m.Mounted)
}

// stuck is the error of a run in which processes wait for each other for ever: a mistake
// of the simulator.
func (r *runner) stuck() error {
	return fmt.Errorf("seed %d, replication %d: at %d ns processes wait for each other for ever: %v",
		r.scenario.Seed, r.options.Replication, r.engine.Now(), r.engine.Unfinished())
}

// fail ends the run with an error.
func (r *runner) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.engine.Stop()
}

// root is whose process prepares and settles what a workload needs.
var root = workload.User{}

// player performs operations for one process of a user.
func (r *runner) player(cpu int, user workload.User) *play.Player {
	r.pids++
	return &play.Player{
		FS: r.fs, CPUs: r.scenario.CPUs, Stat: r.m.readGroups,
		Task: filesystem.Task{CPU: cpu, PID: r.pids, User: &filesystem.User{UID: user.UID, Groups: user.Groups}},
	}
}

// watchEvery is the number of operations between two looks at the memory in use.
const watchEvery = 1 << 15

// perform performs one operation on the player's CPU.
func (r *runner) perform(p *sim.Process, pl *play.Player, op *workload.Op) (int64, error) {
	ret, err := r.call(p, pl, op)
	if err != nil {
		return 0, err
	}
	r.calls++
	// The result goes into the fingerprint.
	r.engine.Mix(uint64(ret))
	r.note(&pl.Task, op)
	// With stop.out_of_space the first operation that finds no space ends the run.
	if ret == -int64(filesystem.ENOSPC) && r.scenario.Stop.OutOfSpace && !r.stopping {
		r.outOfSpace, r.stopping = true, true
	}
	// Automatic samples: the collector takes one only when it is due.
	if r.scenario.Sample == 0 {
		r.collector.Sample(r.engine.Now())
	}
	r.report()
	// A run that outgrows the memory ends in one line, and is not killed.
	if r.calls%watchEvery == 0 {
		what := fmt.Sprintf("%s: %d operations, with %.0f%% of the device in use,", r.scenario.File, r.calls, 100*r.m.used())
		if err := r.memory.Check(what); err != nil {
			return 0, &StartError{err}
		}
	}
	if err := r.checkOperation(op); err != nil {
		return 0, err
	}
	return ret, r.ctx.Err()
}

// call performs an operation on the player's CPU.
func (r *runner) call(p *sim.Process, pl *play.Player, op *workload.Op) (int64, error) {
	if r.timed != nil {
		return r.timed.call(r, p, pl, op)
	}
	// Without timing a call holds its CPU for callTime, and then happens all at once.
	cpu := r.cpus[pl.Task.CPU]
	cpu.Acquire(p)
	p.Wait(callTime)
	ret, err := pl.Do(op)
	cpu.Release()
	return ret, err
}

// closeAll closes what the player has open, as the end of its process does.
func (r *runner) closeAll(p *sim.Process, pl *play.Player) (err error) {
	if r.timed == nil {
		return pl.CloseAll()
	}
	r.timed.inside(r, p, pl.Task.CPU, func() { err = pl.CloseAll() })
	return err
}

// note records an operation of a process for a script.
func (r *runner) note(t *filesystem.Task, op *workload.Op) {
	if !r.options.Record && !r.options.RecordTimes {
		return
	}
	if r.options.RecordTimes {
		r.noteTime()
		if t.PID != r.recordPID {
			r.record = append(r.record, workload.ProcessOf(t.PID, workload.User{UID: t.User.UID, Groups: t.User.Groups}))
			r.recordPID = t.PID
		}
	}
	// A script has a cpu operation only where the next operation is on another CPU.
	if t.CPU != r.recordCPU && op.Kind != workload.CPU {
		r.record = append(r.record, workload.Op{Kind: workload.CPU, N: t.CPU})
		r.recordCPU = t.CPU
	}
	if op.Kind == workload.Read {
		return // the oracle's language has none, and it moves no block
	}
	r.record = append(r.record, *op)
}

// noteTime records the time, if it is another than that of what was recorded last.
func (r *runner) noteTime() {
	if now := r.engine.Now(); now != r.recordTime {
		r.record = append(r.record, workload.Op{Kind: workload.At, Off: now})
		r.recordTime = now
	}
}

// noteClock records what the clock does, for a script with times.
func (r *runner) noteClock(op workload.Op) {
	if r.options.RecordTimes {
		r.noteTime()
		r.record = append(r.record, op)
	}
}

// over says whether the scenario's stop conditions hold.
func (r *runner) over() bool {
	s := &r.scenario.Stop
	if r.stopping {
		return true
	}
	// Of a script the operations are its lines, of phases what the processes have completed: one
	// such activity may be several calls.
	done := r.calls
	if r.population != nil {
		done = r.activities + r.population.Operations()
	}
	r.stopping = s.Time > 0 && r.engine.Now() >= s.Time ||
		s.Operations > 0 && done >= s.Operations ||
		s.Used > 0 && r.m.used() >= s.Used
	return r.stopping
}
