package reports

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mbsim/metrics"
)

// heatCell is how a cell of a heat map is drawn.
type heatCell struct {
	fill  color.RGBA
	text  string
	frame bool
	mark  bool // a dark corner, for those who do not see the colour
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
	if cell.mark {
		side := min(pic.em(0.7), h*0.6)
		var corner vg.Path
		corner.Move(vg.Point{X: x + w - side, Y: y + h})
		corner.Line(vg.Point{X: x + w, Y: y + h})
		corner.Line(vg.Point{X: x + w, Y: y + h - side})
		corner.Close()
		pic.SetColor(ink)
		pic.Fill(corner)
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
		return heatCell{fill: mix(blue, 0.08+0.8*share), text: amountShort(sums[i], s.metric(0).Unit), frame: sums[i] == best}, counts[i] > 0
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
	h.across += " (blue: better; orange, with a dark corner: worse; white: no evidence)"
	// The colour says better or worse, and its strength how much.
	h.cell = func(row, column int) (heatCell, bool) {
		e := &s.Settings[column].Results[row]
		cell := s.cell(e, row)
		out := heatCell{fill: mix(past, 0.12), text: strings.TrimSpace(cell.Change)}
		switch cell.Word {
		case "better":
			out.fill = mix(blue, float64(cell.Tint)/60)
		case "worse":
			out.fill, out.mark = mix(vermillion, float64(cell.Tint)/60), true
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
