package strace

import (
	"strconv"
	"strings"
)

// AtCWD is the descriptor that stands for the working directory (AT_FDCWD).
const AtCWD = -100

// deleted is what strace writes behind the path of a file that has no name any more.
const deleted = "(deleted)"

// FD is a descriptor as an argument names it.
type FD struct {
	N int
	// Shown says that strace shows what it is (-y). Path is its path if that is a file or a directory,
	// "" for a pipe, a socket and the like.
	Shown bool
	Path  string
	// Deleted says that the file at Path has no name any more.
	Deleted bool
}

// ParseFD reads a descriptor: 3, 3</etc/passwd>, AT_FDCWD, 3<pipe:[7]>, 3</tmp/x>(deleted).
func ParseFD(arg string) (FD, bool) {
	var f FD
	number, shown, ok := strings.Cut(arg, "<")
	switch n, err := strconv.Atoi(number); {
	case number == "AT_FDCWD":
		f.N = AtCWD
	case err != nil:
		return f, false
	default:
		f.N = n
	}
	if !ok {
		return f, true
	}
	// Behind the path may stand that it has no name; older ones have it inside.
	f.Shown = true
	shown, f.Deleted = strings.CutSuffix(shown, deleted)
	shown = strings.TrimSuffix(shown, ">")
	if old, cut := strings.CutSuffix(shown, " "+deleted); cut && strings.HasPrefix(shown, "/") {
		shown, f.Deleted = old, true
	}
	// With -yy a device's numbers follow its path.
	if i := strings.IndexByte(shown, '<'); i >= 0 {
		shown = shown[:i]
	}
	if strings.HasPrefix(shown, "/") || strings.HasPrefix(shown, `\x2f`) {
		f.Path = unescape(shown)
	}
	return f, true
}

// String reads a string in quotes. cut says that strace left out the end of it.
func String(arg string) (s string, cut, ok bool) {
	if arg == "" || arg[0] != '"' {
		return "", false, false
	}
	end := quotedEnd(arg, 0)
	if end < 0 {
		return "", false, false
	}
	return unescape(arg[1 : end-1]), strings.HasPrefix(arg[end:], "..."), true
}

// Int reads a number as strace writes it: decimal, hexadecimal (0x), octal (0), with a comment behind.
func Int(arg string) (int64, bool) {
	if i := strings.Index(arg, " /*"); i > 0 {
		arg = arg[:i]
	}
	n, err := strconv.ParseInt(arg, 0, 64)
	if err != nil {
		// An address may need the 64th bit.
		u, err := strconv.ParseUint(arg, 0, 64)
		return int64(u), err == nil
	}
	return n, strings.IndexByte(arg, '_') < 0
}

// Offset reads a position that a call takes and changes: [5], [5] => [7], {5}, a number. ok is false
// for NULL: the call uses that of the descriptor.
func Offset(arg string) (n int64, ok bool) {
	arg, _, _ = strings.Cut(arg, " => ")
	return Int(strings.Trim(arg, "[]{}"))
}

// Has says whether a flag is one of an argument's, which are joined by |.
func Has(arg, flag string) bool {
	for f := range strings.SplitSeq(arg, "|") {
		if f == flag {
			return true
		}
	}
	return false
}

// Field is the value of a field in a structure that strace shows: the text behind name= up to the
// next comma or bracket.
func Field(arg, name string) (string, bool) {
	for rest := arg; ; {
		i := strings.Index(rest, name+"=")
		if i < 0 {
			return "", false
		}
		before := rest[:i]
		rest = rest[i+len(name)+1:]
		// The name must not be the end of a longer one.
		if before == "" || strings.HasSuffix(before, "{") || strings.HasSuffix(before, " ") || strings.HasSuffix(before, ",") {
			if end := strings.IndexAny(rest, ",}] "); end >= 0 {
				return rest[:end], true
			}
			return rest, true
		}
	}
}

// quotedEnd is the place behind a string that begins at i with a quote, -1 where it does not end.
func quotedEnd(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// decorationEnd is the place behind what strace shows of a descriptor, which begins at i with a <;
// -1 where that is something else.
func decorationEnd(s string, i int) int {
	// It stands right behind a number or a name.
	if i == 0 || i+1 >= len(s) || s[i+1] == '<' || s[i+1] == ' ' {
		return -1
	}
	if c := s[i-1]; !(c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z') {
		return -1
	}
	// A path has its own < and > escaped, so that what is in it are a device's numbers. In the
	// brackets of a socket stands an arrow.
	depth, isPath, inBrackets := 0, s[i+1] == '/', false
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case !isPath && c == '[':
			inBrackets = true
		case !isPath && c == ']':
			inBrackets = false
		case inBrackets:
		case c == '<':
			depth++
		case c == '>':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// unescape undoes strace's escapes: those of C, octal and hexadecimal numbers.
func unescape(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for ; i >= 0 && i < len(s); i = strings.IndexByte(s, '\\') {
		b = append(b, s[:i]...)
		c, n := escape(s[i:])
		b = append(b, c)
		s = s[i+n:]
	}
	return string(append(b, s...))
}

// escape is the byte that an escape at the beginning of s stands for, and the length of the escape.
func escape(s string) (c byte, n int) {
	if len(s) < 2 {
		return '\\', 1
	}
	const letters, values = "abfnrtv", "\a\b\f\n\r\t\v"
	if k := strings.IndexByte(letters, s[1]); k >= 0 {
		return values[k], 2
	}
	// Up to three octal digits, or up to two hexadecimal ones.
	base, most, from := 8, 3, 1
	if s[1] == 'x' {
		base, most, from = 16, 2, 2
	}
	end := from
	for end < len(s) && end < from+most && digit(s[end]) < base {
		end++
	}
	if end == from {
		return s[1], 2 // a quote, a backslash, or whatever it is
	}
	v, _ := strconv.ParseUint(s[from:end], base, 16) // only digits of the base are there
	return byte(v), end
}

// digit is the value of a digit, or 99.
func digit(c byte) int {
	switch {
	case c-'0' <= 9:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 99
}
