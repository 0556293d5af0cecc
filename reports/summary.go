package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"mbsim/metrics"
)

// Format is the form of a table.
type Format uint8

// The forms.
const (
	Text Format = iota
	Markdown
)

// render writes the table in its form.
func render(w io.Writer, t table.Writer, f Format) error {
	var s string
	switch f {
	case Markdown:
		s = t.RenderMarkdown()
	default:
		// Headers and rows as they are: the library would turn headers into capitals.
		style := table.StyleLight
		style.Format = table.FormatOptions{Header: text.FormatDefault, Footer: text.FormatDefault, Row: text.FormatDefault}
		style.Options.SeparateRows, style.Options.DrawBorder = false, false
		style.Title = table.TitleOptions{Align: text.AlignLeft, Format: text.FormatDefault}
		t.SetStyle(style)
		s = t.Render()
		// Lines are padded to the width of the table.
		lines := strings.Split(s, "\n")
		for i := range lines {
			lines[i] = strings.TrimRight(lines[i], " ")
		}
		s = strings.Join(lines, "\n")
	}
	_, err := io.WriteString(w, s+"\n")
	return err
}

// onKernel says in a title which kernel a run was of, as its scenario names it.
func onKernel(m *Manifest) string {
	var config struct{ Profile string }
	if json.Unmarshal(m.Config, &config) != nil || config.Profile == "" {
		return ""
	}
	return ", kernel " + config.Profile
}

// Summary writes a table of a run's metrics, grouped: the headlines, or all.
func Summary(w io.Writer, r *Run, all bool, f Format) error {
	res := r.Result
	t := table.NewWriter()
	// The columns: values of the measured phases where the run has any.
	header := table.Row{"metric", "value"}
	if res.Measured != nil {
		header = append(header, "measured")
	}
	header = append(header, "unit", "better")
	if f == Text {
		t.SetTitle("%s%s, seed %d, %s s simulated", r.Manifest.Scenario, onKernel(&r.Manifest), r.Manifest.Seed, decimals(float64(res.End-res.Start)/1e9, 3))
	}
	// Numbers stand at the right of their columns.
	t.AppendHeader(header)
	var configs []table.ColumnConfig
	for i := 2; i <= len(header)-2; i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
	// The rows, group by group, without groups that have none.
	for _, h := range metrics.Headings() {
		rows := headingRows(res, h, all)
		if len(rows) == 0 {
			continue
		}
		t.AppendSeparator()
		t.AppendRow(table.Row{heading(h.Name, f)})
		t.AppendRows(rows)
	}
	if err := render(w, t, f); err != nil {
		return err
	}
	for _, s := range res.Warnings {
		if _, err := fmt.Fprintf(w, "\nWarning: %s.\n", s); err != nil {
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
		// Both values are shown in the unit of the first column, unless bytes got another prefix.
		value, unit := cell(res.Final, id)
		row := table.Row{"  " + m.Name, value}
		if res.Measured != nil {
			var same string
			if value, same = cell(res.Measured, id); same != unit && value != "" {
				value += " " + same // another prefix of bytes
			}
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

// cell is a value of a row as people read it, "" where it is absent.
func cell(r metrics.Row, id metrics.ID) (value, unit string) {
	unit = metrics.At(id).Unit
	if !r.Has(id) {
		return "", unit
	}
	return human(r[id], unit)
}

// MetricList writes the registry as a table: what each metric is.
func MetricList(w io.Writer, f Format) error {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"metric", "unit", "better", "kind", "source", "what it is"})
	// The registry, group by group.
	for _, h := range metrics.Headings() {
		t.AppendSeparator()
		t.AppendRow(table.Row{heading(h.Name, f)})
		for _, id := range h.Metrics {
			m := metrics.At(id)
			name := "  " + m.Name
			if f == Markdown {
				name = fmt.Sprintf("`%s`", m.Name)
			}
			t.AppendRow(table.Row{name, m.Unit, m.Better.String(), m.Kind.String(), m.Source, m.Doc})
		}
	}
	// Long texts are wrapped in a terminal; Markdown does that by itself.
	if f == Text {
		t.SetColumnConfigs([]table.ColumnConfig{
			{Number: 5, WidthMax: 40, WidthMaxEnforcer: text.WrapSoft}, {Number: 6, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft},
		})
	}
	return render(w, t, f)
}

// heading is a group's name as a row of its own.
func heading(s string, f Format) string {
	if f == Markdown {
		return "**" + s + "**"
	}
	return s
}
