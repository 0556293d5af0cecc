package reports

import (
	"bytes"
	"flag"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"

	"mbsim/allocator/mballoc"
	"mbsim/metrics"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files of testdata anew")

// golden compares what write writes with testdata/name.
func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) == ".png" {
		comparePictures(t, name, b.Bytes(), want)
		return
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%s differs (go test -rewrite writes it anew):\n%s", name, b.Bytes())
	}
}

// sample is a small run whose every metric is a number of its own.
func sample() *Run {
	r := made("sample", 9, 90e9, 40, func(name string, x float64) float64 {
		h := 0.
		for _, c := range name {
			h = math.Mod(h*31+float64(c), 997)
		}
		switch {
		case name == "bin":
			return math.Floor(10 / (1 + math.Abs(x-5)))
		case strings.HasSuffix(name, "share") || strings.Contains(name, "score"):
			return math.Round(1000-h/2*x) / 1000
		case name == "mb_lost":
			return 0
		case name == "extents_per_file_mean" || name == "extents_per_file_p90" || name == "extents_per_file_p99":
			return math.Round(100+h*x) / 100
		}
		return math.Floor(h * x * x)
	})
	onlyKernel(r, mballoc.Linux5_10)
	for id, m := range metrics.List() {
		// A run has one policy.
		if m.Group == "Reservation windows (ext2)" {
			for _, row := range r.Result.Series.Rows {
				row[id] = math.NaN()
			}
		}
	}
	from, to := r.Result.Series.Rows[4], r.Result.Final
	r.Result.Phases = []metrics.Phase{
		{Name: "age", Start: 0, End: 45e9, Values: from},
		{Name: "measure", Measured: true, Start: 45e9, End: 90e9, Values: to.Since(from)},
	}
	r.Result.Measured = r.Result.Phases[1].Values
	r.Manifest = Manifest{
		Version: "v1.2.3", Revision: "0123abcd", Go: "go1.26", Scenario: "sample", ScenarioDigest: "ab12", Seed: 7,
		Command: []string{"mbsim", "run", "a scenario.yaml", "--set", "s_mb_order2_reqs=4"}, Config: []byte(`{"name": "sample"}`), Fingerprint: "f00d",
	}
	return r
}

// onlyKernel leaves out of a run the metrics of criteria that a kernel does not have.
func onlyKernel(r *Run, k mballoc.Kernel) {
	for id, m := range metrics.List() {
		for _, rung := range mballoc.Rungs() {
			if k.RungOf(rung.Key) >= 0 || !strings.HasPrefix(m.Name, "mb_"+rung.Key+"_") {
				continue
			}
			for _, row := range r.Result.Series.Rows {
				row[id] = math.NaN()
			}
		}
	}
}

func TestGolden(t *testing.T) {
	r := sample()
	golden(t, "results.json", func(w io.Writer) error { return WriteResults(w, r) })
	golden(t, "series.csv", func(w io.Writer) error { return WriteSeries(w, r.Result) })
	golden(t, "blockmap.csv", func(w io.Writer) error { return WriteBlockMap(w, r.Result.Map) })
	golden(t, "summary.txt", func(w io.Writer) error { return Summary(w, r, false, Text, 0) })
	golden(t, "all.md", func(w io.Writer) error { return Summary(w, r, true, Markdown, 0) })
	golden(t, "manifest.json", func(w io.Writer) error {
		_, err := r.Manifest.WriteTo(w)
		return err
	})
}

// The list of all metrics is not compared: it changes with each metric. It must
// name every one.
func TestMetricList(t *testing.T) {
	for _, f := range []Format{Text, Markdown} {
		var b bytes.Buffer
		if err := MetricList(&b, f, 0); err != nil {
			t.Fatal(err)
		}
		for _, m := range metrics.List() {
			if !bytes.Contains(b.Bytes(), []byte(m.Name)) {
				t.Errorf("format %d lacks %s", f, m.Name)
			}
		}
	}
}

// Small pictures are enough to see that one has changed.
func TestGoldenPictures(t *testing.T) {
	small := Size{16 * vg.Centimeter, 9 * vg.Centimeter, 50, 8}
	for _, p := range Plots(sample()) {
		golden(t, p.Name+".png", func(w io.Writer) error { return p.Write(w, small, PNG) })
	}
}

// comparePictures lets letters be drawn a little otherwise: the mean difference
// of a colour is at most 1 of 255, and at most one pixel in 200 is quite another.
func comparePictures(t *testing.T, name string, got, want []byte) {
	t.Helper()
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if a.Bounds() != b.Bounds() {
		t.Fatalf("%s is of %v, want %v", name, a.Bounds(), b.Bounds())
	}
	sum, other, n := 0., 0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			d := 0.
			for _, v := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}} {
				d += math.Abs(float64(v[0])-float64(v[1])) / 257
			}
			sum += d / 3
			if n++; d > 3*64 {
				other++
			}
		}
	}
	if mean := sum / float64(n); mean > 1 || other*200 > n {
		t.Errorf("%s: colours differ by %.2f in the mean, %d of %d pixels are quite others (go test -rewrite writes it anew)", name, mean, other, n)
	}
}
