package filelist

import (
	"path"
	"strconv"
	"strings"
)

// debugfsParser reads what ls -l and ls -p of debugfs print. Each prints one directory, and not which one:
// that the commands say, which debugfs repeats where it reads them from a file (debugfs -f).
type debugfsParser struct{ dir, cwd string }

func (p *debugfsParser) line(s string, e *Entry) (bool, *mistake) {
	switch {
	case strings.TrimSpace(s) == "", strings.HasPrefix(s, "debugfs 1."):
		return false, nil
	case strings.HasPrefix(s, "debugfs: "):
		p.command(arguments(strings.TrimPrefix(s, "debugfs: ")))
		return false, nil
	case s[0] == '/':
		return p.slashes(s, e)
	}
	return p.long(s, e)
}

// arguments splits a command of debugfs, in which double quotes join words.
func arguments(s string) []string {
	var args []string
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

// command follows the commands that change what the next lines are about.
func (p *debugfsParser) command(args []string) {
	if len(args) == 0 {
		return
	}
	last := ""
	if n := len(args) - 1; n > 0 && !strings.HasPrefix(args[n], "-") {
		last = args[n]
	}
	at := path.Join(p.cwd, last)
	if strings.HasPrefix(last, "/") {
		at = last
	}
	switch args[0] {
	case "ls", "list_directory":
		p.dir = at
	case "cd", "change_working_directory":
		p.cwd = at
	}
}

// slashes reads a line of ls -p: /12/100644/0/0/name/4096/, where directories have no size.
func (p *debugfsParser) slashes(s string, e *Entry) (bool, *mistake) {
	parts := strings.Split(s, "/")
	if len(parts) != 8 || parts[7] != "" {
		return false, &mistake{0, "want /INODE/MODE/UID/GID/NAME/SIZE/"}
	}
	size, ok := number(parts[6])
	if !ok && parts[6] != "" {
		return false, &mistake{len(s) - len(parts[6]) - 1, "want a size in bytes"}
	}
	if _, ok := number(parts[1]); !ok {
		return false, &mistake{1, "want the number of an inode"}
	}
	return p.entry(e, parts[2], len(parts[1])+2, size, parts[5])
}

// long reads a line of ls -l: inode, mode, the type of the entry, user, group, size, date, name.
func (p *debugfsParser) long(s string, e *Entry) (bool, *mistake) {
	w := words{s: s}
	inode, at := w.next()
	if _, ok := number(strings.Trim(inode, "<>")); !ok {
		return false, &mistake{at, "want the number of an inode"}
	}
	modeText, modeAt := w.next()
	if kind, at := w.next(); !strings.HasPrefix(kind, "(") || !strings.HasSuffix(kind, ")") {
		return false, &mistake{at, "want the type of the entry, such as (1)"}
	}
	for range 2 {
		if id, at := w.next(); !isNumber(id) {
			return false, &mistake{at, "want the number of a user or a group"}
		}
	}
	sizeText, at := w.next()
	size, ok := number(sizeText)
	if !ok {
		return false, &mistake{at, "want a size in bytes"}
	}
	for range 2 { // date and time
		w.next()
	}
	name, at := w.rest()
	if name == "" {
		return false, &mistake{at, "the name is missing"}
	}
	return p.entry(e, modeText, modeAt, size, unescapeHex(name))
}

// unescapeHex replaces the escapes of ls -l in debugfs: \x0a, for bytes that are no text.
func unescapeHex(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, `\x`)
		if i < 0 || i+4 > len(s) {
			return b.String() + s
		}
		n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
		b.WriteString(s[:i])
		if err != nil {
			b.WriteString(s[i : i+4])
		} else {
			b.WriteByte(byte(n))
		}
		s = s[i+4:]
	}
}

func isNumber(s string) bool {
	_, ok := number(s)
	return ok
}

// entry stores what a line has said. The directory itself and the one above it are no entries, and what has
// been deleted has no mode.
func (p *debugfsParser) entry(e *Entry, mode string, modeAt int, size int64, name string) (bool, *mistake) {
	m, err := strconv.ParseUint(mode, 8, 16)
	if err != nil {
		return false, &mistake{modeAt, "want a mode in octal, such as 100644"}
	}
	if name == "." || name == ".." || m == 0 {
		return false, nil
	}
	switch m >> 12 { // the type of the file, as in st_mode
	case 8:
		e.Kind, e.Size = File, size
	case 4:
		e.Kind = Dir
	case 10:
		e.Kind = Symlink
	default:
		e.Kind = Special
	}
	// Paths begin at the root of the file system, which is the root that is meant.
	e.setPath(path.Join("/", p.dir, "/"+name)[1:])
	return true, nil
}
