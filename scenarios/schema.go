package scenarios

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// typ is a kind of value: how it is read, written and described. The any is a
// pointer to the Go value.
type typ interface {
	describe() string // "a size", as in "want a size"
	decode(d *decoder, n *yaml.Node, p any) error
	// encode returns nil for a value that need not be written.
	encode(p any) *yaml.Node
}

// decoder reads nodes into Go values.
type decoder struct {
	file   string
	dir    string
	origin map[*yaml.Node]string // the --set that a node came from
	where  map[any]*yaml.Node    // by pointer: the node that a value came from
	known  []string              // names of metrics, nil for any
	text   []byte
	root   *yaml.Node
	key    string // the key whose value is being read, for messages
}

// value reads a node and remembers where its value stands.
func (d *decoder) value(t typ, n *yaml.Node, p any) error {
	d.where[p] = n
	return t.decode(d, n, p)
}

// object is a mapping with known keys.
type object struct {
	name   string // of the section in Describe
	doc    string
	fields []field
	// short is the key that a value belongs to if it is no mapping: 4K is {constant: 4K}.
	short string
	// groups are keys of which one at most may be given; required groups need one.
	groups []group
	check  func(d *decoder, n *yaml.Node, p any) error
	// absent reports a value that need not be written.
	absent func(p any) bool
}

type group struct {
	keys     []string
	required bool
}

// field is one key of an object.
type field struct {
	key      string
	typ      typ
	at       func(p any) any // the pointer to the value, given that to the object
	def      string          // default, as a scenario would write it; "" for zero or none
	auto     string          // what the default is, in words
	unit     string
	doc      string
	required bool
	then     func(p any)      // after it was read
	omit     func(p any) bool // not written
}

func (o *object) describe() string { return "a mapping" }

func (o *object) keys() []string {
	var ks []string
	for i := range o.fields {
		ks = append(ks, o.fields[i].key)
	}
	return ks
}

func (o *object) find(key string) *field {
	for i := range o.fields {
		if o.fields[i].key == key {
			return &o.fields[i]
		}
	}
	return nil
}

// rivals is the group of keys that key belongs to, nil if it stands alone.
func (o *object) rivals(key string) *group {
	for i := range o.groups {
		for _, k := range o.groups[i].keys {
			if k == key {
				return &o.groups[i]
			}
		}
	}
	return nil
}

// defaults fills in the defaults.
func (o *object) defaults(d *decoder, p any) error {
	for i := range o.fields {
		f := &o.fields[i]
		// An object has its defaults even where its key is not given. One at the pointer of o
		// itself is a kind of distribution: it is one of several that may be chosen, and has none.
		if sub, ok := f.typ.(*object); ok && f.at(p) != p {
			if err := sub.defaults(d, f.at(p)); err != nil {
				return err
			}
		}
		if f.def == "" {
			continue
		}
		// A default is read like a value in a file, so the key accepts it.
		n := &yaml.Node{Kind: yaml.ScalarNode, Value: f.def}
		if err := f.typ.decode(d, n, f.at(p)); err != nil {
			return fmt.Errorf("the default of %s: %w", f.key, err)
		}
	}
	return nil
}

// decode reads the keys of a mapping in the file's order, then checks them together.
func (o *object) decode(d *decoder, n *yaml.Node, p any) error {
	// A value that is no mapping stands for a mapping of the short key: 4K for {constant: 4K}. The
	// nodes made for it have the place and the --set of the value, for errors.
	bare := n.Kind != yaml.MappingNode && o.short != "" && !isNull(n)
	if bare {
		n = &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Value: o.short, Line: n.Line, Column: n.Column}, n,
		}}
		if set := d.origin[n.Content[1]]; set != "" {
			d.origin[n], d.origin[n.Content[0]] = set, set
		}
	}
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, o.describe())
	}
	given := make(map[string]bool, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		f := o.find(key.Value)
		if f == nil {
			return d.errorf(key, "%s", unknown("key", key.Value, o.keys()))
		}
		if err := o.checkRivals(d, key, given); err != nil {
			return err
		}
		given[f.key] = true
		// Messages name the innermost key, but not the short key that the user left out.
		outer := d.key
		if !bare {
			d.key = f.key
		}
		if err := d.value(f.typ, v, f.at(p)); err != nil {
			return err
		}
		d.key = outer
		if f.then != nil {
			f.then(p)
		}
	}
	// What needs several keys is checked last, when all of them have been read.
	if err := o.checkMissing(d, n, given); err != nil {
		return err
	}
	if o.check == nil {
		return nil
	}
	return o.check(d, n, p)
}

// checkRivals refuses a key that excludes one of those given before it.
func (o *object) checkRivals(d *decoder, key *yaml.Node, given map[string]bool) error {
	if g := o.rivals(key.Value); g != nil {
		for _, k := range g.keys {
			if given[k] {
				return d.errorf(key, "%s and %s are both given: want one of %s", k, key.Value, strings.Join(g.keys, ", "))
			}
		}
	}
	return nil
}

// checkMissing refuses a mapping without a required key, or without any of a required
// group.
func (o *object) checkMissing(d *decoder, n *yaml.Node, given map[string]bool) error {
	for i := range o.fields {
		if f := &o.fields[i]; f.required && !given[f.key] {
			return d.errorf(n, "%s is missing (%s)", f.key, o.name)
		}
	}
	for _, g := range o.groups {
		// checkRivals has refused a second key of the group, so one or none is given.
		some := !g.required
		for _, k := range g.keys {
			some = some || given[k]
		}
		if !some {
			return d.valueErrorf(n, "want one of %s", strings.Join(g.keys, ", "))
		}
	}
	return nil
}

// encode writes the keys in the order of the table, so that Resolved has always the same.
func (o *object) encode(p any) *yaml.Node {
	if o.absent != nil && o.absent(p) {
		return nil
	}
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := range o.fields {
		f := &o.fields[i]
		if f.omit != nil && f.omit(p) {
			continue
		}
		// A value that need not be written is encoded as nil.
		if v := f.typ.encode(f.at(p)); v != nil {
			n.Content = append(n.Content, scalar("!!str", f.key), v)
		}
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

// keyNode is the value of a key in a mapping, or n where there is none.
func keyNode(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return n
}

// list is a list of values of one type.
type list[T any] struct {
	elem typ
	what string // "process classes"
	min  int    // fewest elements
}

func (l list[T]) describe() string { return "a list of " + l.what }

func (l list[T]) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.SequenceNode {
		return d.wrong(n, l.describe())
	}
	if len(n.Content) < l.min {
		return d.valueErrorf(n, "the list of %s is empty", l.what)
	}
	s := make([]T, len(n.Content))
	for i, c := range n.Content {
		// Each element begins with the defaults of its object.
		if o, ok := l.elem.(*object); ok {
			if err := o.defaults(d, &s[i]); err != nil {
				return err
			}
		}
		if err := d.value(l.elem, c, &s[i]); err != nil {
			return err
		}
	}
	*p.(*[]T) = s
	return nil
}

func (l list[T]) encode(p any) *yaml.Node {
	s := *p.(*[]T)
	if len(s) == 0 {
		return nil
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range s {
		// A list of scalars is written in one line.
		c := l.elem.encode(&s[i])
		if c.Kind == yaml.ScalarNode {
			n.Style = yaml.FlowStyle
		}
		n.Content = append(n.Content, c)
	}
	return n
}

func (l list[T]) element() typ { return l.elem }

// optional is an object that may be absent: a pointer.
type optional[T any] struct{ *object }

func (o optional[T]) decode(d *decoder, n *yaml.Node, p any) error {
	v := new(T)
	if err := o.object.defaults(d, v); err != nil {
		return err
	}
	*p.(**T) = v
	return d.value(o.object, n, v)
}

func (o optional[T]) encode(p any) *yaml.Node {
	if v := *p.(**T); v != nil {
		return o.object.encode(v)
	}
	return nil
}

// scalar is a node for a scalar.
func scalar(tag, v string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: v} }

// formatFloat is the shortest text that reads back as f.
func formatFloat(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
