package reports

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"

	"mbsim/internal/shell"
)

// pageName is the file of a run's page.
const pageName = "report.html"

// Page is what report.html shows: one run, several beside each other, or a study
// with or without runs of it. The page is one file and fetches nothing.
type Page struct {
	Runs  []*Run   // the first is the one that others are compared with
	Names []string // of the runs, for people; "" is the scenario's name
	// Links lead from the page to the folder of each run's files: "" is the page's
	// own. A run without one has no links.
	Links []string
	Study *Study // nil where there is none
}

// The parts of the page. uPlot (MIT licence) draws the charts over time.
var (
	//go:embed static/page.html
	pageHTML string
	//go:embed static/page.css
	pageCSS string
	//go:embed static/dark.css
	darkCSS string
	//go:embed static/page.js
	pageJS string
	//go:embed static/charts.js
	chartsJS string
	//go:embed static/map.js
	mapJS string
	//go:embed static/bars.js
	barsJS string
	//go:embed static/study.js
	studyJS string
	//go:embed static/uplot/uPlot.iife.min.js
	uplotJS string
	//go:embed static/uplot/uPlot.min.css
	uplotCSS string
	//go:embed static/uplot/LICENSE
	uplotLicense string
)

// pageTemplate is made when it is first asked for: most commands write no page.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{"breakable": breakable}).Parse(pageHTML))
})

// breakable is a name that may be broken behind its underscores and dots.
func breakable(name string) template.HTML {
	return template.HTML(strings.NewReplacer("_", "_<wbr>", ".", ".<wbr>").Replace(template.HTMLEscapeString(name)))
}

// pageFile is the page of one run, in the run's own directory.
func pageFile(r *Run) File {
	return File{pageName, func(w io.Writer) error { return (&Page{Runs: []*Run{r}, Links: []string{""}}).Write(w) }}
}

// name is how the page calls run i.
func (p *Page) name(i int) string {
	if i < len(p.Names) && p.Names[i] != "" {
		return p.Names[i]
	}
	if s := p.Runs[i].Manifest.Scenario; s != "" {
		return s
	}
	return fmt.Sprintf("run %d", i+1)
}

// What the template shows.
type (
	pageView struct {
		Title    string
		Question string
		Style    template.CSS
		Data     template.JS
		Scripts  []template.JS
		Runs     []runView
		Single   *runView // where there is one run
		Columns  int      // of the table of metrics
		Diffs    []difference
		Remarks  []string
		Groups   []metricGroup
		Charts   []plotView
		Flat     []string // sentences of charts that would be empty
		Phases   string
		Map      *plotView
		Bars     []plotView
		Study    *Study
		Table    *studyTable
		Command  string // of the study
		Made     string
	}
	runView struct {
		Name     string
		Verdicts []verdict
		Verdict  string
		Met      bool
		Tiles    []tile
		Facts    []fact
		Command  string
		Changed  []Change
		Warnings []string
		Notes    []string // on the starting state
		Files    []link
		Config   string
	}
	fact     struct{ Key, Text string }
	link     struct{ Name, To string }
	plotView struct {
		ID, Title string
		Words     []string // sentences
		Lines     []string // to choose from
	}
)

// Write writes the page. The same runs give the same bytes.
func (p *Page) Write(w io.Writer) error {
	// The study is checked before anything of it is looked up.
	if p.Study != nil {
		if err := p.Study.check(); err != nil {
			return err
		}
	}
	if len(p.Runs) == 0 && p.Study == nil {
		return fmt.Errorf("a page of nothing")
	}
	// The data that the scripts draw, as JSON.
	d, err := p.dataOf()
	if err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return err
	}
	// The rest is in the page's text. Data, styles and scripts are marked as safe: the JSON
	// encoder escapes what could end a script, and the others are files of this package.
	v := p.view()
	v.Style, v.Data = template.CSS(uplotCSS+pageCSS+darkRules()), template.JS(data)
	v.Scripts = []template.JS{template.JS("/* " + strings.TrimSpace(uplotLicense) + " */\n" + uplotJS),
		template.JS(pageJS + chartsJS + mapJS + barsJS + studyJS)}
	return pageTemplate().Execute(w, v)
}

// darkRules are the dark colours where the system or the reader asks for them, on
// a screen.
func darkRules() string {
	return "@media screen { :root[data-theme=dark] {\n" + darkCSS + "} }\n" +
		"@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light]) {\n" + darkCSS + "} }\n"
}

// view collects what the template shows.
func (p *Page) view() *pageView {
	v := &pageView{Title: p.title(), Study: p.Study}
	for i, r := range p.Runs {
		v.Runs = append(v.Runs, p.runView(i, r))
	}
	// One run has a summary of its own; several are compared, a column for each.
	switch {
	case len(p.Runs) == 1:
		v.Single, v.Columns = &v.Runs[0], 3
	case len(p.Runs) > 1:
		v.Columns = 1 + len(p.Runs)
		v.Diffs = differences(p.Runs)
		v.Remarks = remarks(p.Runs, v.Diffs)
	}
	// What is said of the runs, and of the study.
	if len(p.Runs) > 0 {
		v.Groups = metricGroups(p.Runs)
		v.Question = p.question()
		p.plots(v)
	}
	if p.Study != nil {
		v.Table, v.Command = p.Study.table(), shell.Line(p.Study.Command)
		v.Question = p.Study.Question
	}
	if v.Single != nil {
		v.Phases = phaseWords(p.Runs[0])
	}
	if len(p.Runs) > 0 {
		m := &p.Runs[0].Manifest
		v.Made = "mbsim " + m.Version
	}
	return v
}

// title is the study's name, or those of the runs.
func (p *Page) title() string {
	if p.Study != nil {
		return p.Study.Name
	}
	return strings.Join(p.names(), ", ")
}

func (p *Page) names() (all []string) {
	for i := range p.Runs {
		all = append(all, p.name(i))
	}
	return all
}

// question is the one that the scenario answers, if it is the same for all runs.
func (p *Page) question() string {
	common := ""
	// A configuration that cannot be read has no question.
	for i, r := range p.Runs {
		var config struct{ Question string }
		if json.Unmarshal(r.Manifest.Config, &config) != nil || i > 0 && config.Question != common {
			return ""
		}
		common = config.Question
	}
	return common
}

// runView collects what the template shows of run i.
func (p *Page) runView(i int, r *Run) runView {
	m := &r.Manifest
	v := runView{Name: p.name(i), Verdicts: verdicts(r), Tiles: tiles(r), Command: shell.Line(m.Command), Changed: m.Changed, Warnings: slices.Concat(m.Warnings, r.Result.Warnings), Notes: m.Notes}
	v.Verdict, v.Met = verdictLine(v.Verdicts)
	// Where the program comes from, also if that is not known.
	revision := m.Revision
	switch {
	case revision == "":
		revision = "unknown"
	case m.Modified:
		revision += " (modified)"
	}
	// The facts, without those that are not known.
	for _, f := range []fact{
		{"scenario", m.Scenario}, {"seed", fmt.Sprint(m.Seed)}, {"simulated time", r.when(r.Result.End)},
		{"device", fmt.Sprintf("%s in %s of %s", amount(float64(r.Result.Blocks*r.Result.BlockSize), "bytes"),
			amount(float64(r.Result.Groups), "groups"), amount(float64(r.Result.BlockSize), "bytes")+" blocks")},
		{"mbsim", m.Version}, {"revision", revision}, {"Go", m.Go}, {"scenario's SHA-256", m.ScenarioDigest}, {"fingerprint", m.Fingerprint},
	} {
		if f.Text != "" {
			v.Facts = append(v.Facts, f)
		}
	}
	// Links to the run's files, where it has a folder that the page can reach.
	if i < len(p.Links) {
		for _, name := range append([]string{manifestName}, m.Files...) {
			if name != pageName {
				to := name
				if p.Links[i] != "" {
					to = strings.TrimSuffix(p.Links[i], "/") + "/" + name
				}
				v.Files = append(v.Files, link{name, to})
			}
		}
	}
	// The resolved scenario, indented to be read.
	if compact(m.Config) != "" {
		var b bytes.Buffer
		if json.Indent(&b, m.Config, "", "  ") == nil {
			v.Config = b.String()
		}
	}
	return v
}

// plots fills in the plots and their sentences.
func (p *Page) plots(v *pageView) {
	// Charts over time. One with nothing but zeros is replaced by a sentence.
	for i := range charts {
		c := &charts[i]
		if !c.applies(p.Runs) {
			continue
		}
		if c.flat(p.Runs) {
			v.Flat = append(v.Flat, c.title+": "+p.flatWords(c))
			continue
		}
		one := plotView{ID: c.id, Title: c.title, Words: p.chartWords(c)}
		for k := range c.lines {
			one.Lines = append(one.Lines, c.lines[k].name)
		}
		v.Charts = append(v.Charts, one)
	}
	// words are the sentences of all runs that have what a plot shows, named if there are
	// several runs.
	words := func(of func(*Run) string, when func(*Run) bool) (out []string) {
		for i, r := range p.Runs {
			switch {
			case !when(r):
			case len(p.Runs) == 1:
				out = append(out, of(r))
			default:
				out = append(out, p.name(i)+": "+of(r))
			}
		}
		return out
	}
	// The block map, and the histograms at a time.
	if w := words(mapWords, func(r *Run) bool { return r.Result.Map != nil && len(r.Result.Map.Times) > 0 }); len(w) > 0 {
		v.Map = &plotView{ID: "map", Title: "How full each block group is over time", Words: w}
	}
	snapshots := func(r *Run) bool { return len(r.Result.Snapshots) > 0 }
	for _, b := range []struct {
		id, title string
		words     func(*Run) string
		when      func(*Run) bool
	}{
		{"free", "Free space by the size of its pieces", freeWords, func(r *Run) bool { return snapshots(r) && r.Result.Snapshots[0].Free.Total > 0 }},
		{"files", "Files by the number of their extents", fileWords, snapshots},
		{"sizes", "Data of files by the size of its extents", extentSizeWords, snapshots},
	} {
		if w := words(b.words, b.when); len(w) > 0 {
			one := plotView{ID: b.id, Title: b.title, Words: w}
			if b.id != "files" {
				one.Lines = []string{"space", "number"}
			}
			v.Bars = append(v.Bars, one)
		}
	}
}

// chartWords are the sentences under a chart.
func (p *Page) chartWords(c *chart) []string {
	if len(p.Runs) == 1 {
		return []string{c.words(p.Runs[0])}
	}
	return []string{compareWords(&c.lines[0], c.unit(), p.Runs, p.names())}
}

// flatWords say why there is no chart.
func (p *Page) flatWords(c *chart) string {
	// The first run that has the metric speaks for all: they have nothing to show either.
	for _, r := range p.Runs {
		if has(r, c.group) {
			return c.words(r)
		}
	}
	return "no run has a value."
}
