package compare

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"strconv"

	"mbsim/metrics"
	"mbsim/study"
	"mbsim/study/stats"
)

// The objects of a comparison as JSON. What cannot be known is left out.
type (
	jsonPair struct {
		A        jsonSide        `json:"a"`
		B        jsonSide        `json:"b"`
		Sentence string          `json:"sentence"`
		Holm     int             `json:"holm_comparisons"` // that p_holm is corrected for
		Metrics  []jsonEffect    `json:"metrics"`
		Keys     []KeyDifference `json:"config_differences"`
		Warnings []string        `json:"warnings"`
	}
	jsonSide struct {
		Name     string `json:"name"`
		Scenario string `json:"scenario"`
		Setting  string `json:"setting,omitempty"`
		Runs     int    `json:"runs"`
		Version  string `json:"version"`
	}
	jsonEffect struct {
		Name       string         `json:"name"`
		Unit       string         `json:"unit"`
		Better     string         `json:"better"`
		A          jsonMean       `json:"a"`
		B          jsonMean       `json:"b"`
		Difference jsonDifference `json:"difference"`
		Verdict    study.Verdict  `json:"verdict"`
		Doubtful   bool           `json:"doubtful,omitempty"`
	}
	jsonMean struct {
		N    int      `json:"n"`
		Mean float64  `json:"mean"`
		SD   *float64 `json:"sd,omitempty"`
		Half *float64 `json:"ci95_half,omitempty"`
	}
	jsonDifference struct {
		Paired   bool     `json:"paired"`
		N        int      `json:"n"`
		Mean     float64  `json:"mean"`
		Half     *float64 `json:"ci95_half,omitempty"`
		Relative *float64 `json:"relative,omitempty"` // of the first mean
		RelHalf  *float64 `json:"relative_ci95_half,omitempty"`
		P        *float64 `json:"p,omitempty"`
		Holm     *float64 `json:"p_holm,omitempty"`
		Signs    *float64 `json:"p_permutation,omitempty"`
	}
)

// WriteJSON writes a comparison as an object.
func (c *Pair) WriteJSON(w io.Writer) error {
	out := jsonPair{A: c.A.json(), B: c.B.json(), Sentence: c.Sentence(), Holm: c.Family,
		Metrics: []jsonEffect{}, Keys: c.Keys, Warnings: c.Warnings}
	// Lists are never null, which programs would have to expect.
	if out.Keys == nil {
		out.Keys = []KeyDifference{}
	}
	if out.Warnings == nil {
		out.Warnings = []string{}
	}
	// A line for each metric; p needs two pairs at least.
	for _, e := range c.Effects {
		m := metricOf(e)
		relative, relHalf := e.Relative()
		d := &e.Difference
		j := jsonEffect{Name: e.Metric, Unit: m.Unit, Better: m.Better.String(), A: meanJSON(e.A), B: meanJSON(e.B), Verdict: e.Verdict, Doubtful: e.Doubtful(),
			Difference: jsonDifference{Paired: e.Paired, N: d.N, Mean: d.Value, Half: finite(d.Half), Relative: finite(relative), RelHalf: finite(relHalf), Holm: finite(e.Holm), Signs: finite(e.Signs)}}
		if d.N > 1 {
			j.Difference.P = finite(d.P)
		}
		out.Metrics = append(out.Metrics, j)
	}
	return writeJSON(w, out)
}

// writeJSON writes v indented, with signs such as < as they are.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// json is the side as an object.
func (s *Side) json() jsonSide {
	return jsonSide{s.Name, s.Scenario, s.Setting, len(s.Samples), s.Version}
}

// meanJSON is a mean as an object.
func meanJSON(m stats.Mean) jsonMean {
	return jsonMean{m.N, m.Value, finite(m.SD), finite(m.Half)}
}

// metricOf describes an effect's metric; one that is not known has a name only.
func metricOf(e *study.Effect) metrics.Metric {
	id, err := metrics.Find(e.Metric)
	if err != nil {
		return metrics.Metric{Name: e.Metric}
	}
	return metrics.At(id)
}

// csvHead are the columns of a comparison as CSV; of a study the first are the
// settings compared.
var csvHead = []string{"a", "b", "metric", "unit", "better", "n", "mean_a", "ci95_half_a", "mean_b", "ci95_half_b",
	"difference", "ci95_half_difference", "relative", "ci95_half_relative", "p", "p_holm", "verdict", "doubtful"}

// WriteCSV writes comparisons, a line a metric. A cell is empty where there is
// nothing.
func WriteCSV(w io.Writer, pairs []*Pair) error {
	c := csv.NewWriter(w)
	if err := c.Write(csvHead); err != nil {
		return err
	}
	for _, p := range pairs {
		for _, e := range p.Effects {
			if err := c.Write(csvLine(p.A.Name, p.B.Name, e)); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// csvLine is the line of one effect.
func csvLine(a, b string, e *study.Effect) []string {
	m, d := metricOf(e), &e.Difference
	relative, relHalf := e.Relative()
	// Fewer than two pairs have no p.
	p := d.P
	if d.N < 2 {
		p = math.NaN()
	}
	return []string{a, b, e.Metric, m.Unit, m.Better.String(), strconv.Itoa(d.N), cell(e.A.Value), cell(e.A.Half), cell(e.B.Value), cell(e.B.Half),
		cell(d.Value), cell(d.Half), cell(relative), cell(relHalf), cell(p), cell(e.Holm), string(e.Verdict), strconv.FormatBool(e.Doubtful())}
}

// cell is a number in a CSV file, "" where it is not known.
func cell(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// WriteSettingsCSV writes every metric of every setting of a study with its
// difference to the baseline, a line a setting and metric.
func WriteSettingsCSV(w io.Writer, r *study.Result, opt Options) error {
	names, err := chosen(opt)
	if err != nil {
		return err
	}
	c := csv.NewWriter(w)
	if err := c.Write(csvHead); err != nil {
		return err
	}
	// The baseline has no difference to itself.
	for _, name := range names {
		for i, e := range r.Effects(name) {
			if e == nil || e.Difference.N == 0 {
				continue
			}
			if err := c.Write(csvLine(r.Baseline, r.Settings[i].Name, e)); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// WriteSettingsJSON writes a study as study.json has it, without the checksum.
func WriteSettingsJSON(w io.Writer, r *study.Result) error { return writeJSON(w, r) }
