package strace

import (
	"strings"
)

// Call is a system call.
type Call struct {
	Name string
	Args []string // as they are written; those of a call that has only begun are the first ones
	Line int      // on which it begins, counted from 1
	Ret  int64
	// Err is the name of the error, such as ENOENT, "" where there is none.
	Err string
	// Void says that the call returned nothing, as exit does, or that strace does not know what.
	Void bool
	// RetFD is the returned descriptor with its path, where strace shows one.
	RetFD FD
}

// Failed says whether the call did nothing, or is not known to have done anything.
func (c *Call) Failed() bool { return c.Void || c.Err != "" }

// Arg is argument i, counted from 0, as it is written; "" where there is none.
func (c *Call) Arg(i int) string {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return ""
}

// scanner goes through a line.
type scanner struct {
	s  string
	at int
}

// mistake is what is wrong at a place of a line, counted from 0.
type mistake struct {
	at   int
	what string
}

func (sc *scanner) skipSpaces() {
	for sc.at < len(sc.s) && sc.s[sc.at] == ' ' {
		sc.at++
	}
}

// skip passes over a text, if it is what follows.
func (sc *scanner) skip(text string) bool {
	if strings.HasPrefix(sc.s[sc.at:], text) {
		sc.at += len(text)
		return true
	}
	return false
}

// digits passes over a decimal number, and returns it; -1 where there is none that fits.
func (sc *scanner) digits() int {
	n, begin := 0, sc.at
	for sc.at < len(sc.s) && sc.s[sc.at]-'0' <= 9 {
		if n < 1<<40 {
			n = n*10 + int(sc.s[sc.at]-'0')
		}
		sc.at++
	}
	if sc.at == begin || n > 1<<31 {
		return -1
	}
	return n
}

// noPID is the process of a line that does not name one.
const noPID = 0

// prefix passes over what stands before a call: the process, the time, and what -i and -n add.
func (sc *scanner) prefix() (pid int) {
	sc.skipSpaces()
	// On a terminal it is [pid 12]; in a file it is the number alone; with -Y the command's name follows.
	start := sc.at
	if sc.skip("[pid ") {
		sc.skipSpaces()
		pid = sc.digits()
		sc.skipCommand()
		if pid < 0 || !sc.skip("]") {
			sc.at = start
			return noPID
		}
	} else if pid = sc.digits(); pid < 0 || sc.at < len(sc.s) && sc.s[sc.at] != ' ' && sc.s[sc.at] != '<' {
		sc.at, pid = start, noPID // no number, or a time
	} else {
		sc.skipCommand()
	}
	// Up to two clocks: that of -t, and in parentheses that of -r beside it.
	sc.skipSpaces()
	sc.time()
	sc.skipSpaces()
	if sc.skip("(+") {
		sc.skipSpaces()
		sc.time()
		sc.skip(")")
		sc.skipSpaces()
	}
	// The number of the call (-n) and the place in the program (-i).
	for sc.at < len(sc.s) && sc.s[sc.at] == '[' {
		end := strings.IndexByte(sc.s[sc.at:], ']')
		if end < 0 || strings.Trim(sc.s[sc.at+1:sc.at+end], " 0123456789abcdefx?") != "" {
			break
		}
		sc.at += end + 1
		sc.skipSpaces()
	}
	return pid
}

// skipCommand passes over the name of the program behind a process, as -Y writes it.
func (sc *scanner) skipCommand() {
	if sc.at < len(sc.s) && sc.s[sc.at] == '<' {
		if end := strings.IndexByte(sc.s[sc.at:], '>'); end > 0 {
			sc.at += end + 1
		}
	}
}

// time passes over a time: digits with colons and at most one point.
func (sc *scanner) time() {
	end := sc.at
	for end < len(sc.s) && strings.IndexByte("0123456789:.", sc.s[end]) >= 0 {
		end++
	}
	if end < len(sc.s) && (sc.s[end] == ' ' || sc.s[end] == ')') {
		sc.at = end
	}
}

// name is the name of a call, "" where there is none.
func (sc *scanner) name() string {
	begin := sc.at
	for sc.at < len(sc.s) {
		c := sc.s[sc.at]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '?' || c-'0' <= 9 && sc.at > begin {
			sc.at++
			continue
		}
		break
	}
	return sc.s[begin:sc.at]
}

// arguments splits what stands between parentheses, of which the first has been read, at its commas.
// at is behind the last parenthesis then. Of a call that has only begun, the end of the text is the
// end of its arguments.
func (sc *scanner) arguments(begun bool) ([]string, *mistake) {
	args := make([]string, 0, 6)
	begin := sc.at
	// What is open: each parenthesis, bracket or brace must be closed by its own kind.
	var open []byte
	for sc.at < len(sc.s) {
		switch c := sc.s[sc.at]; c {
		case '"':
			end := quotedEnd(sc.s, sc.at)
			if end < 0 {
				return args, &mistake{sc.at, "a string that does not end"}
			}
			sc.at = end
			continue
		case '<':
			if end := decorationEnd(sc.s, sc.at); end > 0 {
				sc.at = end
				continue
			}
		case '/':
			// A comment of strace's own.
			if end := strings.Index(sc.s[sc.at:], "*/"); end > 0 && strings.HasPrefix(sc.s[sc.at:], "/*") {
				sc.at += end + 2
				continue
			}
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 && c == ')' {
				args = appendArg(args, sc.s[begin:sc.at])
				sc.at++
				return args, nil
			}
			if len(open) == 0 || !closes(open[len(open)-1], c) {
				return args, &mistake{sc.at, "a " + string(c) + " that nothing has opened"}
			}
			open = open[:len(open)-1]
		case ',':
			if len(open) == 0 {
				args = append(args, strings.TrimSpace(sc.s[begin:sc.at]))
				begin = sc.at + 1
			}
		}
		sc.at++
	}
	if begun {
		return appendArg(args, sc.s[begin:]), nil
	}
	return args, &mistake{len(sc.s), "the arguments do not end: want )"}
}

// appendArg appends the last argument, which may be missing.
func appendArg(args []string, last string) []string {
	if last = strings.TrimSpace(last); last != "" {
		args = append(args, last)
	}
	return args
}

// closes says whether c closes what open has opened. A half-open interval does not occur.
func closes(open, c byte) bool {
	return open == '(' && c == ')' || open == '[' && c == ']' || open == '{' && c == '}'
}

// result reads what a call returned, behind its arguments.
func (sc *scanner) result(c *Call) *mistake {
	sc.skipSpaces()
	if !sc.skip("=") {
		return &mistake{sc.at, "want = and what the call returned"}
	}
	sc.skipSpaces()
	rest := sc.s[sc.at:]
	if strings.HasPrefix(rest, "?") {
		c.Void = true
		return nil
	}
	// The value goes on to a space, or to the path of a descriptor.
	end := 0
	for end < len(rest) && rest[end] != ' ' && rest[end] != '<' {
		end++
	}
	n, ok := Int(rest[:end])
	if !ok {
		return &mistake{sc.at, "want what the call returned: a number or ?"}
	}
	c.Ret = n
	if end < len(rest) && rest[end] == '<' {
		if last := decorationEnd(rest, end); last > 0 {
			c.RetFD, _ = ParseFD(rest[:last] + deletedMark(rest[last:]))
		}
		return nil
	}
	// An error has a name, or at least its number: -1 ENOENT (No such file or directory).
	if word, _, _ := strings.Cut(strings.TrimLeft(rest[end:], " "), " "); n == -1 {
		c.Err = "an error"
		if strings.HasPrefix(word, "E") {
			c.Err = word
		}
	}
	return nil
}

// deletedMark is the mark of a file without a name behind its path, if it stands there.
func deletedMark(s string) string {
	if strings.HasPrefix(s, deleted) {
		return deleted
	}
	return ""
}
