package filelist

import (
	"strconv"
	"strings"
)

// words reads a line word by word.
type words struct {
	s  string
	at int // where the next word is looked for
}

// next is the next word and where it begins; "" at the end of the line.
func (w *words) next() (string, int) {
	for w.at < len(w.s) && (w.s[w.at] == ' ' || w.s[w.at] == '\t') {
		w.at++
	}
	begin := w.at
	for w.at < len(w.s) && w.s[w.at] != ' ' && w.s[w.at] != '\t' {
		w.at++
	}
	return w.s[begin:w.at], begin
}

// rest is what follows one space or tab behind the last word: a path, which may begin with a space.
func (w *words) rest() (string, int) {
	at := min(w.at+1, len(w.s))
	return w.s[at:], at
}

// number reads a size: decimal digits alone, in 63 bits.
func number(s string) (int64, bool) {
	if s == "" || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// modeKinds are the types of files by the first letter of a mode such as -rw-r--r--.
var modeKinds = map[byte]Kind{
	'-': File, 'C': File, 'd': Dir, 'l': Symlink, 'h': HardLink, 'p': Special, 's': Special, 'b': Special, 'c': Special,
	'D': Special, 'V': Special, 'M': Special, '?': Special,
}

// mode reads a mode such as drwxr-xr-x, behind which a sign for further rights may stand.
func mode(s string) (Kind, bool) {
	k, ok := modeKinds[(s + " ")[0]]
	if !ok || len(s) < 10 || len(s) > 11 || len(s) == 11 && !strings.ContainsRune("+.@", rune(s[10])) {
		return 0, false
	}
	for i := 1; i < 10; i++ {
		if !strings.ContainsRune("-rwxsStT", rune(s[i])) {
			return 0, false
		}
	}
	return k, true
}

// date reads a date and a time in one of the forms that ls and tar print: "Jan  1 12:00", "Jan  1  2024",
// "2024-01-01 12:00", also with seconds and a time zone.
func (w *words) date() *mistake {
	first, at := w.next()
	second, at2 := w.next()
	switch {
	case len(first) == 10 && first[4] == '-' && first[7] == '-':
		if !strings.Contains(second, ":") {
			return &mistake{at2, "want a time such as 12:00"}
		}
		// ls --full-time has the time zone as a word of its own.
		was := w.at
		if zone, _ := w.next(); len(zone) != 5 || zone[0] != '+' && zone[0] != '-' || strings.Trim(zone[1:], "0123456789") != "" {
			w.at = was
		}
		return nil
	case first != "" && second != "" && (first[0] > '9') != (second[0] > '9'):
		// A month and a day, in the order of the language; the time or the year follows.
		third, at3 := w.next()
		if third == "" || third[0] < '0' || third[0] > '9' {
			return &mistake{at3, "want a time such as 12:00, or a year"}
		}
		return nil
	}
	return &mistake{at, "want a date such as 2024-01-31 12:00 or Jan 31 12:00"}
}

// setPath stores the path of an entry, without the slashes at its end.
func (e *Entry) setPath(p string) {
	e.Path = p
	if len(p) > 1 && strings.HasSuffix(p, "/") {
		e.Path = strings.TrimRight(p, "/")
		if e.Path == "" {
			e.Path = "/"
		}
	}
}

// unescape replaces backslash escapes as tar and git print them: \n, \t, \\, \" and three octal digits.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	const letters, meant = `abfnrtv\"' `, "\a\b\f\n\r\t\v\\\"' "
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		// Three octal digits are a byte.
		if i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		if j := strings.IndexByte(letters, s[i+1]); j >= 0 {
			b.WriteByte(meant[j])
			i++
			continue
		}
		b.WriteByte('\\') // no escape: it stands for itself
	}
	return b.String()
}
