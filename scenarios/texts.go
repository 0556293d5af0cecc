package scenarios

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// text is a string. Numbers stand for their letters, so that 5.10 is not 5.1.
type text struct {
	what    string
	allowed []string // none: any
	known   func(d *decoder) []string
}

func (t text) describe() string {
	if len(t.allowed) > 0 {
		return "one of " + strings.Join(t.allowed, ", ")
	}
	return "a " + t.what
}

func (t text) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return d.wrong(n, t.describe())
	}
	// Some names, such as those of metrics, are known to the decoder only.
	allowed := t.allowed
	if t.known != nil {
		allowed = t.known(d)
	}
	if allowed != nil && n.Value == "" {
		return d.wrong(n, t.describe())
	}
	if allowed != nil && !slices.Contains(allowed, n.Value) {
		return d.errorf(n, "%s", unknown(t.what, n.Value, allowed))
	}
	*p.(*string) = n.Value
	return nil
}

func (t text) encode(p any) *yaml.Node {
	s := *p.(*string)
	if s == "" {
		return nil
	}
	return textNode(s)
}

// textNode is a text, as a block of lines where that says exactly the same.
func textNode(s string) *yaml.Node {
	n := scalar("!!str", s)
	body, ok := strings.CutSuffix(s, "\n")
	switch {
	case !strings.Contains(s, "\n"):
		// In one line: yaml.v3 finds the style.
	case !ok, strings.HasSuffix(body, "\n"), strings.HasPrefix(s, "\n"), strings.HasPrefix(s, " "), strings.Contains(s, " \n"),
		strings.ContainsFunc(body, func(r rune) bool { return r != '\n' && (r < ' ' || r > '~') }):
		// A literal block (|) might not read back as exactly this text.
		n.Style = yaml.DoubleQuotedStyle
	default:
		n.Style = yaml.LiteralStyle
	}
	return n
}

// choice is one of some names, each of which stands for a number.
type choice[T ~uint8 | ~uint32] struct {
	names  []string
	values []T
}

func (c choice[T]) describe() string { return "one of " + strings.Join(c.names, ", ") }

func (c choice[T]) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return d.wrong(n, c.describe())
	}
	for i, name := range c.names {
		if name == n.Value {
			*p.(*T) = c.values[i]
			return nil
		}
	}
	return d.valueErrorf(n, "%s", unknown("value", n.Value, c.names))
}

func (c choice[T]) encode(p any) *yaml.Node {
	for i, v := range c.values {
		if v == *p.(*T) {
			return scalar("!!str", c.names[i])
		}
	}
	return nil
}
