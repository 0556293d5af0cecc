package scenarios

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

const sweepBase = "device: {mkfs: {size: 1G}}\nworkload: {script: \"sync\\n\"}\n"

// TestSweeps reads sweep blocks (of a small scenario whose lines come first) and
// shows what they stand for, or the mistake.
func TestSweeps(t *testing.T) {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/sweeps", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "axis" {
			var b strings.Builder
			for arg := range strings.SplitSeq(d.Input, "\n") {
				a, err := ParseAxis(arg)
				if err != nil {
					b.WriteString(oneError(t, err))
					continue
				}
				fmt.Fprintf(&b, "%s: %q\n", a.Key, a.Values)
			}
			return b.String()
		}
		s, err := parseTest(sweepBase + d.Input)
		if err != nil {
			return strings.ReplaceAll(oneError(t, err), dir, "DIR")
		}
		w := s.Sweep
		var b strings.Builder
		for _, a := range w.Grid {
			fmt.Fprintf(&b, "grid %s: %q\n", a.Key, a.Values)
		}
		if w.LHS != nil {
			fmt.Fprintf(&b, "lhs %d points\n", w.LHS.Points)
			for _, r := range w.LHS.Ranges {
				fmt.Fprintf(&b, "  %+v\n", r)
			}
		}
		for _, v := range w.Variants {
			fmt.Fprintf(&b, "variant %s: %q\n", v.Name, v.Sets)
		}
		if w.Constraint != nil {
			fmt.Fprintf(&b, "constraint %s, of %q\n", w.Constraint.Text, w.Constraint.Keys())
		}
		if w.Until != nil {
			fmt.Fprintf(&b, "until %+v\n", *w.Until)
		}
		fmt.Fprintf(&b, "replications %d, baseline %q\n", w.Replications, w.Baseline)
		return b.String()
	})
}

// A sweep is no part of a run: neither of its resolved form nor of its digest.
func TestSweepIsNotResolved(t *testing.T) {
	plain, err := parseTest(sweepBase)
	if err != nil {
		t.Fatal(err)
	}
	swept, err := parseTest(sweepBase + "sweep: {grid: {s_mb_order2_reqs: 0..9}}\n")
	if err != nil {
		t.Fatal(err)
	}
	if plain.Digest() != swept.Digest() || strings.Contains(string(swept.Resolved()), "sweep") {
		t.Errorf("with a sweep the scenario is\n%s", swept.Resolved())
	}
	set, err := parseTest(sweepBase, "sweep.replications=7", "sweep.grid={s_mb_order2_reqs: [1, 2]}")
	if err != nil {
		t.Fatal(err)
	}
	if set.Sweep.Replications != 7 || len(set.Sweep.Grid[0].Values) != 2 {
		t.Errorf("%+v", set.Sweep)
	}
}

func TestConstraint(t *testing.T) {
	values := map[string]string{"a": "4", "b": "64K", "s_mb_order2_reqs": "2", "word": "yes", "share": "50%"}
	for expr, want := range map[string]string{
		"a < 5": "true", "a<5&&a>4": "false", "a <= 4 && 4 >= a && a == 4.0": "true", "a != 4": "false", "b == 65536": "true",
		"b > a && 1e3 > a": "true", "mb_order2_req == 2": "true", "share <= .5": "true", "-1 < a": "true",
		"word > 1":       `constraint "word > 1": the value "yes" of word is no number`,
		"a":              `"a" ends too early: want a comparison such as s_mb_order2_reqs > 2`,
		"":               `"" ends too early: want a comparison such as s_mb_order2_reqs > 2`,
		"a < 5 &&":       `"a < 5 &&" ends too early: want a comparison such as s_mb_order2_reqs > 2`,
		"a b c":          `want one of < <= == != >= > after a, found "b"`,
		"a < 3 < 4":      `want && between comparisons, found "<"`,
		"a = 3":          `cannot read "= 3": want comparisons of keys and numbers, joined by &&`,
		"a < 3 || b > 4": `cannot read "|| b > 4": want comparisons of keys and numbers, joined by &&`,
		"< < <":          `want a key or a number, found "<"`,
		"a < 4apples":    `want a key or a number, found "4apples"`,
	} {
		got := ""
		c, err := ParseConstraint(expr)
		if err == nil {
			var ok bool
			ok, err = c.Holds(func(key string) string { return values[key] })
			got = fmt.Sprint(ok)
		}
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}
