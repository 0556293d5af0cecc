package scenarios

import (
	"strings"

	"gopkg.in/yaml.v3"

	"mbsim/workload"
)

// mountType is mount options: a text, or a list of texts. The Go value is one
// string, separated by commas.
type mountType struct{}

func (mountType) describe() string {
	return `mount options, such as "nodelalloc,commit=30" or a list of them`
}

func (t mountType) decode(d *decoder, n *yaml.Node, p any) error {
	var all []string
	switch {
	case n.Kind == yaml.SequenceNode:
		// An element is one option. One with a comma would be two.
		for _, c := range n.Content {
			if c.Kind != yaml.ScalarNode || isNull(c) || strings.Contains(c.Value, ",") {
				return d.wrong(c, "a mount option")
			}
			all = append(all, c.Value)
		}
	case n.Kind == yaml.ScalarNode && !isNull(n):
		all = strings.Split(optionsOf(n.Value), ",")
	default:
		return d.wrong(n, t.describe())
	}
	// Empty options, as a comma at the end leaves them, are dropped in place.
	kept := all[:0]
	for _, o := range all {
		o = strings.TrimSpace(o)
		if o != "" {
			kept = append(kept, o)
		}
	}
	*p.(*string) = strings.Join(kept, ",")
	return nil
}

// optionsOf is the mount options in a line of /proc/mounts or /etc/fstab ("DEVICE FOLDER TYPE
// OPTIONS 0 0"), or of what mount prints ("DEVICE on FOLDER type TYPE (OPTIONS)"). Any other
// text is the options themselves.
func optionsOf(line string) string {
	// Blanks in folders are \040 in the former; in the latter the options stand at the end.
	words := strings.Fields(line)
	isType := func(i int) bool {
		return strings.HasPrefix(words[i], "ext") || words[i] == "auto"
	}
	n := len(words)
	switch {
	case n >= 4 && n <= 6 && isType(2):
		return words[3]
	case n >= 6 && words[1] == "on" && words[n-3] == "type" && isType(n-2) && strings.HasPrefix(words[n-1], "("):
		return strings.Trim(words[n-1], "()")
	}
	return line
}

func (mountType) encode(p any) *yaml.Node { return text{}.encode(p) }

// binType is a bin of a histogram: [value, weight].
type binType struct{ value typ }

func (binType) describe() string { return "a bin: [value, weight]" }

func (t binType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return d.wrong(n, t.describe())
	}
	b := p.(*workload.Bin)
	if err := t.value.decode(d, n.Content[0], &b.Value); err != nil {
		return err
	}
	return number{min: 0, max: 1e15}.decode(d, n.Content[1], &b.Weight)
}

func (t binType) encode(p any) *yaml.Node {
	b := p.(*workload.Bin)
	return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle,
		Content: []*yaml.Node{t.value.encode(&b.Value), number{}.encode(&b.Weight)}}
}

// expectType is an expectation: a mapping, or a text "[STAT] METRIC OP VALUE".
type expectType struct{}

func (expectType) describe() string {
	return `an expectation, such as "extents_per_file_mean <= 1.2" or a mapping`
}

func (t expectType) decode(d *decoder, n *yaml.Node, p any) error {
	o := expectKeys()
	if err := o.defaults(d, p); err != nil {
		return err
	}
	if n.Kind == yaml.ScalarNode {
		// A text that is no expectation comes back as it was.
		n = t.long(d, n)
		if n.Kind == yaml.ScalarNode {
			return d.wrong(n, t.describe())
		}
	}
	return o.decode(d, n, p)
}

// long is the mapping that a text stands for, or the text if it is none.
func (expectType) long(d *decoder, n *yaml.Node) *yaml.Node {
	words := strings.Fields(n.Value)
	// Three words leave out the stat, which then keeps its default.
	keys := []string{"stat", "metric", "op", "value"}
	if len(words) == 3 {
		keys = keys[1:]
	}
	if len(words) != len(keys) {
		return n
	}
	long := &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}
	for i, key := range keys {
		// Key and value get the place of the text, and its --set, for errors.
		for _, v := range []string{key, words[i]} {
			c := &yaml.Node{Kind: yaml.ScalarNode, Value: v, Line: n.Line, Column: n.Column}
			if set := d.origin[n]; set != "" {
				d.origin[c] = set
			}
			long.Content = append(long.Content, c)
		}
	}
	return long
}

func (expectType) encode(p any) *yaml.Node { return expectKeys().encode(p) }
