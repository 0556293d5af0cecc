package reports

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"mbsim/metrics"
)

// verdict is an expectation of the scenario and whether the run met it.
type verdict struct {
	Text, Value string
	Met         bool
}

// verdicts are the expectations that the resolved scenario has.
func verdicts(r *Run) (out []verdict) {
	// Nobody expected anything of half a run.
	if r.Manifest.Interrupted {
		return nil
	}
	// The expectations are in the resolved scenario, so that a stored run has them too.
	var config struct {
		Expect []struct {
			Metric, Stat, Op string
			Value            float64
		}
	}
	if json.Unmarshal(r.Manifest.Config, &config) != nil {
		return nil
	}
	// A metric without a value does not meet an expectation.
	for _, e := range config.Expect {
		v := verdict{Text: fmt.Sprintf("%s %s %s", e.Metric, sign(e.Op), number(e.Value)), Value: "no value"}
		if e.Stat != "last" {
			v.Text = e.Stat + " of " + v.Text
		}
		if got, err := r.Result.Stat(e.Metric, e.Stat); err == nil {
			v.Value, v.Met = strconv.FormatFloat(got, 'g', 6, 64), holds(got, e.Op, e.Value)
		}
		if !r.Result.Applies(e.Metric) {
			v.Value, v.Met = "not applicable", true
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

// holds says whether v meets a limit. An operator that no scenario can have is not met.
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
		// A tile has no room for a unit, except the sign of shares.
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

// rowOf is the row of one metric: the value of each run, and its change from the first run's.
func rowOf(runs []*Run, id metrics.ID) metricRow {
	m := metrics.At(id)
	row := metricRow{Name: m.Name, Unit: m.Unit, Doc: m.Doc, Headline: m.Headline}
	if m.Better != metrics.Neither {
		row.Better = m.Better.String()
	}
	// NaN where the first run has no value: then there is nothing to compare with.
	first := lastRow(runs[0])[id]
	for i, r := range runs {
		v := lastRow(r)[id]
		var c metricCell
		if !math.IsNaN(v) {
			// The unit stands in its own column, so that only a different one is written here.
			value, unit := human(v, m.Unit)
			switch {
			case unit == "%":
				value += "%"
			case unit != m.Unit:
				value += " " + unit
			}
			c.Value = value
			// One run against one run is no evidence that anything is better: the word says only which
			// way it went. A value that is the same has no change to show.
			if i > 0 && !math.IsNaN(first) {
				c.Change, c.Word = relative(first, v, m.Unit), changeWord(v-first, metrics.Neither)
				if v == first {
					c.Change = ""
				}
			}
		}
		row.Cells = append(row.Cells, c)
	}
	return row
}
