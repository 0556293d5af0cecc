package fio

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/internal/input"
)

// Action is what a request of a log does.
type Action uint8

// The actions of a log.
const (
	Add Action = iota
	Open
	Close
	Read
	Write
	Sync
	Datasync
	Trim
	Wait
)

// actions are the names of the actions, and how many numbers follow them.
var actions = map[string]struct {
	action  Action
	numbers int
}{"add": {Add, 0}, "open": {Open, 0}, "close": {Close, 0}, "read": {Read, 2}, "write": {Write, 2},
	"sync": {Sync, 2}, "datasync": {Datasync, 2}, "trim": {Trim, 2}, "wait": {Wait, 1}}

// Request is a line of a log.
type Request struct {
	Action   Action
	File     string
	Off, Len int64 // bytes; of Read, Write and Trim
	Time     int64 // since the job began, in the log's unit; 0 in version 2
	Line     int
}

// Iolog reads a log of fio, of version 2 or 3.
type Iolog struct {
	Version int
	// Lenient passes over lines that fio does not write, and counts them.
	Lenient bool
	Foreign int64
	First   error // the first of them

	lines *input.Lines
	name  string
	req   Request
	err   error
}

// IsIolog says whether a text begins as a log of fio does.
func IsIolog(head []byte) bool {
	line, _, _ := strings.Cut(string(head[:min(len(head), 100)]), "\n")
	_, ok := version(line)
	return ok
}

func version(line string) (int, bool) {
	switch strings.TrimSpace(line) {
	case "fio version 2 iolog":
		return 2, true
	case "fio version 3 iolog":
		return 3, true
	}
	return 0, false
}

// NewIolog reads a log, which is not compressed. name is its name in errors.
func NewIolog(r io.Reader, name string) *Iolog {
	l := &Iolog{lines: input.NewLines(r, name, input.MaxLine), name: name}
	if l.lines.Next() {
		var ok bool
		if l.Version, ok = version(string(l.lines.Line())); ok {
			return l
		}
	}
	if l.err = l.lines.Err(); l.err == nil {
		l.err = fmt.Errorf("%s:1:1: this is no log of fio: want \"fio version 3 iolog\" or \"fio version 2 iolog\"", name)
	}
	return l
}

// Request is what the line says that Next has read, good until Next.
func (l *Iolog) Request() *Request { return &l.req }

// Err is what ended the log, nil for its end.
func (l *Iolog) Err() error { return l.err }

// Lines is the number of lines that were read.
func (l *Iolog) Lines() int64 { return int64(l.lines.Number()) - 1 }

// Next goes on to the next request. It reports false at the end and at an error.
func (l *Iolog) Next() bool {
	for l.err == nil && l.lines.Next() {
		text := string(l.lines.Line())
		if strings.TrimSpace(text) == "" {
			continue
		}
		at, err := l.parse(text)
		if err == nil {
			return true
		}
		err = fmt.Errorf("%s:%d:%d: this is no line of a log of fio: %w", l.name, l.lines.Number(), at+1, err)
		if !l.Lenient {
			l.err = err
			return false
		}
		if l.Foreign++; l.First == nil {
			l.First = err
		}
	}
	if l.err == nil {
		l.err = l.lines.Err()
	}
	return false
}

// parse reads "[TIME] FILE ACTION [OFFSET LENGTH]". fio writes no quotes, so a file's name ends where an
// action and as many numbers as it has end the line: names with spaces are read too.
func (l *Iolog) parse(text string) (at int, err error) {
	l.req = Request{Line: l.lines.Number()}
	text = strings.TrimRight(text, " \t\r")
	if zero := strings.IndexByte(text, 0); zero >= 0 {
		return zero, fmt.Errorf("a zero byte: this is not a text")
	}
	begin := 0
	if l.Version == 3 {
		word, _, _ := strings.Cut(text, " ")
		if l.req.Time, err = strconv.ParseInt(word, 10, 64); err != nil || l.req.Time < 0 {
			return 0, fmt.Errorf("%q: want the time of the request", word)
		}
		begin = min(len(word)+1, len(text))
	}
	// From the end: numbers, then the action.
	words := strings.Fields(text[begin:])
	n := len(words)
	for n > 0 && isDigits(words[n-1]) && len(words)-n < 2 {
		n--
	}
	if n == 0 {
		return begin, fmt.Errorf("want a file and an action")
	}
	a, ok := actions[words[n-1]]
	numbers := words[n:]
	actionAt := strings.LastIndex(text, words[n-1])
	if !ok || n == 1 && a.action != Wait {
		return actionAt, fmt.Errorf("%q: want a file, and add, open, close, read, write, sync, datasync, trim or wait", words[n-1])
	}
	if len(numbers) < a.numbers && (a.action == Read || a.action == Write || a.action == Trim) {
		return len(text), fmt.Errorf("%s needs an offset and a length", words[n-1])
	}
	l.req.Action = a.action
	l.req.File = strings.TrimSpace(text[begin:actionAt])
	for i, into := range []*int64{&l.req.Off, &l.req.Len} {
		if i >= len(numbers) {
			break
		}
		if *into, err = strconv.ParseInt(numbers[i], 10, 64); err != nil {
			return actionAt, fmt.Errorf("%q: want a number of 63 bits", numbers[i])
		}
	}
	if l.req.Off+l.req.Len < 0 {
		return actionAt, fmt.Errorf("offset %d plus length %d is more than 2^63-1", l.req.Off, l.req.Len)
	}
	return 0, nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
