package reports

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mbsim/metrics"
)

// bars are pairs of bars, one pair for each class of sizes: the state before and after.
type bars struct {
	before, after []float64
	first         int // class of the leftmost
}

// Plot implements plot.Plotter.
func (b *bars) Plot(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	floor := ty(p.Y.Min)
	// one draws a bar from the axis up. What lies below a logarithmic axis has none.
	one := func(v float64, x0, x1 float64, fill color.Color) {
		if v <= 0 || p.Y.Norm(v) <= 0 {
			return
		}
		c.SetColor(fill)
		c.Fill(box(tx(x0), floor, tx(x1), min(ty(v), c.Max.Y)))
	}
	for i := range b.after {
		x := float64(b.first + i)
		one(b.before[i], x-0.4, x, past)
		one(b.after[i], x, x+0.4, blue)
	}
}

// drawFreeExtents draws two panels by the size of a piece of free space: how much space lies
// in pieces of that size, and how many pieces there are.
func drawFreeExtents(pic *picture, c draw.Canvas, r *Run) error {
	snaps := r.Result.Snapshots
	start, end := &snaps[0].Free, &snaps[len(snaps)-1].Free
	first, last := classes(&start.Sizes, &end.Sizes)
	space := pic.theme.plot()
	count := pic.theme.plot()
	// Without any free space one empty class is shown.
	if last < first {
		first, last = 0, 0
	}
	// The unit in which the largest bar is a number below 1024.
	scale, unit := 1., "bytes"
	top := 0.
	for i := first; i <= last; i++ {
		top = max(top, float64(max(start.Sizes[i].Sum, end.Sizes[i].Sum)*r.Result.BlockSize))
	}
	if v, prefix := binaryScale(top); prefix != "" {
		scale, unit = v/top, prefix+"iB"
	}
	// The two panels, and below the lower one the classes' names.
	bs := float64(r.Result.BlockSize)
	pic.bars(space, start, end, first, last, func(b metrics.Bin) float64 { return float64(b.Sum) * bs * scale }, false)
	pic.bars(count, start, end, first, last, func(b metrics.Bin) float64 { return float64(b.Count) }, true)
	count.X.Label.Text = "size of a piece of free space (from the size named to twice that)"
	names := sizeNames(r.Result.BlockSize, first, last)
	count.X.Tick.Marker = names
	// The upper panel has the same ticks without names.
	blank := append(plot.ConstantTicks(nil), names...)
	for i := range blank {
		blank[i].Label = " "
	}
	space.X.Tick.Marker = blank

	// Draw them below each other, with one legend.
	plots := []*plot.Plot{space, count}
	canvases := pic.rows(c, plots, 0)
	for i, label := range []string{"free space (" + unit + ")", "pieces"} {
		pic.sideLabel(c.Min.X, plots[i].DataCanvas(canvases[i]), label)
		plots[i].Draw(canvases[i])
	}
	data := space.DataCanvas(canvases[0])
	pic.legend(vg.Point{X: data.Min.X, Y: data.Max.Y + pic.em(0.5)}, data.Max.X, []key{
		{"at the start", draw.LineStyle{Color: past}, true}, {"at the end", draw.LineStyle{Color: blue}, true},
	})
	if start.Blocks == 0 && end.Blocks == 0 {
		pic.note(data, "there is no free space")
	}
	return nil
}

// classes are the first and the last class that either histogram counts in.
func classes(a, b *metrics.Bins) (first, last int) {
	last = max(a.Len(), b.Len()) - 1
	for first < last && a[first].Count == 0 && b[first].Count == 0 {
		first++
	}
	return first, last
}

// bars adds a panel of bars to p, on a logarithmic scale where that is asked for
// and the values are far apart.
func (pic *picture) bars(p *plot.Plot, start, end *metrics.FreeSpace, first, last int, value func(metrics.Bin) float64, counts bool) {
	// The values of all classes, and their range above 0 for a logarithmic axis.
	b := &bars{first: first}
	least, most := math.Inf(1), 0.
	for i := first; i <= last; i++ {
		u, v := value(start.Sizes[i]), value(end.Sizes[i])
		b.before, b.after = append(b.before, u), append(b.after, v)
		for _, x := range []float64{u, v} {
			if most = max(most, x); x > 0 {
				least = min(least, x)
			}
		}
	}
	p.X.Min, p.X.Max = float64(first)-0.6, float64(last)+0.6
	// Space is linear, so that bars can be compared; counts may be logarithmic.
	switch {
	case most == 0:
		p.Y.Min, p.Y.Max = 0, 1
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}}
		return
	case counts && most/least > 20:
		p.Y.Scale = plot.LogScale{}
		p.Y.Min, p.Y.Max = 0.5, most*1.5 // one piece must be seen
		p.Y.Tick.Marker = powers{plain, true}
	default:
		step := most / 4
		if counts {
			step = max(step, 1)
		}
		p.Y.Min, p.Y.Max = 0, headroom(0, most)
		p.Y.Tick.Marker = ticks{step: niceStep(step, 0), label: plain}
	}
	// Lines across the panel, below the bars.
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: rule, Width: pic.em(0.06)}
	p.Add(grid, b)
	// Adding the bars has widened the axis: set it again.
	p.X.Min, p.X.Max = float64(first)-0.6, float64(last)+0.6
}

// sizeNames names the classes of sizes, every second or third where there are
// many.
func sizeNames(blockSize int64, first, last int) plot.ConstantTicks {
	every := 1 + (last-first)/14
	var out plot.ConstantTicks
	for i := first; i <= last; i++ {
		t := plot.Tick{Value: float64(i)}
		if (i-first)%every == 0 {
			t.Label = sizeLabel(float64(blockSize) * math.Pow(2, float64(i)))
		}
		out = append(out, t)
	}
	return out
}
