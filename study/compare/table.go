package compare

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/internal/columns"
	"mbsim/metrics"
	"mbsim/study"
)

// page writes tables and lines for people, as text or Markdown, and keeps the
// first error.
type page struct {
	w        io.Writer
	markdown bool
	width    int // of text, in characters; 0 is any number
	err      error
}

// printf writes, unless an earlier write has failed.
func (p *page) printf(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, a...)
	}
}

// table prints rows; the columns whose numbers are in right are those of numbers.
func (p *page) table(header table.Row, rows []table.Row, right ...int) {
	if p.err != nil {
		return
	}
	t := &columns.Table{Header: header, Rows: rows, Right: right, Plain: true}
	// Markdown is laid out by whoever shows it.
	if p.markdown {
		t.Right = nil
		p.err = t.Markdown(p.w)
		return
	}
	p.err = t.Write(p.w, p.width)
}

// bold marks a text as bold in Markdown.
func (p *page) bold(s string) string {
	if p.markdown {
		return "**" + s + "**"
	}
	return s
}

// Write writes a comparison as Markdown, or as text of width characters, 0 for any number.
func (c *Pair) Write(w io.Writer, markdown bool, width int) error {
	p := &page{w: w, markdown: markdown, width: width}
	// What is compared, and what it comes to.
	a, b := fmt.Sprintf("A is %s: %s", c.A.Name, c.A.describe()), fmt.Sprintf("B is %s: %s", c.B.Name, c.B.describe())
	if !markdown {
		a, b = columns.Paragraph(a, width), columns.Paragraph(b, width)
	}
	p.printf("%s\n%s\n\n", a, b)
	if markdown {
		p.printf("%s\n\n", p.bold(c.sentenceAB()))
	} else {
		p.wrap(c.sentenceAB())
		p.printf("\n")
	}
	var rows []table.Row
	var same []string
	group := ""
	// A row for each metric; those that are the same everywhere are only named below.
	for _, e := range c.Effects {
		if e.Verdict == study.Same && e != c.Headline {
			same = append(same, e.Metric)
			continue
		}
		id, _ := metrics.Find(e.Metric)
		m := metrics.At(id)
		if m.Group != group {
			group = m.Group
			rows = append(rows, table.Row{p.bold(group)})
		}
		rows = append(rows, table.Row{"  " + e.Metric, mean(e.A, m.Unit, e.A, e.B), mean(e.B, m.Unit, e.A, e.B), differenceText(e), pText(e.Holm), word(e), shownUnit(m.Unit)})
	}
	// The table, how to read it, and what to be careful with.
	p.table(table.Row{"metric", "A", "B", "B - A", "p", "B is", "unit"}, rows, 2, 3, 4, 5)
	p.printf("\n")
	if same != nil {
		p.wrap("The same in both: " + strings.Join(same, ", ") + ".")
	}
	p.wrap(c.note())
	for _, k := range c.Warnings {
		p.wrap("Warning: " + k + ".")
	}
	return p.err
}

// differenceText is the difference, or nothing where there is none.
func differenceText(e *study.Effect) string {
	if e.Verdict == study.Same {
		return ""
	}
	return change(e)
}

// sentenceAB is the sentence with the letters of the table.
func (c *Pair) sentenceAB() string {
	if c.Headline == nil {
		return c.Sentence()
	}
	return sentence(c.Headline, "A", "B")
}

// note explains the columns.
func (c *Pair) note() string {
	pairs := "paired by seed and replication"
	if c.Headline != nil && !c.Headline.Paired {
		pairs = "not paired"
	}
	n := 0
	for _, e := range c.Effects {
		n = max(n, e.Difference.N)
	}
	s := fmt.Sprintf("Means and differences with 95%% intervals (Student's t), %s: n = %d. ~: no evidence (the interval holds 0, or n < 3)%s.", pairs, n, smallNote(c.MinEffect))
	if n > 0 && n < 3 {
		s += " So few runs tell no difference from chance: mbsim sweep --reps 5 makes more."
	}
	if c.Family > 1 {
		s += fmt.Sprintf(" p is corrected for %d comparisons (Holm); a ? marks evidence that does not stand after it.", c.Family)
	}
	return s
}

// describe says which runs a side has.
func (s *Side) describe() string {
	var seeds []string
	// Each seed once: a study has many runs of one.
	seen := map[uint64]bool{}
	for _, x := range s.Samples {
		if !seen[x.Seed] {
			seen[x.Seed] = true
			seeds = append(seeds, fmt.Sprint(x.Seed))
		}
	}
	word := "seed"
	if len(seeds) > 1 {
		word = "seeds"
	}
	if len(seeds) > 6 {
		seeds = append(seeds[:5], fmt.Sprintf("and %d more", len(seen)-5))
	}
	return fmt.Sprintf("%s of %s, %s %s", plural(len(s.Samples), "run", "runs"), s.Scenario, word, strings.Join(seeds, ", "))
}

// wrap prints a paragraph.
func (p *page) wrap(s string) {
	if p.markdown {
		p.printf("%s\n\n", s)
		return
	}
	p.printf("%s\n", columns.Paragraph(s, p.width))
}

// finite is v for JSON, nil where JSON cannot hold it.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
