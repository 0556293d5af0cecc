package filelist

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"mbsim/internal/input"
)

// Kind is what an entry of a list is.
type Kind uint8

// The kinds of entries.
const (
	File Kind = iota
	Dir
	Symlink
	HardLink // a further name of a file that the list has already
	Special  // a pipe, a socket, a device, a submodule, the label of a tape
)

// Range is a part of a file, in bytes.
type Range struct{ Off, Len int64 }

// Entry is a file or directory of a list.
type Entry struct {
	Path   string // as in the list, without the slash that some programs put behind a directory's name
	Kind   Kind
	Size   int64  // bytes, of a file
	Target string // of a symbolic or hard link
	// Data are the parts of a file that are no hole, in ascending order; nil for all of it. Only a tar
	// file shows them. It is good until the next entry.
	Data []Range
	// Place is the line of the list, or the number of the member of a tar file, counted from 1.
	Place int
}

// Reader reads a list.
type Reader interface {
	Next() bool    // goes on to the next entry; false at the end and at an error
	Entry() *Entry // good until Next
	Err() error    // what ended the list, nil for its end
	Read() (places, foreign int64, first error)
}

// LineError is a line that is not of the list's format.
type LineError struct {
	Name      string
	Line, Col int // counted from 1, Col in bytes
	What      string
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Col, e.What) }

// mistake is what is wrong with a line, and at which byte, counted from 0.
type mistake struct {
	at   int
	what string
}

// lineParser reads one line into an entry. It reports false for a line that belongs to the format and has
// no entry, such as a title.
type lineParser interface {
	line(s string, e *Entry) (found bool, wrong *mistake)
}

// Format is a form of lists.
type Format struct {
	Name string // as the command line has it
	What string // which program writes it, and with which options
	// Piece is the longest write, in bytes, of the program that makes such files: that of tar for the
	// list of an archive.
	Piece int64
	// Implied says that the program makes directories when a file needs them, and not where the list has
	// them.
	Implied bool

	parser func() lineParser // nil for a tar file
}

// formats are the forms of lists. They are tried in this order: one that accepts less comes first.
var formats = []Format{
	{Name: "tar", What: "a tar file itself", Piece: tarPiece},
	{Name: "git-ls-tree", What: "git ls-tree -lr TREE", Piece: gitPiece, Implied: true, parser: func() lineParser { return gitParser{} }},
	{Name: "tar-list", What: "tar tvf FILE, of GNU tar, bsdtar or busybox", Piece: tarPiece, parser: func() lineParser { return &longParser{tar: true} }},
	{Name: "debugfs-ls", What: "debugfs -R 'ls -l DIR', or ls -p", Piece: copyPiece, parser: func() lineParser { return &debugfsParser{} }},
	{Name: "ls", What: "ls -lR DIR", Piece: copyPiece, parser: func() lineParser { return &longParser{} }},
	{Name: "find", What: `find DIR -printf '%y %s %P\n', the columns in any order, or find -ls`, Piece: copyPiece, parser: func() lineParser { return &findParser{} }},
}

// The longest writes of programs, in bytes: a record of tar, a write of git, the buffer of cp.
const (
	tarPiece  = 10240
	gitPiece  = 8 << 20
	copyPiece = 128 << 10
)

// Formats are the forms of lists.
func Formats() []Format { return formats }

// Recognize says which form a list has by its first bytes, unpacked: the first form whose parser accepts
// the first lines, or, since one of them may be wrong, the first line that is not empty.
func Recognize(head []byte) (Format, bool) {
	if isTar(head) {
		return formats[0], true
	}
	const few = 8 // lines that are looked at
	lines := strings.SplitN(string(head), "\n", few+1)
	// A line that is cut off by the end of head tells nothing, unless it is the only one.
	if len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	begin := slices.IndexFunc(lines, func(l string) bool { return strings.TrimSpace(l) != "" })
	for _, some := range [][]string{lines, lines[max(begin, 0) : begin+1]} {
		for _, f := range formats[1:] {
			if f.accepts(some) {
				return f, true
			}
		}
	}
	return Format{}, false
}

// accepts says whether lines are of the format, and one of them at least has an entry.
func (f *Format) accepts(lines []string) bool {
	p, any := f.parser(), false
	for _, l := range lines {
		var e Entry
		found, wrong := p.line(strings.TrimSuffix(l, "\r"), &e)
		if wrong != nil {
			return false
		}
		any = any || found
	}
	return any
}

// Open reads a list, which is not compressed. name is its name in errors. lenient passes over lines that
// are not of the format, and counts them.
func (f *Format) Open(r io.Reader, name string, lenient bool) Reader {
	if f.parser == nil {
		return newTarReader(r, name)
	}
	return &textReader{lines: input.NewLines(r, name, input.MaxLine), name: name, what: f.What, parser: f.parser(), lenient: lenient}
}

// textReader reads a list that is a text.
type textReader struct {
	lines      *input.Lines
	name, what string
	parser     lineParser
	lenient    bool
	foreign    int64
	first, err error
	entry      Entry
}

func (r *textReader) Entry() *Entry { return &r.entry }
func (r *textReader) Err() error    { return r.err }
func (r *textReader) Read() (int64, int64, error) {
	return int64(r.lines.Number()) - 1, r.foreign, r.first
}

func (r *textReader) Next() bool {
	for r.err == nil && r.lines.Next() {
		s := strings.TrimSuffix(string(r.lines.Line()), "\r")
		r.entry = Entry{Place: r.lines.Number()}
		found, wrong := r.parser.line(s, &r.entry)
		// No name has a zero byte, as it is or as an escape: find -print0 and its like are no lists of lines.
		if i := strings.IndexByte(s+r.entry.Path, 0); wrong == nil && i >= 0 {
			wrong = &mistake{min(i, len(s)), "a zero byte, which no name has"}
		}
		if wrong == nil && found {
			return true
		}
		if wrong == nil {
			continue
		}
		err := &LineError{r.name, r.lines.Number(), wrong.at + 1, "this is no line of " + r.what + ": " + wrong.what}
		if !r.lenient {
			r.err = err
			return false
		}
		if r.foreign++; r.first == nil {
			r.first = err
		}
	}
	if r.err == nil {
		r.err = r.lines.Err()
	}
	return false
}
