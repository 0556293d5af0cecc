package scenarios

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/internal/nearest"
)

// Error is a mistake in a scenario or in a --set. Its text is one line.
type Error struct {
	File         string
	Line, Column int    // counted from 1; 0 where no place can be named
	Set          string // the key=value of the --set that made the mistake
	Message      string

	plain bool // the message names its place
}

// Error names the place and what is wrong there.
func (e *Error) Error() string {
	switch {
	case e.plain:
		return e.Message
	case e.Set != "":
		return "--set " + e.Set + ": " + e.Message
	case e.Line == 0:
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// oneLine keeps a message on one line and from growing without bound.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > 500 {
		s = string(r[:500]) + "..."
	}
	return s
}

// errorf is a mistake at a node.
func (d *decoder) errorf(n *yaml.Node, format string, a ...any) error {
	e := &Error{File: d.file, Message: oneLine(fmt.Sprintf(format, a...))}
	if n != nil {
		e.Line, e.Column, e.Set = n.Line, n.Column, d.origin[n]
	}
	return e
}

// wholeErrorf reports a mistake in the whole of what n holds. If a --set changed a part of
// that, the error names the --set, as the likely cause.
func (d *decoder) wholeErrorf(n *yaml.Node, format string, a ...any) error {
	if set := d.setBelow(n); set != nil {
		n = set
	}
	return d.errorf(n, format, a...)
}

// setBelow is the first node that a --set made, of n and those below it, or nil.
func (d *decoder) setBelow(n *yaml.Node) *yaml.Node {
	if d.origin[n] != "" {
		return n
	}
	for _, c := range n.Content {
		if set := d.setBelow(c); set != nil {
			return set
		}
	}
	return nil
}

// valueErrorf is a mistake in the value of the key that is being read.
func (d *decoder) valueErrorf(n *yaml.Node, format string, a ...any) error {
	message := fmt.Sprintf(format, a...)
	if d.key != "" {
		message = d.key + ": " + message
	}
	return d.errorf(n, "%s", message)
}

// wrong is a node of another kind than wanted.
func (d *decoder) wrong(n *yaml.Node, want string) error {
	return d.valueErrorf(n, "want %s, found %s", want, found(n))
}

// found describes a node in few words.
func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if isNull(n) {
		return "nothing"
	}
	// An unquoted > or | begins a block text. An empty one was most likely meant as an operator.
	if n.Value == "" && n.Style&(yaml.FoldedStyle|yaml.LiteralStyle) != 0 {
		return "> or | without a text below (quote it if it is the value)"
	}
	// A long value is cut, so that the message stays one line.
	v := []rune(strings.ToValidUTF8(n.Value, "?"))
	if len(v) > 40 {
		v = append(v[:40], []rune("...")...)
	}
	if isQuoted(n) {
		return fmt.Sprintf("the text %q", string(v))
	}
	return fmt.Sprintf("%q", string(v))
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func isQuoted(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// unknown is the message for a name that is none of known: the nearest, or all
// of them if none is near.
func unknown(what, name string, known []string) string {
	if len([]rune(name)) > 60 {
		name = string([]rune(name)[:60])
	}
	if best, near := nearest.Of(name, known); near {
		return fmt.Sprintf("unknown %s %q (did you mean %q?)", what, name, best)
	}
	return fmt.Sprintf("unknown %s %q (known: %s)", what, name, strings.Join(known, ", "))
}
