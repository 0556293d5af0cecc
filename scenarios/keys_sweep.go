package scenarios

import (
	"fmt"
	"math"
	"strings"

	"gopkg.in/yaml.v3"
)

func sweepKeys() *object {
	s := func(p any) *Sweep { return p.(*Sweep) }
	return &object{name: "sweep", check: checkSweep,
		doc: "Settings that mbsim sweep compares: every variant with every combination of the grid and every point of the latin hypercube. mbsim run leaves it aside.",
		fields: []field{
			{key: "grid", typ: gridType{}, at: func(p any) any { return &s(p).Grid }, auto: "none",
				doc: "Values of each key (as --set takes it): a list, or a range such as 0..9, 16..64+16 or 16..1024*2."},
			{key: "lhs", typ: optional[LHS]{lhsKeys()}, at: func(p any) any { return &s(p).LHS }, auto: "none",
				doc: "A latin hypercube sample, for more keys than a grid can take."},
			{key: "variants", typ: list[Variant]{elem: variantKeys(), what: "variants", min: 1}, at: func(p any) any { return &s(p).Variants }, auto: "none",
				doc: "Several keys set at once, under a name."},
			{key: "constraint", typ: constraintType{}, at: func(p any) any { return &s(p).Constraint }, auto: "none",
				doc: `Which combinations are wanted: comparisons of keys of grid and lhs, joined by &&, such as "s_mb_min_to_scan <= s_mb_max_to_scan".`},
			{key: "replications", typ: whole{min: 1, max: 100000}, at: func(p any) any { return &s(p).Replications }, auto: "5; 1 for a script",
				unit: "runs", doc: "Runs of each setting. Replication r draws the same random numbers in all settings."},
			{key: "until", typ: optional[Until]{untilCIKeys()}, at: func(p any) any { return &s(p).Until }, auto: "none",
				doc: "Adds replications until the differences are known well enough."},
			{key: "baseline", typ: text{what: "setting"}, at: func(p any) any { return &s(p).Baseline }, auto: "the first setting",
				doc: "The setting that the others are compared with; default for the scenario as it is."},
		}}
}

func lhsKeys() *object {
	l := func(p any) *LHS { return p.(*LHS) }
	return &object{name: "lhs", fields: []field{
		{key: "n", typ: whole{min: 1, max: maxSettings}, at: func(p any) any { return &l(p).Points }, unit: "points", required: true, doc: "How many settings."},
		{key: "keys", typ: rangesType{}, at: func(p any) any { return &l(p).Ranges }, required: true,
			doc: "The range of each key: {min, max, log}. With whole bounds the values are whole; with log each factor is as likely as any other."},
	}}
}

func rangeKeys() *object {
	r := func(p any) *Range { return p.(*Range) }
	bound := number{min: -1e15, max: 1e15}
	return &object{name: "lhs range", fields: []field{
		{key: "min", typ: bound, at: func(p any) any { return &r(p).Min }, required: true, doc: "The least value."},
		{key: "max", typ: bound, at: func(p any) any { return &r(p).Max }, required: true, doc: "The greatest value."},
		{key: "log", typ: boolean{}, at: func(p any) any { return &r(p).Log }, def: "false", doc: "Each factor as likely as any other."},
	}}
}

func variantKeys() *object {
	v := func(p any) *Variant { return p.(*Variant) }
	return &object{name: "variant", fields: []field{
		{key: "name", typ: text{what: "name"}, at: func(p any) any { return &v(p).Name }, required: true, doc: "Its name in results."},
		{key: "set", typ: assignType{}, at: func(p any) any { return &v(p).Sets }, required: true, doc: "Values of keys, as --set takes them."},
	}}
}

func untilCIKeys() *object {
	u := func(p any) *Until { return p.(*Until) }
	return &object{name: "sweep until", fields: []field{
		{key: "ci", typ: share{}, at: func(p any) any { return &u(p).CI }, required: true,
			doc: "Half the width of the 95% interval of every difference to the baseline, as a share of the baseline's mean (of the mean itself with one setting)."},
		{key: "max", typ: whole{min: 2, max: 100000}, at: func(p any) any { return &u(p).Max }, def: "100", unit: "runs", doc: "Replications at most."},
		{key: "metric", typ: text{what: "metric", known: func(d *decoder) []string { return d.known }}, at: func(p any) any { return &u(p).Metric },
			auto: "the study's headline", doc: "Of which metric."},
	}}
}

// gridType is a mapping of keys to values. The Go value is []Axis.
type gridType struct{}

func (gridType) describe() string { return "a mapping of keys to lists of values" }

func (t gridType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, t.describe())
	}
	var axes []Axis
	combinations := 1
	for i := 0; i < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		// A list gives values and ranges one by one; a scalar alone is one text that may hold
		// several.
		nodes := []*yaml.Node{v}
		if v.Kind == yaml.SequenceNode {
			nodes = v.Content
		}
		a := Axis{Key: CanonicalKey(key.Value)}
		if len(nodes) == 0 {
			return d.errorf(v, "%s: the list of values is empty", key.Value)
		}
		for _, c := range nodes {
			// The value becomes the text that --set would take, so that both obey the same rules.
			value, err := d.setValue(key.Value, c)
			if err != nil {
				return err
			}
			values := []string{value}
			if c.Kind == yaml.ScalarNode {
				// Commas separate values only where one text is all that the key has.
				values, err = expand(key.Value, value, v == c)
				if err != nil {
					return d.errorf(c, "%s: %v", key.Value, err)
				}
			}
			for _, value := range values {
				if err := a.add(value); err != nil {
					return d.errorf(c, "%s: %v", key.Value, err)
				}
				// The size is checked before the trial, which decodes the whole scenario: in a
				// grid that is too large anyway, no more values are tried.
				if combinations*len(a.Values) > maxCombinations {
					return d.errorf(c, "%s: the grid has more than %d combinations: want fewer values, or lhs", key.Value, maxCombinations)
				}
				if err := d.checkSets(key, c, []string{key.Value + "=" + value}); err != nil {
					return err
				}
			}
		}
		axes = append(axes, a)
		combinations *= len(a.Values)
	}
	*p.(*[]Axis) = axes
	return nil
}

func (gridType) encode(any) *yaml.Node { return nil }

// setValue is a node as the value of a --set. Paths in a scenario are relative
// to its folder, those of a --set are not.
func (d *decoder) setValue(key string, n *yaml.Node) (string, error) {
	if n.Kind == yaml.ScalarNode {
		if isNull(n) {
			return "", d.errorf(n, "%s: want a value, found nothing", key)
		}
		// Resolved here, the path leads to the same file when it is read as that of a --set.
		if _, ok := typeAt(key).(pathType); ok {
			return resolve(d.dir, n.Value), nil
		}
		if _, ok := typeAt(key).(scriptType); ok && !strings.Contains(n.Value, "\n") {
			return resolve(d.dir, n.Value), nil
		}
		return n.Value, nil
	}
	// A list of mount options becomes the text with commas that mount -o takes.
	if _, ok := typeAt(key).(mountType); ok {
		var mount string
		if err := (mountType{}).decode(d, n, &mount); err != nil {
			return "", err
		}
		return mount, nil
	}
	// Any other list or mapping becomes YAML in one line, as a user would write it after --set.
	flow := *n
	flow.Style = yaml.FlowStyle
	raw, err := yaml.Marshal(&flow)
	if err != nil {
		return "", d.errorf(n, "%s: %v", key, err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// rangesType is a mapping of keys to ranges. The Go value is []Range.
type rangesType struct{}

func (rangesType) describe() string { return "a mapping of keys to {min, max, log}" }

func (t rangesType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		return d.wrong(n, t.describe())
	}
	var ranges []Range
	o := rangeKeys()
	for i := 0; i < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		r := Range{Key: CanonicalKey(key.Value)}
		if err := o.defaults(d, &r); err != nil {
			return err
		}
		if err := d.value(o, v, &r); err != nil {
			return err
		}
		// Whole numbers are drawn only where both bounds are written as such: a bound of 1.0 asks
		// for fractions.
		r.Whole = r.Min == math.Trunc(r.Min) && r.Max == math.Trunc(r.Max) &&
			wholeText().MatchString(keyNode(v, "min").Value) && wholeText().MatchString(keyNode(v, "max").Value)
		switch {
		case r.Min >= r.Max:
			return d.errorf(v, "%s: max must be above min", key.Value)
		case r.Log && r.Min <= 0:
			return d.errorf(keyNode(v, "min"), "%s: with log, min must be above 0", key.Value)
		}
		// The bounds are tried as settings. What lies between them is taken to be as good.
		for _, bound := range []float64{r.Min, r.Max} {
			if err := d.checkSets(key, v, []string{key.Value + "=" + r.format(bound)}); err != nil {
				return err
			}
		}
		ranges = append(ranges, r)
	}
	*p.(*[]Range) = ranges
	return nil
}

func (rangesType) encode(any) *yaml.Node { return nil }

// assignType is a mapping of keys to a value each. The Go value is []string of
// key=value.
type assignType struct{}

func (assignType) describe() string { return "a mapping of keys to values" }

func (t assignType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.MappingNode {
		return d.wrong(n, t.describe())
	}
	sets := []string{}
	seen := make(map[string]bool)
	for i := 0; i < len(n.Content); i += 2 {
		key, v := n.Content[i], n.Content[i+1]
		value, err := d.setValue(key.Value, v)
		if err != nil {
			return err
		}
		// Both names of a tunable count as one key.
		set := fmt.Sprintf("%s=%s", CanonicalKey(key.Value), canonicalValue(key.Value, value))
		if seen[KeyOf(set)] {
			return d.errorf(key, "%s is given twice", KeyOf(set))
		}
		seen[KeyOf(set)] = true
		sets = append(sets, set)
		// All pairs so far are tried together, as one may need another.
		if err := d.checkSets(key, v, sets); err != nil {
			return err
		}
	}
	*p.(*[]string) = sets
	return nil
}

func (assignType) encode(any) *yaml.Node { return nil }

// constraintType is an expression. The Go value is *Constraint.
type constraintType struct{}

func (constraintType) describe() string {
	return `comparisons joined by &&, such as "s_mb_min_to_scan <= s_mb_max_to_scan"`
}

func (t constraintType) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return d.wrong(n, t.describe())
	}
	c, err := ParseConstraint(n.Value)
	if err != nil {
		return d.errorf(n, "constraint: %v", err)
	}
	*p.(**Constraint) = c
	return nil
}

func (constraintType) encode(any) *yaml.Node { return nil }
