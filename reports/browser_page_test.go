package reports

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// stored writes a page to a file.
func stored(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), pageName)
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// quiet checks that the page has complained of nothing, and asked for nothing but
// itself.
func (b *browser) quiet(page string) {
	b.t.Helper()
	for _, c := range b.console() {
		b.t.Errorf("%s: %s", page, c)
	}
	for _, url := range b.fetched() {
		if !strings.HasPrefix(url, "file://") || !strings.HasSuffix(url, pageName) {
			if !strings.HasPrefix(url, "data:") && !strings.HasPrefix(url, "blob:") {
				b.t.Errorf("%s: fetched %s", page, url)
			}
		}
	}
}

// fits checks the layout: the page is not wider than the window, no text is
// wider than its box, and every plot has something in it.
func (b *browser) fits(page string) {
	b.t.Helper()
	var faults []string
	b.run(&faults, `
const faults = [], wide = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > wide) faults.push("the page is " + document.documentElement.scrollWidth + " wide, the window " + wide);
document.querySelectorAll("body *").forEach((e) => {
  const r = e.getBoundingClientRect(), inScroll = e.closest(".scroll, pre, .hidden, svg");
  if (!inScroll && r.width > 0 && r.right > wide + 1) faults.push(e.tagName + "." + e.className + " ends at " + r.right);
});
document.querySelectorAll("svg").forEach((s) => {
  const box = s.getBoundingClientRect();
  s.querySelectorAll("text").forEach((e) => {
    const r = e.getBoundingClientRect();
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 1 || r.bottom > box.bottom + 1) faults.push("cut: " + e.textContent + " in " + s.closest("figure").id);
  });
  const texts = Array.from(s.querySelectorAll("text")).map((e) => [e.textContent, e.getBoundingClientRect()]);
  texts.forEach(([a, r], i) => texts.slice(i + 1).forEach(([b, q]) => {
    if (r.left < q.right - 1 && q.left < r.right - 1 && r.top < q.bottom - 3 && q.top < r.bottom - 3) faults.push("overlap: " + a + " and " + b + " in " + s.closest("figure").id);
  }));
});
document.querySelectorAll("canvas").forEach((c) => {
  const where = c.closest("figure").id;
  if (!c.width || !c.height) return faults.push("no room for " + where);
  const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data, seen = new Set();
  for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 200) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
  if (seen.size < 2) faults.push("nothing is drawn in " + where);
});
document.querySelectorAll("figure.plot .canvas, .effects").forEach((c) => { if (!c.querySelector("canvas, svg")) faults.push("empty: " + c.closest("figure").id); });
if (/NaN|undefined|Infinity|\[object/.test(document.body.innerText)) faults.push("says " + document.body.innerText.match(/.{0,40}(NaN|undefined|Infinity|\[object).{0,40}/)[0]);
return faults;`)
	for _, f := range faults {
		b.t.Errorf("%s: %s", page, f)
	}
}

// windows are the sizes a page is looked at in.
var windows = []struct {
	name          string
	width, height int
}{{"laptop", 1366, 768}, {"phone", 390, 844}}

// Pages of all sorts open in both sizes and colours without a complaint; nothing
// is fetched, cut or empty.
func TestBrowserOpens(t *testing.T) {
	b := newBrowser(t)
	pages := map[string]*Page{
		"ext4":  {Runs: []*Run{simulate(t, "../metrics/testdata/small-files-1")}, Links: []string{""}},
		"ext2":  {Runs: []*Run{simulate(t, "../metrics/testdata/ext2-truncates-1")}, Links: []string{""}},
		"study": {Study: sampleStudy(1)}, "study of two keys": {Study: sampleStudy(2), Runs: []*Run{sample()}},
		"four": {Runs: []*Run{sample(), simulate(t, "../metrics/testdata/small-files-1"), simulate(t, "../metrics/testdata/ext2-truncates-1"), sample()}, Names: []string{"a", "b", "a long name for a run", "d"}},
	}
	for _, r := range extremes() {
		pages[strings.Fields(r.Manifest.Scenario)[0]+" extreme"] = &Page{Runs: []*Run{r}}
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		file := stored(t, pages[name])
		for _, w := range windows {
			for _, scheme := range []string{"light", "dark"} {
				b.window(w.width, w.height, scheme)
				b.open(file)
				what := fmt.Sprintf("%s, %s, %s", name, w.name, scheme)
				b.fits(what)
				b.quiet(what)
				b.picture(strings.ReplaceAll(what, ", ", "-"))
			}
		}
	}
}

// pageRun is a run of 90 s, open in a browser.
func pageRun(t *testing.T) *browser {
	t.Helper()
	b := newBrowser(t)
	b.window(1366, 768, "light")
	b.open(stored(t, &Page{Runs: []*Run{sample()}, Links: []string{""}}))
	return b
}

// span is the time window that all plots show, as the page, uPlot and the map's
// axis have it.
func (b *browser) span() (lo, hi float64) {
	b.t.Helper()
	lo, hi = b.number("+document.documentElement.dataset.lo"), b.number("+document.documentElement.dataset.hi")
	var scales [][2]float64
	b.run(&scales, "return plots.map((c) => [c.plot.scales.x.min, c.plot.scales.x.max])")
	if len(scales) < 5 {
		b.t.Fatalf("%d plots", len(scales))
	}
	for i, s := range scales {
		if math.Abs(s[0]-lo) > 1e-6 || math.Abs(s[1]-hi) > 1e-6 {
			b.t.Errorf("plot %d shows %v, the page %v to %v", i, s, lo, hi)
		}
	}
	return lo, hi
}

// Dragging across a plot zooms all of them; keys and buttons move the window.
func TestBrowserZooms(t *testing.T) {
	b := pageRun(t)
	is := func(what string, lo, hi, tolerance float64) {
		t.Helper()
		if a, z := b.span(); math.Abs(a-lo) > tolerance || math.Abs(z-hi) > tolerance {
			t.Errorf("%s: the window is %.3f to %.3f, want %.3f to %.3f", what, a, z, lo, hi)
		}
	}
	is("at first", 0, 90, 1e-9)
	over := "#criteria .u-over"
	p := b.at(over, point{0.25, 0.5}, point{0.4, 0.5}, point{0.75, 0.5})
	b.drag(p...)
	is("dragged", 22.5, 67.5, 0.5)
	if got := b.text(`document.getElementById("window").textContent`); !strings.HasPrefix(got, "22.") || !strings.HasSuffix(got, "s") {
		t.Errorf("the page says %q", got)
	}
	lo, hi := b.span()
	b.press("#used .canvas", "+")
	if a, z := b.span(); math.Abs((z-a)-(hi-lo)/2) > 1e-6 || a < lo || z > hi {
		t.Errorf("+ shows %v to %v of %v to %v", a, z, lo, hi)
	}
	b.press("#used .canvas", "-")
	is("+ and -", lo, hi, 1e-6)
	const left, right = "\ue012", "\ue014"
	b.press("#map canvas", right)
	is("right", lo+(hi-lo)/4, hi+(hi-lo)/4, 1e-6)
	b.press("#map canvas", right, right, right, right)
	is("at the end", 90-(hi-lo), 90, 1e-6)
	b.press("#map canvas", left)
	is("left", 90-(hi-lo)*1.25, 90-(hi-lo)/4, 1e-6)
	b.press("#extents .canvas", "0")
	is("0", 0, 90, 1e-9)
	b.press(`[data-do="in"]`, "\ue007")
	is("the button", 22.5, 67.5, 1e-6)
	p = b.at(over, point{0.5, 0.5})
	b.click(p[0], 2)
	is("double-click", 0, 90, 1e-9)

	// On a phone, where nobody drags, the buttons do it.
	b.window(390, 844, "dark")
	b.settle()
	b.click(b.at(`[data-do="in"]`, point{0.5, 0.5})[0], 2)
	is("two taps", 33.75, 56.25, 1e-6)
	b.click(b.at(`[data-do="all"]`, point{0.5, 0.5})[0], 1)
	is("all", 0, 90, 1e-9)
	b.quiet("zooming")
}

// The slider, a click in the map and the play button choose the moment, which the
// map's boxes, the histograms and the values in the legends follow.
func TestBrowserScrubs(t *testing.T) {
	b := pageRun(t)
	r := sample()
	at := func() float64 { return b.number("+document.documentElement.dataset.at") }
	value := func() string { return b.text(`document.querySelector("#pieces .legend output").textContent`) }
	boxes := func() string { return b.text(`document.querySelectorAll("#map canvas")[1].toDataURL()`) }
	bars := func() string { return b.text(`document.querySelector("#free .canvas svg").outerHTML`) }
	words := func() string { return b.text(`document.getElementById("map-status").textContent`) }
	if at() != 90 {
		t.Errorf("at first it is %v", at())
	}
	endValue, endBoxes, endBars, endWords := value(), boxes(), bars(), words()
	const home, end, pageUp = "\ue011", "\ue010", "\ue00e"
	b.press("#scrub", home)
	if at() != 0 {
		t.Errorf("Home leads to %v", at())
	}
	if value() == endValue || boxes() == endBoxes || bars() == endBars || words() == endWords {
		t.Errorf("the start looks as the end does: %s, %s; %s, %s; %v %v", value(), endValue, words(), endWords, boxes() == endBoxes, bars() == endBars)
	}
	first, _, _ := r.ends("free_extents")
	if want := commas(first); value() != want {
		t.Errorf("the legend says %s at the start, want %s", value(), want)
	}
	b.press("#scrub", pageUp)
	if v := at(); v <= 0 || v >= 90 {
		t.Errorf("page up leads to %v", v)
	}
	b.press("#scrub", end)
	if at() != 90 || value() != endValue || boxes() != endBoxes || bars() != endBars || words() != endWords {
		t.Errorf("End does not lead back: %v %s", at(), words())
	}

	// The map: the pointer tells, a click chooses, dragging goes along.
	p := b.at("#map canvas", point{0.5, 0.3}, point{0.75, 0.3}, point{0.25, 0.5})
	b.hover(p[0])
	if got := words(); !strings.Contains(got, "group ") || !strings.Contains(got, "in use") || at() != 90 {
		t.Errorf("the pointer on the map: %q, moment %v", got, at())
	}
	b.drag(p[1], p[2])
	if v := at(); v < 15 || v > 27 {
		t.Errorf("dragged to a quarter of the map it is %v", v)
	}
	b.hover(point{5, 5})

	// Playing goes on by itself, and stops.
	before := at()
	b.run(new(any), `document.getElementById("play").click()`)
	b.wait("the play button does nothing", fmt.Sprintf("+document.documentElement.dataset.at > %v + 2", before))
	b.run(new(any), `document.getElementById("play").click()`)
	b.settle()
	stopped := at()
	time.Sleep(200 * time.Millisecond)
	if at() != stopped {
		t.Error("it does not stop playing")
	}
	b.quiet("scrubbing")
}

// Legends hide lines, the choice of a metric redraws, colours change, tables are
// downloaded, and printing shows all.
func TestBrowserControls(t *testing.T) {
	b := newBrowser(t)
	b.window(1366, 768, "light")
	b.open(stored(t, &Page{Runs: []*Run{sample(), simulate(t, "../metrics/testdata/small-files-1")}, Names: []string{"a", "b"}, Study: sampleStudy(2)}))
	picture := func() string { return b.text(`document.querySelector("#criteria canvas").toDataURL()`) }
	was := picture()
	b.press("#criteria .legend button", "\ue007")
	if b.text(`document.querySelector("#criteria .legend button").getAttribute("aria-pressed")`) != "false" || picture() == was {
		t.Error("the legend does not hide a line")
	}
	b.press("#criteria .legend button", "\ue007")
	if picture() != was {
		t.Error("the legend does not bring a line back")
	}
	choose := func(selector string, i int) {
		b.run(new(any), fmt.Sprintf(`const s = document.querySelector(%q); s.selectedIndex = %d; s.dispatchEvent(new Event("change"))`, selector, i))
		b.settle()
	}
	choose("#criteria select", 2)
	if picture() == was || !strings.Contains(b.text(`document.querySelector("#criteria .words").textContent`), "criteria 2") {
		t.Error("another metric does not change the plot and its sentence")
	}
	effects := b.text(`document.querySelector(".effects").innerHTML + document.getElementById("heat2-table").innerHTML`)
	choose("#study-metric", 2)
	if b.text(`document.querySelector(".effects").innerHTML + document.getElementById("heat2-table").innerHTML`) == effects || !strings.Contains(b.text(`document.getElementById("study-words").textContent`), "free_extents") {
		t.Error("another metric does not change the study's plots")
	}
	heat := b.text(`document.getElementById("heat2-table").innerHTML`)
	choose("#heat-y", 0)
	if b.text(`document.getElementById("heat2-table").innerHTML`) == heat {
		t.Error("another key does not change the heat map")
	}
	back := func() string { return b.text(`getComputedStyle(document.body).backgroundColor`) }
	light := back()
	for _, want := range []bool{true, false, true} { // light, dark, as the system has them
		b.press("#theme", "\ue007")
		if (back() == light) != want {
			t.Errorf("the background is %s", back())
		}
	}
	b.window(1366, 768, "dark")
	b.settle()
	if back() == light {
		t.Error("the system's dark colours change nothing")
	}
	for what, want := range map[string]string{`"series", 1`: "time_s,", `"map", 1`: "first_group,0,", `"metrics"`: "metric,a,b\n"} {
		if got := b.text("csv(tableOf(" + what + "))"); !strings.HasPrefix(got, want) || strings.Count(got, "\n") < 5 {
			t.Errorf("the table %s is %.60q", what, got)
		}
	}
	b.run(new(any), `document.querySelector('[data-csv="series"]').click()`)
	rows := b.number(`document.querySelectorAll("table.metrics tr.minor").length`)
	if shown := b.number(`Array.from(document.querySelectorAll("table.metrics tr.minor")).filter((e) => e.offsetHeight).length`); rows < 10 || shown != 0 {
		t.Errorf("%v of %v lesser metrics are shown", shown, rows)
	}
	b.run(new(any), `document.getElementById("all-metrics").click()`)
	if shown := b.number(`Array.from(document.querySelectorAll("table.metrics tr.minor")).filter((e) => e.offsetHeight).length`); shown != rows {
		t.Errorf("%v of %v lesser metrics are shown", shown, rows)
	}
	b.print("print")
	b.quiet("the controls")
}

// TestBrowserPictures takes pictures of the pages that PAGES names, in both sizes
// and colours, to be looked at.
func TestBrowserPictures(t *testing.T) {
	pages := filepath.SplitList(os.Getenv("PAGES"))
	if len(pages) == 0 {
		t.Skip("PAGES names no page")
	}
	b := newBrowser(t)
	for _, page := range pages {
		name := filepath.Base(filepath.Dir(page))
		for _, w := range windows {
			for _, scheme := range []string{"light", "dark"} {
				b.window(w.width, w.height, scheme)
				b.open(page)
				b.picture(name + "-" + w.name + "-" + scheme)
				b.fits(name + ", " + w.name)
			}
		}
		b.print(name)
		b.quiet(name)
	}
}
