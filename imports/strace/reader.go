package strace

import (
	"fmt"
	"io"
	"strings"

	"mbsim/internal/input"
)

// Kind is what a line tells.
type Kind uint8

// The kinds of events.
const (
	Whole      Kind = iota // a call, from its beginning to its end
	Begin                  // a call has begun: its name and first arguments are known
	End                    // a call that had begun has ended: all of it is known
	Exit                   // the process has ended
	Superseded             // the process is now what process By was, which has called execve
	Attached               // strace has begun to watch process PID, which may be new
	Other                  // a signal, or a message of strace itself
)

// Event is what a line tells.
type Event struct {
	Kind Kind
	PID  int // 0 where the line names none
	By   int // Superseded
	Line int // counted from 1
	Call *Call
}

// LineError is a line that strace does not write.
type LineError struct {
	Name      string
	Line, Col int // counted from 1, Col in bytes
	What      string
}

func (e *LineError) Error() string {
	return fmt.Sprintf("%s:%d:%d: this is no line of strace: %s", e.Name, e.Line, e.Col, e.What)
}

// Reader reads a log.
type Reader struct {
	// Lenient passes over lines that strace does not write, and counts them in Foreign.
	Lenient bool
	Foreign int64
	First   *LineError // the first of them
	// Lines were read, those without text too.
	Lines int64

	name    string
	lines   *input.Lines
	pending map[int]begun // by process
	event   Event
	err     error

	// On a terminal the message that a process is new stands in the middle of the line of the call
	// that made it: split is what stands before it, and attached the process, 0 for none.
	split    string
	attached int
}

// begun is a call that has not ended.
type begun struct {
	name, args string
	line       int
}

// NewReader reads the log r. name is its name in errors.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{name: name, lines: input.NewLines(r, name, input.MaxLine), pending: make(map[int]begun)}
}

// Event is what the line tells that Next has read, good until Next.
func (r *Reader) Event() *Event { return &r.event }

// Err is what ended the log, nil for its end.
func (r *Reader) Err() error { return r.err }

// Unfinished is the number of calls that have begun and not ended.
func (r *Reader) Unfinished() int { return len(r.pending) }

// Next goes on to the next line that tells something. It reports false at the end and at an error.
func (r *Reader) Next() bool {
	// The new process shows itself behind the line that was split.
	if r.attached != 0 && r.split == "" {
		r.event = Event{Kind: Attached, PID: r.attached, Line: r.event.Line}
		r.attached = 0
		return true
	}
	for r.err == nil && r.lines.Next() {
		r.Lines++
		text := r.split + strings.TrimSuffix(string(r.lines.Line()), "\r")
		r.split = ""
		if strings.TrimSpace(text) == "" || r.splits(text) {
			continue
		}
		wrong := r.line(text)
		if wrong == nil {
			return true
		}
		// Strange lines end the reading, unless they are to be counted.
		err := &LineError{r.name, r.lines.Number(), wrong.at + 1, wrong.what}
		if !r.Lenient {
			r.err = err
			return false
		}
		if r.Foreign++; r.First == nil {
			r.First = err
		}
	}
	if r.err == nil {
		r.err = r.lines.Err()
	}
	return false
}

// splits says whether a line is the first part of one that a message stands in.
func (r *Reader) splits(text string) bool {
	const message = "strace: Process "
	i := strings.LastIndex(text, message)
	if i <= 0 || strings.TrimSpace(text[:i]) == "" || !strings.HasSuffix(text, " attached") {
		return false
	}
	sc := scanner{s: text, at: i + len(message)}
	pid := sc.digits()
	if pid <= 0 || sc.s[sc.at:] != " attached" {
		return false
	}
	r.split, r.attached = text[:i], pid
	return true
}

// line reads a line into the event.
func (r *Reader) line(text string) *mistake {
	sc := scanner{s: text}
	r.event = Event{Kind: Other, Line: r.lines.Number()}
	r.event.PID = sc.prefix()
	// What a line is its first characters tell.
	switch {
	case sc.skip("--- "):
		return sc.mustEnd(" ---")
	case sc.skip("+++ "):
		return r.exit(&sc)
	case sc.skip("strace: "):
		r.message(sc.s[sc.at:])
		return nil
	case sc.at == 0 && strings.HasPrefix(text, "Process ") && r.message(text):
		return nil
	case sc.skip("<... "):
		return r.resumed(&sc)
	}
	begin := sc.at
	name := sc.name()
	if name == "" || !sc.skip("(") {
		return &mistake{begin, "want the name of a call and ("}
	}
	// A call that is not yet over is kept until it is.
	rest := sc.s[sc.at:]
	for _, mark := range []string{"<unfinished ...>", "<detached ...>"} {
		if args, cut := strings.CutSuffix(rest, mark); cut {
			r.begin(name, args)
			return nil
		}
	}
	c := &Call{Name: name, Line: r.event.Line}
	wrong := sc.call(c)
	r.event.Kind, r.event.Call = Whole, c
	return wrong
}

// message reads a message of strace, and reports false for what is none: Process 12 attached. Older
// ones write no name in front.
func (r *Reader) message(s string) bool {
	rest, ok := strings.CutPrefix(s, "Process ")
	sc := scanner{s: rest}
	pid := sc.digits()
	if !ok || pid < 0 {
		return false
	}
	what := sc.s[sc.at:]
	if strings.HasPrefix(what, " attached") {
		r.event.Kind, r.event.PID = Attached, pid
		return true
	}
	return strings.HasPrefix(what, " detached") || strings.HasPrefix(what, " suspended") || strings.HasPrefix(what, " resumed")
}

// mustEnd demands that the line ends with a text.
func (sc *scanner) mustEnd(text string) *mistake {
	if !strings.HasSuffix(sc.s[sc.at:], text) {
		return &mistake{len(sc.s), "it does not end with" + text}
	}
	return nil
}

// exit reads that a process has ended: exited with 0, killed by SIGKILL, superseded by execve in pid 7.
func (r *Reader) exit(sc *scanner) *mistake {
	if wrong := sc.mustEnd(" +++"); wrong != nil {
		return wrong
	}
	switch {
	case sc.skip("exited with "), sc.skip("killed by "):
		r.event.Kind = Exit
		delete(r.pending, r.event.PID)
	case sc.skip("superseded by execve in pid "):
		// The call of that process ends under the name of this one.
		r.event.Kind, r.event.By = Superseded, sc.digits()
		if p, ok := r.pending[r.event.By]; ok {
			delete(r.pending, r.event.By)
			r.pending[r.event.PID] = p
		}
	default:
		return &mistake{sc.at, "want that a process exited, was killed or superseded"}
	}
	return nil
}

// begin keeps a call that is not yet over.
func (r *Reader) begin(name, args string) {
	r.pending[r.event.PID] = begun{name, args, r.event.Line}
	sc := scanner{s: args}
	c := &Call{Name: name, Line: r.event.Line}
	c.Args, _ = sc.arguments(true) // what is wrong with them the end of the call will tell
	r.event.Kind, r.event.Call = Begin, c
}

// resumed reads the rest of a call that had begun.
func (r *Reader) resumed(sc *scanner) *mistake {
	nameAt := sc.at
	name := sc.name()
	if name == "" || !sc.skip(" resumed>") {
		return &mistake{nameAt, "want the name of a call and resumed>"}
	}
	rest := sc.s[sc.at:]
	// The only process of a log on a terminal gets its number when there is a second one.
	b, ok := r.pending[r.event.PID]
	if first, bare := r.pending[noPID]; !ok && bare && first.name == name {
		delete(r.pending, noPID)
		b, ok = first, true
	}
	// And it loses it when it is the only one again.
	for pid, x := range r.pending {
		if !ok && r.event.PID == noPID && len(r.pending) == 1 && x.name == name {
			b, ok, r.event.PID = x, true, pid
		}
	}
	// A log may begin in the middle of a call: of that nothing is known but its name.
	if !ok || b.name != name && b.name != "????" {
		b = begun{name, "", r.event.Line}
		r.event.Call = &Call{Name: name, Line: r.event.Line, Void: true}
		r.event.Kind = Whole
		return nil
	}
	delete(r.pending, r.event.PID)
	// Both parts joined are the call as one line would have it.
	c := &Call{Name: name, Line: b.line}
	joined := scanner{s: b.args + rest}
	r.event.Kind, r.event.Call = End, c
	if wrong := joined.call(c); wrong != nil {
		return &mistake{sc.at + max(wrong.at-len(b.args), 0), wrong.what}
	}
	return nil
}

// call reads arguments and result.
func (sc *scanner) call(c *Call) (wrong *mistake) {
	if c.Args, wrong = sc.arguments(false); wrong != nil {
		return wrong
	}
	return sc.result(c)
}
