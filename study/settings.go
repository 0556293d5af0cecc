package study

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"mbsim/scenarios"
)

// point is a setting whose scenario has not been read yet.
type point struct {
	variant string
	own     int // number of values, from the first on, that the variant's name stands for
	values  []Value
}

// Value is what a setting gives a key.
type Value struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// set is the value as --set takes it.
func (v Value) set() string { return v.Key + "=" + v.Value }

// defaultName is the setting that sets nothing. It joins a study that names it as
// the baseline.
const defaultName = "default"

// name is the setting's name: the variant, and what it sets beside that.
func (p *point) name() string {
	var parts []string
	if p.variant != "" {
		parts = append(parts, p.variant)
	}
	for _, v := range p.values[p.own:] {
		parts = append(parts, v.set())
	}
	if len(parts) == 0 {
		return defaultName
	}
	return strings.Join(parts, ",")
}

// isDefault says whether all that the point sets are tunables, at what the kernel has if
// nobody sets them.
func (p *point) isDefault() bool {
	for _, v := range p.values {
		if !scenarios.IsDefault(v.Key, v.Value) {
			return false
		}
	}
	return p.variant == "" && len(p.values) > 0
}

// dimension is one factor of the product of which settings are made.
type dimension []point

// dimensions returns those of the sweep and the options: variants, the grid, and the Latin
// hypercube. A --set replaces what the sweep says of its key.
func (q *request) dimensions(s *scenarios.Scenario) (dims []dimension, axes []scenarios.Axis, err error) {
	sweep := s.Sweep
	if sweep == nil {
		sweep = &scenarios.Sweep{}
	}
	// Variants are one dimension. A --set may not change what their names stand for.
	var variants dimension
	for _, v := range sweep.Variants {
		p := point{variant: v.Name}
		for _, set := range v.Sets {
			key := scenarios.KeyOf(set)
			if q.overrides(key) {
				return nil, nil, userErrorf("--set %s=...: the variant %s of the sweep sets it", key, v.Name)
			}
			_, value, _ := strings.Cut(set, "=")
			p.values = append(p.values, Value{key, value})
		}
		p.own = len(p.values)
		variants = append(variants, p)
	}
	if variants != nil {
		dims = append(dims, variants)
	}
	// Axes of the grid: the sweep's that no --set replaces, and then those of the options.
	for _, a := range sweep.Grid {
		if !q.overrides(a.Key) {
			axes = append(axes, a)
		}
	}
	axes = append(axes, q.axes...)
	for _, a := range axes {
		var d dimension
		for _, v := range a.Values {
			d = append(d, point{values: []Value{{a.Key, v}}})
		}
		dims = append(dims, d)
	}
	// All points of the hypercube together are one dimension.
	if sweep.LHS != nil {
		if d := q.hypercube(sweep.LHS, s.Seed); d != nil {
			dims = append(dims, d)
		}
	}
	return dims, axes, nil
}

// points returns the product of all dimensions that the constraint leaves. The first dimension
// changes slowest.
func (q *request) points(dims []dimension, c *scenarios.Constraint) ([]point, error) {
	all := []point{{}}
	// Multiply dimension by dimension, and give up before the product fills memory: a
	// constraint may still leave few enough of it.
	for _, d := range dims {
		if len(all)*len(d) > 100*maxSettings {
			return nil, userErrorf("the sweep has more than %d combinations: want fewer values, or lhs", 100*maxSettings)
		}
		var next []point
		for _, p := range all {
			for _, x := range d {
				// Variants are the first dimension, so what they set comes first.
				next = append(next, point{p.variant + x.variant, p.own + x.own, append(slices.Clip(p.values), x.values...)})
			}
		}
		all = next
	}
	// Keep what the constraint allows.
	if c != nil {
		var kept []point
		for _, p := range all {
			ok, err := c.Holds(func(key string) string { return q.value(&p, key) })
			if err != nil {
				return nil, &UserError{err}
			}
			if ok {
				kept = append(kept, p)
			}
		}
		if all = kept; len(all) == 0 {
			return nil, userErrorf("constraint %q leaves no setting", c.Text)
		}
	}
	if len(all) > maxSettings {
		return nil, userErrorf("the sweep has %d settings: at most %d are allowed; want fewer values, or lhs", len(all), maxSettings)
	}
	return all, nil
}

// value is the value of a key at a point, or the one that a --set fixes, or "".
func (q *request) value(p *point, key string) string {
	for _, v := range p.values {
		if v.Key == key {
			return v.Value
		}
	}
	for _, set := range q.fixed {
		if scenarios.KeyOf(set) == key {
			_, value, _ := strings.Cut(set, "=")
			return value
		}
	}
	return ""
}

// hypercube draws the points of a Latin hypercube: each range is cut into as many strata as
// there are points, and each stratum holds one of them. Points that rounding to whole numbers
// makes equal are one.
func (q *request) hypercube(l *scenarios.LHS, seed uint64) dimension {
	points := make([]point, l.Points)
	some := false
	for _, r := range l.Ranges {
		if q.overrides(r.Key) {
			continue
		}
		some = true
		// Each range has a stream of its own, so that another range changes no value of this one.
		rng := rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "lhs %d %s", seed, r.Key))))
		for i, stratum := range rng.Perm(l.Points) {
			// A random place within the stratum.
			u := (float64(stratum) + rng.Float64()) / float64(l.Points)
			points[i].values = append(points[i].values, Value{r.Key, rangeValue(&r, u)})
		}
	}
	if !some {
		return nil
	}
	// Drop points that are there already.
	seen := make(map[string]bool)
	return slices.DeleteFunc(dimension(points), func(p point) bool {
		twice := seen[p.name()]
		seen[p.name()] = true
		return twice
	})
}

// rangeValue is the value at share u, from 0 to 1, of a range, as --set takes it.
func rangeValue(r *scenarios.Range, u float64) string {
	low, high := r.Min, r.Max
	if r.Whole {
		high++ // each whole number has a part of the range as large as any other's
	}
	v := low + u*(high-low)
	if r.Log {
		v = low * math.Pow(high/low, u)
	}
	if r.Whole {
		return fmt.Sprintf("%.0f", min(math.Floor(v), r.Max))
	}
	v, _ = strconv.ParseFloat(fmt.Sprintf("%.4g", v), 64) // four digits, and no exponent
	return strconv.FormatFloat(v, 'f', -1, 64)
}
