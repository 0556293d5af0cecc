package reports

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mbsim/metrics"
)

// stops are colours from empty to full: light to dark, so that they are told
// apart without seeing colour (ColorBrewer's YlGnBu).
var stops = []color.RGBA{
	{0xff, 0xff, 0xd9, 0xff}, {0xed, 0xf8, 0xb1, 0xff}, {0xc7, 0xe9, 0xb4, 0xff}, {0x7f, 0xcd, 0xbb, 0xff}, {0x41, 0xb6, 0xc4, 0xff},
	{0x1d, 0x91, 0xc0, 0xff}, {0x22, 0x5e, 0xa8, 0xff}, {0x25, 0x34, 0x94, 0xff}, {0x08, 0x1d, 0x58, 0xff},
}

// shade is the colour of a share.
func shade(share float64) color.RGBA {
	// Between two neighbouring stops the colour is mixed.
	v := min(max(share, 0), 1) * float64(len(stops)-1)
	i := min(int(v), len(stops)-2)
	f := v - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + f*(float64(b)-float64(a)))) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// raster draws a picture over the whole of a plot.
type raster struct {
	dpi   int
	paint func(width, height int) image.Image
}

// Plot implements plot.Plotter.
func (r raster) Plot(c draw.Canvas, _ *plot.Plot) {
	w := c.Max.X - c.Min.X
	h := c.Max.Y - c.Min.Y
	c.DrawImage(c.Rectangle, r.paint(max(1, int(math.Round(w.Dots(float64(r.dpi))))), max(1, int(math.Round(h.Dots(float64(r.dpi)))))))
}

// drawBlockMap draws how full each band of groups is over time, and the bar of colours.
func drawBlockMap(pic *picture, c draw.Canvas, r *Run) error {
	m := r.Result.Map
	k := clockOf(r.Result)
	barWidth, barRoom := pic.em(1.4), pic.em(8)
	// The axes: time, and groups; each of a few groups has its own tick.
	p := pic.theme.plot()
	p.X.Min, p.X.Max, p.X.Label.Text = k.x0, k.x1, k.label
	p.X.Tick.Marker = ticks{want: 7, label: plain}
	p.Y.Min, p.Y.Max = 0, float64(m.Groups)
	p.Y.Tick.Marker = ticks{want: 6, least: 1, label: plain}
	if m.Groups <= 12 {
		p.Y.Tick.Marker = rows(m.Groups)
	}
	p.Add(raster{pic.DPI, func(w, h int) image.Image { return paintMap(m, &k, w, h) }})
	main := draw.Crop(c, pic.em(1.7), -barRoom, 0, 0)
	p.Draw(main)
	data := p.DataCanvas(main)
	pic.sideLabel(c.Min.X, data, "block group")

	// The colour bar.
	x0 := data.Max.X + pic.em(1.5)
	bar := vg.Rectangle{Min: vg.Point{X: x0, Y: data.Min.Y}, Max: vg.Point{X: x0 + barWidth, Y: data.Max.Y}}
	// The picture has the bar's shape: a viewer of SVG would keep another one.
	pic.DrawImage(bar, gradient(max(1, int(256*barWidth/(bar.Max.Y-bar.Min.Y))), 256))
	edge := draw.LineStyle{Color: faint, Width: pic.em(0.07)}
	s := pic.text(1, ink, false)
	s.YAlign = text.YCenter
	for i := range 5 {
		share := float64(i) / 4
		y := bar.Min.Y + vg.Length(share)*(bar.Max.Y-bar.Min.Y)
		pic.StrokeLine2(edge, bar.Max.X, y, bar.Max.X+pic.em(0.4), y)
		pic.FillText(s, vg.Point{X: bar.Max.X + pic.em(0.6), Y: y + pic.em(0.1)}, percent(share, 0.25))
	}
	// What the colours mean, along the bar.
	s.Rotation = math.Pi / 2
	s.XAlign, s.YAlign = text.XCenter, text.YTop
	pic.FillText(s, vg.Point{X: bar.Max.X + pic.em(3.7), Y: (bar.Min.Y + bar.Max.Y) / 2}, "blocks in use")
	return nil
}

// rows are ticks in the middle of each of a few groups.
func rows(n int) (all plot.ConstantTicks) {
	for i := range n {
		all = append(all, plot.Tick{Value: float64(i) + 0.5, Label: strconv.Itoa(i)})
	}
	return all
}

// paintMap paints the map. Each pixel shows the last sample before its time.
func paintMap(m *metrics.BlockMap, k *clock, w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	bands := m.Bands()
	for x := range w {
		// The last sample that is not after the middle of the pixel. Before the first sample
		// there is none, and the first is shown.
		now := k.x0 + (float64(x)+0.5)/float64(w)*(k.x1-k.x0)
		i, found := slices.BinarySearchFunc(m.Times, now, func(t int64, now float64) int {
			switch at := k.at(t); {
			case at < now:
				return -1
			case at > now:
				return 1
			}
			return 0
		})
		if !found {
			i--
		}
		i = min(max(i, 0), len(m.Times)-1)
		// Pixels count from the top, groups from the bottom.
		for y := range h {
			g := (float64(h-1-y) + 0.5) / float64(h) * float64(m.Groups)
			b := min(int(g)/m.PerBand, bands-1)
			img.SetRGBA(x, y, shade(fourPlaces(m.Used[i][b])))
		}
	}
	return img
}

// gradient is the colour bar, full at the top.
func gradient(w, n int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, n))
	for i := range w * n {
		img.SetRGBA(i%w, i/w, shade(1-float64(i/w)/float64(n-1)))
	}
	return img
}
