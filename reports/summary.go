package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/internal/columns"
	"mbsim/metrics"
)

// Format is the form of a table.
type Format uint8

// The forms.
const (
	Text Format = iota
	Markdown
)

// render writes the table in its form, text as wide as width characters, 0 for any number.
func render(w io.Writer, t *columns.Table, f Format, width int) error {
	if f == Markdown {
		return t.Markdown(w)
	}
	return t.Write(w, width)
}

// onKernel says in a title which kernel a run was of, as its scenario names it.
func onKernel(m *Manifest) string {
	var config struct{ Profile string }
	if json.Unmarshal(m.Config, &config) != nil || config.Profile == "" {
		return ""
	}
	return ", kernel " + config.Profile
}

// Summary writes a table of a run's metrics, grouped: the headlines, or all. Text is as wide as
// width characters, 0 for any number.
func Summary(w io.Writer, r *Run, all bool, f Format, width int) error {
	res := r.Result
	// The columns: values of the measured phases where the run has any.
	t := &columns.Table{Header: table.Row{"metric", "value"}, Right: []int{2}}
	if res.Measured != nil {
		t.Header, t.Right = append(t.Header, "measured"), []int{2, 3}
	}
	t.Header = append(t.Header, "unit", "better")
	if f == Text {
		t.Title = fmt.Sprintf("%s%s, seed %d, %s s simulated", r.Manifest.Scenario, onKernel(&r.Manifest), r.Manifest.Seed, decimals(float64(res.End-res.Start)/1e9, 3))
	}
	// The rows, group by group, without groups that have none.
	for _, h := range metrics.Headings() {
		rows := headingRows(res, h, all)
		if len(rows) == 0 {
			continue
		}
		t.Rows = append(append(t.Rows, table.Row{heading(h.Name, f)}), rows...)
	}
	if err := render(w, t, f, width); err != nil {
		return err
	}
	for _, s := range res.Warnings {
		if f == Text {
			s = columns.Paragraph("Warning: "+s+".", width)
		} else {
			s = "Warning: " + s + "."
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", s); err != nil {
			return err
		}
	}
	return nil
}

// WriteNotes writes what the starting state of a run does not tell, and what mounting it has
// changed, a line each.
func WriteNotes(w io.Writer, r *Run) {
	for i, n := range r.Manifest.Notes {
		if i == 0 {
			fmt.Fprintln(w, "\nAbout the starting state:")
		}
		fmt.Fprintf(w, "  %s\n", n)
	}
}

// headingRows are the rows of one group.
func headingRows(res *metrics.Result, h metrics.Heading, all bool) (rows []table.Row) {
	for _, id := range h.Metrics {
		m := metrics.At(id)
		if !all && !m.Headline || !res.Final.Has(id) {
			continue
		}
		// Both values are shown in the unit of the larger one.
		larger := largest(res.Final, res.Measured, id)
		value, unit := cell(res.Final, id, larger)
		row := table.Row{"  " + m.Name, value}
		if res.Measured != nil {
			value, _ = cell(res.Measured, id, larger)
			row = append(row, value)
		}
		better := ""
		if m.Better != metrics.Neither {
			better = m.Better.String()
		}
		rows = append(rows, append(row, unit, better))
	}
	return rows
}

// largest is the larger value of a metric in two rows, the second of which may be absent.
func largest(a, b metrics.Row, id metrics.ID) float64 {
	v := a[id]
	if b != nil && b.Has(id) && math.Abs(b[id]) > math.Abs(v) {
		v = b[id]
	}
	return v
}

// cell is a value of a row as people read it, in the unit that larger has; "" where it is absent.
func cell(r metrics.Row, id metrics.ID, larger float64) (value, unit string) {
	unit = metrics.At(id).Unit
	value, shown := inUnitOf(larger, larger, unit)
	if !r.Has(id) {
		return "", shown
	}
	if r[id] != larger {
		value, _ = inUnitOf(r[id], larger, unit)
	}
	return value, shown
}

// MetricList writes the registry as a table: what each metric is. Text is as wide as width
// characters, 0 for any number.
func MetricList(w io.Writer, f Format, width int) error {
	t := &columns.Table{Header: table.Row{"metric", "unit", "better", "kind", "source", "what it is"}}
	// The registry, group by group.
	for _, h := range metrics.Headings() {
		t.Rows = append(t.Rows, table.Row{heading(h.Name, f)})
		for _, id := range h.Metrics {
			m := metrics.At(id)
			name := "  " + m.Name
			if f == Markdown {
				name = fmt.Sprintf("`%s`", m.Name)
			}
			t.Rows = append(t.Rows, table.Row{name, m.Unit, m.Better.String(), m.Kind.String(), m.Source, m.Doc})
		}
	}
	return render(w, t, f, width)
}

// heading is a group's name as a row of its own.
func heading(s string, f Format) string {
	if f == Markdown {
		return "**" + s + "**"
	}
	return s
}
