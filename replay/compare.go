package replay

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"mbsim/allocator/mballoc"
	"mbsim/internal/input"
	"mbsim/workload"
)

// openText opens a text of a recording, or what name.gz holds.
func openText(name string) (text io.Reader, file io.Closer, err error) {
	// Long texts are stored packed.
	f, err := os.Open(name + ".gz")
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(name)
		return f, f, err
	}
	if err != nil {
		return nil, nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", f.Name(), err), f.Close())
	}
	return z, f, nil
}

// readText reads a text of a recording whole.
func readText(name string) ([]byte, error) {
	r, file, err := openText(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(input.Limit(r, name, "a text of a recording", input.MaxWhole))
	if err != nil && !errors.As(err, new(*input.TooLong)) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return text, err
}

// compare fills in the verdict. What happened first in the script is named
// first.
func (v *Verdict) compare(r recording, c *workload.Case, out *Outcome, made []*exchange) error {
	results, resultLine, err := v.compareResults(r, c, out)
	if err != nil {
		return err
	}
	requests, requestLine, err := v.compareRequests(r, made)
	if err != nil {
		return err
	}
	// Of the first result and the first request that differ, the one earlier in the script is
	// named. At the same line it is the request, which comes first within the operation.
	v.Difference, v.Line = results, resultLine
	if results == "" || requests != "" && requestLine <= resultLine {
		v.Difference, v.Line = requests, requestLine
	}
	if err := v.compareTexts(r, out); err != nil {
		return err
	}
	if v.Files.Total == 0 && v.Results.Total == 0 {
		return fmt.Errorf("%s holds nothing to compare with: no files.txt, and no results.txt", r.dir)
	}
	v.Identical = v.Files.whole() && v.Groups.whole() && v.Counters.whole() && v.Results.whole() && v.Requests.whole()
	return nil
}

// compareTexts compares what the kernel had to show in the end.
func (v *Verdict) compareTexts(r recording, out *Outcome) error {
	for _, text := range []struct {
		name  string
		got   []byte
		tally *Tally
	}{
		{"files.txt", out.Files, &v.Files},
		{"mb_groups.txt", out.Groups, &v.Groups},
		{"mb_groups.log", out.GroupsLog, &v.Groups},
		{"mb_stats.txt", out.Stats, &v.Counters},
		{"mb_structs.txt", out.Structs, &v.Counters},
	} {
		want, err := r.text(text.name)
		absent := errors.Is(err, fs.ErrNotExist)
		if err != nil && !absent {
			return err
		}
		// A text that neither side has, such as mb_groups.log of a script without stat, is not
		// missing.
		switch {
		case absent && len(text.got) > 0:
			v.missing(text.name, notRecorded)
		case !absent && text.got == nil:
			v.missing(text.name, "mbsim has none for this kernel")
		case !absent:
			d := compareLines(text.name, string(want), string(text.got), text.tally)
			if v.Difference == "" {
				v.Difference = d
			}
		}
	}
	return nil
}

// compareResults compares what operations returned. The second result is the
// line of the first that differs.
func (v *Verdict) compareResults(r recording, c *workload.Case, out *Outcome) (string, int, error) {
	want, err := r.results()
	if errors.Is(err, fs.ErrNotExist) {
		v.missing("results.txt", notRecorded)
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	difference, line := "", 0
	for i := range max(len(want), len(out.Results)) {
		// One of the two ended early: each operation that only the other performed counts as
		// different.
		if i >= len(want) || i >= len(out.Results) {
			v.Results.count(false)
			if difference == "" {
				difference = fmt.Sprintf("results.txt: the kernel performed %d operations, mbsim %d", len(want), len(out.Results))
			}
			continue
		}
		w, g := want[i], out.Results[i]
		v.Results.count(w == g)
		if w != g && difference == "" {
			line = w.Line
			difference = fmt.Sprintf("line %d (%s): the kernel returned %d, mbsim %d", w.Line, workload.FormatOp(c.Ops[i]), w.Ret, g.Ret)
		}
	}
	return difference, line, nil
}

// compareRequests compares the requests of each operation with those that were made in the
// replay, in order. The second result is the line of the operation whose requests differ first.
func (v *Verdict) compareRequests(r recording, made []*exchange) (string, int, error) {
	want, err := r.requests()
	if errors.Is(err, fs.ErrNotExist) {
		v.missing("trace.txt", notRecorded)
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	// A kernel without these events, or one that did not record them.
	if len(want) == 0 && len(made) > 0 {
		v.missing("trace.txt", "it shows no requests for blocks")
		return "", 0, nil
	}
	match := matchExchanges
	if v.Turns != nil {
		match = matchInOrder
	}
	d := match(want, made, &v.Requests)
	if d == nil {
		return "", 0, nil
	}
	return d.String(), d.line(), nil
}

// matchExchanges tallies the exchanges, each operation's in order, and returns
// the first that differs.
func matchExchanges(want, got []*exchange, t *Tally) *mismatch {
	var first *mismatch
	for i, j := 0, 0; i < len(want) || j < len(got); {
		// Both lists are in the order of the script. A request of an earlier line than the other
		// side's next one has no counterpart; two of the same line are compared.
		m := mismatch{number: i + 1}
		switch {
		case j == len(got) || i < len(want) && want[i].line < got[j].line:
			m.want = want[i]
			i++
		case i == len(want) || got[j].line < want[i].line:
			m.got = got[j]
			j++
		default:
			m.want, m.got = want[i], got[j]
			i++
			j++
		}
		same := m.want != nil && m.got != nil && m.want.same(m.got)
		t.count(same)
		if !same && first == nil {
			first = &m
		}
	}
	return first
}

// matchInOrder is matchExchanges for a replay in turns. What the flusher asks for while the writer
// goes on may be of this line of the script or the next, so only the order of all counts.
func matchInOrder(want, got []*exchange, t *Tally) *mismatch {
	var first *mismatch
	for i := range max(len(want), len(got)) {
		m := mismatch{number: i + 1}
		if i < len(want) {
			m.want = want[i]
		}
		if i < len(got) {
			m.got = got[i]
		}
		same := m.want != nil && m.got != nil && m.want.same(m.got)
		t.count(same)
		if !same && first == nil {
			first = &m
		}
	}
	return first
}

// mismatch is a request that the two did not serve alike; one of them may not
// have made it.
type mismatch struct {
	number    int
	want, got *exchange
}

// line is the line of the script that made the request.
func (m *mismatch) line() int {
	if m.want != nil {
		return m.want.line
	}
	return m.got.line
}

// String shows what the kernel did, and what mbsim did.
func (m *mismatch) String() string {
	op := m.want
	if op == nil {
		op = m.got
	}
	side := func(x *exchange) string {
		if x == nil {
			return "no request"
		}
		return fmt.Sprintf("%s -> %s (%s)", x.request, x.answer, x.decision)
	}
	return fmt.Sprintf("line %d (%s), request %d:\n    kernel: %s\n    mbsim:  %s", op.line, op.op, m.number, side(m.want), side(m.got))
}

// compareLines tallies lines and returns the first that differs, in words.
func compareLines(name, want, got string, t *Tally) string {
	w, g := textLines(want), textLines(got)
	difference := ""
	for i := range max(len(w), len(g)) {
		// Where one text is shorter, its missing lines differ.
		x, y := "no line", "no line"
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		// This counter is time that the kernel measured, which no replay can repeat.
		if key, _, _ := strings.Cut(strings.TrimSpace(x), ":"); key == mballoc.BuddiesTimeUsed {
			continue
		}
		t.count(x == y)
		if x != y && difference == "" {
			difference = fmt.Sprintf("%s:%d:\n    kernel: %s\n    mbsim:  %s", name, i+1, x, y)
		}
	}
	return difference
}

// textLines splits a text into lines, of which an empty text has none.
func textLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
