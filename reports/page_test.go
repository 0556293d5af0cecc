package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mbsim/metrics"
)

func pageOf(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// dataIn is the data of a page.
func dataIn(t testing.TB, page string) *dataPage {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="data">`)
	raw, _, ok2 := strings.Cut(rest, "</script>")
	if !ok || !ok2 {
		t.Fatal("the page has no data")
	}
	var d dataPage
	if err := json.Unmarshal([]byte(raw), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// read gives a column's numbers as the page's script does, NaN where a row has
// none.
func (c *column) read(t testing.TB, n int) []float64 {
	t.Helper()
	var v []float64
	sum := 0.
	for _, x := range append(append([]json.Number(nil), c.Deltas...), c.Values...) {
		f, err := x.Float64()
		if err != nil {
			t.Fatal(err)
		}
		if c.Deltas != nil {
			sum += f
			f = sum
		}
		v = append(v, f)
	}
	if c.Rows == nil {
		return v
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = math.NaN()
	}
	row := 0
	for i, step := range c.Rows {
		row += step
		out[row] = v[i]
	}
	return out
}

// The page holds the series to six digits, counters whole, and the block map.
func TestPageHoldsData(t *testing.T) {
	r := simulate(t, "../metrics/testdata/small-files-1")
	d := dataIn(t, pageOf(t, &Page{Runs: []*Run{r}}))
	s := r.Result.Series
	one := d.Runs[0]
	times := one.Times.read(t, 0)
	if len(times) != len(s.Rows) || len(one.Series) != len(s.Columns()) {
		t.Fatalf("%d rows and %d columns, want %d and %d", len(times), len(one.Series), len(s.Rows), len(s.Columns()))
	}
	for _, id := range s.Columns() {
		m := metrics.At(id)
		got := one.Series[m.Name].read(t, len(s.Rows))
		for i, row := range s.Rows {
			want := row[id]
			switch {
			case math.IsNaN(want) != math.IsNaN(got[i]):
				t.Fatalf("%s in row %d is %v, want %v", m.Name, i, got[i], want)
			case m.Kind == metrics.Counter && got[i] != want, math.Abs(got[i]-want) > math.Abs(want)*1e-5:
				t.Fatalf("%s in row %d is %v, want %v", m.Name, i, got[i], want)
			}
		}
	}
	raw, err := base64.StdEncoding.DecodeString(one.Map.Used)
	if err != nil || len(raw) != one.Map.Bands*len(r.Result.Map.Times) {
		t.Fatalf("%d bytes of the block map, %v", len(raw), err)
	}
	for i, used := range r.Result.Map.Used {
		for b, u := range used {
			if got := float64(raw[i*one.Map.Bands+b]) / 250; math.Abs(got-float64(u)) > 0.0021 {
				t.Fatalf("band %d is %v full, want %v", b, got, u)
			}
		}
	}
	if len(one.Snapshots) != len(r.Result.Snapshots) {
		t.Errorf("%d snapshots", len(one.Snapshots))
	}
}

// Nothing in a page can make a browser fetch anything: it names no address but
// those of the run's own files, which lie beside it.
func TestPageFetchesNothing(t *testing.T) {
	r := sample()
	r.Manifest.Files = []string{"results.json", "series.csv"}
	page := pageOf(t, &Page{Runs: []*Run{r, r}, Names: []string{"a", "b"}, Links: []string{"", "../b"}, Study: sampleStudy(2)})
	for _, bad := range []string{"<img", "<iframe", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket", "importScripts", "sourceMappingURL", "<script src", "//cdn"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	var to []string
	for _, m := range regexp.MustCompile(`\b(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		to = append(to, m[1])
	}
	want := []string{"data:,", "manifest.json", "results.json", "series.csv", "../b/manifest.json", "../b/results.json", "../b/series.csv"}
	if !equal(to, want) {
		t.Errorf("links to %q, want %q", to, want)
	}
	for _, m := range regexp.MustCompile(`https?://[^\s"'<]+`).FindAllString(page, -1) {
		if !strings.HasPrefix(m, "https://github.com/leeoniya/uPlot") && m != "http://www.w3.org/2000/svg" {
			t.Errorf("the page names %s", m)
		}
	}
	if !strings.Contains(page, "Permission is hereby granted, free of charge") {
		t.Error("uPlot's licence is not in the page")
	}
}

// What the starting state does not tell stands on the page, and behind the table.
func TestNotesAreShown(t *testing.T) {
	r := sample()
	var b strings.Builder
	if WriteNotes(&b, r); b.Len() > 0 || strings.Contains(pageOf(t, &Page{Runs: []*Run{r}}), "Starting state:") {
		t.Errorf("a run without notes has some: %q", b.String())
	}
	r.Manifest.Notes = []string{"it was mounted", "3 orphans"}
	if WriteNotes(&b, r); b.String() != "\nAbout the starting state:\n  it was mounted\n  3 orphans\n" {
		t.Errorf("%q", b.String())
	}
	for _, want := range []string{">Starting state: it was mounted.<", ">Starting state: 3 orphans.<"} {
		if !strings.Contains(pageOf(t, &Page{Runs: []*Run{r}}), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// They are in the manifest, from which a stored run has them.
	b.Reset()
	if _, err := r.Manifest.WriteTo(&b); err != nil || !strings.Contains(b.String(), `"notes": [`) {
		t.Errorf("%v: %s", err, b.String())
	}
}

// What people write into scenarios cannot break out of the page.
func TestPageEscapes(t *testing.T) {
	r := sample()
	const evil = `</script><script>alert(1)</script>"'&<b>`
	r.Manifest.Scenario = evil
	r.Manifest.Command = []string{"mbsim", "run", evil}
	r.Manifest.Warnings, r.Manifest.Notes = []string{evil}, []string{evil}
	r.Result.Phases[0].Name = evil
	raw, err := json.Marshal(map[string]any{"question": evil, "name": evil, "mount": evil})
	if err != nil {
		t.Fatal(err)
	}
	r.Manifest.Config = raw
	if page := pageOf(t, &Page{Runs: []*Run{r}}); strings.Contains(page, "alert(1)</script>") || strings.Count(page, "<script") != 3 {
		t.Error("a name breaks out of its place")
	}
}

// The same run gives the same page, and a run that was stored the same as the run
// itself; all other runs give pages too, and none is large.
func TestPageIsTheSame(t *testing.T) {
	for _, r := range append(extremes(), sample(), simulate(t, "../metrics/testdata/ext2-truncates-1")) {
		page := pageOf(t, &Page{Runs: []*Run{r}})
		if page != pageOf(t, &Page{Runs: []*Run{r}}) {
			t.Errorf("%.20s: two pages differ", r.Manifest.Scenario)
		}
		if len(page) > 5<<18 {
			t.Errorf("%.20s: %d bytes", r.Manifest.Scenario, len(page))
		}
		if strings.Contains(page, "NaN") && !strings.Contains(pageJS+chartsJS+uplotJS, "NaN") || strings.Contains(page, ">NaN") || strings.Contains(page, "%!") {
			t.Errorf("%.20s: the page says NaN", r.Manifest.Scenario)
		}
	}
	dir := t.TempDir()
	r := sample()
	r.Manifest.Config = json.RawMessage(`{"name":"sample","expect":[{"metric":"files","stat":"last","op":">=","value":1}]}`)
	if err := WriteDir(dir, &r.Manifest, Files(r)); err != nil {
		t.Fatal(err)
	}
	again, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Files(again) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		if was, err := os.ReadFile(filepath.Join(dir, f.Name)); err != nil || !bytes.Equal(was, b.Bytes()) {
			t.Errorf("%s of the stored run differs from that of the run (%v)", f.Name, err)
		}
	}
}

// Every plot has a title, a sentence, and a text for those who do not see it.
func TestPageSpeaks(t *testing.T) {
	for _, p := range []*Page{{Runs: []*Run{sample()}}, {Runs: []*Run{sample(), sample()}, Names: []string{"a", "b"}}} {
		page := pageOf(t, p)
		figures := regexp.MustCompile(`(?s)<figure.*?</figure>`).FindAllString(page, -1)
		if len(figures) < 10 {
			t.Errorf("%d plots", len(figures))
		}
		for _, f := range figures {
			words := regexp.MustCompile(`<p class="words">([^<]+)\.</p>`).FindStringSubmatch(f)
			if !strings.Contains(f, "<h3>") || words == nil {
				t.Errorf("no title or sentence: %.200s", f)
			}
			if !strings.Contains(f, `class="maps"`) && !regexp.MustCompile(`role="img" aria-label="[^"]{20,}"`).MatchString(f) {
				t.Errorf("no text for a plot: %.200s", f)
			}
		}
	}
}

func TestVerdicts(t *testing.T) {
	r := sample()
	r.Manifest.Config = json.RawMessage(`{"expect":[
		{"metric":"files","stat":"last","op":">=","value":1},{"metric":"mb_lost","stat":"max","op":"==","value":0},
		{"metric":"mb_lost","stat":"last","op":">","value":0},{"metric":"rsv_reqs","stat":"last","op":"<","value":9}]}`)
	var got []string
	for _, v := range verdicts(r) {
		got = append(got, fmt.Sprintf("%s %v", v.Text, v.Met))
	}
	want := []string{"files ≥ 1 true", "max of mb_lost = 0 true", "mb_lost > 0 false", "rsv_reqs < 9 true"}
	if !equal(got, want) {
		t.Errorf("%q", got)
	}
	for n, want := range map[int]string{0: "The scenario expects nothing", 1: "Its expectation is met", 2: "All 2 expectations are met", 4: "1 of 4 expectations not met"} {
		if line, ok := verdictLine(verdicts(r)[:n]); line != want || ok != (n < 3) {
			t.Errorf("%d: %s %v", n, line, ok)
		}
	}
}

func TestDifferences(t *testing.T) {
	of := func(config string, changed ...Change) *Run {
		r := sample()
		r.Manifest.Config, r.Manifest.Changed = json.RawMessage(config), changed
		return r
	}
	runs := []*Run{
		of(`{"name":"a","seed":1,"tunables":{"x":3},"workload":{"phases":[{"n":1},{"n":2}]}}`, Change{"tunables.x", "3", "2"}),
		of(`{"name":"b","seed":2,"workload":{"phases":[{"n":1},{"n":5}]},"mount":"nodelalloc"}`),
	}
	diffs := differences(runs)
	if got, want := fmt.Sprint(diffs), "[{seed [1 2]} {tunables.x [3 2 (default)]} {workload.phases.1.n [2 5]} {mount [ nodelalloc]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := strings.Join(remarks(runs, diffs), " "); !strings.Contains(got, "seeds differ") || !strings.Contains(got, "workloads differ") || strings.Contains(got, "devices") {
		t.Error(got)
	}
	if got := strings.Join(remarks([]*Run{runs[0], runs[0]}, nil), " "); !strings.Contains(got, "same settings") {
		t.Error(got)
	}
}

func TestChanges(t *testing.T) {
	config := json.RawMessage(`{"cpus":4,"name":"x","memory":{"size":1},"tunables":{"a":3,"b":7},"mount":"m"}`)
	defaults := json.RawMessage(`{"cpus":1,"name":"y","memory":{"size":1}}`)
	got := Changes(config, defaults, func(p string) bool { return p == "name" },
		func(p string) string { return map[string]string{"tunables.a": "2", "tunables.b": "7"}[p] })
	if want := "[{cpus 4 1} {tunables.a 3 2} {mount m }]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if got := Changes(nil, defaults, func(string) bool { return false }, func(string) string { return "" }); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestAddFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := WriteDir(dir, &Manifest{}, []File{holding("a", "1"), holding("b", "1")}); err != nil {
		t.Fatal(err)
	}
	m := &Manifest{Files: []string{"a", "b"}}
	if err := AddFiles(dir, m, []File{holding("c", "2"), holding("a", "2")}); err != nil {
		t.Fatal(err)
	}
	if got := list(t, dir); got != "a=2 b=1 c=2 manifest.json=" {
		t.Error(got)
	}
	var stored Manifest
	if err := load(dir, manifestName, 1<<30, stored.readFiles); err != nil || !equal(stored.Files, []string{"a", "b", "c"}) {
		t.Errorf("the manifest names %v, %v", stored.Files, err)
	}
	if err := AddFiles(dir, nil, []File{holding("d", "3"), holding("e/f", "3")}); err == nil || list(t, dir) != "a=2 b=1 c=2 manifest.json=" {
		t.Errorf("a bad name: %v, %s", err, list(t, dir))
	}
	if err := AddFiles(filepath.Join(dir, "new", "dir"), nil, []File{holding("d", "3")}); err != nil {
		t.Error(err)
	}
}
