package replay

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem/image"
	"mbsim/internal/crash"
	"mbsim/internal/input"
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

// openText opens a text of a recording, or what name.gz holds.
func openText(name string) (text io.Reader, file io.Closer, err error) {
	// Long texts are stored packed.
	f, err := os.Open(name + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(name)
		return f, f, err
	}
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return z, f, nil
}

// readText reads a text of a recording whole.
func readText(name string) ([]byte, error) {
	r, file, err := openText(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(input.Limit(r, name, "a text of a recording", input.MaxWhole))
	if err != nil && !errors.As(err, new(*input.TooLong)) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return text, err
}

// compare fills in the verdict. What happened first in the script is named
// first.
func (v *Verdict) compare(r recording, c *workload.Case, out *Outcome, made []*exchange) error {
	results, resultLine, err := v.compareResults(r, c, out)
	if err != nil {
		return err
	}
	requests, requestLine, err := v.compareRequests(r, made)
	if err != nil {
		return err
	}
	// Of the first result and the first request that differ, the one earlier in the script is
	// named. At the same line it is the request, which comes first within the operation.
	v.Difference, v.Line = results, resultLine
	if results == "" || requests != "" && requestLine <= resultLine {
		v.Difference, v.Line = requests, requestLine
	}
	if err := v.compareTexts(r, out); err != nil {
		return err
	}
	if v.Files.Total == 0 && v.Results.Total == 0 {
		return fmt.Errorf("%s holds nothing to compare with: no files.txt, and no results.txt", r.dir)
	}
	v.Identical = v.Files.whole() && v.Groups.whole() && v.Counters.whole() && v.Results.whole() && v.Requests.whole()
	return nil
}

// compareTexts compares what the kernel had to show in the end.
func (v *Verdict) compareTexts(r recording, out *Outcome) error {
	for _, text := range []struct {
		name  string
		got   []byte
		tally *Tally
	}{
		{"files.txt", out.Files, &v.Files},
		{"mb_groups.txt", out.Groups, &v.Groups},
		{"mb_groups.log", out.GroupsLog, &v.Groups},
		{"mb_stats.txt", out.Stats, &v.Counters},
		{"mb_structs.txt", out.Structs, &v.Counters},
	} {
		want, err := r.text(text.name)
		absent := errors.Is(err, fs.ErrNotExist)
		if err != nil && !absent {
			return err
		}
		// A text that neither side has, such as mb_groups.log of a script without stat, is not
		// missing.
		switch {
		case absent && len(text.got) > 0:
			v.missing(text.name, notRecorded)
		case !absent && text.got == nil:
			v.missing(text.name, "mbsim has none for this kernel")
		case !absent:
			d := compareLines(text.name, string(want), string(text.got), text.tally)
			if v.Difference == "" {
				v.Difference = d
			}
		}
	}
	return nil
}

// compareResults compares what operations returned. The second result is the
// line of the first that differs.
func (v *Verdict) compareResults(r recording, c *workload.Case, out *Outcome) (string, int, error) {
	want, err := r.results()
	if errors.Is(err, fs.ErrNotExist) {
		v.missing("results.txt", notRecorded)
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	difference, line := "", 0
	for i := range max(len(want), len(out.Results)) {
		// One of the two ended early: each operation that only the other performed counts as
		// different.
		if i >= len(want) || i >= len(out.Results) {
			v.Results.count(false)
			if difference == "" {
				difference = fmt.Sprintf("results.txt: the kernel performed %d operations, mbsim %d", len(want), len(out.Results))
			}
			continue
		}
		w, g := want[i], out.Results[i]
		v.Results.count(w == g)
		if w != g && difference == "" {
			line = w.Line
			difference = fmt.Sprintf("line %d (%s): the kernel returned %d, mbsim %d", w.Line, workload.FormatOp(c.Ops[i]), w.Ret, g.Ret)
		}
	}
	return difference, line, nil
}

// compareRequests compares the requests of each operation with those that were made in the
// replay, in order. The second result is the line of the operation whose requests differ first.
func (v *Verdict) compareRequests(r recording, made []*exchange) (string, int, error) {
	want, err := r.requests()
	if errors.Is(err, fs.ErrNotExist) {
		v.missing("trace.txt", notRecorded)
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	// A kernel without these events, or one that did not record them.
	if len(want) == 0 && len(made) > 0 {
		v.missing("trace.txt", "it shows no requests for blocks")
		return "", 0, nil
	}
	match := matchExchanges
	if v.Turns != nil {
		match = matchInOrder
	}
	d := match(want, made, &v.Requests)
	if d == nil {
		return "", 0, nil
	}
	return d.String(), d.line(), nil
}

// matchExchanges tallies the exchanges, each operation's in order, and returns
// the first that differs.
func matchExchanges(want, got []*exchange, t *Tally) *mismatch {
	var first *mismatch
	for i, j := 0, 0; i < len(want) || j < len(got); {
		// Both lists are in the order of the script. A request of an earlier line than the other
		// side's next one has no counterpart; two of the same line are compared.
		m := mismatch{number: i + 1}
		switch {
		case j == len(got) || i < len(want) && want[i].line < got[j].line:
			m.want = want[i]
			i++
		case i == len(want) || got[j].line < want[i].line:
			m.got = got[j]
			j++
		default:
			m.want, m.got = want[i], got[j]
			i++
			j++
		}
		same := m.want != nil && m.got != nil && m.want.same(m.got)
		t.count(same)
		if !same && first == nil {
			first = &m
		}
	}
	return first
}

// matchInOrder is matchExchanges for a replay in turns. What the flusher asks for while the writer
// goes on may be of this line of the script or the next, so only the order of all counts.
func matchInOrder(want, got []*exchange, t *Tally) *mismatch {
	var first *mismatch
	for i := range max(len(want), len(got)) {
		m := mismatch{number: i + 1}
		if i < len(want) {
			m.want = want[i]
		}
		if i < len(got) {
			m.got = got[i]
		}
		same := m.want != nil && m.got != nil && m.want.same(m.got)
		t.count(same)
		if !same && first == nil {
			first = &m
		}
	}
	return first
}

// mismatch is a request that the two did not serve alike; one of them may not
// have made it.
type mismatch struct {
	number    int
	want, got *exchange
}

// line is the line of the script that made the request.
func (m *mismatch) line() int {
	if m.want != nil {
		return m.want.line
	}
	return m.got.line
}

// String shows what the kernel did, and what mbsim did.
func (m *mismatch) String() string {
	op := m.want
	if op == nil {
		op = m.got
	}
	side := func(x *exchange) string {
		if x == nil {
			return "no request"
		}
		return fmt.Sprintf("%s -> %s (%s)", x.request, x.answer, x.decision)
	}
	return fmt.Sprintf("line %d (%s), request %d:\n    kernel: %s\n    mbsim:  %s", op.line, op.op, m.number, side(m.want), side(m.got))
}

// compareLines tallies lines and returns the first that differs, in words.
func compareLines(name, want, got string, t *Tally) string {
	w, g := textLines(want), textLines(got)
	difference := ""
	for i := range max(len(w), len(g)) {
		// Where one text is shorter, its missing lines differ.
		x, y := "no line", "no line"
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		// This counter is time that the kernel measured, which no replay can repeat.
		if key, _, _ := strings.Cut(strings.TrimSpace(x), ":"); key == mballoc.BuddiesTimeUsed {
			continue
		}
		t.count(x == y)
		if x != y && difference == "" {
			difference = fmt.Sprintf("%s:%d:\n    kernel: %s\n    mbsim:  %s", name, i+1, x, y)
		}
	}
	return difference
}

// textLines splits a text into lines, of which an empty text has none.
func textLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
