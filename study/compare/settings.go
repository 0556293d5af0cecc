package compare

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/internal/columns"
	"mbsim/metrics"
	"mbsim/study"
	"mbsim/study/stats"
)

// Limits of what the table of a study shows, if nobody asks for more.
const (
	maxBlocks = 5  // metrics
	maxRows   = 40 // settings of a metric; of more, the best are shown
	topRows   = 20
)

// block is one metric of all settings: a table of the output.
type block struct {
	metric  metrics.Metric
	means   []stats.Mean    // by setting
	effects []*study.Effect // to the baseline, nil for itself
}

// WriteSettings writes a study as text or Markdown: for each metric a table of all
// settings with their difference to the baseline.
func WriteSettings(w io.Writer, r *study.Result, opt Options, markdown bool) error {
	p := &page{w: w, markdown: markdown, width: opt.Width}
	v, err := viewOf(r, opt)
	if err != nil {
		return err
	}
	// What the study is.
	p.printf("%s: %s, %s each (seed %d)\n", r.Scenario, plural(len(r.Settings), "setting", "settings"), plural(r.Replications, "replication", "replications"), r.Seed)
	if r.Question != "" {
		p.question(r.Question)
	}
	// The tables.
	for i := range v.blocks {
		if i == 0 || !markdown {
			p.printf("\n")
		}
		p.block(r, &v.blocks[i])
	}
	if !markdown {
		p.printf("\n")
	}
	// The metrics that have no table are named.
	names := func(before string, names []string, after string) {
		if names != nil {
			p.wrap(before + strings.Join(names, ", ") + after)
		}
	}
	names("Evidence of differences also in: ", v.more, " (--metric NAME shows one, --all all).")
	names("No evidence of a difference in: ", v.unsure, ".")
	names("The same in all settings: ", v.same, ".")
	names("Not in the baseline: ", v.alien, ".")
	// How to read the figures, and what to be careful with.
	p.wrap(settingsNote(r))
	if s := r.Remark(); s != "" {
		p.wrap(s)
	}
	for _, s := range r.StartingNotes {
		p.wrap(study.StartingNote(s))
	}
	for _, s := range r.Doubts() {
		p.wrap("Warning: " + s)
	}
	return p.err
}

// question prints what a study asks, on a line of its own.
func (p *page) question(s string) {
	if !p.markdown {
		s = columns.Paragraph(s, p.width)
	}
	p.printf("%s\n", s)
}

// view says which metrics get a table, and which are only named and why.
type view struct {
	blocks []block
	more   []string // with evidence, but beyond what is shown
	unsure []string // without evidence
	same   []string // everywhere
	alien  []string // the baseline has no value
}

// viewOf chooses the metrics to show: those asked for, or those headlines with a direction
// that differ with evidence, the study's own metric first.
func viewOf(r *study.Result, opt Options) (*view, error) {
	names, err := chosen(opt)
	if err != nil {
		return nil, err
	}
	// Put the study's own metric first.
	if opt.Metrics == nil {
		names = slices.DeleteFunc(names, func(n string) bool { return n == r.Metric })
		names = append([]string{r.Metric}, names...)
	}
	v := &view{}
	for _, name := range names {
		id, err := metrics.Find(name)
		if err != nil {
			return nil, userErrorf("%w", err)
		}
		// Means and differences of all settings.
		b := block{metric: metrics.At(id), effects: r.Effects(name)}
		values := 0
		for i := range r.Settings {
			m := stats.MeanOf(study.Values(r.Samples(&r.Settings[i]), name))
			b.means = append(b.means, m)
			values += m.N
		}
		if values == 0 && opt.Metrics != nil {
			return nil, userErrorf("no run of the study has a value for %s", name)
		}
		if values > 0 {
			v.sort(b, opt.Metrics != nil || name == r.Metric, opt.All)
		}
	}
	// If nobody asked for more, a few tables are enough.
	if opt.Metrics == nil && !opt.All && len(v.blocks) > maxBlocks {
		for _, b := range v.blocks[maxBlocks:] {
			v.more = append(v.more, b.metric.Name)
		}
		v.blocks = v.blocks[:maxBlocks]
	}
	return v, nil
}

// sort puts a metric into the list where it belongs. wanted says that it is shown in any case,
// all that it is shown if it differs.
func (v *view) sort(b block, wanted, all bool) {
	compared, differs, evidence := b.evidence()
	name := b.metric.Name
	switch {
	case wanted, all && differs, evidence && b.metric.Better != metrics.Neither:
		v.blocks = append(v.blocks, b)
	case !compared:
		v.alien = append(v.alien, name)
	case !differs:
		v.same = append(v.same, name)
	case !evidence:
		v.unsure = append(v.unsure, name)
	default:
		v.more = append(v.more, name)
	}
}

// evidence says whether any setting can be compared with the baseline, whether any of them
// differs from it, and whether one does with evidence.
func (b *block) evidence() (compared, differs, evidence bool) {
	for _, e := range b.effects {
		if e == nil || e.Difference.N == 0 {
			continue
		}
		compared = true
		if e.Verdict == study.Same {
			continue
		}
		differs = true
		if e.Decided() && !e.Doubtful() {
			evidence = true
		}
	}
	return compared, differs, evidence
}

// block prints the table of one metric.
func (p *page) block(r *study.Result, b *block) {
	m := &b.metric
	// The title: name, unit and direction.
	title := m.Name
	if u := shownUnit(m.Unit); u != "" {
		title += ", " + u
	}
	if m.Better != metrics.Neither {
		title += " (" + m.Better.String() + " is better)"
	}
	if p.markdown {
		title = "### " + title + "\n"
	}
	p.printf("%s\n", title)
	// A row for each setting; the baseline has no difference to itself.
	var rows []table.Row
	shown, left := b.rows(r)
	for _, i := range shown {
		name, e := r.Settings[i].Label(), b.effects[i]
		switch {
		case e == nil:
			rows = append(rows, table.Row{name, mean(b.means[i], m.Unit, b.means...), "", "", "baseline"})
		case e.Difference.N == 0:
			rows = append(rows, table.Row{name, mean(b.means[i], m.Unit, b.means...)})
		default:
			rows = append(rows, table.Row{name, mean(b.means[i], m.Unit, b.means...), differenceText(e), pText(e.Holm), word(e)})
		}
	}
	p.table(table.Row{"setting", "mean", "difference", "p", "verdict"}, rows, 2, 3, 4)
	// What is left out, and which setting is best.
	if left > 0 {
		p.wrap(fmt.Sprintf("The best %d settings; the other %d are in study.csv.", topRows, left))
	}
	if s := verdict(r, b); s != "" {
		if p.markdown {
			p.printf("\n")
		}
		p.wrap(s)
	}
}

// rows returns the settings to show, and how many are left out: of many settings the best are
// shown, and the baseline.
func (b *block) rows(r *study.Result) (shown []int, left int) {
	if len(r.Settings) <= maxRows {
		for i := range r.Settings {
			shown = append(shown, i)
		}
		return shown, 0
	}
	order := best(b.metric, b.means)
	shown = order[:min(topRows, len(order))]
	for i := range r.Settings {
		if r.Settings[i].Name == r.Baseline && !slices.Contains(shown, i) {
			shown = append([]int{i}, shown...)
		}
	}
	return shown, len(r.Settings) - len(shown)
}

// verdict says which setting is best, and which others cannot be told from it.
func verdict(r *study.Result, b *block) string {
	order := best(b.metric, b.means)
	if b.metric.Better == metrics.Neither || len(order) < 2 {
		return ""
	}
	// Compare the best setting with each other one, not only with the baseline. second is the
	// comparison with the first one that is worse with evidence.
	top := &r.Settings[order[0]]
	var rivals []string
	var second *study.Effect
	for _, i := range order[1:] {
		e := study.Compare(r.Samples(&r.Settings[i]), r.Samples(top), b.metric.Name, r.MinEffect)
		if !e.Decided() {
			rivals = append(rivals, r.Settings[i].Name)
		} else if second == nil {
			second = &e
		}
	}
	// How much better than the baseline it is.
	gain := ""
	if e := b.effects[order[0]]; e != nil && e.Difference.N > 0 {
		gain = " (" + change(e) + " against the baseline)"
	}
	// Settings that cannot be told from the best are its rivals; the baseline may be one.
	next := r.Settings[order[1]].Name
	switch {
	case top.Name == r.Baseline && rivals == nil:
		return "Best: the baseline, " + top.Name + "."
	case top.Name == r.Baseline, slices.Contains(rivals, r.Baseline):
		return "Nothing is better than the baseline with evidence."
	case rivals == nil && next == r.Baseline:
		return fmt.Sprintf("Best: %s%s.", top.Name, gain)
	case rivals == nil:
		return fmt.Sprintf("Best: %s%s, %s against the next, %s.", top.Name, gain, change(second), next)
	}
	if len(rivals) > 6 {
		rivals = append(rivals[:5], fmt.Sprintf("and %d more", len(rivals)-5))
	}
	return fmt.Sprintf("Best: %s%s, which cannot be told from %s.", top.Name, gain, strings.Join(rivals, ", "))
}

// smallNote explains the verdict of differences too small to matter.
func smallNote(least float64) string {
	if least == 0 {
		return ""
	}
	return fmt.Sprintf("; small: evidence of less than %g%%, which is no verdict", 100*least)
}

// settingsNote explains the columns.
func settingsNote(r *study.Result) string {
	s := fmt.Sprintf("Means and differences to %s with 95%% intervals (Student's t), paired by replication. ~: no evidence (the interval holds 0, or fewer than 3 replications)%s.", r.Baseline, smallNote(r.MinEffect))
	if len(r.Settings) > 2 {
		s += fmt.Sprintf(" p is corrected for the %d settings of a metric (Holm); a ? marks evidence that does not stand after it.", len(r.Settings)-1)
	}
	return s
}
