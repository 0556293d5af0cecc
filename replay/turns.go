package replay

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"mbsim/filesystem/ext4"
	"mbsim/kerneltext/ftrace"
)

// Some of what decides where blocks land is chance, and no part of a script: in which second of the
// clock an operation ran, when the flusher found dirty data and the worker converted extents, and on
// which CPU. A trace shows when each had its turn. Turns are read from it so that a replay can give
// everybody the same turns; which blocks they get is still for the replay to find.

// Turns are who had a turn when, in a recording.
type Turns struct {
	// Seconds are lines of the script before which a second of the clock had passed. They are known
	// only from the numbers of inodes that were passed over without a journal, so there is one for
	// each time that it mattered.
	Seconds []int
	Threads ext4.Turns
}

// empty says that no turns are known.
func (t *Turns) empty() bool {
	return len(t.Seconds) == 0 && len(t.Threads.Ranges) == 0 && len(t.Threads.Conversions) == 0
}

// TurnsSummary says in numbers what Turns are.
type TurnsSummary struct {
	// Seconds are the lines of the script before which a second of the clock passed, as far as it
	// mattered.
	Seconds []int `json:"seconds_before_lines,omitempty"`
	// Beside is how many ranges of files the flusher mapped while the writer went on.
	Beside int `json:"ranges_mapped_beside"`
	// Conversions is how many ranges became written.
	Conversions int `json:"conversions"`
}

// summary counts the turns.
func (t *Turns) summary() *TurnsSummary {
	s := &TurnsSummary{Seconds: t.Seconds, Conversions: len(t.Threads.Conversions)}
	for i := range t.Threads.Ranges {
		if t.Threads.Ranges[i].Beside {
			s.Beside++
		}
	}
	return s
}

// String says in words what the turns are.
func (s *TurnsSummary) String() string {
	text := fmt.Sprintf("%d ranges mapped by the flusher beside the writer, %d conversions", s.Beside, s.Conversions)
	if len(s.Seconds) > 0 {
		text += fmt.Sprintf(", a second passed before lines %v", s.Seconds)
	}
	return text
}

// clock is the time in ns at a line of the script.
func (t *Turns) clock(line int) int64 {
	passed, _ := slices.BinarySearch(t.Seconds, line+1)
	return int64(passed) * 1e9
}

// turnsReader reads Turns from a trace.
type turnsReader struct {
	turns    Turns
	tasks    map[string]*taskState
	writer   string // the task that performs the script
	at       position
	steps    int // reservations and requests of the writer in this line
	deleted  map[int64]deletion
	remounts int
	passed   []interval // a second passed in each
	taken    []interval // and none in these
	perGroup int64      // inodes, 0 with a journal
}

// position is a moment of a recording: in a line of the script, after so many ranges that were
// mapped in it.
type position struct{ line, ranges int }

// taskState is what a task is about.
type taskState struct {
	endless  bool            // it writes pages until none is left: see endlessPages
	gathered *ext4.RangeTurn // the range that it has gathered and not begun to map
	mapping  bool            // it maps a range
	begun    *position       // when it began the conversion under way
}

// deletion is when an inode was deleted: in which line of the script, and after how many remounts.
type deletion struct{ line, mount int }

// interval is the lines (after, to] of a script.
type interval struct{ after, to int }

// endlessPages is more pages than a chunk of background writeback has: who is told to write so many
// is waited for, by sync or by a write that finds little space.
const endlessPages = 1 << 40

// readTurns reads the turns of a recording from its trace, name in errors. With inodesPerGroup, for
// a file system without a journal, it finds out when seconds have passed.
func readTurns(r io.Reader, name string, inodesPerGroup uint32) (*Turns, error) {
	x := turnsReader{
		tasks: make(map[string]*taskState), deleted: make(map[int64]deletion), perGroup: int64(inodesPerGroup),
	}
	s := ftrace.NewScanner(r, name)
	for s.Scan() {
		x.event(s.Event())
	}
	if err := s.Err(); err != nil {
		return nil, err
	}
	// Those of two workers may end in another order than they began.
	slices.SortStableFunc(x.turns.Threads.Conversions, func(a, b ext4.ConversionTurn) int {
		return cmp.Or(a.Line-b.Line, a.After-b.After)
	})
	x.turns.Seconds = seconds(x.passed, x.taken)
	return &x.turns, nil
}

// event takes an event of the trace.
func (x *turnsReader) event(e *ftrace.Event) {
	task := x.tasks[e.Task]
	if task == nil {
		task = new(taskState)
		x.tasks[e.Task] = task
	}
	// What a task has gathered it maps with its next step, and meanwhile others may have their turn.
	if r := task.gathered; r != nil {
		task.gathered = nil
		r.Line = x.at.line
		if r.Beside {
			r.Steps = x.steps
		}
		x.at.ranges++
		x.turns.Threads.Ranges = append(x.turns.Threads.Ranges, *r)
	}
	switch e.Name {
	case "tracing_mark_write":
		if rest, ok := strings.CutPrefix(e.Text, "line "); ok {
			x.begin(rest)
			x.writer = e.Task
		}
	case "ext4_da_reserve_space":
		if e.Task == x.writer {
			x.steps++
		}
	case "ext4_da_write_pages":
		task.endless = e.Number("nr_to_write") >= endlessPages
		task.mapping = false
	case "ext4_da_write_pages_extent":
		task.gathered = &ext4.RangeTurn{
			CPU: e.CPU, Beside: e.Task != x.writer && !task.endless,
			Inode: uint32(e.Number("ino")), Lblk: uint32(e.Number("lblk")), N: uint32(e.Number("len")),
		}
		task.mapping = true
	// A conversion shows in a trace when it ends, or before that if the extent tree needs a block for
	// it or gives one back.
	case "ext4_request_blocks", "ext4_free_blocks":
		if e.Task == x.writer && e.Name == "ext4_request_blocks" {
			x.steps++
		}
		if !task.mapping && task.begun == nil {
			at := x.at
			task.begun = &at
		}
	case "ext4_ext_map_blocks_exit":
		if e.Task != x.writer && strings.Contains(e.Field("flags"), "CONVERT") {
			x.converted(e, task.begun)
		}
		task.mapping, task.begun = false, nil
	case "ext4_free_inode":
		x.deleted[e.Number("ino")] = deletion{x.at.line, x.remounts}
	case "ext4_allocate_inode":
		x.allocated(e.Number("ino"))
	}
}

// begin begins a line of the script: its number and its text.
func (x *turnsReader) begin(line string) {
	number, op, _ := strings.Cut(line, " ")
	n, _ := strconv.Atoi(number) // the recorder wrote it, so it is a number
	x.at, x.steps = position{line: n}, 0
	if op == "remount" {
		x.remounts++
	}
}

// converted notes a conversion that ends now, and began at another moment if that is known.
func (x *turnsReader) converted(e *ftrace.Event, begun *position) {
	at := x.at
	if begun != nil {
		at = *begun
	}
	all := &x.turns.Threads.Conversions
	*all = append(*all, ext4.ConversionTurn{
		Line: at.line, After: at.ranges, Inode: uint32(e.Number("ino")), Lblk: uint32(e.Number("lblk")), N: uint32(e.Number("len")),
	})
}

// allocated notes what the number of a new inode tells of the clock: a second had passed since the
// deletion of each lower number of its group that is free, and none since its own (recently_deleted).
func (x *turnsReader) allocated(number int64) {
	if x.perGroup == 0 {
		return
	}
	group := (number - 1) / x.perGroup
	for free, d := range x.deleted {
		if free < number && (free-1)/x.perGroup == group {
			x.passed = append(x.passed, interval{d.line, x.at.line})
		}
	}
	// A deletion before the last mount need not be in memory any more.
	if d, ok := x.deleted[number]; ok {
		if d.mount == x.remounts {
			x.taken = append(x.taken, interval{d.line, x.at.line})
		}
		delete(x.deleted, number)
	}
}

// seconds finds lines such that there is one in each interval of passed and none in those of none, as
// late as possible. Where there is no such line for an interval it is left out.
func seconds(passed, none []interval) []int {
	slices.SortFunc(passed, func(a, b interval) int { return a.to - b.to })
	var lines []int
	for _, p := range passed {
		// The last line found is the highest so far, and lies in the interval if any does.
		if n := len(lines); n > 0 && lines[n-1] > p.after {
			continue
		}
		for line := p.to; line > p.after; line-- {
			if !slices.ContainsFunc(none, func(n interval) bool { return n.after < line && line <= n.to }) {
				lines = append(lines, line)
				break
			}
		}
	}
	slices.Sort(lines)
	return lines
}
