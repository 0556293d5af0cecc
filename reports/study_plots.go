package reports

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mbsim/internal/shell"
	"mbsim/metrics"
)

// StudyPictures are the pictures of a study in these formats: the main effects on the metric asked
// about, and a heat map: of two keys, or of one key and the metrics.
func StudyPictures(s *Study, size Size, forms ...FileFormat) ([]File, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var files []File
	// add makes one picture, which is drawn when it is written, once for each format.
	add := func(name, title, caption string, paint func(*picture, draw.Canvas)) {
		settings := []Setting{{"Title", title}, {"Description", caption}, {"Software", "mbsim"}, {"Study", s.Name}, {"Command", shell.Line(s.Command)}}
		settings = slices.DeleteFunc(settings, func(x Setting) bool { return x.Text == "" })
		for _, form := range forms {
			files = append(files, File{named(name, size, form), func(w io.Writer) error {
				pic := newPicture(size, form)
				paint(pic, pic.heading(title, s.subtitle()))
				return pic.write(w, settings)
			}})
		}
	}
	// The effects of all keys with several values, if there are any.
	if effects := s.panels(); len(effects) > 0 {
		add("effects", "What each setting does to "+s.Metrics[0], s.words(0), func(pic *picture, c draw.Canvas) { drawEffects(pic, c, s, effects) })
	}
	// Two keys make a map of their own; otherwise all metrics are compared with the baseline.
	if e := s.panels(); len(e) > 1 && !e[1].Difference {
		add("heat", "Two settings at once, and "+s.Metrics[0], s.words(0), func(pic *picture, c draw.Canvas) { drawTwoKeys(pic, c, s) })
	} else {
		what := "All metrics"
		if len(s.Metrics) > maxHeatRows {
			what = fmt.Sprintf("The first %d of %d metrics", maxHeatRows, len(s.Metrics))
		}
		add("heat", what+", compared with "+s.Settings[s.Baseline].Name, s.tableWords(), func(pic *picture, c draw.Canvas) { drawMetrics(pic, c, s) })
	}
	return files, nil
}

// subtitle names the study, and says how many settings and runs it has.
func (s *Study) subtitle() string {
	least, most := s.Settings[0].Runs, s.Settings[0].Runs
	for i := range s.Settings {
		least, most = min(least, s.Settings[i].Runs), max(most, s.Settings[i].Runs)
	}
	// After further replications settings may have different numbers of runs.
	runs := fmt.Sprint(least)
	if most > least {
		runs += fmt.Sprintf(" to %d", most)
	}
	return fmt.Sprintf("%s, %s of %s runs each, %g%% intervals", s.Name, amount(float64(len(s.Settings)), "settings"), runs, s.Confidence*100)
}

// maxPanels is the largest number of keys that one picture shows.
const maxPanels = 3

// panels are the effects that a picture shows, the strongest where there are more.
func (s *Study) panels() []effect {
	all := s.shown(0)
	if len(all) > maxPanels {
		slices.SortStableFunc(all, func(a, b effect) int { return compareFloats(b.spread(), a.spread()) })
		all = all[:maxPanels]
	}
	return all
}

// levels are dots with lines through them.
type levels struct {
	effect
	style draw.LineStyle
}

// Plot implements plot.Plotter.
func (e *levels) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	var way []vg.Point
	// The lines through the dots, from the lower to the upper bound.
	for i, l := range e.Levels {
		x := tx(float64(i))
		way = append(way, vg.Point{X: x, Y: ty(l.Mean)})
		c.StrokeLine2(e.style, x, ty(l.Low), x, ty(l.High))
	}
	// Differences are read against zero.
	thin := e.style
	thin.Width /= 2
	if e.Difference {
		zero := draw.LineStyle{Color: faint, Width: thin.Width}
		c.StrokeLine2(zero, c.Min.X, ty(0), c.Max.X, ty(0))
	}
	// Only numbers have values between them: names are points beside each other.
	if e.isNumeric() {
		c.StrokeLines(thin, way)
	}
	for _, at := range way {
		c.DrawGlyph(draw.GlyphStyle{Color: e.style.Color, Radius: e.style.Width * 1.8, Shape: draw.CircleGlyph{}}, at)
	}
}

// isNumeric says whether all levels are numbers, perhaps with a unit of size behind them.
func (e *effect) isNumeric() bool {
	for _, l := range e.Levels {
		if _, err := strconv.ParseFloat(strings.TrimRight(l.Value, "KMGTPEi"), 64); err != nil {
			return false
		}
	}
	return !slices.Contains([]string{"kernel", "profile", "variant"}, e.Key)
}

// drawEffects draws one panel for each key, side by side, with one y axis for all of them;
// that of differences has its own.
func drawEffects(pic *picture, c draw.Canvas, s *Study, effects []effect) {
	lo, hi := bounds(slices.DeleteFunc(slices.Clone(effects), func(e effect) bool { return e.Difference }))
	width := (c.Max.X - c.Min.X) / vg.Length(len(effects))
	for i, e := range effects {
		at := c
		at.Min.X += vg.Length(i) * width
		at.Max.X = at.Min.X + width - pic.em(0.8)
		// The first panel, and that of differences, have the axis's name.
		name := s.Metrics[0]
		if unit := s.metric(0).Unit; unit != "share" && unit != "ratio" {
			name += " (" + unit + ")"
		}
		if e.Difference {
			name = "difference to " + s.Settings[s.Baseline].Name
			lo, hi = bounds([]effect{e})
		}
		if i > 0 && !e.Difference {
			name = ""
		}
		pic.effect(at, &e, name, s.metric(0).Unit, lo, hi)
	}
}

// bounds returns the range of the effects, widened where it would be empty.
func bounds(effects []effect) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, e := range effects {
		for _, l := range e.Levels {
			lo, hi = min(lo, l.Low, l.Mean), max(hi, l.High, l.Mean)
		}
	}
	if lo == hi {
		lo, hi = lo-math.Abs(lo)*0.1, hi+math.Abs(hi)*0.1
	}
	if lo == hi {
		lo, hi = lo-1, hi+1
	}
	return lo, hi
}

// effect draws one panel, whose y axis is called name.
func (pic *picture) effect(c draw.Canvas, e *effect, name, unit string, lo, hi float64) {
	// A panel with a name leaves room for it at its left.
	label := plain
	if unit == "share" {
		label = percent
	}
	if name != "" {
		c.Min.X += pic.em(1.7)
	}
	width := c.Max.X - c.Min.X
	// The axes: a tick for each level, and room above and below the values.
	p := pic.theme.plot()
	p.X.Tick.Marker = pic.levelTicks(e, width-pic.em(6))
	p.X.Label.Text = fit(pic.text(1, ink, false), e.Key, width-pic.em(2))
	p.Y.Tick.Marker = ticks{step: niceStep((hi-lo)/5, 0), label: label}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: rule, Width: pic.em(0.06)}
	p.Add(grid, &levels{*e, pic.line(0)})
	p.X.Min, p.X.Max = -0.5, float64(len(e.Levels))-0.5
	p.Y.Min, p.Y.Max = lo-(hi-lo)*0.08, hi+(hi-lo)*0.08
	if name != "" {
		if !e.Difference {
			name += notFromZero(p.Y.Min)
		}
		data := p.DataCanvas(c)
		pic.sideLabel(c.Min.X-pic.em(1.7), data, fit(pic.text(1, ink, false), name, data.Max.Y-data.Min.Y+pic.em(4)))
	}
	p.Draw(c)
}

// levelTicks are ticks with the names of the levels, of as many as there is room for.
func (pic *picture) levelTicks(e *effect, width vg.Length) (out plot.ConstantTicks) {
	s := pic.text(1, ink, false)
	widest := pic.em(1)
	for _, l := range e.Levels {
		widest = max(widest, s.Width(fit(s, l.Value, pic.em(8)))+pic.em(0.8))
	}
	// Every so many-th name has room.
	every := max(1, int(math.Ceil(float64(widest)*float64(len(e.Levels))/float64(width))))
	for i, l := range e.Levels {
		t := plot.Tick{Value: float64(i)}
		if i%every == 0 {
			t.Label = fit(s, l.Value, pic.em(8))
		}
		out = append(out, t)
	}
	return out
}

// heatCell is how a cell of a heat map is drawn.
type heatCell struct {
	fill  color.RGBA
	text  string
	frame bool
}

// heatMap is a table of coloured cells with names at its left and below.
type heatMap struct {
	rows, columns []string
	down, across  string // what rows and columns are
	cell          func(row, column int) (heatCell, bool)
}

// mix blends a colour into white.
func mix(c color.RGBA, share float64) color.RGBA {
	one := func(v uint8) uint8 { return uint8(math.Round(255 + min(max(share, 0), 1)*(float64(v)-255))) }
	return color.RGBA{one(c.R), one(c.G), one(c.B), 0xff}
}

// draw draws the heat map. Texts that have no room are left out.
func (h *heatMap) draw(pic *picture, c draw.Canvas) {
	// Rows' names take at most a third of the width.
	s := pic.text(1, ink, false)
	s.YAlign = text.YCenter
	left := pic.em(2)
	for _, r := range h.rows {
		left = max(left, min(s.Width(r), (c.Max.X-c.Min.X)*0.35)+pic.em(0.8))
	}
	x0, y0 := c.Min.X+left, c.Min.Y+pic.em(3.2)
	if h.down != "" {
		x0 += pic.em(1.7)
	}
	// Cells share what is left equally.
	w, high := (c.Max.X-x0)/vg.Length(len(h.columns)), (c.Max.Y-y0)/vg.Length(len(h.rows))
	for i, r := range h.rows {
		y := c.Max.Y - (vg.Length(i)+0.5)*high
		s.XAlign = text.XRight
		pic.FillText(s, vg.Point{X: x0 - pic.em(0.5), Y: y + pic.em(0.1)}, fit(s, r, left-pic.em(0.5)))
		for k := range h.columns {
			if cell, ok := h.cell(i, k); ok {
				pic.heatCell(cell, x0+vg.Length(k)*w, y-high/2, w, high)
			}
		}
	}
	// The names of the columns, and what rows and columns are.
	h.columnNames(pic, c, x0, y0, w)
	s.XAlign = text.XCenter
	pic.FillText(s, vg.Point{X: (x0 + c.Max.X) / 2, Y: c.Min.Y + pic.em(0.6)}, h.across)
	if h.down != "" {
		s.Rotation, s.YAlign = math.Pi/2, text.YTop
		pic.FillText(s, vg.Point{X: c.Min.X - pic.em(0.15), Y: (y0 + c.Max.Y) / 2}, h.down)
	}
}

// columnNames writes the names of columns below the map, every second or third one where
// there is no room for all.
func (h *heatMap) columnNames(pic *picture, c draw.Canvas, x0, y0, w vg.Length) {
	s := pic.text(1, ink, false)
	s.XAlign, s.YAlign = text.XCenter, text.YCenter
	widest := vg.Length(0)
	for _, name := range h.columns {
		widest = max(widest, min(s.Width(name), pic.em(12))+pic.em(0.8))
	}
	every := max(1, int(math.Ceil(float64(widest/w))))
	for k := 0; k < len(h.columns); k += every {
		x := x0 + (vg.Length(k)+0.5)*w
		room := min(w*vg.Length(every)-pic.em(0.6), 2*(c.Max.X-x))
		pic.FillText(s, vg.Point{X: x, Y: y0 - pic.em(0.9)}, fit(s, h.columns[k], room))
	}
}

// heatCell draws one cell. Its text is left out where there is no room for it.
func (pic *picture) heatCell(cell heatCell, x, y, w, h vg.Length) {
	gap := pic.em(0.08)
	path := box(x+gap, y+gap, x+w-gap, y+h-gap)
	pic.SetColor(cell.fill)
	pic.Fill(path)
	if cell.frame {
		// A frame marks the best cell.
		gap = pic.em(0.15)
		pic.StrokeLines(draw.LineStyle{Color: ink, Width: pic.em(0.2)},
			[]vg.Point{{X: x + gap, Y: y + gap}, {X: x + w - gap, Y: y + gap}, {X: x + w - gap, Y: y + h - gap}, {X: x + gap, Y: y + h - gap}, {X: x + gap, Y: y + gap}})
	}
	// White letters on dark cells, by the brightness that people see.
	letters := color.RGBA(ink)
	if luminance := 0.3*float64(cell.fill.R) + 0.59*float64(cell.fill.G) + 0.11*float64(cell.fill.B); luminance < 120 {
		letters = color.RGBA{0xff, 0xff, 0xff, 0xff}
	}
	s := pic.text(0.9, letters, false)
	s.XAlign, s.YAlign = text.XCenter, text.YCenter
	if s.Width(cell.text) < w-gap*4 && h > pic.em(1.1) {
		pic.FillText(s, vg.Point{X: x + w/2, Y: y + h/2 + pic.em(0.1)}, cell.text)
	}
}

// drawTwoKeys draws a map of the metric asked about by the two strongest keys. A cell is the
// mean over all settings that have its two values.
func drawTwoKeys(pic *picture, c draw.Canvas, s *Study) {
	e := s.panels()
	x, y := slices.Index(s.Keys, e[0].Key), slices.Index(s.Keys, e[1].Key)
	names := func(e *effect) (out []string) {
		for _, l := range e.Levels {
			out = append(out, l.Value)
		}
		return out
	}
	h := heatMap{rows: names(&e[1]), columns: names(&e[0]), down: e[1].Key, across: e[0].Key}
	// Add up each cell's settings, and then divide.
	sums, counts := make([]float64, len(h.rows)*len(h.columns)), make([]float64, len(h.rows)*len(h.columns))
	for i := range s.Settings {
		if v := s.Settings[i].Results[0].Mean; !math.IsNaN(v) {
			at := slices.Index(h.rows, s.Settings[i].Values[y])*len(h.columns) + slices.Index(h.columns, s.Settings[i].Values[x])
			sums[at] += v
			counts[at]++
		}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range sums {
		if counts[i] > 0 {
			sums[i] /= counts[i]
			lo, hi = min(lo, sums[i]), max(hi, sums[i])
		}
	}
	// A cell is the bluer the larger its value, and the best one has a frame.
	best := map[metrics.Better]float64{metrics.Lower: lo, metrics.Higher: hi, metrics.Neither: math.NaN()}[s.metric(0).Better]
	h.cell = func(row, column int) (heatCell, bool) {
		i := row*len(h.columns) + column
		share := 0.
		if hi > lo {
			share = (sums[i] - lo) / (hi - lo)
		}
		return heatCell{mix(blue, 0.08+0.8*share), amountShort(sums[i], s.metric(0).Unit), sums[i] == best}, counts[i] > 0
	}
	h.draw(pic, c)
}

// Limits of a heat map of metrics.
const (
	maxHeatRows    = 16
	maxHeatColumns = 32
)

// drawMetrics draws a map of how much each metric changes from the baseline to each setting.
func drawMetrics(pic *picture, c draw.Canvas, s *Study) {
	h := heatMap{across: strings.Join(s.Keys, ", ")}
	if h.across == "" {
		h.across = "setting"
	}
	// Rows are metrics and columns settings, as many as there is room for.
	for m := range min(len(s.Metrics), maxHeatRows) {
		h.rows = append(h.rows, s.Metrics[m])
	}
	for i := range min(len(s.Settings), maxHeatColumns) {
		name := s.Settings[i].Name
		if len(s.Keys) == 1 {
			name = s.Settings[i].Values[0]
		}
		h.columns = append(h.columns, name)
	}
	h.across += " (blue: better, orange: worse, white: no evidence)"
	// The colour says better or worse, and its strength how much.
	h.cell = func(row, column int) (heatCell, bool) {
		e := &s.Settings[column].Results[row]
		cell := s.cell(e, row)
		out := heatCell{fill: mix(past, 0.12), text: strings.TrimSpace(cell.Change)}
		switch cell.Word {
		case "better":
			out.fill = mix(blue, float64(cell.Tint)/60)
		case "worse":
			out.fill = mix(vermillion, float64(cell.Tint)/60)
		case "~":
			out.text, out.fill = "~", color.RGBA{0xff, 0xff, 0xff, 0xff}
		case "same":
			out.text, out.fill = "=", color.RGBA{0xff, 0xff, 0xff, 0xff}
		case "":
			out.text = "–"
		}
		return out, !math.IsNaN(e.Mean)
	}
	h.draw(pic, c)
}
