package replay

import (
	"fmt"
	"strconv"
	"strings"

	"mbsim/allocator/mballoc"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// Where recordings of one case differ among themselves, something in the kernel's machine took
// turns by chance, and no replay can be like all of them. What can be asked is that it is like
// all of them before the line of the script at which they part, and behind it is like one of them,
// or has figures within their spread.

// spreadSlack widens a spread by this part of it, on each side: one more recording would lie
// outside of those that there are too, now and then. A figure in which all recordings agree has no
// spread.
const spreadSlack = 4

// span is the spread of a figure.
type span struct{ low, high int64 }

// has says whether n lies in the spread, with slack.
func (s span) has(n int64) bool {
	slack := (s.high - s.low + spreadSlack - 1) / spreadSlack
	return s.low-slack <= n && n <= s.high+slack
}

// with returns the spread that n lies in too.
func (s span) with(n int64) span { return span{min(s.low, n), max(s.high, n)} }

// figure is a number of a replay or a recording, by name.
type figure struct {
	name string
	n    int64
}

// judge compares the replay with several recordings: where they part, and whether all lies within
// their spread. all has the verdict on each of them.
func (v *Verdict) judge(c *workload.Case, recordings []recording, all []*Verdict, out *Outcome) error {
	var err error
	if v.Parting, err = parting(recordings); err != nil || v.Identical || v.Parting == 0 {
		return err
	}
	// Before the line at which they part the replay must be like every one of them.
	for _, w := range all {
		if w.Line > 0 && w.Line < v.Parting {
			v.Difference, v.Line = w.Difference, w.Line
			v.Outside = fmt.Sprintf("the replay differs at line %d, before the recordings part at line %d", w.Line, v.Parting)
			return nil
		}
	}
	// Then come its figures.
	if v.Outside, err = outside(c, recordings, out); err == nil {
		v.Within = v.Outside == ""
	}
	return err
}

// parting is the first line of the script at which two of the recordings differ, in what it
// returned or in requests, 0 for none.
func parting(recordings []recording) (int, error) {
	first := 0
	note := func(line int) {
		if line > 0 && (first == 0 || line < first) {
			first = line
		}
	}
	var requests [][]*exchange
	var lasts []int
	var results [][]play.Result
	for _, r := range recordings {
		x, last, err := r.requests()
		if err != nil {
			return 0, err
		}
		res, err := r.results()
		if err != nil {
			return 0, err
		}
		// Each is compared with all before it, as far as both reach.
		for i := range results {
			note(firstResult(results[i], res))
			reach := min(last, lasts[i])
			if d := matchExchanges(upTo(requests[i], reach), upTo(x, reach), new(Tally)); d != nil {
				note(d.line())
			}
		}
		requests, lasts, results = append(requests, x), append(lasts, last), append(results, res)
	}
	return first, nil
}

// firstResult is the line of the first operation that two recordings differ in, 0 for none.
func firstResult(a, b []play.Result) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i].Line
		}
	}
	return 0
}

// outside names the first figure of the replay that does not lie in the spread of the recordings,
// empty if all do: what operations returned, each counter of mb_stats.txt, free blocks, extents, and
// the extents of each file.
func outside(c *workload.Case, recordings []recording, out *Outcome) (string, error) {
	spread := make(map[string]span)
	for i, r := range recordings {
		results, err := r.results()
		if err != nil {
			return "", err
		}
		files, err := r.text("files.txt")
		if err != nil {
			return "", err
		}
		stats, err := r.text("mb_stats.txt")
		if err != nil {
			return "", err
		}
		for _, f := range figures(c, results, files, stats) {
			s, known := spread[f.name]
			if !known && i == 0 {
				s = span{f.n, f.n}
			}
			spread[f.name] = s.with(f.n) // what others lack they have none of
		}
	}
	for _, f := range figures(c, out.Results, out.Files, out.Stats) {
		if s := spread[f.name]; !s.has(f.n) {
			return fmt.Sprintf("%s: mbsim %d, %d recordings %d to %d", f.name, f.n, len(recordings), s.low, s.high), nil
		}
	}
	return "", nil
}

// figures lists the figures of a replay or a recording.
func figures(c *workload.Case, results []play.Result, files, stats []byte) []figure {
	var all []figure
	for i, r := range results {
		name := fmt.Sprintf("line %d", r.Line)
		if i < len(c.Ops) {
			name += " (" + workload.FormatOp(c.Ops[i]) + ")"
		}
		all = append(all, figure{name, r.Ret})
	}
	// The first line of files.txt tells what is free; each other one is a file, with a word
	// LBLK+LEN@PBLK:FLAG for each extent.
	total := int64(0)
	for i, line := range textLines(string(files)) {
		if i == 0 {
			_, free, _ := strings.Cut(line, "free ")
			n, _ := strconv.ParseInt(free, 10, 64)
			all = append(all, figure{"free blocks", n})
			continue
		}
		name, _, _ := strings.Cut(line, " ")
		n := int64(strings.Count(line, "@"))
		total += n
		all = append(all, figure{"extents of " + name, n})
	}
	all = append(all, figure{"extents of all files", total})
	// The counters of a section stand behind its name, which has no number.
	section := ""
	for _, line := range textLines(string(stats)) {
		key, text, _ := strings.Cut(strings.TrimSpace(line), ":")
		text, _, _ = strings.Cut(strings.TrimSpace(text), "/")
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			section = key + " "
		case key == mballoc.BuddiesTimeUsed:
		case strings.HasPrefix(line, "\t\t"):
			all = append(all, figure{"mb_stats: " + section + key, n})
		default:
			all = append(all, figure{"mb_stats: " + key, n})
		}
	}
	return all
}
