package workload

import (
	"bytes"
	"fmt"
	"strings"

	"mbsim/internal/shell"
)

// EnvVar is an assignment of case.env and, where it was read, its place.
type EnvVar struct {
	Key, Value string
	line, col  int // counted from 1, col in bytes
}

// WriteEnv is the text of case.env. A shell that reads it, as the recorders do, gets the
// values as they are, whatever they hold but for zero bytes, which are refused.
func WriteEnv(vars []EnvVar) ([]byte, error) {
	var b bytes.Buffer
	for _, v := range vars {
		if strings.ContainsRune(v.Value, 0) {
			return nil, fmt.Errorf("%s holds a zero byte: no shell can read it", v.Key)
		}
		fmt.Fprintf(&b, "%s=%s\n", v.Key, shell.Quote(v.Value))
	}
	return b.Bytes(), nil
}

// parseEnv reads shell assignments: KEY=VALUE with parts of VALUE in single or double
// quotes or behind a backslash, several a line, and comments. What only a shell could
// evaluate is refused.
func parseEnv(text, name string) ([]EnvVar, error) {
	p := envParser{text: text, name: name, line: 1}
	var vars []EnvVar
	for p.space() {
		v, err := p.assignment()
		if err != nil {
			return nil, err
		}
		vars = append(vars, v)
	}
	return vars, nil
}

// envParser goes through case.env.
type envParser struct {
	text, name string
	at         int
	line       int // counted from 1
	begin      int // where the line begins
}

func (p *envParser) errorf(format string, a ...any) error {
	return fmt.Errorf("%s:%d:%d: %w", p.name, p.line, p.at-p.begin+1, fmt.Errorf(format, a...))
}

// end says whether the text has ended.
func (p *envParser) end() bool { return p.at == len(p.text) }

// step goes on by a byte.
func (p *envParser) step() {
	p.at++
	if p.text[p.at-1] == '\n' {
		p.line++
		p.begin = p.at
	}
}

// space passes over what separates assignments, and reports whether one follows.
func (p *envParser) space() bool {
	for comment := false; !p.end(); p.step() {
		// A comment ends with its line, and a # begins one even behind a ; or a space.
		c := p.text[p.at]
		comment = (comment || c == '#') && c != '\n'
		if !comment && strings.IndexByte(" \t;\r\n", c) < 0 {
			return true
		}
	}
	return false
}

// assignment reads an assignment.
func (p *envParser) assignment() (EnvVar, error) {
	v := EnvVar{line: p.line, col: p.at - p.begin + 1}
	// The key ends at =, without spaces.
	start := p.at
	for !p.end() && isKey(p.text[p.at]) {
		p.at++
	}
	v.Key = p.text[start:p.at]
	if v.Key == "" || p.end() || p.text[p.at] != '=' {
		p.at = start
		return v, p.errorf("want KEY=\"VALUE\"")
	}
	p.at++
	// The value is made of parts, quoted or not, up to the next space.
	var b strings.Builder
	for !p.end() && strings.IndexByte(" \t;\r\n", p.text[p.at]) < 0 {
		if err := p.part(&b); err != nil {
			return v, err
		}
	}
	v.Value = b.String()
	return v, nil
}

func isKey(c byte) bool {
	return c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// part reads a byte of a value, or what stands in quotes.
func (p *envParser) part(b *strings.Builder) error {
	c := p.text[p.at]
	// Whatever a shell would expand or run is refused, so that both read the same value.
	switch {
	case c == '"' || c == '\'':
		return p.quoted(b, c)
	case c == '\\' && p.at+1 < len(p.text) && p.text[p.at+1] != '\n' && p.text[p.at+1] != 0:
		p.at++
		b.WriteByte(p.text[p.at])
	case c == 0 || strings.IndexByte("$`\\&|<>()*?[]{}~", c) >= 0:
		return p.errorf("%q needs a shell: write the value out", c)
	default:
		b.WriteByte(c)
	}
	p.at++
	return nil
}

// quoted reads what stands in quotes of a kind, which may go over several lines.
func (p *envParser) quoted(b *strings.Builder, quote byte) error {
	// An error about a missing quote names the place where it was opened.
	open := *p
	for p.step(); !p.end(); p.step() {
		c := p.text[p.at]
		switch {
		case c == quote:
			p.at++
			return nil
		case c == 0, quote == '"' && (c == '$' || c == '`'):
			return p.errorf("%q needs a shell: write the value out", c)
		// Within double quotes a backslash is special before four characters only.
		case quote == '"' && c == '\\' && p.at+1 < len(p.text):
			switch next := p.text[p.at+1]; {
			case next == '\n':
				return p.errorf("%q needs a shell: write the value out", c)
			case strings.IndexByte("$`\"\\", next) >= 0: // before others it stands for itself
				p.at++
				c = next
			}
		}
		b.WriteByte(c)
	}
	*p = open
	return p.errorf("the quote %c is not closed", quote)
}
