package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mbsim/metrics"
)

// verdict is an expectation of the scenario and whether the run met it.
type verdict struct {
	Text, Value string
	Met         bool
}

// verdicts are the expectations that the resolved scenario has.
func verdicts(r *Run) (out []verdict) {
	var config struct {
		Expect []struct {
			Metric, Stat, Op string
			Value            float64
		}
	}
	if json.Unmarshal(r.Manifest.Config, &config) != nil {
		return nil
	}
	for _, e := range config.Expect {
		v := verdict{Text: fmt.Sprintf("%s %s %s", e.Metric, sign(e.Op), number(e.Value)), Value: "no value"}
		if e.Stat != "last" {
			v.Text = e.Stat + " of " + v.Text
		}
		if got, err := r.Result.Stat(e.Metric, e.Stat); err == nil {
			v.Value, v.Met = strconv.FormatFloat(got, 'g', 6, 64), holds(got, e.Op, e.Value)
		}
		out = append(out, v)
	}
	return out
}

// sign is a comparison as people write it.
func sign(op string) string {
	switch op {
	case "<=":
		return "≤"
	case ">=":
		return "≥"
	case "==":
		return "="
	}
	return op
}

func holds(v float64, op string, limit float64) bool {
	switch op {
	case "<":
		return v < limit
	case "<=":
		return v <= limit
	case "==":
		return v == limit
	case ">=":
		return v >= limit
	case ">":
		return v > limit
	}
	return false
}

// verdictLine says in a sentence how many expectations are met.
func verdictLine(all []verdict) (line string, ok bool) {
	met := 0
	for _, v := range all {
		if v.Met {
			met++
		}
	}
	switch n := len(all); {
	case n == 0:
		return "The scenario expects nothing", true
	case met == n && n == 1:
		return "Its expectation is met", true
	case met == n:
		return fmt.Sprintf("All %d expectations are met", n), true
	default:
		return fmt.Sprintf("%d of %d expectations not met", n-met, n), false
	}
}

// tileMetrics are what the top of the page shows of a run, as many as it has.
var tileMetrics = []struct{ name, label string }{
	{"used_share", "of the device in use"}, {"files", "files"}, {"extents_per_file_mean", "extents a file"}, {"one_extent_share", "of files in one extent"},
	{"layout_score", "layout score"}, {"free_extents", "pieces of free space"},
	{"mb_pa_hit_share", "of requests from preallocations"}, {"mb_groups_considered_per_req", "groups considered a request"}, {"mb_lost", "chunks lost"},
	{"rsv_goal_hit_share", "of requests at their goal"}, {"rsv_groups_visited_per_req", "groups visited a request"},
}

type tile struct{ Value, Label, Doc string }

func tiles(r *Run) (out []tile) {
	row := lastRow(r)
	for _, m := range tileMetrics {
		id, err := metrics.Find(m.name)
		if err != nil || !row.Has(id) {
			continue
		}
		v, unit := human(row[id], metrics.At(id).Unit)
		v = trimZeros(v)
		if unit == "%" {
			v += "%"
		}
		out = append(out, tile{v, m.label, metrics.At(id).Doc})
	}
	return out
}

// lastRow is what expectations and tables take of a run: the measured phases'
// values, where there are any.
func lastRow(r *Run) metrics.Row {
	if r.Result.Measured != nil {
		return r.Result.Measured
	}
	return r.Result.Final
}

// metricGroup is a group of metrics in the page's table.
type metricGroup struct {
	Name string
	Rows []metricRow
}

type metricRow struct {
	Name, Unit, Better, Doc string
	Cells                   []metricCell // a run each
	Headline                bool
}

type metricCell struct {
	Value  string
	Change string // to the first run
	Word   string // for the better or the worse
}

// metricGroups are all metrics that any run has.
func metricGroups(runs []*Run) (out []metricGroup) {
	for _, h := range metrics.Headings() {
		g := metricGroup{Name: h.Name}
		for _, id := range h.Metrics {
			if slices.ContainsFunc(runs, func(r *Run) bool { return lastRow(r).Has(id) }) {
				g.Rows = append(g.Rows, rowOf(runs, id))
			}
		}
		if len(g.Rows) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func rowOf(runs []*Run, id metrics.ID) metricRow {
	m := metrics.At(id)
	row := metricRow{Name: m.Name, Unit: m.Unit, Doc: m.Doc, Headline: m.Headline}
	if m.Better != metrics.Neither {
		row.Better = m.Better.String()
	}
	first := lastRow(runs[0])[id]
	for i, r := range runs {
		v := lastRow(r)[id]
		var c metricCell
		if !math.IsNaN(v) {
			value, unit := human(v, m.Unit)
			switch {
			case unit == "%":
				value += "%"
			case unit != m.Unit:
				value += " " + unit
			}
			c.Value = value
			if i > 0 && !math.IsNaN(first) {
				c.Change, c.Word = relative(first, v, m.Unit), changeWord(v-first, m.Better)
				if v == first {
					c.Change = ""
				}
			}
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}

// leaves are the scalars of a JSON value by dotted path, in its order.
func leaves(raw json.RawMessage) (paths []string, values map[string]string) {
	values = make(map[string]string)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	add := func(path, v string) {
		paths = append(paths, path)
		values[path] = v
	}
	var walk func(path string) error
	walk = func(path string) error {
		t, err := d.Token()
		if err != nil {
			return err
		}
		below := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
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

// Changes lists, in their order, the settings of a resolved scenario that are
// others than in defaults, another one. skip says which to leave out; about gives
// the default of one that defaults lacks, "" where there is none.
func Changes(config, defaults json.RawMessage, skip func(path string) bool, about func(path string) string) (out []Change) {
	paths, values := leaves(config)
	_, usual := leaves(defaults)
	for _, p := range paths {
		was, known := usual[p]
		if skip(p) || known && was == values[p] {
			continue
		}
		if !known {
			was = about(p)
		}
		if was != values[p] {
			out = append(out, Change{p, values[p], was})
		}
	}
	return out
}

// difference is a setting that runs do not share.
type difference struct {
	Path   string
	Values []string // a run each, "" where it has none and no default is known
}

// differences are the settings of the resolved scenarios, and the seeds, that
// differ between runs. Names, questions and expectations decide nothing.
func differences(runs []*Run) (out []difference) {
	var order []string
	all := make([]map[string]string, len(runs))
	for i, r := range runs {
		paths, values := leaves(r.Manifest.Config)
		all[i] = values
		at := 0
		for _, p := range paths {
			if k := slices.Index(order, p); k >= 0 {
				at = k + 1
				continue
			}
			order = slices.Insert(order, min(at, len(order)), p)
			at++
		}
	}
	for _, p := range order {
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

// fillDefaults tells the default for the runs that leave a setting out, where the
// manifest of one that does not knows it.
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

// remarks are what one should know before one compares the runs.
func remarks(runs []*Run, diffs []difference) (out []string) {
	if len(runs) < 2 {
		return nil
	}
	version := func(r *Run) string {
		return fmt.Sprint(r.Manifest.Version, r.Manifest.Revision, r.Manifest.Modified)
	}
	var seed, load, other bool
	for _, d := range diffs {
		top, _, _ := strings.Cut(d.Path, ".")
		seed = seed || top == "seed"
		load = load || top == "workload" || top == "stop"
		other = other || top == "device"
	}
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
