package imports

import (
	"container/heap"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"mbsim/internal/input"
)

// mergeStrace makes one log of those that strace -ff writes, one a process: in the order of their times, each
// line with the number of its process in front, as strace -f would have written it. Calls stand where they
// begin then: a process is made before its first line, as its parent's call began before.
func mergeStrace(logs []*Log) (*Log, error) {
	for _, l := range logs {
		if _, ok := processOf(l.Name); !ok {
			return nil, fmt.Errorf("%s: of several logs of strace each is of a process (strace -ff), and its name ends in the process's number, as in log.1234: of others make one first (strace-log-merge)", l.Name)
		}
	}
	return &Log{Name: fileNames(logs), parts: logs}, nil
}

// processOf is the number at the end of a log's name, behind which the ending of a compressed file may stand.
func processOf(name string) (int, bool) {
	base := filepath.Base(name)
	for _, packed := range []string{".gz", ".xz", ".zst"} {
		base = strings.TrimSuffix(base, packed)
	}
	n, err := strconv.Atoi(base[strings.LastIndexByte(base, '.')+1:])
	return n, err == nil && n > 0
}

// part is a log of one process while it is merged.
type part struct {
	lines *input.Lines
	name  string
	pid   int
	order int   // of the logs, for lines of one time
	time  int64 // of the line, ns
}

// mergedLines are the lines of several logs in the order of their times. Of each log one line is kept.
type mergedLines struct {
	waiting []*part
	text    []byte // what is still to be read of the line
	err     error
}

// The order of the logs by the time of their next lines: a heap, so that a line costs little with a thousand
// processes.
func (m *mergedLines) Len() int { return len(m.waiting) }
func (m *mergedLines) Less(i, j int) bool {
	a, b := m.waiting[i], m.waiting[j]
	return a.time < b.time || a.time == b.time && a.order < b.order
}
func (m *mergedLines) Swap(i, j int) { m.waiting[i], m.waiting[j] = m.waiting[j], m.waiting[i] }
func (m *mergedLines) Push(x any)    { m.waiting = append(m.waiting, x.(*part)) }
func (m *mergedLines) Pop() any {
	last := m.waiting[len(m.waiting)-1]
	m.waiting = m.waiting[:len(m.waiting)-1]
	return last
}

// openMerged opens all logs and merges them.
func openMerged(logs []*Log) (io.Reader, func(), error) {
	m := &mergedLines{}
	var releases []func()
	release := func() {
		for _, r := range releases {
			r()
		}
	}
	for i, l := range logs {
		text, r, err := l.open()
		if err != nil {
			release()
			return nil, nil, err
		}
		releases = append(releases, r)
		pid, _ := processOf(l.Name) // mergeStrace has looked at it
		m.next(&part{lines: input.NewLines(text, l.Name, input.MaxLine), name: l.Name, pid: pid, order: i})
	}
	m.afterMidnight()
	return m, release, nil
}

// next reads the next line of a log, and lets it wait for its turn.
func (m *mergedLines) next(p *part) {
	for p.lines.Next() {
		text := string(p.lines.Line())
		if strings.TrimSpace(text) == "" {
			continue
		}
		at, ok := clock(text)
		if !ok {
			m.fail("%s:%d:1: a log of strace -ff can be merged where it has times in microseconds: record with -ttt, or with -f instead of -ff", p.name, p.lines.Number())
			return
		}
		// The time of day begins anew at midnight.
		for at < p.time-day/2 {
			at += day
		}
		p.time = at
		heap.Push(m, p)
		return
	}
	if m.err == nil {
		m.err = p.lines.Err()
	}
}

// day is a day in ns.
const day = 24 * 3600 * 1e9

// fail keeps the first error.
func (m *mergedLines) fail(format string, a ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, a...)
	}
}

// afterMidnight moves the logs to the next day that begin more than half a day before another one: their
// processes began after midnight.
func (m *mergedLines) afterMidnight() {
	latest := int64(0)
	for _, p := range m.waiting {
		latest = max(latest, p.time)
	}
	if latest > 2*day {
		return // no times of day but seconds since 1970
	}
	for _, p := range m.waiting {
		if p.time < latest-day/2 {
			p.time += day
		}
	}
	heap.Init(m) // the order has changed
}

// clock is the time at the beginning of a line, in ns: seconds and a fraction (-ttt), or a time of day with
// one (-tt). What has no fraction tells too little.
func clock(line string) (int64, bool) {
	word, _, _ := strings.Cut(line, " ")
	whole, fraction, ok := strings.Cut(word, ".")
	if !ok || len(fraction) == 0 || len(fraction) > 9 {
		return 0, false
	}
	seconds := int64(0)
	for field := range strings.SplitSeq(whole, ":") {
		n, err := strconv.ParseInt(field, 10, 33)
		if err != nil || n < 0 {
			return 0, false
		}
		seconds = seconds*60 + n
	}
	ns, err := strconv.ParseUint(fraction+strings.Repeat("0", 9-len(fraction)), 10, 32)
	if err != nil || seconds > 1<<33 {
		return 0, false
	}
	return seconds*1e9 + int64(ns), true
}

// Read implements io.Reader.
func (m *mergedLines) Read(b []byte) (int, error) {
	for len(m.text) == 0 {
		if m.err != nil {
			return 0, m.err
		}
		if len(m.waiting) == 0 {
			return 0, io.EOF
		}
		p := heap.Pop(m).(*part)
		m.text = strconv.AppendInt(m.text[:0], int64(p.pid), 10)
		m.text = append(append(append(m.text, ' '), p.lines.Line()...), '\n')
		m.next(p)
	}
	n := copy(b, m.text)
	m.text = m.text[n:]
	return n, nil
}
