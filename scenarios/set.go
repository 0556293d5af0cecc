package scenarios

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// set applies a --set: it changes the document before it is read, so that what
// is set is checked like what stands in the file.
func (d *decoder) set(keys *object, root *yaml.Node, arg string) error {
	if !utf8.ValidString(arg) || strings.ContainsRune(arg, 0) {
		return &Error{Set: oneLine(arg), Message: "not UTF-8 text"}
	}
	key, value, ok := strings.Cut(arg, "=")
	s := &setter{d: d, arg: arg, value: value}
	if !ok || key == "" {
		return s.errorf("want key=value")
	}
	// A tunable may be named without tunables., by either of its names. The tables of the language
	// have the longer form.
	path := strings.Split(key, ".")
	if t, ok := findTunable(key); ok {
		path = []string{"tunables", t.Field}
	} else if len(path) == 1 && keys.find(key) == nil {
		return s.errorf("%s", unknown("key", key, append(keys.keys(), tunableNames()...)))
	}
	return s.into(keys, root, path, "")
}

// setter is one --set.
type setter struct {
	d          *decoder
	arg, value string
}

func (s *setter) errorf(format string, a ...any) error {
	return &Error{Set: oneLine(s.arg), Message: oneLine(fmt.Sprintf(format, a...))}
}

// mark makes n and what is below come from this --set.
func (s *setter) mark(n *yaml.Node) *yaml.Node {
	s.d.origin[n] = oneLine(s.arg)
	for _, c := range n.Content {
		s.mark(c)
	}
	return n
}

// into follows the path from node n, which holds a value of type t. done is the
// way up to n, for messages.
func (s *setter) into(t typ, n *yaml.Node, path []string, done string) error {
	switch t := t.(type) {
	case *object:
		return s.intoObject(t, n, path, done)
	case expectType:
		// An expectation given as a text becomes a mapping, so that a part of it can be set.
		*n = *t.long(s.d, n)
		return s.intoObject(t.keysOf(), n, path, done)
	case objectOf:
		return s.intoObject(t.keysOf(), n, path, done)
	case listOf:
		return s.intoList(t.element(), n, path, done)
	case tunablesType:
		return s.intoTunables(n, path)
	}
	return s.errorf("%s has no key %q: it is %s", strings.TrimSuffix(done, "."), path[0], t.describe())
}

// objectOf and listOf are the types that have something below.
type objectOf interface{ keysOf() *object }
type listOf interface{ element() typ }

func (o optional[T]) keysOf() *object { return o.object }
func (expectType) keysOf() *object    { return expectKeys() }

// intoObject follows the path into an object: its first part is a key.
func (s *setter) intoObject(o *object, n *yaml.Node, path []string, done string) error {
	f := o.find(path[0])
	if f == nil {
		where := ""
		if done != "" {
			where = " in " + strings.TrimSuffix(done, ".")
		}
		return s.errorf("%s%s", unknown("key", path[0], o.keys()), where)
	}
	// A value in its short form becomes the mapping that it stands for. It changes in place, as the
	// node above refers to it.
	if n.Kind != yaml.MappingNode {
		old := *n
		*n = yaml.Node{Kind: yaml.MappingNode, Line: old.Line, Column: old.Column}
		s.d.origin[n] = oneLine(s.arg)
		if o.short != "" && !isNull(&old) {
			n.Content = []*yaml.Node{scalar("!!str", o.short), &old}
		}
	}
	// Where the scenario has phases, a class is looked for in these.
	if o.name == "workload" && path[0] == "classes" && len(path) > 1 && has(n, "phases") {
		return s.intoPhases(o, n, path)
	}
	// In a file, keys that exclude each other are a mistake. A --set replaces the other one.
	if g := o.rivals(f.key); g != nil {
		for _, k := range g.keys {
			if k != f.key {
				remove(n, k)
			}
		}
	}
	return s.put(n, f.key, f.typ, path[1:], done+f.key+".")
}

// put sets what path leads to below the key of a mapping.
func (s *setter) put(n *yaml.Node, key string, t typ, path []string, done string) error {
	if len(path) == 0 {
		// The end of the path: the new pair goes to the end of the mapping, as the order of keys
		// means nothing.
		v, err := s.parse(t)
		if err != nil {
			return err
		}
		remove(n, key)
		n.Content = append(n.Content, s.mark(scalar("!!str", key)), v)
		return nil
	}
	// What the file does not have on the way is made, empty.
	if !has(n, key) {
		below := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if _, ok := t.(listOf); ok {
			below = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		}
		n.Content = append(n.Content, s.mark(scalar("!!str", key)), s.mark(below))
	}
	return s.into(t, keyNode(n, key), path, done)
}

// intoList follows a path into an element: by number or, where elements have
// names, by name.
func (s *setter) intoList(t typ, n *yaml.Node, path []string, done string) error {
	list := strings.TrimSuffix(done, ".")
	if n.Kind != yaml.SequenceNode {
		return s.errorf("%s is no list in the scenario", list)
	}
	// An element whose name is the part of the path comes before one with that number.
	i, err := strconv.Atoi(path[0])
	var names []string
	for j, c := range n.Content {
		if name := keyNode(c, "name"); name != c {
			names = append(names, name.Value)
			if name.Value == path[0] {
				i, err = j, nil
			}
		}
	}
	switch {
	case err != nil && len(names) > 0:
		return s.errorf("%s has no element %q: it has %s", list, path[0], strings.Join(names, ", "))
	case err != nil || i < 0 || i >= len(n.Content):
		return s.errorf("%s has no element %q: it has %d, counted from 0", list, path[0], len(n.Content))
	// The path ends here: the whole element is replaced.
	case len(path) == 1:
		v, err := s.parse(t)
		if err == nil {
			n.Content[i] = v
		}
		return err
	}
	return s.into(t, n.Content[i], path[1:], done+path[0]+".")
}

// intoPhases sets something of a class by its name, in every phase that has the
// class.
func (s *setter) intoPhases(o *object, n *yaml.Node, path []string) error {
	// Every phase that has the class is changed alike: a class that goes on from one phase to the
	// next must not change on the way.
	class, some := path[1], false
	var names []string
	classes := o.find("classes").typ
	for _, ph := range keyNode(n, "phases").Content {
		list := keyNode(ph, "classes")
		if list.Kind != yaml.SequenceNode {
			continue
		}
		for _, c := range list.Content {
			// keyNode returns the class itself where it has no name.
			name := keyNode(c, "name")
			if name == c {
				continue
			}
			if !slices.Contains(names, name.Value) {
				names = append(names, name.Value)
			}
			if name.Value == class {
				some = true
				if err := s.into(classes, list, path[1:], "workload.classes."); err != nil {
					return err
				}
			}
		}
	}
	if !some {
		return s.errorf("no phase has a class %q: there are %s", class, strings.Join(names, ", "))
	}
	return nil
}

// intoTunables sets a tunable, by either of its names.
func (s *setter) intoTunables(n *yaml.Node, path []string) error {
	t, ok := findTunable(path[0])
	if !ok {
		return s.errorf("%s", unknown("tunable", path[0], tunableNames()))
	}
	if len(path) > 1 {
		return s.errorf("%s has no key %q: it is a number", t.Field, path[1])
	}
	if n.Kind != yaml.MappingNode {
		*n = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	}
	// The file may use the other name, and both together would be refused.
	remove(n, t.Sysfs)
	return s.put(n, t.Field, whole{}, nil, "")
}

// parse reads the value: as it stands where the type is a text, as YAML
// otherwise.
func (s *setter) parse(t typ) (*yaml.Node, error) {
	_, isMount := t.(mountType)
	switch t.(type) {
	case text, mountType:
		// Mount options may be a list, as in a file.
		if isMount && strings.HasPrefix(s.value, "[") {
			break
		}
		return s.mark(scalar("!!str", s.value)), nil
	case pathType, scriptType:
		return s.parsePath()
	}
	// Anything else is YAML: a number, a list or a mapping, as it would be in the file.
	doc := new(yaml.Node)
	if err := unmarshal(s.value, doc); err != nil {
		return nil, s.errorf("the value is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) != 1 {
		return nil, s.errorf("want %s, found nothing", t.describe())
	}
	v := s.mark(doc.Content[0])
	return v, s.d.plain(v)
}

// parsePath makes a path, which is relative to the current folder, independent
// of the scenario's.
func (s *setter) parsePath() (*yaml.Node, error) {
	v := s.value
	if v != "" && !strings.Contains(v, "\n") {
		abs, err := filepath.Abs(v)
		if err != nil {
			return nil, s.errorf("%v", err)
		}
		v = abs
	}
	return s.mark(scalar("!!str", v)), nil
}

// unmarshal is yaml.Unmarshal, where a panic is an error.
func unmarshal(text string, doc *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return yaml.Unmarshal([]byte(text), doc)
}

func has(n *yaml.Node, key string) bool { return keyNode(n, key) != n }

// remove removes a key from a mapping.
func remove(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
			return
		}
	}
}
