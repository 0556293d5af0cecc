package replay

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"mbsim/filesystem/image"
	"mbsim/internal/crash"
	"mbsim/kernels"
	"mbsim/kerneltext/ftrace"
	"mbsim/workload"
)

// Tally counts what is the same in a replay and a recording.
type Tally struct {
	Same  int `json:"same"`
	Total int `json:"total"`
}

func (t Tally) String() string { return fmt.Sprintf("%d/%d", t.Same, t.Total) }

// whole says whether nothing differs.
func (t Tally) whole() bool { return t.Same == t.Total }

func (t *Tally) count(same bool) {
	t.Total++
	if same {
		t.Same++
	}
}

// Verdict is how a replay compares with a recording.
type Verdict struct {
	Case      string `json:"case"`
	Kernel    string `json:"kernel"`
	Recording string `json:"recording"` // which of the kernel's recordings it is about
	Identical bool   `json:"identical"`
	Files     Tally  `json:"files"`      // lines of files.txt: files, and the line of counts
	Groups    Tally  `json:"groups"`     // lines of mb_groups.txt and mb_groups.log
	Counters  Tally  `json:"counters"`   // lines of mb_stats.txt but buddies_time_used, and of mb_structs.txt
	Results   Tally  `json:"operations"` // operations that returned the same
	Requests  Tally  `json:"requests"`   // requests for blocks with the same answer
	// Difference says in words what differs first, empty if nothing does. Line
	// is the line of the script it is at, 0 for what only the end shows.
	Difference string `json:"first_difference,omitempty"`
	Line       int    `json:"line,omitempty"`
	// Recordings is the number of recordings of the case.
	Recordings int `json:"recordings"`
	// InTurns is the verdict on a second replay, in the turns that the recording's trace shows, where
	// this one by rules is not identical. Turns says what those were, of such a verdict only.
	InTurns *Verdict      `json:"in_turns,omitempty"`
	Turns   *TurnsSummary `json:"turns,omitempty"`
	// Missing says, for each text that only one side has, why it was not compared.
	Missing []string `json:"not_compared,omitempty"`
}

// InTurnsIdentical says that the replay is identical, if not by rules then in the recording's turns.
func (v *Verdict) InTurnsIdentical() bool {
	return v.Identical || v.InTurns != nil && v.InTurns.Identical
}

// longer says whether the replay is like v's recording for longer than like w's.
func (v *Verdict) longer(w *Verdict) bool {
	if v.InTurnsIdentical() || w.InTurnsIdentical() {
		return v.Identical && !w.Identical || v.InTurnsIdentical() && !w.InTurnsIdentical()
	}
	// A difference without a line is one of the end. Without requests to compare nothing is
	// known of the lines.
	end := func(v *Verdict) int {
		switch {
		case v.Requests.Total == 0:
			return -1
		case v.Line == 0:
			return math.MaxInt
		}
		return v.Line
	}
	return end(v) > end(w)
}

// missing notes that a text could not be compared.
func (v *Verdict) missing(name, why string) { v.Missing = append(v.Missing, name+": "+why) }

// notRecorded is why a text that the simulator writes was not compared.
const notRecorded = "the recording has none"

// ReadLayout reads the starting layout of a recording. Nothing else of it is
// read.
func ReadLayout(dir string) (*image.Layout, error) {
	name := filepath.Join(dir, "before.dumpe2fs.gz")
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return image.ReadDumpe2fs(f, name)
}

// Verify replays the case in dir as the kernel would and compares with its
// recordings there. An error means that there is nothing to compare.
func Verify(dir, kernel string) (*Verdict, error) { return VerifyRecording(dir, kernel, kernel) }

// VerifyRecording is Verify for recordings in folders of another name than the kernel's.
func VerifyRecording(dir, kernel, folder string) (*Verdict, error) {
	return VerifyWith(dir, kernel, Recordings(dir, folder))
}

// VerifyWith is Verify with recordings of the case wherever they are. The first has the layout
// to begin with. The verdict is about the one that the replay is like longest.
func VerifyWith(dir, kernel string, recordings []string) (*Verdict, error) {
	c, err := workload.ReadCase(dir)
	if err != nil {
		return nil, err
	}
	sys, err := kernels.Find(kernel)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Case: filepath.Base(dir), Kernel: kernel, Recordings: len(recordings)}
	// What could not be set when the case was recorded is not set here either. Some other kernel than
	// the one that stands for it may have had tunables of its own.
	v.dropTunables(c, sys, recording{recordings[0], recordings[0]})
	out, requests, err := traced(kernel, c, recordings[0], nil)
	// A broken invariant is a mistake of the simulator and ends the comparison, and so does a layout
	// that cannot be read. Any other failure of the replay is a difference: the kernel did perform
	// the case.
	if failed := (*replayFailure)(nil); errors.As(err, &failed) {
		v.Difference = failed.Error()
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	return v.best(c, recordings, out, requests)
}

// replayFailure is a replay that did not come to its end.
type replayFailure struct{ error }

func (e *replayFailure) Unwrap() error { return e.error }

// traced replays a case from the starting layout of a recording, in the turns given if any. It
// also returns the requests that were made: the replay writes the same trace events as the kernel,
// so that they can be compared one by one.
func traced(kernel string, c *workload.Case, first string, turns *Turns) (*Outcome, []*exchange, error) {
	l, err := ReadLayout(first)
	if err != nil {
		return nil, nil, err
	}
	var trace bytes.Buffer
	w := ftrace.NewWriter(&trace, max(c.PIDMod, 0))
	out, err := Run(Config{Kernel: kernel, Case: c, Layout: l, Blocks: w, Files: w, Before: w.Operation, Turns: turns})
	if err != nil && crash.Of(err) == nil {
		err = &replayFailure{err}
	}
	if err != nil {
		return nil, nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, nil, err
	}
	requests, err := readExchanges(&trace, "the replay's trace")
	return out, requests, err
}

// best compares a replay with each recording. The verdict, which begins as v, is about the one
// that it is like longest.
func (v *Verdict) best(c *workload.Case, recordings []string, out *Outcome, requests []*exchange) (*Verdict, error) {
	var best *Verdict
	for _, folder := range recordings {
		r := recording{folder, recordings[0]}
		w := v.about(r)
		if err := w.compare(r, c, out, requests); err != nil {
			return nil, err
		}
		// What differs may be who had its turn when.
		if !w.Identical {
			var err error
			if w.InTurns, err = v.inTurns(r, c); err != nil {
				return nil, err
			}
		}
		if best == nil || w.longer(best) {
			best = w
		}
	}
	return best, nil
}

// about is a verdict that begins as v, on a recording.
func (v *Verdict) about(r recording) *Verdict {
	w := *v
	w.Recording, w.Missing = filepath.Base(r.dir), slices.Clone(v.Missing)
	return &w
}

// inTurns replays the case in the turns that the trace of a recording shows, and compares. The
// verdict is nil where there is no trace, and where the trace shows no turns.
func (v *Verdict) inTurns(r recording, c *workload.Case) (*Verdict, error) {
	turns, err := r.turns()
	if err != nil || turns == nil {
		return nil, err
	}
	w := v.about(r)
	w.Turns = turns.summary()
	out, requests, err := traced(v.Kernel, c, r.first, turns)
	if failed := (*replayFailure)(nil); errors.As(err, &failed) {
		w.Difference = failed.Error()
		return w, nil
	}
	if err != nil {
		return nil, err
	}
	return w, w.compare(r, c, out, requests)
}

// dropTunables leaves out of a case the tunables that a system does not have, if the recording's
// kernel did not have them either, or was another one.
func (v *Verdict) dropTunables(c *workload.Case, sys *kernels.System, r recording) {
	other := filepath.Base(r.dir) != sys.Recording
	refused, _ := r.text("error") // most recordings have none
	c.Tunables = slices.DeleteFunc(c.Tunables, func(t workload.Tunable) bool {
		_, has := sys.Tunable(t.Name)
		drop := !has && (other || bytes.Contains(refused, []byte("TUNABLE "+t.Name+"=")))
		if drop {
			v.missing(t.Name, "profile "+sys.Name+" has no such tunable")
		}
		return drop
	})
}
