package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// leaves returns the scalars of a JSON value by their dotted paths, and the paths in the order
// of the text. Elements of a list go by their numbers.
func leaves(raw json.RawMessage) (paths []string, values map[string]string) {
	values = make(map[string]string)
	d := json.NewDecoder(bytes.NewReader(raw))
	// Numbers stay as they are written: a float64 would change the large ones.
	d.UseNumber()
	add := func(path, v string) {
		paths = append(paths, path)
		values[path] = v
	}
	// walk reads one value, with all that is below it.
	var walk func(path string) error
	walk = func(path string) error {
		t, err := d.Token()
		if err != nil {
			return err
		}
		below := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
		// The decoder hands out an object's keys and values in turns, and then its end.
		switch t {
		case json.Delim('{'):
			for d.More() {
				key, err := d.Token()
				if err == nil {
					err = walk(below(fmt.Sprint(key)))
				}
				if err != nil {
					return err
				}
			}
			_, err = d.Token()
		case json.Delim('['):
			for i := 0; d.More(); i++ {
				if err := walk(below(strconv.Itoa(i))); err != nil {
					return err
				}
			}
			_, err = d.Token()
		case nil:
			add(path, "null")
		default:
			add(path, fmt.Sprint(t))
		}
		return err
	}
	if len(raw) == 0 || walk("") != nil {
		return nil, nil
	}
	return paths, values
}

// Changes lists the settings of a resolved scenario that differ from those of defaults,
// another one, in their order. skip says which to leave out; about returns the default of one
// that defaults lacks, "" where there is none.
func Changes(config, defaults json.RawMessage, skip func(path string) bool, about func(path string) string) (out []Change) {
	paths, values := leaves(config)
	_, usual := leaves(defaults)
	for _, p := range paths {
		was, known := usual[p]
		// Equal to the default that defaults has, or asked to be left out.
		if skip(p) || known && was == values[p] {
			continue
		}
		// The key is not in defaults, but may have a default all the same.
		if !known {
			was = about(p)
		}
		if was != values[p] {
			out = append(out, Change{p, values[p], was})
		}
	}
	return out
}

// difference is a setting that the runs do not agree on.
type difference struct {
	Path   string
	Values []string // a run each, "" where it has none and no default is known
}

// differences returns the settings of the resolved scenarios, seeds included, that differ
// between runs. Names, questions and expectations are left out: they decide nothing.
func differences(runs []*Run) (out []difference) {
	// The values of all runs by path, and the order of the paths of each.
	var orders [][]string
	all := make([]map[string]string, len(runs))
	for i, r := range runs {
		paths, values := leaves(r.Manifest.Config)
		all[i] = values
		orders = append(orders, paths)
	}
	// A path that a run lacks has the value "" there.
	for _, p := range joined(orders) {
		if top, _, _ := strings.Cut(p, "."); top == "name" || top == "question" || top == "expect" {
			continue
		}
		d := difference{Path: p}
		for _, values := range all {
			d.Values = append(d.Values, values[p])
		}
		if slices.ContainsFunc(d.Values, func(v string) bool { return v != d.Values[0] }) {
			fillDefaults(&d, runs)
			out = append(out, d)
		}
	}
	return out
}

// joined merges the orders of several lists of paths into one. A path that only a later list
// has comes directly behind the path that stands before it there.
func joined(orders [][]string) (order []string) {
	known := make(map[string]bool)
	for _, paths := range orders {
		// Find where the new paths of this list belong.
		behind := make(map[string][]string) // new paths by the known one before them
		last := ""
		for _, p := range paths {
			if known[p] {
				last = p
				continue
			}
			known[p] = true
			behind[last] = append(behind[last], p)
		}
		// Insert them into the order so far.
		next := behind[""]
		for _, p := range order {
			next = append(append(next, p), behind[p]...)
		}
		order = next
	}
	return order
}

// fillDefaults replaces what is missing by the default, for runs that leave the setting out,
// if the manifest of another run knows it.
func fillDefaults(d *difference, runs []*Run) {
	for _, r := range runs {
		for _, c := range r.Manifest.Changed {
			if c.Key != d.Path || c.Default == "" {
				continue
			}
			for i, v := range d.Values {
				if v == "" {
					d.Values[i] = c.Default + " (default)"
				}
			}
		}
	}
}

// remarks are sentences that one should read before comparing the runs.
func remarks(runs []*Run, diffs []difference) (out []string) {
	if len(runs) < 2 {
		return nil
	}
	version := func(r *Run) string {
		return fmt.Sprint(r.Manifest.Version, r.Manifest.Revision, r.Manifest.Modified)
	}
	// Which kinds of settings differ.
	var seed, load, other bool
	for _, d := range diffs {
		top, _, _ := strings.Cut(d.Path, ".")
		seed = seed || top == "seed"
		load = load || top == "workload" || top == "stop"
		other = other || top == "device"
	}
	// Each kind has its own consequence.
	if seed {
		out = append(out, "The seeds differ: part of every difference is the luck of the draw.")
	}
	if load {
		out = append(out, "The workloads differ: the runs did not do the same.")
	}
	if other {
		out = append(out, "The devices differ: the runs did not start from the same state.")
	}
	if slices.ContainsFunc(runs, func(r *Run) bool { return version(r) != version(runs[0]) }) {
		out = append(out, "Different versions of mbsim made the runs.")
	}
	if len(diffs) == 0 {
		out = append(out, "The runs have the same settings.")
	}
	return append(out, "One run each: a difference is that of these runs. mbsim sweep with --reps tells how sure one can be.")
}

// compareWords compares what a line comes to in several runs.
func compareWords(l *chartLine, unit string, runs []*Run, names []string) string {
	var parts []string
	first := math.NaN()
	// Each run's value, and its change from the first run's.
	for i, r := range runs {
		v, ok := l.final(r.Result)
		if !ok {
			parts = append(parts, names[i]+" has none")
			continue
		}
		s := names[i] + " " + amount(v, unit)
		if i == 0 {
			first = v
		} else if !math.IsNaN(first) {
			s += " (" + relative(first, v, unit) + ")"
		}
		parts = append(parts, s)
	}
	return fmt.Sprintf("At the end, %s: %s.", l.subject, strings.Join(parts, ", "))
}

// relative is the change from a to b: +4.2%, of shares +1.3 points.
func relative(a, b float64, unit string) string {
	sign := "+"
	if b < a {
		sign = "−"
	}
	// Shares change by percentage points; a percentage of a percentage misleads.
	points := math.Abs(b-a) * 100
	switch {
	case a == b:
		return "the same"
	case unit == "share" && points < 0.01:
		return sign + "<0.01 pp"
	case unit == "share":
		return sign + decimals(points, 2) + " pp"
	case a == 0:
		return "from 0"
	}
	// Anything else changes by a share of what it was.
	p := points / math.Abs(a)
	switch {
	case p < 0.1:
		return sign + "<0.1%"
	case p >= 1000:
		return sign + few(math.Round(p/10)*10) + "%"
	}
	return sign + decimals(p, 1) + "%"
}

// phaseWords name the phases, where there are several.
func phaseWords(r *Run) string {
	if len(r.Result.Phases) < 2 {
		return ""
	}
	var parts []string
	for _, p := range r.Result.Phases {
		s := fmt.Sprintf("%s from %s", p.Name, r.when(p.Start))
		if p.Measured {
			s += " (measured)"
		}
		parts = append(parts, s)
	}
	return "Dashed lines are where phases begin: " + joinWords(parts) + "."
}
