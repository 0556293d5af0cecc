package reports

import (
	"fmt"
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
		c.StrokeLine2(e.style, x, ty(max(l.Low, p.Y.Min)), x, ty(max(l.High, p.Y.Min)))
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
	pic.levelAxis(p, e, width-pic.em(4))
	p.X.Label.Text = fit(pic.text(1, ink, false), e.Key, width-pic.em(2))
	p.Y.Tick.Marker = ticks{step: niceStep((hi-lo)/5, 0), label: label}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: rule, Width: pic.em(0.06)}
	p.Add(grid, &levels{*e, pic.line(0)})
	p.X.Min, p.X.Max = -0.5, float64(len(e.Levels))-0.5
	p.Y.Min, p.Y.Max = lo-(hi-lo)*0.08, hi+(hi-lo)*0.08
	// Means far apart need a logarithmic axis to be told apart.
	if least, isFar := e.farApart(); isFar {
		p.Y.Scale, p.Y.Min, p.Y.Max = plot.LogScale{}, max(lo, least/10)/1.1, hi*1.1
		p.Y.Tick.Marker = powers{label, false}
	}
	if name != "" {
		if _, linear := p.Y.Scale.(plot.LinearScale); linear && !e.Difference {
			name += notFromZero(p.Y.Min)
		}
		// The name stands in the middle of the data, unless it would leave the panel there.
		data, s := p.DataCanvas(c), pic.text(1, ink, false)
		name = fit(s, name, c.Max.Y-c.Min.Y)
		half := s.Width(name) / 2
		at := min(max((data.Min.Y+data.Max.Y)/2, c.Min.Y+half), c.Max.Y-half)
		data.Min.Y, data.Max.Y = at, at
		pic.sideLabel(c.Min.X-pic.em(1.7), data, name)
	}
	p.Draw(c)
}

// farTimes is how many times as large one mean is as another where both are shown on a logarithmic
// axis.
const farTimes = 10

// farApart says whether the means of the levels are far apart, and which is the least. Differences, which are read against zero, never are.
func (e *effect) farApart() (least float64, isFar bool) {
	if e.Difference || len(e.Levels) == 0 {
		return 0, false
	}
	least, most := math.Inf(1), 0.0
	for _, l := range e.Levels {
		least, most = min(least, l.Mean), max(most, l.Mean)
	}
	return least, least > 0 && !math.IsInf(most, 0) && most/least >= farTimes
}

// levelAxis names the levels along the x axis. Numbers may leave some of them out. Names are all
// there: in several lines where there is no room for one, and upwards where a word is too long.
func (pic *picture) levelAxis(p *plot.Plot, e *effect, width vg.Length) {
	if e.isNumeric() {
		p.X.Tick.Marker = pic.levelTicks(e, width)
		return
	}
	s := pic.text(1, ink, false)
	room := width/vg.Length(len(e.Levels)) - pic.em(0.4)
	var marks plot.ConstantTicks
	upwards := false
	for i, l := range e.Levels {
		lines := linesOf(s, l.Value, room)
		upwards = upwards || lines == nil || len(lines) > 3
		marks = append(marks, plot.Tick{Value: float64(i), Label: strings.Join(lines, "\n")})
	}
	if upwards {
		for i := range marks {
			marks[i].Label = fit(s, e.Levels[i].Value, pic.em(14))
		}
		p.X.Tick.Label.Rotation, p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = math.Pi/2, text.XRight, text.YCenter
	}
	p.X.Tick.Marker = marks
}

// linesOf breaks a text between words into lines no wider than width, nil if a word is wider.
func linesOf(s text.Style, txt string, width vg.Length) (lines []string) {
	for _, word := range strings.Fields(txt) {
		last := len(lines) - 1
		switch {
		case s.Width(word) > width:
			return nil
		case last >= 0 && s.Width(lines[last]+" "+word) <= width:
			lines[last] += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
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
