package reports

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mbsim/internal/shell"
)

// Bisect is which of the changes between two kernels makes a difference, as its picture needs
// it. Differences are of one unit, which all rows share.
type Bisect struct {
	Scenario   string
	From, To   string // profiles
	Metric     string
	Unit       string // of the differences: "%", "pp", or the metric's
	Headline   string // what was found, in few words
	Sentence   string // and in a sentence
	Runs       int    // replications
	Confidence float64
	Command    []string
	Rows       []BisectRow // of changes, in the order of the way
	Total      Interval
}

// BisectRow is what a change does: put alone into the older kernel, in the newer one, and on
// the way.
type BisectRow struct {
	Name         string
	In, Out, Way Interval
}

// Interval is a difference with its interval. NaN is an unknown.
type Interval struct{ Mean, Low, High float64 }

// isKnown says whether there is anything to draw.
func (i Interval) isKnown() bool { return !math.IsNaN(i.Mean) && !math.IsInf(i.Mean, 0) }

// bounds are the ends of the interval, the mean where they are unknown.
func (i Interval) bounds() (lo, hi float64) {
	if math.IsNaN(i.Low) || math.IsNaN(i.High) || math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) {
		return i.Mean, i.Mean
	}
	return i.Low, i.High
}

// size is how far the row's differences are from zero.
func (r *BisectRow) size() float64 {
	most := 0.0
	for _, i := range []Interval{r.In, r.Out, r.Way} {
		if i.isKnown() {
			most = max(most, math.Abs(i.Mean))
		}
	}
	return most
}

// maxBisectRows is how many changes a picture has room for.
const maxBisectRows = 16

// bisectTotal is the name of the row below the changes.
const bisectTotal = "all together"

// BisectPicture is the picture of a bisection: a row for each change that does anything, with what
// it does in the older kernel, in the newer one and on the way, and one for all together.
func BisectPicture(b *Bisect, size Size, form FileFormat) File {
	settings := []Setting{{"Title", b.Headline}, {"Description", b.Sentence}, {"Software", "mbsim"}, {"Study", b.Scenario}, {"Command", shell.Line(b.Command)}}
	settings = slices.DeleteFunc(settings, func(x Setting) bool { return x.Text == "" })
	return File{named("bisect", size, form), func(w io.Writer) error {
		pic := newPicture(size, form)
		below := fmt.Sprintf("What each change does; %s, %s each, %g%% intervals", b.Scenario, amount(float64(b.Runs), "runs"), b.Confidence*100)
		b.draw(pic, pic.heading(b.Headline, below))
		return pic.write(w, settings)
	}}
}

// shownRows are the rows that the picture has: those that do most, in the order of the way.
func (b *Bisect) shownRows() []BisectRow {
	rows := slices.DeleteFunc(slices.Clone(b.Rows), func(r BisectRow) bool { return r.size() == 0 })
	if len(rows) <= maxBisectRows {
		return rows
	}
	// The least that is shown decides which rows are left out.
	var sizes []float64
	for i := range rows {
		sizes = append(sizes, rows[i].size())
	}
	slices.SortFunc(sizes, func(x, y float64) int { return compareFloats(y, x) })
	least := sizes[maxBisectRows-1]
	return slices.DeleteFunc(rows, func(r BisectRow) bool { return r.size() < least })
}

// bisectKind is one of the three things that a row shows.
type bisectKind struct {
	name  string
	shape draw.GlyphDrawer
	line  int     // of theme.line
	off   float64 // from the middle of the row, in rows
	of    func(*BisectRow) Interval
}

// kinds are the three, as the legend names them.
func (b *Bisect) kinds() []bisectKind {
	return []bisectKind{
		{"put into " + b.From, draw.CircleGlyph{}, 0, 0.24, func(r *BisectRow) Interval { return r.In }},
		{"in " + b.To, draw.BoxGlyph{}, 1, 0, func(r *BisectRow) Interval { return r.Out }},
		{"on the way", draw.PyramidGlyph{}, 2, -0.24, func(r *BisectRow) Interval { return r.Way }},
	}
}

// draw draws the rows, with the axis of differences below.
func (b *Bisect) draw(pic *picture, c draw.Canvas) {
	rows := b.shownRows()
	// The range of all differences, with zero in it.
	lo, hi := 0.0, 0.0
	reach := func(i Interval) {
		if i.isKnown() {
			l, h := i.bounds()
			lo, hi = min(lo, l), max(hi, h)
		}
	}
	for i := range rows {
		for _, k := range b.kinds() {
			reach(k.of(&rows[i]))
		}
	}
	reach(b.Total)
	if lo == hi {
		lo, hi = -1, 1
	}
	// A legend above, and then the axes: the first row is the uppermost.
	pic.bisectLegend(c, b.kinds())
	c.Max.Y -= pic.em(1.6)
	p := pic.theme.plot()
	names := plot.ConstantTicks{{Value: 0, Label: bisectTotal}}
	for i := range rows {
		names = append(names, plot.Tick{Value: float64(len(rows) - i), Label: rows[i].Name})
	}
	p.Y.Tick.Marker, p.X.Tick.Marker = names, ticks{want: 6, label: signedLabel}
	p.Y.Tick.Length, p.Y.LineStyle.Width = 0, 0
	p.X.Label.Text = b.axis()
	grid := plotter.NewGrid()
	grid.Horizontal.Width = 0
	grid.Vertical = draw.LineStyle{Color: rule, Width: pic.em(0.06)}
	p.Add(grid, &bisectRows{b, rows, pic.theme})
	p.X.Min, p.X.Max = lo-(hi-lo)*0.04, hi+(hi-lo)*0.04
	p.Y.Min, p.Y.Max = -0.6, float64(len(rows))+0.6
	p.Draw(c)
}

// axis says what the differences are.
func (b *Bisect) axis() string {
	switch b.Unit {
	case "%":
		return fmt.Sprintf("difference, %% of the mean under %s", b.From)
	case "pp":
		return "difference, percentage points"
	}
	return strings.TrimSuffix("difference, "+b.Unit, ", ")
}

// signedLabel labels differences.
func signedLabel(v, step float64) string {
	if v > 0 {
		return "+" + plain(v, step)
	}
	return plain(v, step)
}

// bisectLegend writes the names of the kinds at the top of c, each with its mark.
func (pic *picture) bisectLegend(c draw.Canvas, kinds []bisectKind) {
	s := pic.text(1, ink, false)
	s.YAlign = text.YCenter
	x, y := c.Min.X, c.Max.Y-pic.em(0.5)
	for _, k := range kinds {
		style := pic.line(k.line)
		c.DrawGlyph(draw.GlyphStyle{Color: style.Color, Radius: style.Width * 1.8, Shape: k.shape}, vg.Point{X: x + pic.em(0.5), Y: y})
		pic.FillText(s, vg.Point{X: x + pic.em(1.3), Y: y + pic.em(0.1)}, k.name)
		x += pic.em(3) + s.Width(k.name)
	}
}

// bisectRows draws the rows into a plot.
type bisectRows struct {
	*Bisect
	rows []BisectRow
	theme
}

// Plot implements plot.Plotter.
func (b *bisectRows) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	// Differences are read against zero, and the last row is apart from those of changes.
	c.StrokeLine2(draw.LineStyle{Color: faint, Width: b.em(0.1)}, tx(0), c.Min.Y, tx(0), c.Max.Y)
	if len(b.rows) > 0 {
		c.StrokeLine2(draw.LineStyle{Color: rule, Width: b.em(0.1)}, c.Min.X, ty(0.5), c.Max.X, ty(0.5))
	}
	one := func(i Interval, y float64, shape draw.GlyphDrawer, style draw.LineStyle) {
		if !i.isKnown() {
			return
		}
		lo, hi := i.bounds()
		style.Dashes = nil
		c.StrokeLine2(style, tx(lo), ty(y), tx(hi), ty(y))
		c.DrawGlyph(draw.GlyphStyle{Color: style.Color, Radius: style.Width * 1.8, Shape: shape}, vg.Point{X: tx(i.Mean), Y: ty(y)})
	}
	for i := range b.rows {
		for _, k := range b.kinds() {
			one(k.of(&b.rows[i]), float64(len(b.rows)-i)+k.off, k.shape, b.line(k.line))
		}
	}
	total := b.line(0)
	total.Color = ink
	one(b.Total, 0, draw.CircleGlyph{}, total)
}
