package imports

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"mbsim/imports/strace"
)

// The notes of a report: what was performed, and may not be as it was.
const (
	noteAppeared  = "files and folders that no call of the log made, in a folder that the log made: they are made where the log first shows them"
	noteVanished  = "names that no call of the log took away, and that others show to be gone: they are removed there"
	noteSize      = "sizes that the log shows and that are not those of what it wrote"
	noteInherited = "open files of which the log does not show the opening: their position is taken to be the end of the file"
	noteDatasync  = "fdatasync, performed as fsync"
)

// Reason counts calls or notes of one kind. Reasons stand in the order in which they came up first.
type Reason struct {
	Text  string
	Count int64
	Line  int    // of the first
	First string // the first call, "" for a note
}

// unitCalls is the Unit of a log of system calls.
const unitCalls = "calls"

// Report says what became of a recording or a list. What it consists of are its calls, whatever they are
// called in its text (Unit): each is counted once.
type Report struct {
	File, Root string
	Unit       string // what Calls counts, such as "calls", "entries", "requests"
	Place      string // what the lines of reasons are: "line", or "member" of a tar file
	Still      string // what calls counted in NoBlock are
	Lines      int64
	Calls      int64 // each is counted below once
	Performed  int64
	NoBlock    int64
	Failed     int64
	Outside    int64
	CutOff     int64 // that had begun and of which the log does not show the end
	LeftOut    []Reason
	Notes      []Reason
	Foreign    int64 // lines that strace does not write
	FirstOdd   string

	Ops          int64 // of the script
	PrepareOps   int64 // of these those that make what was there before
	Before       int   // files and folders that were there before
	UnknownSizes int   // of these those whose size is not known

	// Requests says that the case holds requests to the allocator and no operations; CPUs is how many CPUs
	// the recording shows, 0 where it shows none.
	Requests bool
	CPUs     int
	// Scenario says that what was made is a scenario, and no case.
	Scenario bool

	// Bytes and Names are the most that the files had at any time: bytes in whole pages of 4096, and
	// files and folders.
	Bytes, Names int64
}

// Left is the number of calls that are left out.
func (r *Report) Left() int64 {
	n := int64(0)
	for _, x := range r.LeftOut {
		n += x.Count
	}
	return n
}

// add counts under a reason.
func add(list []Reason, text string, line int, first func() string) []Reason {
	i := slices.IndexFunc(list, func(r Reason) bool { return r.Text == text })
	if i < 0 {
		i = len(list)
		list = append(list, Reason{Text: text, Line: line, First: first()})
	}
	list[i].Count++
	return list
}

func (r *Report) note(text string, line int) {
	r.Notes = add(r.Notes, text, line, func() string { return "" })
}

// count counts a call that has succeeded.
func (r *Report) count(c *strace.Call, o outcome) {
	switch o.kind {
	case performed:
		r.Performed++
	case noBlock:
		r.NoBlock++
	case outsideRoot:
		r.Outside++
	case leftOut:
		r.LeftOut = add(r.LeftOut, o.why, c.Line, func() string {
			return shorten(fmt.Sprintf("%s(%s)", c.Name, strings.Join(c.Args, ", ")))
		})
	}
}

// shorten is a text of at most 120 bytes.
func shorten(s string) string {
	const most = 120
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// Summary is the report in one line.
func (r *Report) Summary() string {
	s := fmt.Sprintf("%d %ss, %d %s: %d performed, %d move no block", r.Lines, r.Place, r.Calls, r.Unit, r.Performed, r.NoBlock)
	if r.Failed > 0 {
		s += fmt.Sprintf(", %d failed", r.Failed)
	}
	return s + fmt.Sprintf(", %d outside of %s", r.Outside, r.Root)
}

// WriteText writes import.txt.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, what it does below %s\n\n", r.File, r.Root)
	count := func(n int64, text string) { fmt.Fprintf(&b, "%10d %s\n", n, text) }
	// What became of the calls.
	count(r.Lines, r.Place+"s read")
	count(r.Calls, r.Unit+" in them; of these")
	count(r.Performed, "  performed")
	count(r.NoBlock, "  "+r.Still)
	// Only a log of calls shows that one failed, or had begun.
	if r.Unit == unitCalls {
		count(r.Failed, "  failed in the recording")
	}
	count(r.Outside, "  outside of the root")
	count(r.Left(), "  left out, see below")
	if r.Unit == unitCalls {
		count(r.CutOff, "  begun, and the log does not show how they ended")
	}
	if r.Foreign > 0 {
		count(r.Foreign, "lines that are not of the format, the first: "+r.FirstOdd)
	}
	// What is in the script.
	if r.Scenario {
		fmt.Fprintf(&b, "\n%s holds the distributions: mbsim run performs it.\n", ScenarioFile)
		r.sections(&b)
		_, err := io.WriteString(w, b.String())
		return err
	}
	if r.Requests {
		fmt.Fprintf(&b, "\n%s holds what was performed: mbsim replay asks the allocator alone the same.\n", RequestsFile)
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "\n")
	count(r.Ops, "operations in ops; of these")
	if r.Before > 0 {
		count(r.PrepareOps, fmt.Sprintf("  make the %d files and folders that were there before", r.Before))
	}
	count(1, "  is a sync at the end: what the log leaves in memory the kernel writes later")
	if r.UnknownSizes > 0 {
		count(int64(r.UnknownSizes), "files that were there before have the least size that the log shows: it does not tell how large they were")
	}
	count(r.Bytes, "bytes at most in all files at a time, in pages of 4096")
	count(r.Names, "files and folders at most at a time")
	r.sections(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// sections writes why calls are not in the script, and what is in it in another way.
func (r *Report) sections(b *strings.Builder) {
	section := func(title string, list []Reason) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(b, "\n%s\n\n", title)
		for _, x := range list {
			fmt.Fprintf(b, "%10d %s\n           %s %d", x.Count, x.Text, r.Place, x.Line)
			if x.First != "" {
				fmt.Fprintf(b, ": %s", x.First)
			}
			fmt.Fprintf(b, "\n")
		}
	}
	section("Left out:", r.LeftOut)
	section("Performed, but perhaps not as it was:", r.Notes)
}

// sortedKeys are the names in a directory, sorted.
func sortedKeys(m map[string]*node) []string { return slices.Sorted(maps.Keys(m)) }

// sortedNames are the paths of the files of logs of fio, sorted.
func sortedNames(m map[string]*iologFile) []string { return slices.Sorted(maps.Keys(m)) }
