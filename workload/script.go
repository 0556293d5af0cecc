package workload

import (
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"unicode"

	"mbsim/internal/input"
	"mbsim/internal/nearest"
)

// argKind is what one argument of an operation means.
type argKind uint8

const (
	argFD     argKind = iota // Op.FD
	argPath                  // Op.Path
	argTo                    // Op.To
	argOff                   // Op.Off
	argLen                   // Op.Len
	argMode                  // Op.Mode
	argCPU                   // Op.N
	argDirect                // Op.Direct: the word "direct", may be left out, as "append" may
	argAppend                // Op.Append: the word "append", may be left out
	argTime                  // Op.Off
	argBlocks                // Op.Len
	argPID                   // Op.N
	argUID                   // Op.Mode
	argGroups                // Op.To: numbers and commas, may be left out
	argTarget                // Op.To: any text
	argName                  // Op.To: any text
	argNumber                // Op.N, may be left out
	argToFD                  // Op.To
	argToOff                 // Op.ToOff
)

// maxCPU is the highest number of a CPU that a script may name.
const maxCPU = 1023

// optional says that an argument may be left out.
func (a argKind) optional() bool {
	return a == argDirect || a == argAppend || a == argGroups || a == argNumber
}

// argNames are the names of the arguments in errors.
var argNames = [...]string{"FD", "PATH", "NEW", "OFF", "LEN", "MODE", "N", "direct", "append", "NS", "BLOCKS", "PID", "UID", "GROUP,...",
	"TARGET", "NAME", "NUMBER", "FD2", "OFF2"}

// verb is one operation of the script language.
type verb struct {
	name string
	args []argKind
	doc  string // what it does, for docs/SCRIPT.md
}

// verbs is the script language, by Kind.
var verbs = [...]verb{
	CPU:       {"cpu", []argKind{argCPU}, "What follows runs on CPU N."},
	Mkdir:     {"mkdir", []argKind{argPath}, "Makes a directory."},
	Creat:     {"creat", []argKind{argFD, argPath}, "Makes a file, or truncates the one that is there, and opens it for reading and writing."},
	Open:      {"open", []argKind{argFD, argPath, argDirect, argAppend}, "Opens a file that is there for reading and writing; with `direct` past the page cache (O_DIRECT), with `append` so that each write goes to the end, whatever its OFF (O_APPEND)."},
	Write:     {"write", []argKind{argFD, argOff, argLen}, "Writes LEN bytes at OFF (pwrite(2)). Which bytes does not matter: they are not zero."},
	Fsync:     {"fsync", []argKind{argFD}, "fsync(2)."},
	Ftruncate: {"ftruncate", []argKind{argFD, argLen}, "Sets the size to LEN bytes."},
	Fallocate: {"fallocate", []argKind{argFD, argMode, argOff, argLen}, "fallocate(2). MODE is the sum of 1 (keep the size), 2 (punch a hole), 8 (collapse the range), 16 (zero the range), 32 (insert a range)."},
	Close:     {"close", []argKind{argFD}, "Closes the descriptor."},
	Unlink:    {"unlink", []argKind{argPath}, "Removes a file."},
	Rmdir:     {"rmdir", []argKind{argPath}, "Removes an empty directory."},
	Rename:    {"rename", []argKind{argPath, argTo}, "rename(2): a file at the new name is replaced."},
	Sync:      {"sync", nil, "Writes all that is dirty and commits the journal (syncfs(2))."},
	Stat:      {"stat", nil, "Appends the table of mb_groups to mb_groups.log."},
	Remount:   {"remount", nil, "Unmounts and mounts again: caches are cold then. No descriptor may be open."},
	Read:      {"read", []argKind{argFD, argOff, argLen}, "Reads LEN bytes at OFF (pread(2)). The recorder does not know it: a read moves no block."},

	Link:        {"link", []argKind{argPath, argTo}, "Gives the file PATH the further name NEW (link(2)). A symbolic link is not followed: it gets the name."},
	Symlink:     {"symlink", []argKind{argTarget, argPath}, "Makes a symbolic link that holds TARGET, any text (symlink(2))."},
	FsyncDir:    {"fsyncdir", []argKind{argPath}, "fsync(2) of a directory."},
	SetXattr:    {"setxattr", []argKind{argPath, argName, argLen, argNumber}, "Sets the extended attribute NAME, such as user.a, to a value of LEN bytes (lsetxattr(2)). Two values of the same length and NUMBER are equal, and files whose attributes are all equal may share a block; without it NUMBER is 0."},
	RemoveXattr: {"removexattr", []argKind{argPath, argName}, "Removes an extended attribute (lremovexattr(2))."},
	Store:       {"store", []argKind{argFD, argOff, argLen}, "Stores LEN bytes at OFF through a shared mapping of the file (mmap(2), with MADV_RANDOM), which is gone afterwards. It fails with EFAULT where a program would get SIGBUS: behind the last page of the file nothing is stored, and on a full disk no more. fsync writes it, as msync(2) does."},
	Copy:        {"copy", []argKind{argFD, argOff, argToFD, argToOff, argLen}, "Copies LEN bytes at OFF of FD to OFF2 of FD2 (copy_file_range(2))."},
	AsUser:      {"user", []argKind{argUID, argGroups}, "What follows is done by a user, with the first of the groups for its own: it may not take the blocks reserved for root, unless they are reserved for it. It may open and remove what root may."},

	At:        {"at", []argKind{argTime}, "The simulated time of what follows."},
	Process:   {"process", []argKind{argPID, argUID, argGroups}, "The process that performs what follows: its number, its user, and the groups of the user."},
	Flusher:   {"flusher", []argKind{argTime, argBlocks}, "The flusher wakes: what was dirty at the time NS is written, and more until no more than BLOCKS are dirty."},
	Committer: {"committer", []argKind{argTime}, "A transaction that began at the time NS or earlier is committed."},
	Prefetch:  {"prefetch", nil, "All block bitmaps are read in the background."},
}

// String is the name of the operation in a script.
func (k Kind) String() string {
	if int(k) < len(verbs) {
		return verbs[k].name
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// kinds finds operations by name.
var kinds = func() map[string]Kind {
	m := make(map[string]Kind, len(verbs))
	for k := range verbs {
		m[verbs[k].name] = Kind(k)
	}
	return m
}()

// usage is the form of the operation as errors show it.
func (v *verb) usage() string {
	var b strings.Builder
	b.WriteString(v.name)
	for _, a := range v.args {
		if a.optional() {
			b.WriteString(" [" + argNames[a] + "]")
		} else {
			b.WriteString(" " + argNames[a])
		}
	}
	return b.String()
}

// ParseScript reads a script in the oracle's language: one operation a line,
// words separated by white space, empty lines and lines that begin with #
// skipped. name is the script's name in errors, which have the form
// name:line:column: message. Each Op carries its line.
//
// Stricter than the oracle's guest program: it refuses arguments the guest
// would ignore, negative numbers, paths that leave the mount point, and lines longer
// than input.MaxLine.
// Paths are cleaned as the guest cleans them.
func ParseScript(r io.Reader, name string) ([]Op, error) {
	return (&Script{name: name, text: r}).Parse()
}

// parser goes through a text word by word.
type parser struct {
	name       string
	text       string // whole lines
	at         int    // where the last word ends
	begin      int    // where the line begins
	lineNumber int    // counted from 1
	wrong      error  // what is wrong with a word
}

// next parses the next line that has an operation. It reports false at the end.
func (p *parser) next(op *Op) (bool, error) {
	for {
		if p.at == len(p.text) {
			return false, nil
		}
		// A line without words, or a comment, has no operation: the next one is tried.
		p.lineNumber++
		p.begin = p.at
		first := p.word()
		if first != "" && first[0] == '#' {
			p.at += len(p.text[p.at:])
			if i := strings.IndexByte(p.text[p.begin:], '\n'); i >= 0 {
				p.at = p.begin + i
			}
			first = ""
		}
		var err error
		if first != "" {
			err = p.op(op, first)
		}
		// A zero byte ends a word early, and is the error if nothing else was.
		if err == nil {
			err = p.wrong
		}
		if err != nil || p.at-p.begin > input.MaxLine {
			return false, p.lineError(err)
		}
		p.at = min(p.at+1, len(p.text)) // the end of the line
		if first != "" {
			return true, nil
		}
	}
}

// lineError is what is wrong with the line: that it is too long before anything else,
// as its words may be anything then. err is what else is wrong, nil for nothing.
func (p *parser) lineError(err error) error {
	// Only the text of this line counts.
	line := p.text[p.begin:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	if len(line) > input.MaxLine {
		return longLine(p.name, p.lineNumber, line)
	}
	return err
}

// longLine is the error of line n, of which text is at least as much as a line may have.
func longLine(name string, n int, text string) error {
	if i := strings.IndexByte(text[:input.MaxLine], 0); i >= 0 {
		return &ScriptError{name, n, i + 1, zeroByte}
	}
	return &ScriptError{name, n, input.MaxLine + 1, fmt.Sprintf("a line of more than %s", input.Bytes(input.MaxLine))}
}

const zeroByte = "a zero byte: this is not a script"

// short is a word as errors show it.
func short(w string) string {
	const most = 60
	if len(w) > most {
		return strings.ToValidUTF8(w[:most], "") + "..."
	}
	return w
}

// errorf is an error at a column, counted from 1 in bytes.
func (p *parser) errorf(col int, format string, a ...any) error {
	return &ScriptError{p.name, p.lineNumber, col, fmt.Sprintf(format, a...)}
}

// word is the next word of the line, "" where there is none, or where something is
// wrong with it.
func (p *parser) word() string {
	s, i := p.text, p.at
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	// Spaces, then the word, up to the end of the line.
	start := i
	if i < len(s) && s[i] == '"' {
		i = quotedEnd(s, i)
	}
	for i < len(s) && s[i] != '\n' && !isSpace(s[i]) {
		if s[i] == 0 {
			p.wrong = p.errorf(i-p.begin+1, zeroByte)
			return ""
		}
		i++
	}
	p.at = i
	return s[start:i]
}

// col is where word w, the last one, begins.
func (p *parser) col(w string) int { return p.at - len(w) - p.begin + 1 }

// isSpace says whether c separates words. That is not so of the end of a line.
func isSpace(c byte) bool {
	return c == ' ' || c < ' ' && (c == '\t' || c == '\r' || c == '\v' || c == '\f')
}

// op makes an operation of the line that begins with word first.
func (p *parser) op(op *Op, first string) error {
	// The first word decides which arguments follow.
	k, ok := kinds[first]
	if !ok {
		best, _ := nearest.Of(short(first), verbNames())
		return p.errorf(p.col(first), "unknown operation %q (did you mean %q?)", short(first), best)
	}
	v := &verbs[k]
	*op = Op{Kind: k, Line: p.lineNumber}
	// Arguments come in order; only the last one, direct, may be missing.
	for _, a := range v.args {
		// Nothing may follow, and the range must end inside 63 bits.
		end := p.at
		w := p.word()
		switch {
		case w != "":
			if err := p.arg(op, a, w); err != nil {
				return err
			}
		case p.wrong != nil:
			return p.wrong
		case !a.optional():
			return p.errorf(end-p.begin+1, "%s is missing: %s", argNames[a], v.usage())
		}
	}
	end := p.at
	if w := p.word(); w != "" {
		return p.errorf(p.col(w), "unexpected %q: %s", short(w), v.usage())
	}
	if at := max(op.Off, op.ToOff); !k.Times() && op.Len > 0 && at > math.MaxInt64-op.Len {
		last := p.text[p.begin:end]
		return p.errorf(strings.LastIndexFunc(last, unicode.IsSpace)+2, "offset %d plus length %d is more than 2^63-1", at, op.Len)
	}
	return p.wrong
}

// arg stores one argument.
func (p *parser) arg(op *Op, a argKind, w string) (err error) {
	// Each argument is checked where it is read, so that an error has its column.
	switch a {
	case argFD:
		op.FD, err = p.unquote(w)
	case argToFD, argTarget, argName:
		op.To, err = p.unquote(w)
	case argPath:
		op.Path, err = p.path(w)
	case argTo:
		op.To, err = p.path(w)
	case argOff:
		op.Off, err = p.number(a, w, math.MaxInt64)
	case argToOff:
		op.ToOff, err = p.number(a, w, math.MaxInt64)
	case argLen:
		op.Len, err = p.number(a, w, math.MaxInt64)
	case argMode, argUID:
		var n int64
		n, err = p.number(a, w, math.MaxUint32)
		op.Mode = uint32(n)
	case argCPU, argPID, argNumber:
		top, n := int64(maxCPU), int64(0)
		if a != argCPU {
			top = math.MaxInt32
		}
		n, err = p.number(a, w, top)
		op.N = int(n)
	case argDirect:
		switch w {
		case "direct":
			op.Direct = true
		case "append": // in the place of direct, which may be missing
			op.Append = true
		default:
			return p.errorf(p.col(w), "unexpected %q: %s", short(w), verbs[op.Kind].usage())
		}
	case argAppend:
		if w != "append" || op.Append {
			return p.errorf(p.col(w), "unexpected %q: %s", short(w), verbs[op.Kind].usage())
		}
		op.Append = true
	case argTime:
		op.Off, err = p.number(a, w, math.MaxInt64)
	case argBlocks:
		op.Len, err = p.number(a, w, math.MaxInt64)
	case argGroups:
		for g := range strings.SplitSeq(w, ",") {
			if _, err := p.number(a, g, math.MaxUint32); err != nil {
				return err
			}
		}
		op.To = w
	}
	return err
}

// number reads a decimal number of 0 to top.
func (p *parser) number(a argKind, w string, top int64) (int64, error) {
	const few = 18 // digits that are no more than 2^63-1 for certain
	n, digits := int64(0), len(w) <= few
	for i := 0; i < len(w) && digits; i++ {
		c := w[i] - '0'
		digits = c <= 9
		n = n*10 + int64(c)
	}
	var err error
	if !digits {
		n, err = strconv.ParseInt(w, 10, 64)
	}
	if err != nil || n < 0 || n > top {
		return 0, p.errorf(p.col(w), "%s is %q: want a decimal number of 0 to %d", argNames[a], short(w), top)
	}
	return n, nil
}

// path cleans a path relative to the mount point.
func (p *parser) path(w string) (string, error) {
	s, err := p.unquote(w)
	if err != nil {
		return "", err
	}
	if !clean(s) {
		s = path.Clean(strings.TrimLeft(s, "/"))
	}
	if s == ".." || strings.HasPrefix(s, "../") {
		return "", p.errorf(p.col(w), "path %q leaves the mount point", short(w))
	}
	return s, nil
}

// clean says whether a path is relative and surely as path.Clean leaves it.
func clean(s string) bool {
	if s == "" || s[0] == '/' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '/' && (s[i-1] == '/' || s[i-1] == '.') {
			return false
		}
	}
	last := s[len(s)-1]
	return last != '/' && last != '.'
}

// verbNames are the names of the operations, in the language's order.
func verbNames() []string {
	names := make([]string, len(verbs))
	for k := range verbs {
		names[k] = verbs[k].name
	}
	return names
}

// CheckNoTimes refuses operations that have the times of a run. name is the script's name in the
// error, which also says why there can be none.
func CheckNoTimes(ops []Op, name, why string) error {
	for i := range ops {
		if ops[i].Kind.Times() {
			return ops[i].Misplaced(name, why)
		}
	}
	return nil
}

// Misplaced is the error of CheckNoTimes for one operation that has a time of a run.
func (op *Op) Misplaced(name, why string) error {
	return &ScriptError{name, op.Line, 1, fmt.Sprintf("%s is of the times of a run, and %s", op.Kind, why)}
}
