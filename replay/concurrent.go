package replay

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"

	"mbsim/filesystem"
	"mbsim/filesystem/play"
	"mbsim/internal/crash"
	"mbsim/machine/smp"
	"mbsim/sim"
	"mbsim/workload"
)

// runConcurrently performs a case with writers: its script prepares, then each
// writer is a process of its own, and all start together. As in the recorder,
// files.txt is written once they have ended and closed their files.
func runConcurrently(cfg *Config) (*Outcome, error) {
	// The preparing script is read whole, so that a mistake in it is found before anything runs.
	var first []workload.Op
	for op, err := range cfg.Case.Operations() {
		if err != nil {
			return nil, err
		}
		first = append(first, *op)
	}
	e := sim.New()
	defer e.Close()
	host := smp.New(e, smp.Emulated(cfg.Case.SMP, sim.Stream(cfg.Seed, 0, "jitter")))
	m, err := mount(cfg, host)
	if err != nil {
		return nil, err
	}
	r := &concurrent{cfg: cfg, first: first, m: m, host: host, e: e, moves: sim.Stream(cfg.Seed, 0, "moves"), out: &Outcome{Writers: make([][]play.Result, len(cfg.Case.Writers))}}
	e.Go("prepare", r.prepare)
	if err := r.run(); err != nil {
		return nil, fmt.Errorf("%s: seed %d: %w", cfg.Case.Dir, cfg.Seed, err)
	}
	return r.out, nil
}

// concurrent is a replay of several writers.
type concurrent struct {
	cfg   *Config
	first []workload.Op // the script that prepares
	m     *machine
	host  *smp.Machine
	e     *sim.Engine
	out   *Outcome
	err   error
	moves *rand.Rand // draws the CPU on which a process wakes up
	left  int        // writers that have not ended
}

// run runs the engine. A broken invariant becomes an error.
func (r *concurrent) run() error {
	err := crash.Guard(func() error {
		r.e.Run(sim.Forever)
		return nil
	})
	if err != nil {
		return err
	}
	// The engine has nothing left to do. A process that has not ended then waits for another for
	// ever.
	if r.err == nil && len(r.e.Unfinished()) > 0 {
		return fmt.Errorf("processes wait for each other: %v", r.e.Unfinished())
	}
	return r.err
}

// prepare performs the case's script, and starts the writers.
func (r *concurrent) prepare(p *sim.Process) {
	var err error
	r.out.Results, err = r.script(r.first, r.cfg.Case.SMP-1)
	if err != nil {
		r.fail(err)
		return
	}
	r.left = len(r.cfg.Case.Writers)
	for i, w := range r.cfg.Case.Writers {
		// The writers begin on the CPUs in turn.
		r.e.Go("writer "+w.Name, func(*sim.Process) {
			var err error
			r.out.Writers[i], err = r.script(w.Ops, i%r.cfg.Case.SMP)
			if err != nil {
				r.fail(err)
				return
			}
			// The last writer to end writes files.txt and the files of /proc.
			r.left--
			if r.left == 0 {
				r.finish()
			}
		})
	}
}

// migration is the probability that a process wakes up from fsync on a CPU that is drawn
// anew, if no cpu operation has tied it to one. It was measured in a recording of
// concurrent/full-1, where the 300 fsyncs of the preparing process were followed by 82 moves
// to another of the four CPUs: of the CPUs drawn, one in four is the old one.
const migration = 0.36

// script performs operations as a process that then ends.
func (r *concurrent) script(ops []workload.Op, cpu int) ([]play.Result, error) {
	pl := play.Player{
		FS: r.m, CPUs: r.cfg.Case.SMP, Stat: r.m.appendGroups,
		Task: filesystem.Task{CPU: cpu, PID: max(r.cfg.Case.PIDMod, 0)},
	}
	results := make([]play.Result, 0, len(ops))
	pinned := false
	for i := range ops {
		r.host.Syscall()
		if r.cfg.Before != nil {
			r.cfg.Before(&ops[i])
		}
		ret, err := pl.Do(&ops[i])
		if err != nil {
			return nil, err
		}
		results = append(results, play.Result{Line: ops[i].Line, Ret: ret})
		switch ops[i].Kind {
		// A cpu operation ties the process to its CPU: from then on it does not move.
		case workload.CPU:
			pinned = true
		// A process that has slept may wake up on another CPU (migration).
		case workload.Fsync, workload.Sync:
			if !pinned && r.moves.Float64() < migration {
				pl.Task.CPU = r.moves.IntN(r.cfg.Case.SMP)
			}
		}
	}
	return results, pl.CloseAll()
}

// finish writes what the recorder reads at the end.
func (r *concurrent) finish() {
	var b bytes.Buffer
	if err := play.WriteFiles(&b, r.m); err != nil {
		r.fail(err)
		return
	}
	r.out.Files = b.Bytes()
	if err := r.m.readProc(r.out); err != nil {
		r.fail(err)
		return
	}
	if r.cfg.Final != nil {
		if err := r.cfg.Final(r.m.Mounted); err != nil {
			r.fail(err)
		}
	}
}

// fail ends the replay with an error. Several are joined.
func (r *concurrent) fail(err error) {
	r.err = errors.Join(r.err, err)
	r.e.Stop()
}
