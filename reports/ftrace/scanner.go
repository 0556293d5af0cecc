package ftrace

import (
	"bufio"
	"io"
	"strconv"
	"strings"
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
	r   *bufio.Reader
	ev  Event
	err error
}

// NewScanner reads from r, which is not compressed.
func NewScanner(r io.Reader) *Scanner {
	return &Scanner{r: bufio.NewReaderSize(r, 1<<16)}
}

// Scan goes on to the next event. Lines that are none are passed over.
func (s *Scanner) Scan() bool {
	for s.err == nil {
		var line string
		line, s.err = s.r.ReadString('\n')
		if s.parse(strings.TrimRight(line, "\n")) {
			return true
		}
	}
	return false
}

// Event is the event that Scan found.
func (s *Scanner) Event() *Event { return &s.ev }

// Err is the error that ended the reading, nil at the end of the text.
func (s *Scanner) Err() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
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
