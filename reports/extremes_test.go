package reports

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"mbsim/allocator/mballoc"
	"mbsim/metrics"
)

// made is a run of n rows whose metrics value gives, every few rows a snapshot.
func made(name string, n int, span int64, groups int, value func(name string, x float64) float64) *Run {
	res := &metrics.Result{
		Start: 0, End: span, BlockSize: 4096, ClusterBlocks: 1, Blocks: int64(groups) * 32768, Groups: groups, Series: &metrics.Series{},
		Map: &metrics.BlockMap{Groups: groups, PerBand: (groups + 511) / 512},
	}
	for i := range n {
		x := 0.
		if n > 1 {
			x = float64(i) / float64(n-1)
		}
		row := metrics.NewRow()
		for id, m := range metrics.List() {
			if v := value(m.Name, x); !m.Expensive || i%7 == 0 || i == n-1 {
				row[id] = v
			}
		}
		t := int64(x * float64(span))
		res.Series.Times, res.Series.Rows = append(res.Series.Times, t), append(res.Series.Rows, row)
		res.Final = row
		if i%7 == 0 || i == n-1 {
			s := &metrics.Snapshot{Time: t, Free: metrics.FreeSpace{BlockSize: 4096, Total: uint64(res.Blocks)}}
			for k := range 30 {
				if v := int64(value("bin", x+float64(k))); v > 0 {
					s.Free.Sizes[k] = metrics.Bin{Count: v, Sum: v << k}
					s.Free.Blocks += uint64(v) << k
				}
			}
			res.Snapshots = append(res.Snapshots, s)
			var used []float32
			for b := range res.Map.Bands() {
				used = append(used, float32(math.Mod(math.Abs(value("used_share", x))*float64(b)/7, 1)))
			}
			res.Map.Times, res.Map.Used = append(res.Map.Times, t), append(res.Map.Used, used)
		}
	}
	return &Run{Result: res, Manifest: Manifest{Scenario: name, Seed: 1}}
}

// extremes are runs that a picture must bear.
func extremes() []*Run {
	long := strings.Repeat("a long name\nof two lines ", 9)
	phases := made(long, 400, 86400e9*12, 3_000_000, func(name string, x float64) float64 {
		switch {
		case strings.Contains(name, "share") || strings.Contains(name, "score"):
			return 0.5 + 0.4*math.Sin(20*x)
		case name == "bin":
			return math.Pow(10, 9-math.Floor(x)/3) * (1 + math.Mod(x, 1))
		}
		return 3e9*x*x + 1
	})
	for i, n := range []string{"age", "fill up to 95%", "measure"} {
		phases.Result.Phases = append(phases.Result.Phases, metrics.Phase{Name: n, Start: int64(i) * phases.Result.End / 3, End: int64(i+1) * phases.Result.End / 3, Values: metrics.NewRow()})
	}
	all := []*Run{
		made("all zero", 50, 5e9, 40, func(string, float64) float64 { return 0 }),
		made("one sample", 1, 0, 1, func(n string, x float64) float64 { return 1 }),
		made("two samples, one tiny", 2, 1500, 13, func(n string, x float64) float64 { return x * 1e-7 }),
		made("constant", 100, 600e9, 512, func(n string, x float64) float64 { return 0.73 }),
		made("far apart", 300, 7200e9, 5000, func(n string, x float64) float64 { return math.Exp(20*x) * float64(len(n)) }),
		phases,
	}
	// The kernel with the most criteria, and the longest names.
	kernels := mballoc.Kernels()
	for _, r := range all {
		onlyKernel(r, kernels[len(kernels)-1])
	}
	return all
}

// The pictures of any run are drawn: of the right size, with something in them,
// and nothing that touches the edge, where a label would be cut.
func TestPicturesOfExtremes(t *testing.T) {
	all := extremes()
	for i, r := range all {
		show(t, r, Paper)
		for _, s := range []Size{Paper, Slide} {
			if s == Slide && i != len(all)-1 || testing.Short() && i%3 != 0 {
				continue // pictures take their time
			}
			for _, p := range Plots(r) {
				var b bytes.Buffer
				if err := p.Write(&b, s, PNG); err != nil {
					t.Fatalf("%.20s: %s: %v", r.Manifest.Scenario, p.Name, err)
				}
				img, err := png.Decode(bytes.NewReader(b.Bytes()))
				if err != nil {
					t.Fatal(err)
				}
				checkPicture(t, r.Manifest.Scenario+" "+p.Name, img, s)
			}
		}
	}
}

func checkPicture(t *testing.T, name string, img image.Image, s Size) {
	t.Helper()
	b := img.Bounds()
	w, h := int(math.Round(s.Width.Dots(float64(s.DPI)))), int(math.Round(s.Height.Dots(float64(s.DPI))))
	if d := b.Dx() - w; d < -1 || d > 1 || b.Dy() < h-1 || b.Dy() > h+1 {
		t.Errorf("%.40s: %d x %d, want %d x %d", name, b.Dx(), b.Dy(), w, h)
	}
	white := color.RGBA{0xff, 0xff, 0xff, 0xff}
	is := func(x, y int) bool { return color.RGBAModel.Convert(img.At(x, y)) == white }
	for _, edge := range []int{0, 1, 2, 3} {
		for x := range b.Dx() {
			if !is(x, edge) || !is(x, b.Dy()-1-edge) {
				t.Errorf("%.40s: something touches the upper or lower edge at %d", name, x)
				return
			}
		}
		for y := range b.Dy() {
			if !is(edge, y) || !is(b.Dx()-1-edge, y) {
				t.Errorf("%.40s: something touches the left or right edge at %d", name, y)
				return
			}
		}
	}
}
