package run

import (
	"fmt"
	"strconv"

	"mbsim/filesystem/owners"
	"mbsim/sim"
	"mbsim/workload"
)

// CheckMode is when a run has the whole file system checked. Each mode checks
// where those before it do, too.
type CheckMode uint8

// The modes. A check waits for a quiet moment: one at which no process is inside
// an operation. It changes nothing, so the outcome of a run does not depend on it.
const (
	CheckNone  CheckMode = iota // never
	CheckEnd                    // once the run has ended
	CheckPhase                  // after each phase
	CheckSync                   // after each sync and remount
)

var checkModes = [...]string{"none", "end", "phase", "sync"}

// String is the mode's name on the command line.
func (m CheckMode) String() string { return checkModes[m] }

// CheckModes lists the modes.
func CheckModes() []CheckMode { return []CheckMode{CheckNone, CheckEnd, CheckPhase, CheckSync} }

// CheckError says that the file system contradicted itself: a mistake of the
// simulator, not of the user.
type CheckError struct {
	Seed        uint64
	Replication int
	Time        int64 // simulated time of the check, ns
	Err         error // all contradictions, as errors.Join joins them
}

// Error is one line: where in which run, the first contradiction, and how many
// follow.
func (e *CheckError) Error() string {
	return fmt.Sprintf("check failed: seed %d, replication %d, at %s s: %s", e.Seed, e.Replication,
		strconv.FormatFloat(float64(e.Time)/float64(sim.Second), 'f', -1, 64), owners.Summary(e.Err))
}

// Unwrap is all contradictions.
func (e *CheckError) Unwrap() error { return e.Err }

// checked checks the file system now.
func (r *runner) checked() error {
	if err := r.m.Check(); err != nil {
		return &CheckError{Seed: r.scenario.Seed, Replication: r.options.Replication, Time: r.engine.Now(), Err: err}
	}
	return nil
}

// checkDue asks for a check where the run's mode is at least m: now if the file
// system is quiet, or else as soon as it is.
func (r *runner) checkDue(m CheckMode) error {
	if r.options.Check < m {
		return nil
	}
	// An operation that is half done would look like a contradiction. leave performs the check once
	// nobody is inside.
	if r.inside > 0 {
		r.checkWaits = true
		return nil
	}
	return r.checked()
}

// checkOperation asks for a check if op, which is over, is one that CheckSync
// checks after.
func (r *runner) checkOperation(op *workload.Op) error {
	if op.Kind != workload.Sync && op.Kind != workload.Remount {
		return nil
	}
	return r.checkDue(CheckSync)
}

// enter begins work inside the file system, which may give way to others.
func (r *runner) enter() { r.inside++ }

// leave ends it, and performs a check that waited for that.
func (r *runner) leave() {
	r.inside--
	if r.inside > 0 {
		return
	}
	// Nobody is inside any more: a remount may be waiting for that (timed.alone).
	if r.timed != nil {
		r.timed.left.WakeAll()
	}
	if !r.checkWaits {
		return
	}
	r.checkWaits = false
	if err := r.checked(); err != nil {
		r.fail(err)
	}
}

// quietLimit is how long kernel threads may go on once a run is over, ns.
const quietLimit = 10 * sim.Minute

// checkLater performs the check at the end of a run that leaves a kernel thread inside the
// file system. It lets the run go on until the thread has left. The outcome has been taken
// before and does not change.
func (r *runner) checkLater() error {
	if r.options.Check < CheckEnd {
		return nil
	}
	r.checkWaits = false
	// Let events happen until the last kernel thread has left. It never does if no event is
	// left, or if it works for longer than any thread should.
	for limit := r.engine.Now() + quietLimit; r.inside > 0; {
		happened := r.engine.Step()
		if !happened || r.engine.Now() > limit {
			return fmt.Errorf("seed %d, replication %d: the run is over, but %d kernel threads never leave the file system: %v",
				r.scenario.Seed, r.options.Replication, r.inside, r.engine.Unfinished())
		}
	}
	return r.checked()
}
