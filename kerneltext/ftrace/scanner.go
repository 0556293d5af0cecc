package ftrace

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/internal/input"
)

// Event is one trace event.
type Event struct {
	Task string // name and process, such as guest-192
	CPU  int    // that it ran on
	Name string // such as ext4_request_blocks
	Text string // the fields, without the device
	Dev  string // the device's number, such as "8,1"; "" where the event names none
	Line int    // of the text, counted from 1
}

// Scanner reads events.
type Scanner struct {
	lines *input.Lines
	name  string
	ev    Event
}

// NewScanner reads from r, which is not compressed and has lines of at most
// input.MaxLine. name is the trace's name in errors.
func NewScanner(r io.Reader, name string) *Scanner {
	return &Scanner{lines: input.NewLines(r, name, input.MaxLine), name: name}
}

// Scan goes on to the next event. Lines that are none are passed over.
func (s *Scanner) Scan() bool {
	for s.lines.Next() {
		if s.parse(string(s.lines.Line())) {
			return true
		}
	}
	return false
}

// Event is the event that Scan found.
func (s *Scanner) Event() *Event { return &s.ev }

// Err is the error that ended the reading, nil at the end of the text.
func (s *Scanner) Err() error {
	err := s.lines.Err()
	if err != nil && !errors.As(err, new(*input.LongLine)) {
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	return err
}

// parse reads "TASK [CPU] FLAGS TIME: NAME: FIELDS", as tracefs and trace-cmd report print it. perf script
// prints no flags, and the subsystem in front of the name.
func (s *Scanner) parse(line string) bool {
	if strings.HasPrefix(line, "#") {
		return false
	}
	// The CPU stands in brackets behind the task, whose name may have spaces and brackets of its own. So the
	// last bracket with a number before the time is the one.
	head, rest, ok := strings.Cut(line, ": ")
	open := strings.LastIndexByte(head, '[')
	if !ok || open < 0 {
		return false
	}
	cpu, _, closed := strings.Cut(head[open+1:], "]")
	n, err := strconv.Atoi(cpu)
	task := strings.TrimSpace(head[:open])
	if !closed || err != nil || n < 0 || task == "" {
		return false
	}
	// tracefs may print the process behind the thread, in brackets of another kind.
	if before, _, found := strings.Cut(task, " ("); found && strings.HasSuffix(task, ")") {
		task = strings.TrimSpace(before)
	}
	s.ev = Event{Task: task, CPU: n, Line: s.lines.Number()}
	// An event without fields may end with its colon, without a space behind it.
	name, text, _ := strings.Cut(strings.TrimLeft(rest, " "), ": ")
	name = strings.TrimSuffix(name, ":")
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.ContainsRune(name, ' ') {
		name = name[i+1:]
	}
	s.ev.Name, text = name, strings.TrimLeft(text, " ")
	// The device's number depends on the machine, so it is apart.
	if t, ok := strings.CutPrefix(text, "dev "); ok {
		s.ev.Dev, text, _ = strings.Cut(t, " ")
	}
	s.ev.Text = strings.TrimSpace(text)
	return true
}

// Field is the text of a field such as goal in "len 1 goal 0", empty where
// there is none.
func (e *Event) Field(name string) string {
	text := e.Text
	// Word by word: the value of a field is the word behind its name.
	for text != "" {
		var word string
		word, text, _ = strings.Cut(text, " ")
		if word == name {
			value, _, _ := strings.Cut(text, " ")
			return value
		}
	}
	return ""
}

// Number is the value of a field that is a number, 0 where there is none. Some kernels print the next field's
// name without a space behind it: what follows the digits does not count.
func (e *Event) Number(name string) int64 {
	v := e.Field(name)
	end := 0
	for end < len(v) && (v[end] >= '0' && v[end] <= '9' || end == 0 && v[0] == '-') {
		end++
	}
	n, _ := strconv.ParseInt(v[:end], 10, 64)
	return n
}
