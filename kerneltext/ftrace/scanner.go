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

// parse reads "TASK [CPU] FLAGS TIME: NAME: FIELDS".
func (s *Scanner) parse(line string) bool {
	if strings.HasPrefix(line, "#") {
		return false
	}
	head, rest, ok := strings.Cut(line, ": ")
	if !ok {
		return false
	}
	task, at, ok := strings.Cut(strings.TrimLeft(head, " "), " ")
	_, at, bracket := strings.Cut(at, "[")
	cpu, _, closed := strings.Cut(at, "]")
	n, err := strconv.Atoi(cpu)
	if !ok || !bracket || !closed || err != nil {
		return false
	}
	s.ev.Task, s.ev.CPU = task, n
	name, text, _ := strings.Cut(rest, ": ")
	s.ev.Name = strings.TrimSuffix(name, ":")
	if t, ok := strings.CutPrefix(text, "dev "); ok {
		_, text, _ = strings.Cut(t, " ")
	}
	s.ev.Text = strings.TrimSpace(text)
	return true
}

// Field is the text of a field such as goal in "len 1 goal 0", empty where
// there is none.
func (e *Event) Field(name string) string {
	text := e.Text
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

// Number is the value of a field that is a number, 0 where there is none.
func (e *Event) Number(name string) int64 {
	n, _ := strconv.ParseInt(e.Field(name), 10, 64)
	return n
}
