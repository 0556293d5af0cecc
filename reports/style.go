package reports

import (
	"bytes"
	"image/color"
	"io"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size is what a picture is made for.
type Size struct {
	Width, Height vg.Length
	DPI           int
	Letter        vg.Length // of the letters on axes
}

// The sizes: 16 x 9 cm at 200 dots an inch, and a slide of 1920 x 1080 dots.
var (
	Paper = Size{16 * vg.Centimeter, 9 * vg.Centimeter, 200, 8}
	Slide = Size{1920 * vg.Inch / 144, 1080 * vg.Inch / 144, 144, 15}
)

// Colours that colour-blind people tell apart (Okabe and Ito, Color Universal
// Design, 2008), without the yellow, which is too pale for lines.
var (
	blue       = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.RGBA{0xd5, 0x5e, 0x00, 0xff}
	green      = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	purple     = color.RGBA{0xcc, 0x79, 0xa7, 0xff}
	orange     = color.RGBA{0xe6, 0x9f, 0x00, 0xff}

	ink   = color.RGBA{0x22, 0x22, 0x22, 0xff} // text
	faint = color.RGBA{0x66, 0x66, 0x66, 0xff} // lesser text, axes
	rule  = color.RGBA{0xdd, 0xdd, 0xdd, 0xff} // grid
	past  = color.RGBA{0xb0, 0xb0, 0xb0, 0xff} // what was at the start
)

// theme is a Size with the styles that follow from it.
type theme struct {
	Size
}

// em is a length of n times the height of letters.
func (t theme) em(n float64) vg.Length { return vg.Length(n) * t.Letter }

// text is the style of a text, scale times as large as the letters on axes.
func (t theme) text(scale float64, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: t.em(scale)}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Color: c, Font: f, XAlign: text.XLeft, YAlign: text.YBottom, Handler: plot.DefaultTextHandler}
}

// plot is a plot in this style, without title and legend.
func (t theme) plot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	// Both axes: letters as elsewhere in the picture, but where the plot puts them.
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		label, tick := t.text(1, ink, false), t.text(1, ink, false)
		label.XAlign, label.YAlign = a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		tick.XAlign, tick.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		tick.Rotation, label.Rotation = a.Tick.Label.Rotation, a.Label.TextStyle.Rotation
		a.Label.TextStyle, a.Tick.Label = label, tick
		a.Label.Padding = t.em(0.35)
		a.LineStyle = draw.LineStyle{Color: faint, Width: t.em(0.07)}
		a.Tick.LineStyle = a.LineStyle
		a.Tick.Length = t.em(0.4)
		a.Padding = 0
	}
	return p
}

// line is the style of the i-th line of a panel.
func (t theme) line(i int) draw.LineStyle {
	// Lines differ in their dashes too, for those who cannot tell the colours apart.
	colours := []color.RGBA{blue, vermillion, green, purple, orange}
	dashes := [][]vg.Length{nil, {t.em(0.9), t.em(0.35)}, {t.em(0.35), t.em(0.3)}, {t.em(1.4), t.em(0.35), t.em(0.3), t.em(0.35)}, {t.em(2), t.em(0.5)}}
	return draw.LineStyle{Color: colours[i%len(colours)], Width: t.em(0.2), Dashes: dashes[i%len(dashes)]}
}

// picture is a canvas to be written as PNG or SVG.
type picture struct {
	theme
	draw.Canvas
	form FileFormat
	file io.WriterTo
}

// newPicture is an empty white picture.
func newPicture(s Size, form FileFormat) *picture {
	if form == SVG {
		c := vgsvg.NewWith(vgsvg.UseWH(s.Width, s.Height))
		pic := &picture{theme: theme{s}, Canvas: draw.New(c), form: form, file: c}
		pic.SetColor(color.White)
		pic.Fill(pic.Rectangle.Path())
		return pic
	}
	c := vgimg.NewWith(vgimg.UseWH(s.Width, s.Height), vgimg.UseDPI(s.DPI), vgimg.UseBackgroundColor(color.White))
	return &picture{theme: theme{s}, Canvas: draw.New(c), form: form, file: vgimg.PngCanvas{Canvas: c}}
}

// heading writes title and subtitle and returns the canvas below them.
func (p *picture) heading(title, subtitle string) draw.Canvas {
	margin := p.em(1)
	c := draw.Crop(p.Canvas, margin, -margin, margin*0.7, -margin)
	big, small := p.text(1.3, ink, true), p.text(1, faint, false)
	big.YAlign, small.YAlign = text.YTop, text.YTop
	c.FillText(big, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(big, title, c.Max.X-c.Min.X))
	c.Max.Y -= p.em(1.75)
	c.FillText(small, vg.Point{X: c.Min.X, Y: c.Max.Y}, fit(small, subtitle, c.Max.X-c.Min.X))
	c.Max.Y -= p.em(1.9)
	return c
}

// fit makes a text of one line, and cuts what is wider than its place.
func fit(s text.Style, txt string, width vg.Length) string {
	txt = strings.Join(strings.Fields(txt), " ")
	if s.Width(txt) <= width {
		return txt
	}
	r := []rune(txt)
	for len(r) > 0 && s.Width(string(r)+"…") > width {
		r = r[:len(r)-1]
	}
	return string(r) + "…"
}

// write writes the picture with its settings.
func (p *picture) write(w io.Writer, settings []Setting) error {
	var b bytes.Buffer
	if _, err := p.file.WriteTo(&b); err != nil {
		return err
	}
	if p.form == SVG {
		return annotateSVG(w, b.String(), settings)
	}
	return annotate(w, b.Bytes(), p.DPI, settings)
}
