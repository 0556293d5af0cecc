package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// Sweep is which settings a study of the scenario compares. It is no part of a
// run: Resolved and Digest leave it out.
type Sweep struct {
	Grid         []Axis
	LHS          *LHS
	Variants     []Variant
	Constraint   *Constraint // nil where every combination is wanted
	Replications int         // 0 where the scenario does not say
	Until        *Until
	Baseline     string // the setting that the others are compared with, "" for the first
}

// Axis is a key and the values that a sweep gives it, as --set takes them.
type Axis struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// LHS is a latin hypercube sample: each key's range is cut into as many equal
// parts as there are points, and each part is used once.
type LHS struct {
	Points int
	Ranges []Range
}

// Range is what a latin hypercube draws a key's values from.
type Range struct {
	Key      string
	Min, Max float64
	Whole    bool // whole numbers: both bounds are
	Log      bool // each factor as likely as any other
}

// Variant is several keys set at once, under one name.
type Variant struct {
	Name string
	Sets []string // key=value, in the file's order
}

// Until adds replications until the differences are known well enough.
type Until struct {
	CI     float64 // half the width of the confidence interval, as a share
	Max    int     // replications
	Metric string  // "" for the study's headline
}

// KeyOf is the key of a key=value, under the name that a setting is known by.
func KeyOf(set string) string {
	key, _, _ := strings.Cut(set, "=")
	return CanonicalKey(key)
}

// CanonicalKey is a tunable's field, whichever of its names is given, and any
// other key as it is.
func CanonicalKey(key string) string {
	if t, ok := findTunable(strings.TrimPrefix(key, "tunables.")); ok {
		return t.Field
	}
	return key
}

// typeAt is the type of what a key of --set leads to, nil if it leads nowhere.
func typeAt(key string) typ {
	if _, ok := findTunable(key); ok {
		return whole{}
	}
	var t typ = scenarioKeys()
	// Each part leads one step down: to an element of a list, a tunable, or a key of an object.
	for _, part := range strings.Split(key, ".") {
		switch at := t.(type) {
		case listOf:
			t = at.element()
			continue // part is the element's name or number
		case tunablesType:
			t = whole{}
			continue
		}
		o := belowOf(t)
		if o == nil {
			return nil
		}
		f := o.find(part)
		if f == nil {
			return nil
		}
		t = f.typ
	}
	return t
}

// trial reads the scenario with further keys set, to find what is wrong with
// them. What is wrong only in combination is not found.
func (d *decoder) trial(sets []string) error {
	// The trial is on a copy, since a --set changes nodes. The copy has no sweep: to read it would
	// try its settings again, without end.
	t := newDecoder(d.text, d.file, Options{Metrics: d.known})
	root := &yaml.Node{Kind: yaml.MappingNode, Line: d.root.Line, Column: d.root.Column}
	for i := 0; i < len(d.root.Content); i += 2 {
		if key := d.root.Content[i]; key.Value != "sweep" {
			root.Content = append(root.Content, d.copyTo(t, key), d.copyTo(t, d.root.Content[i+1]))
		}
	}
	// From here on as in Parse, without what it checks of the whole.
	keys := scenarioKeys()
	for _, set := range sets {
		if err := t.set(keys, root, set); err != nil {
			return err
		}
	}
	s := &Scenario{File: d.file, Dir: d.dir}
	if err := keys.defaults(t, s); err != nil {
		return err
	}
	return t.value(keys, root, s)
}

// copyTo is a copy of a node and all below it, for another decoder.
func (d *decoder) copyTo(t *decoder, n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i := range n.Content {
		c.Content[i] = d.copyTo(t, n.Content[i])
	}
	if set := d.origin[n]; set != "" {
		t.origin[&c] = set
	}
	return &c
}

// CheckSweepKey refuses keys that make no setting.
func CheckSweepKey(key string) error {
	switch first, _, _ := strings.Cut(key, "."); first {
	case "seed":
		return errors.New("a study keeps the seed, so that settings can be compared: want replications")
	case "sweep", "name", "question", "expect":
		return fmt.Errorf("%s does not change the run: it makes no setting", first)
	}
	return nil
}

// checkSets tries key=value pairs that a sweep sets, the last of which has its
// key at k and its value at n.
func (d *decoder) checkSets(k, n *yaml.Node, sets []string) error {
	last := sets[len(sets)-1]
	if err := CheckSweepKey(k.Value); err != nil {
		return d.errorf(k, "%v", err)
	}
	// A key that leads nowhere is the mistake itself, and not its value.
	if typeAt(k.Value) == nil {
		n = k
	}
	// The user wrote no --set: a mistake in the last pair is reported at its place in the file.
	err := d.trial(sets)
	if e, ok := err.(*Error); ok && e.Set == oneLine(last) {
		return d.errorf(n, "%s", e.Message)
	}
	return err
}

// checkSweep refuses a sweep in which a key varies in two ways, the constraint names a key
// that does not vary, or a variant's name is missing or taken.
func checkSweep(d *decoder, n *yaml.Node, p any) error {
	s := p.(*Sweep)
	swept := make(map[string]string)
	// A key belongs to one part of the sweep, whichever of its names is used.
	claim := func(key, by string) error {
		key = CanonicalKey(key)
		if other, twice := swept[key]; twice {
			return d.errorf(n, "%s is in %s and in %s of the sweep", key, other, by)
		}
		swept[key] = by
		return nil
	}
	for _, a := range s.Grid {
		if err := claim(a.Key, "grid"); err != nil {
			return err
		}
	}
	if s.LHS != nil {
		for _, r := range s.LHS.Ranges {
			if err := claim(r.Key, "lhs"); err != nil {
				return err
			}
		}
	}
	// A constraint chooses among the values of keys that vary.
	if s.Constraint != nil {
		for _, key := range s.Constraint.Keys() {
			if _, ok := swept[CanonicalKey(key)]; !ok {
				return d.errorf(keyNode(n, "constraint"), "constraint: %s is neither in grid nor in lhs", key)
			}
		}
	}
	// Results tell variants apart by name. What a variant sets must not vary besides.
	names := make(map[string]bool)
	for _, v := range s.Variants {
		if v.Name == "" || names[v.Name] || hasControl(v.Name) {
			return d.errorf(keyNode(n, "variants"), "variant name %q: want one that no other variant has", v.Name)
		}
		names[v.Name] = true
		for _, set := range v.Sets {
			if by, twice := swept[KeyOf(set)]; twice {
				return d.errorf(keyNode(n, "variants"), "variant %s sets %s, which is in %s too", v.Name, KeyOf(set), by)
			}
		}
	}
	return nil
}

// format is a value of the range as --set takes it.
func (r *Range) format(v float64) string {
	if r.Whole {
		return fmt.Sprintf("%.0f", v)
	}
	return formatFloat(v)
}
