package reports

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// curve is one line of a panel.
type curve struct {
	name string
	x, y []float64
}

// panel is one plot of a picture: curves over time, under a legend.
type panel struct {
	curves   []curve
	label    string // of the y axis
	share    bool   // y is a share of 1
	integer  bool   // y counts things
	fromZero bool   // y begins at 0
	noLog    bool   // y stays linear, however far apart the values are
	empty    string // said where there is nothing to show
}

// extent is the range of all curves, and how many points they have.
func (p *panel) extent() (x0, x1, y0, y1 float64, n int) {
	x0, y0 = math.Inf(1), math.Inf(1)
	x1, y1 = math.Inf(-1), math.Inf(-1)
	for _, c := range p.curves {
		for i := range c.x {
			x0, x1 = min(x0, c.x[i]), max(x1, c.x[i])
			y0, y1 = min(y0, c.y[i]), max(y1, c.y[i])
			n++
		}
	}
	return x0, x1, y0, y1, n
}

// isEmpty says whether the panel has nothing to show: no point, or only zeros on an axis that
// begins at 0.
func (p *panel) isEmpty() bool {
	_, _, y0, y1, n := p.extent()
	return n == 0 || p.fromZero && y0 == 0 && y1 == 0
}

// build makes the plot of a panel whose x axis runs from x0 to x1.
func (p *panel) build(t theme, x0, x1 float64, xlabel string) *plot.Plot {
	q := t.plot()
	q.X.Min, q.X.Max = x0, x1
	q.X.Tick.Marker = ticks{want: 7, label: plain}
	q.X.Label.Text = xlabel
	// An empty panel keeps its axes, so that the picture keeps its shape.
	_, _, y0, y1, _ := p.extent()
	if p.isEmpty() {
		q.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}}
		q.Y.Min, q.Y.Max = 0, 1
		return q
	}
	// The y axis, then lines across the panel, then the curves above them.
	p.scale(q, y0, y1)
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: rule, Width: t.em(0.06)}
	q.Add(grid)
	for i := range p.curves {
		q.Add(&curvePlot{p.curves[i], t.line(i)})
	}
	// Adding curves widens the axis to their data: set it to the run's time again.
	q.X.Min, q.X.Max = x0, x1
	return q
}

// scale sets the y axis for values of y0 to y1.
func (p *panel) scale(q *plot.Plot, y0, y1 float64) {
	// The labels, and how close together ticks may be.
	label := plain
	least := 0.
	if p.share {
		label, least = percent, 0.0001
	}
	if p.integer {
		least = 1
	}
	// Values more than fifty times apart need a logarithmic axis to be told apart.
	if !p.noLog && !p.share && y0 > 0 && y1/y0 > 50 {
		q.Y.Scale = plot.LogScale{}
		q.Y.Min, q.Y.Max = y0/1.1, y1*1.1
		q.Y.Tick.Marker = powers{label, p.integer}
		return
	}
	// A linear axis must have a length.
	if p.fromZero {
		y0 = 0
	}
	if y1 == y0 {
		y0 = min(0, y0)
	}
	if y1 == y0 {
		y1 = y0 + 1
	}
	// It begins at a tick and ends a little above the largest value.
	step := niceStep((y1-y0)/4, least)
	q.Y.Min = math.Floor(y0/step+1e-9) * step
	q.Y.Max = headroom(q.Y.Min, y1)
	q.Y.Tick.Marker = ticks{step: step, label: label}
}

// headroom is the top of an axis for values of y0 to y1: a line along it is seen
// in its whole width.
func headroom(y0, y1 float64) float64 { return y1 + 0.06*(y1-y0) }

// curvePlot draws a curve, thinned to what the canvas can show. A curve of one
// point is a dot.
type curvePlot struct {
	curve
	style draw.LineStyle
}

// Plot implements plot.Plotter.
func (c *curvePlot) Plot(dc draw.Canvas, p *plot.Plot) {
	// About three columns a point of print, more than which cannot be seen.
	tx, ty := p.Transforms(&dc)
	width := int((dc.Max.X - dc.Min.X).Points() * 3)
	x, y := decimate(c.x, c.y, width)
	line := make([]vg.Point, 0, len(x))
	for i := range x {
		line = append(line, vg.Point{X: tx(x[i]), Y: ty(y[i])})
	}
	if len(line) == 1 {
		dc.DrawGlyph(draw.GlyphStyle{Color: c.style.Color, Radius: c.style.Width * 1.5, Shape: draw.CircleGlyph{}}, line[0])
		return
	}
	dc.StrokeLines(c.style, dc.ClipLinesXY(line)...)
}

// stack draws panels below each other, with one time axis, on c.
func (pic *picture) stack(c draw.Canvas, panels []*panel, k *clock) {
	// All panels have the same x axis; only the lowest one is labelled.
	plots := make([]*plot.Plot, len(panels))
	for i, p := range panels {
		label := k.label
		if i < len(panels)-1 {
			label = ""
		}
		plots[i] = p.build(pic.theme, k.x0, k.x1, label)
	}
	// Marks of phases lie below the curves, the legend above them.
	for i, dc := range pic.rows(c, plots, pic.em(1.7)) {
		p := panels[i]
		data := plots[i].DataCanvas(dc)
		side := p.label
		if _, linear := plots[i].Y.Scale.(plot.LinearScale); linear && !p.isEmpty() {
			side += notFromZero(plots[i].Y.Min)
		}
		pic.sideLabel(c.Min.X, data, side)
		if !p.isEmpty() {
			pic.marks(data, plots[i], k.marks)
		}
		plots[i].Draw(dc)
		if p.isEmpty() {
			pic.note(data, p.empty)
			continue
		}
		// A single curve needs no legend: the axis says what it is.
		var keys []key
		for i := range p.curves {
			if len(p.curves) > 1 { // else the axis says it
				keys = append(keys, key{p.curves[i].name, pic.line(i), false})
			}
		}
		pic.legend(vg.Point{X: data.Min.X, Y: data.Max.Y + pic.em(0.5)}, data.Max.X, keys)
	}
}

// sideLabel writes the y axis's label along the left edge x of the picture. The plot's own
// label would leave no room above a logarithmic axis.
func (pic *picture) sideLabel(x vg.Length, data draw.Canvas, s string) {
	st := pic.text(1, ink, false)
	st.XAlign, st.YAlign, st.Rotation = text.XCenter, text.YTop, math.Pi/2
	pic.FillText(st, vg.Point{X: x - pic.em(0.15), Y: (data.Min.Y + data.Max.Y) / 2}, s)
}

// rows divides c into rows, one for each plot, so that the plots' data areas have equal heights
// and begin at the same x. There is room for a legend above the first row, and of height legend
// above each other one.
func (pic *picture) rows(c draw.Canvas, plots []*plot.Plot, legend vg.Length) []draw.Canvas {
	gap := pic.em(0.7)
	top := pic.em(1.7)
	c.Min.X += pic.em(1.7)
	// Each plot's labels take room left of and below its data: measure that first.
	var left vg.Length
	own := make([][2]vg.Length, len(plots)) // from the canvas to its data: left, bottom
	free := c.Max.Y - c.Min.Y - top
	for i, p := range plots {
		data := p.DataCanvas(c)
		own[i] = [2]vg.Length{data.Min.X - c.Min.X, data.Min.Y - c.Min.Y}
		left = max(left, own[i][0])
		free -= own[i][1]
	}
	// What is left is shared equally among the data areas.
	free -= vg.Length(len(plots)-1) * (legend + gap)
	height := free / vg.Length(len(plots))
	// A plot with narrower labels begins further right, so that all data begin at one x.
	out := make([]draw.Canvas, len(plots))
	y := c.Max.Y - top
	for i := range plots {
		out[i] = draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Min.X + left - own[i][0], Y: y - height - own[i][1]},
			Max: vg.Point{X: c.Max.X, Y: y},
		}}
		y -= height + own[i][1] + gap + legend
	}
	return out
}

// marks draws a line where each phase begins.
func (pic *picture) marks(data draw.Canvas, p *plot.Plot, at []float64) {
	style := draw.LineStyle{Color: past, Width: pic.em(0.08), Dashes: []vg.Length{pic.em(0.3), pic.em(0.3)}}
	for _, x := range at {
		pos := data.X(p.X.Norm(x))
		pic.StrokeLine2(style, pos, data.Min.Y, pos, data.Max.Y)
	}
}

// key is an entry of a legend: a line, or a box.
type key struct {
	name  string
	style draw.LineStyle
	box   bool
}

// legend draws entries side by side from at on, above the data.
func (pic *picture) legend(at vg.Point, end vg.Length, keys []key) {
	s := pic.text(1, ink, false)
	s.YAlign = text.YCenter
	gap, mark := pic.em(1.4), pic.em(2)
	mid := at.Y + pic.em(0.5)
	// The mark, a box or a piece of the line, and then the name, cut if the row is full.
	for _, k := range keys {
		if k.box {
			side := pic.em(0.85)
			pic.SetColor(k.style.Color)
			pic.Fill(box(at.X, mid-side/2, at.X+side, mid+side/2))
			at.X += side + pic.em(0.4)
		} else {
			pic.StrokeLine2(k.style, at.X, mid, at.X+mark, mid)
			at.X += mark + pic.em(0.4)
		}
		name := fit(s, k.name, end-at.X)
		pic.FillText(s, vg.Point{X: at.X, Y: mid + pic.em(0.1)}, name)
		at.X += s.Width(name) + gap
	}
}

// note writes a sentence in the middle of a panel that shows nothing.
func (pic *picture) note(c draw.Canvas, s string) {
	st := pic.text(1.1, faint, false)
	st.XAlign, st.YAlign = text.XCenter, text.YCenter
	pic.FillText(st, c.Center(), fit(st, s, c.Max.X-c.Min.X))
}

// box is the path around a rectangle.
func box(x0, y0, x1, y1 vg.Length) vg.Path {
	var p vg.Path
	p.Move(vg.Point{X: x0, Y: y0})
	p.Line(vg.Point{X: x1, Y: y0})
	p.Line(vg.Point{X: x1, Y: y1})
	p.Line(vg.Point{X: x0, Y: y1})
	p.Close()
	return p
}
