package compare

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mbsim/reports"
	"mbsim/study"
	"mbsim/study/bisect"
	"mbsim/study/stats"
)

// WriteBisect writes which of the changes between two kernels makes a difference: a table, and
// below it the sentence. Text is as wide as width characters, 0 for any number.
func WriteBisect(w io.Writer, f *bisect.Finding, markdown bool, width int) error {
	p := &page{w: w, markdown: markdown, width: width}
	r := f.Study
	p.printf("%s: %s under %s and %s, %s of %s (seed %d)\n\n", r.Scenario, f.Metric.Name, f.From, f.To,
		plural(r.Replications, "replication", "replications"), plural(len(r.Settings), "setting", "settings"), r.Seed)
	// The two kernels themselves.
	p.table(table.Row{"kernel", "mean", "difference", "p", "verdict"}, []table.Row{
		{f.From, mean(f.Old, f.Metric.Unit, f.Old, f.New)},
		{f.To, mean(f.New, f.Metric.Unit, f.Old, f.New), shareText(f, f.Total), pText(f.Total.Holm), word(f.Total)},
	}, 2, 3, 4)
	p.printf("\n")
	// A row for each change that does anything; the others are only named.
	var rows []table.Row
	var same, notes []string
	for i := range f.Steps {
		s, e := &f.Steps[i], &f.Effects[i]
		name := s.Change.Name
		notes = append(notes, alongNotes(f, s)...)
		if e.In.Verdict == study.Same && e.Out.Verdict == study.Same && e.Way.Verdict == study.Same {
			same = append(same, name)
			continue
		}
		if !s.Added {
			name += " (goes)"
		}
		rows = append(rows, table.Row{name, s.Change.Since, cellText(f, e.In), cellText(f, e.Out), cellText(f, e.Way)})
	}
	if rows != nil {
		p.table(table.Row{"change", "since", "put into " + f.From, "in " + f.To, "on the way"}, rows, 3, 4, 5)
		p.printf("\n")
	}
	p.wrap(p.bold(BisectSentence(f)))
	if same != nil {
		p.wrap("Nothing changes in any run with: " + strings.Join(same, ", ") + ".")
	}
	// How to read the table, if there is one, and what to be careful with.
	if rows != nil {
		p.wrap(bisectNote(f))
		for _, n := range notes {
			p.wrap(n)
		}
	}
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

// alongNotes say what had to be switched together with a change.
func alongNotes(f *bisect.Finding, s *bisect.Step) (notes []string) {
	note := func(done, kernel string, along []string, why string) {
		if along != nil {
			notes = append(notes, fmt.Sprintf("%s is %s %s together with %s, as %s.", s.Change.Name, done, kernel, strings.Join(along, ", "), why))
		}
	}
	// What goes along when a change is added is what it needs, otherwise what needs it.
	const added, needed, taken, needing = "put into", "it needs that", "taken out of", "that needs it"
	if s.Added {
		note(added, f.From, s.InAlong, needed)
		note(taken, f.To, s.OutAlong, needing)
	} else {
		note(taken, f.From, s.InAlong, needing)
		note(added, f.To, s.OutAlong, needed)
	}
	return notes
}

// bisectNote explains the columns.
func bisectNote(f *bisect.Finding) string {
	of := fmt.Sprintf("in per cent of the mean under %s", f.From)
	switch {
	case f.Metric.Unit == "share":
		of = "in percentage points"
	case f.Old.Value == 0:
		of = "in the metric's unit, as the mean under " + f.From + " is 0"
	}
	return fmt.Sprintf("Each column says what a change does, %s, with 95%% intervals (Student's t), paired by replication: put alone into %s; "+
		"in %s, against %s without it; and on the way from one to the other, change by change in the order of versions, where the steps add up. "+
		"~: no evidence (the interval holds 0, or fewer than 3 replications%s); =: the same in every pair; "+
		"?: evidence that does not stand after the correction for the %s of a column (Holm).",
		of, f.From, f.To, f.To, smallNote(f.Study.MinEffect), plural(len(f.Steps), "change", "changes"))
}

// cellText is an effect in the table: the difference, and a sign where that is no evidence.
func cellText(f *bisect.Finding, e *study.Effect) string {
	switch {
	case e.Difference.N == 0:
		return ""
	case e.Verdict == study.Same:
		return "="
	case e.Verdict == study.Unsure, e.Verdict == study.Small:
		return shareText(f, e) + " ~"
	case e.Doubtful():
		return shareText(f, e) + " ?"
	}
	return shareText(f, e) + "  "
}

// shareText is a difference as a share of the older kernel's mean, so that differences between
// several pairs of profiles can be added; of a share in percentage points, and in the metric's
// unit where that mean is zero.
func shareText(f *bisect.Finding, e *study.Effect) string {
	d := e.Difference
	if e.Verdict == study.Same {
		return ""
	}
	v, half, suffix := bisectShare(f, d.Value), bisectShare(f, width(d.Value, d.Half)), bisectSuffix(f)
	if d.N < study.MinPairs || math.IsNaN(half) {
		return signed(significant(v, 3), v) + suffix
	}
	if half == 0 {
		return signed(significant(v, 3), v) + " ± 0" + suffix
	}
	digits := decimals(half)
	return signed(fixed(v, digits), v) + " ± " + fixed(half, digits) + suffix
}

// shortShare is a difference for the sentence: two digits, without its interval.
func shortShare(f *bisect.Finding, v float64) string {
	v = bisectShare(f, v)
	return signed(significant(v, 2), v) + bisectSuffix(f)
}

// bisectShare is a difference in what the table shows, and bisectSuffix the unit of that.
func bisectShare(f *bisect.Finding, v float64) float64 {
	switch {
	case f.Metric.Unit == "share":
		return 100 * v
	case f.Old.Value == 0:
		return v
	}
	return 100 * v / math.Abs(f.Old.Value)
}

func bisectSuffix(f *bisect.Finding) string {
	switch {
	case f.Metric.Unit == "share":
		return " pp"
	case f.Old.Value == 0:
		return " " + f.Metric.Unit
	}
	return "%"
}

// signed puts a plus before the text of a number above zero.
func signed(text string, v float64) string {
	if v > 0 {
		return "+" + text
	}
	return text
}

// BisectSentence is what was found in one plain sentence.
func BisectSentence(f *bisect.Finding) string {
	e, n := f.Total, plural(f.Total.Difference.N, "repetition", "repetitions")
	steps := evidentSteps(f)
	switch {
	case e.Difference.N == 0:
		return fmt.Sprintf("No run of %s has a partner under %s: nothing can be said.", f.From, f.To)
	case e.Verdict == study.Same:
		return fmt.Sprintf("No difference: %s is the same under %s and %s in all of %s%s.", f.Metric.Name, f.From, f.To, n, cancelling(f, steps))
	case e.Verdict == study.Unsure && e.Difference.N >= study.MinPairs:
		return fmt.Sprintf("No difference that %s show: %s changes by %s from %s to %s%s.", n, f.Metric.Name, shareText(f, e), f.From, f.To, cancelling(f, steps))
	}
	verdict := ""
	switch {
	case e.Verdict == study.Small:
		verdict = ", too little to matter"
	case e.Verdict == study.Better || e.Verdict == study.Worse:
		verdict = ", which is " + string(e.Verdict)
	case e.Verdict == study.Unsure:
		verdict = ", which " + n + " cannot tell from chance"
	}
	return fmt.Sprintf("%s changes by %s from %s to %s%s; %s.", f.Metric.Name, shareText(f, e), f.From, f.To, verdict, blame(f, steps))
}

// evidentSteps are the places of the changes that make a difference on the way with evidence,
// those that make most of it first.
func evidentSteps(f *bisect.Finding) (steps []int) {
	for i := range f.Effects {
		if bisect.Evident(f.Effects[i].Way) {
			steps = append(steps, i)
		}
	}
	size := func(i int) float64 { return math.Abs(f.Effects[i].Way.Difference.Value) }
	slices.SortStableFunc(steps, func(i, j int) int {
		switch {
		case size(i) > size(j):
			return -1
		case size(i) < size(j):
			return 1
		}
		return 0
	})
	return steps
}

// stepText is a step of the way with what it does.
func stepText(f *bisect.Finding, i int) string {
	return fmt.Sprintf("%s (%s)", f.Steps[i].Change.Name, shortShare(f, f.Effects[i].Way.Difference.Value))
}

// maxNamed is how many changes a sentence names.
const maxNamed = 3

// stepTexts are steps in words, the first of many.
func stepTexts(f *bisect.Finding, steps []int) string {
	var all []string
	for _, i := range steps[:min(len(steps), maxNamed)] {
		all = append(all, stepText(f, i))
	}
	if more := len(steps) - maxNamed; more > 0 {
		return strings.Join(all, ", ") + fmt.Sprintf(" and %d more", more)
	}
	if len(all) > 1 {
		return strings.Join(all[:len(all)-1], ", ") + " and " + all[len(all)-1]
	}
	return all[0]
}

// cancelling says of kernels that do not differ which changes between them do.
func cancelling(f *bisect.Finding, steps []int) string {
	if len(steps) == 0 {
		return ""
	}
	return "; on the way there is a difference with " + stepTexts(f, steps)
}

// blame says which changes make the difference.
func blame(f *bisect.Finding, steps []int) string {
	// Those that go the way of the whole, and those that go against it.
	total := f.Total.Difference.Value
	var with, against []int
	for _, i := range steps {
		if (f.Effects[i].Way.Difference.Value > 0) == (total > 0) {
			with = append(with, i)
		} else {
			against = append(against, i)
		}
	}
	if len(with) == 0 {
		return "no change alone makes it with evidence" + nearest(f)
	}
	// How much of the whole the largest makes.
	first := with[0]
	share := f.Effects[first].Way.Difference.Value / total
	name, size := f.Steps[first].Change.Name, shortShare(f, f.Effects[first].Way.Difference.Value)
	text := ""
	switch {
	case len(steps) == 1 && share > 0.995 && share < 1.005:
		text = "all of it is " + name
	case share > 1.1:
		text = fmt.Sprintf("%s alone makes %s", name, size)
	case share >= 0.5:
		text = fmt.Sprintf("most of it, %s, is %s", size, name)
	default:
		text = fmt.Sprintf("the largest part, %s, is %s", size, name)
	}
	if rest := with[1:]; len(rest) > 0 && share < 0.9 {
		text += ", and then " + stepTexts(f, rest)
	}
	if len(against) > 0 {
		text += "; the other way goes " + stepTexts(f, against)
	}
	return text + elsewhere(f, first)
}

// nearest names the change that would be blamed if there were evidence that stands after the
// correction.
func nearest(f *bisect.Finding) string {
	best := -1
	for i := range f.Effects {
		e := f.Effects[i].Way
		along := (e.Difference.Value > 0) == (f.Total.Difference.Value > 0)
		if e.Doubtful() && along && (best < 0 || math.Abs(e.Difference.Value) > math.Abs(f.Effects[best].Way.Difference.Value)) {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return fmt.Sprintf("; %s comes nearest, more repetitions would tell", stepText(f, best))
}

// elsewhere says of the change that is blamed that it does less in the newer kernel than on the
// way: others do there what it did.
func elsewhere(f *bisect.Finding, i int) string {
	way, out := f.Effects[i].Way.Difference, f.Effects[i].Out.Difference
	if out.N == 0 || out.Value/way.Value >= 0.5 {
		return ""
	}
	if out.Value == 0 {
		return fmt.Sprintf("; but %s without it is the same", f.To)
	}
	return fmt.Sprintf("; but %s without it differs by no more than %s", f.To, shortShare(f, -out.Value))
}

// bisectHeadline is the sentence in few words, for the title of a picture.
func bisectHeadline(f *bisect.Finding) string {
	head := fmt.Sprintf("%s from %s to %s: ", f.Metric.Name, f.From, f.To)
	steps := evidentSteps(f)
	switch e := f.Total; {
	case e.Verdict == study.Same || e.Verdict == study.Unsure && e.Difference.N >= study.MinPairs:
		return head + "no difference"
	case len(steps) == 0:
		return head + shareText(f, e)
	default:
		part := "the largest part "
		if f.Effects[steps[0]].Way.Difference.Value/e.Difference.Value >= 0.5 {
			part = "most of it "
		}
		return head + shareText(f, e) + ", " + part + f.Steps[steps[0]].Change.Name
	}
}

// BisectPicture is what was found as its picture needs it: differences as the table has them.
func BisectPicture(f *bisect.Finding) *reports.Bisect {
	of := func(e *study.Effect) reports.Interval {
		if e.Difference.N == 0 {
			return reports.Interval{Mean: math.NaN()}
		}
		v, half := bisectShare(f, e.Difference.Value), bisectShare(f, e.Difference.Half)
		// Two pairs give an interval so wide that it hides everything else.
		if e.Difference.N < study.MinPairs {
			half = math.NaN()
		}
		return reports.Interval{Mean: v, Low: v - half, High: v + half}
	}
	out := &reports.Bisect{Scenario: f.Study.Scenario, From: f.From, To: f.To, Metric: f.Metric.Name, Unit: strings.TrimSpace(bisectSuffix(f)),
		Headline: bisectHeadline(f), Sentence: BisectSentence(f), Runs: f.Study.Replications, Confidence: stats.Confidence, Command: f.Study.Command, Total: of(f.Total)}
	for i := range f.Steps {
		e := &f.Effects[i]
		out.Rows = append(out.Rows, reports.BisectRow{Name: f.Steps[i].Change.Name, In: of(e.In), Out: of(e.Out), Way: of(e.Way)})
	}
	return out
}

// The objects of a bisection as JSON.
type (
	jsonBisect struct {
		Scenario     string       `json:"scenario"`
		Seed         uint64       `json:"seed"`
		Replications int          `json:"replications"`
		Version      string       `json:"version"`
		From         string       `json:"from"`
		To           string       `json:"to"`
		Metric       string       `json:"metric"`
		Unit         string       `json:"unit"`
		Better       string       `json:"better"`
		Sentence     string       `json:"sentence"`
		Old          jsonMean     `json:"mean_from"`
		New          jsonMean     `json:"mean_to"`
		Total        jsonStep     `json:"total"`
		Changes      []jsonChange `json:"changes"`
		Warnings     []string     `json:"warnings"`
		Notes        []string     `json:"starting_notes"` // on the starting state
	}
	jsonChange struct {
		Name     string   `json:"name"`
		Since    string   `json:"since"`
		Added    bool     `json:"added"` // to has it; otherwise from does
		InAlong  []string `json:"put_into_from_with"`
		OutAlong []string `json:"taken_out_of_to_with"`
		In       jsonStep `json:"put_into_from"`
		Out      jsonStep `json:"in_to"`
		Way      jsonStep `json:"on_the_way"`
	}
	// jsonStep is what a change does: Profile against Without.
	jsonStep struct {
		Without    string         `json:"without"`
		Profile    string         `json:"profile"`
		Difference jsonDifference `json:"difference"`
		Verdict    study.Verdict  `json:"verdict"`
		Doubtful   bool           `json:"doubtful,omitempty"`
	}
)

// WriteBisectJSON writes what was found as an object.
func WriteBisectJSON(w io.Writer, f *bisect.Finding) error {
	step := func(without, profile string, e *study.Effect) jsonStep {
		d := &e.Difference
		// Relative to the older kernel's mean, as in the table.
		relative, relHalf := math.NaN(), math.NaN()
		if f.Old.Value != 0 {
			relative, relHalf = d.Value/math.Abs(f.Old.Value), d.Half/math.Abs(f.Old.Value)
		}
		j := jsonStep{Without: without, Profile: profile, Verdict: e.Verdict, Doubtful: e.Doubtful(),
			Difference: jsonDifference{Paired: e.Paired, N: d.N, Mean: d.Value, Half: finite(d.Half), Relative: finite(relative), RelHalf: finite(relHalf), Holm: finite(e.Holm), Signs: finite(e.Signs)}}
		if d.N > 1 {
			j.Difference.P = finite(d.P)
		}
		return j
	}
	r := f.Study
	out := jsonBisect{Scenario: r.Scenario, Seed: r.Seed, Replications: r.Replications, Version: r.Version, From: f.From, To: f.To,
		Metric: f.Metric.Name, Unit: f.Metric.Unit, Better: f.Metric.Better.String(), Sentence: BisectSentence(f),
		Old: meanJSON(f.Old), New: meanJSON(f.New), Total: step(f.From, f.To, f.Total), Warnings: r.Doubts(), Notes: list(r.StartingNotes)}
	before := f.From
	for i := range f.Steps {
		s, e := &f.Steps[i], &f.Effects[i]
		out.Changes = append(out.Changes, jsonChange{Name: s.Change.Name, Since: s.Change.Since, Added: s.Added,
			InAlong: list(s.InAlong), OutAlong: list(s.OutAlong),
			In: step(f.From, s.In, e.In), Out: step(s.Out, f.To, e.Out), Way: step(before, s.Way, e.Way)})
		before = s.Way
	}
	out.Warnings = list(out.Warnings)
	return writeJSON(w, out)
}

// list is a list that is never null in JSON, which programs would have to expect.
func list(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}
