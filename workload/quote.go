package workload

import (
	"strconv"
	"strings"
	"unicode"
)

// A name with a space, a control character, a quote or a # at its beginning, or bytes that are no UTF-8
// stands between double quotes in a script, with the escapes of a string in Go: \" \\ \n \x20 and so on.
// So do the paths of files.txt. The oracle's guest program has the same rule.

// plain says whether a name can stand in a script as it is.
func plain(s string) bool {
	// The usual characters first: a loop over bytes is all that most names need.
	simple := s != "" && s[0] != '"' && s[0] != '#'
	for i := 0; i < len(s) && simple; i++ {
		simple = s[i] > ' ' && s[i] < 0x7f
	}
	if simple || s == "" || s[0] == '"' || s[0] == '#' {
		return simple
	}
	// What is no UTF-8 has a RuneError.
	return strings.IndexFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsSpace(r) || unicode.IsControl(r)
	}) < 0
}

// AppendName appends a name as a script has it: as it is where that can be read again, and
// between quotes otherwise.
func AppendName(b []byte, s string) []byte {
	if plain(s) {
		return append(b, s...)
	}
	// Only bytes that every reader agrees about stay as they are.
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c >= 0x7f || c == ' ' && i == len(s)-1:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// unquote is the name that a word stands for.
func (p *parser) unquote(w string) (string, error) {
	if w[0] != '"' {
		return w, nil
	}
	s, err := strconv.Unquote(w)
	switch {
	case err != nil:
		return "", p.errorf(p.col(w), "%s is no string in quotes as Go has them: escapes are \\\" \\\\ \\n \\t \\x20", short(w))
	case s == "":
		return "", p.errorf(p.col(w), "an empty name")
	case strings.IndexByte(s, 0) >= 0:
		return "", p.errorf(p.col(w), "%s has a zero byte: no file system has such a name", short(w))
	}
	return s, nil
}

// quotedEnd is the place behind the quoted word that begins at i, or that of the end of its line
// where the word does not end. What is wrong with the word its use will tell.
func quotedEnd(s string, i int) int {
	for i++; i < len(s) && s[i] != '\n'; i++ {
		switch s[i] {
		case '\\':
			if i+1 < len(s) && s[i+1] != '\n' {
				i++
			}
		case '"':
			return i + 1
		}
	}
	return i
}
