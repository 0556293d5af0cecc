package reports

import (
	"fmt"
	"math"
	"strings"

	"mbsim/metrics"
)

// studyTable is the table of settings and metrics. Its cells are coloured as a heat
// map: how much better or worse than the baseline.
type studyTable struct {
	Words   string
	Metrics []metrics.Metric
	Rows    []studyRow
	Heat    heatTable
}

// heatTable shows at a glance what changes: a row for each metric and a column for each
// setting, or the other way round where there are more settings than metrics.
type heatTable struct {
	Corner  string
	Columns []string
	Rows    []heatRow
}

type heatRow struct {
	Name  string
	Cells []studyCell
}

type studyRow struct {
	Name     string
	Names    []string // the values of the keys, or the name
	Runs     int
	Baseline bool
	Cells    []studyCell
}

type studyCell struct {
	Value, Interval, Change, Word, Title string
	Tint                                 int // per cent of the colour, 0 for none
}

// table computes the table of all settings and metrics.
func (s *Study) table() *studyTable {
	t := &studyTable{Words: s.tableWords()}
	for m := range s.Metrics {
		t.Metrics = append(t.Metrics, s.metric(m))
	}
	for i := range s.Settings {
		x := &s.Settings[i]
		row := studyRow{Name: x.Name, Names: x.Values, Runs: x.Runs, Baseline: i == s.Baseline}
		if len(row.Names) == 0 {
			row.Names = []string{x.Name}
		}
		for m := range s.Metrics {
			row.Cells = append(row.Cells, s.cell(&x.Results[m], m))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Heat = s.heat(t)
	return t
}

// heat arranges the cells of the table as a heat map.
func (s *Study) heat(t *studyTable) (h heatTable) {
	var names []string
	for _, row := range t.Rows {
		names = append(names, strings.Join(row.Names, " · "))
	}
	keys := strings.Join(s.Keys, " · ")
	if keys == "" {
		keys = "setting"
	}
	// More settings than metrics: a row for each setting.
	if len(t.Rows) > len(t.Metrics) {
		h.Corner, h.Columns = keys, s.Metrics
		for i, row := range t.Rows {
			h.Rows = append(h.Rows, heatRow{names[i], row.Cells})
		}
		return h
	}
	h.Corner, h.Columns = "metric, by "+keys, names
	for m, name := range s.Metrics {
		row := heatRow{Name: name}
		for i := range t.Rows {
			row.Cells = append(row.Cells, t.Rows[i].Cells[m])
		}
		h.Rows = append(h.Rows, row)
	}
	return h
}

// Short is the cell in a heat map: what has changed, where that is known.
func (c studyCell) Short() string {
	switch c.Word {
	case "":
		return "–"
	case "~":
		return "~"
	case "same":
		return "="
	}
	return c.Change
}

// base is the baseline's mean of metric m.
func (s *Study) base(m int) float64 { return s.Settings[s.Baseline].Results[m].Mean }

// cell is what one setting came to in metric m, and how it differs from the baseline.
func (s *Study) cell(e *Estimate, m int) (c studyCell) {
	at := s.metric(m)
	if math.IsNaN(e.Mean) {
		return studyCell{Value: "–"}
	}
	c.Value = amountShort(e.Mean, at.Unit)
	if half := (e.High - e.Low) / 2; half > 0 {
		c.Interval = "± " + amountShort(half, at.Unit)
	}
	d := e.Delta
	if d == nil {
		return c
	}
	// The change is a share of the baseline's mean, where that is not zero.
	base := s.base(m)
	c.Word = d.word(at.Better)
	switch {
	case d.Mean == 0:
		c.Word = "same"
	case base != 0:
		c.Change = relative(base, base+d.Mean, at.Unit)
	default:
		c.Change = signed(d.Mean, at.Unit)
	}
	// Only evidence is coloured.
	if c.Word == "better" || c.Word == "worse" {
		c.Tint = tint(d.Mean, base)
	}
	// The interval is shown when the reader points at the cell.
	if !math.IsNaN(d.Low) && !math.IsNaN(d.High) {
		c.Title = fmt.Sprintf("difference %s, %g%% interval %s to %s", signed(d.Mean, at.Unit), s.Confidence*100, signed(d.Low, at.Unit), signed(d.High, at.Unit))
		if !math.IsNaN(d.P) {
			c.Title += fmt.Sprintf(", p %.2g", d.P)
		}
	}
	return c
}

// tint is how strong the colour of a change is, in per cent. It grows with the square root, so
// that small changes are seen too.
func tint(change, base float64) int {
	share := 1.
	if base != 0 {
		share = min(1, math.Abs(change/base))
	}
	return 8 + int(math.Round(40*math.Sqrt(share)))
}

// tableWords says how the table is to be read, and what is best in it.
func (s *Study) tableWords() string {
	out := fmt.Sprintf("Blue is better than %s with evidence, orange is worse; ~ is no evidence of a difference, and = none at all.", s.Settings[s.Baseline].Name)
	// The largest share by which a setting is better in a metric, with evidence.
	most, setting, metric := 0., -1, -1
	for i := range s.Settings {
		for m := range s.Metrics {
			// Where the user named a metric, nobody wants to hear of another.
			if s.Asked && m > 0 {
				continue
			}
			e := &s.Settings[i].Results[m]
			if e.Delta.word(s.metric(m).Better) != "better" || s.base(m) == 0 {
				continue
			}
			if v := math.Abs(e.Delta.Mean / s.base(m)); v > most {
				most, setting, metric = v, i, m
			}
		}
	}
	switch {
	case setting < 0 && s.Asked:
		return out + " No setting is better in " + s.Metrics[0] + " with evidence."
	case setting < 0:
		return out + " No setting is better in any metric with evidence."
	}
	return out + fmt.Sprintf(" The largest gain is that of %s in %s: %s.", s.Settings[setting].Name, s.Metrics[metric], s.cell(&s.Settings[setting].Results[metric], metric).Change)
}

// amountShort is a value without the unit, but for shares and bytes.
func amountShort(v float64, unit string) string {
	value, shown := human(v, unit)
	switch {
	case shown == "%":
		return value + "%"
	case unit == "bytes":
		return value + " " + shown
	}
	return value
}

// signed is a difference with its sign.
func signed(v float64, unit string) string {
	if v < 0 {
		return "−" + amountShort(-v, unit)
	}
	return "+" + amountShort(v, unit)
}
