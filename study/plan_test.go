package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"mbsim/scenarios"
)

// TestPlans shows the settings of sweeps, or the mistake. The input is the sweep
// block of a small scenario; arguments are what the command line adds.
func TestPlans(t *testing.T) {
	datadriven.RunTest(t, "testdata/plans", func(t *testing.T, d *datadriven.TestData) string {
		dir := t.TempDir()
		name := filepath.Join(dir, "s.yaml")
		text := tiny
		if d.HasArg("script") {
			text = "device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\n\"}\n"
		}
		if err := os.WriteFile(name, []byte(text+d.Input), 0o644); err != nil {
			t.Fatal(err)
		}
		opt := Options{Version: "test", Metrics: metricNames()}
		for _, arg := range d.CmdArgs {
			value := strings.Join(arg.Vals, ",")
			switch arg.Key {
			case "set":
				opt.Sets = append(opt.Sets, value)
			case "until":
				opt.Until = value
			case "baseline":
				opt.Baseline = value
			case "reps":
				opt.Replications, _ = strconv.Atoi(value)
			case "script":
			default:
				t.Fatalf("argument %s", arg.Key)
			}
		}
		p, err := NewPlan(name, opt)
		if err != nil {
			if !errors.As(err, new(*UserError)) || strings.Contains(err.Error(), "\n") {
				t.Errorf("not one line of the user's: %#v", err)
			}
			return strings.ReplaceAll(err.Error(), dir, "DIR") + "\n"
		}
		var b strings.Builder
		digests := make(map[string]bool)
		for _, s := range p.Settings {
			fmt.Fprintln(&b, s.Name)
			digests[s.Digest] = true
		}
		until, _ := json.Marshal(p.Until)
		fmt.Fprintf(&b, "%d settings, %d of them different, %d replications, baseline %s, until %s\n", len(p.Settings), len(digests), p.Replications, p.Baseline, until)
		for _, w := range p.Warnings {
			fmt.Fprintln(&b, "warning:", w)
		}
		return b.String()
	})
}

// Every stratum of every key of a latin hypercube holds one point, and the same
// seed draws the same points.
func TestHypercube(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 60).Draw(t, "points")
		low := rapid.Float64Range(0.1, 100).Draw(t, "low")
		high := low * rapid.Float64Range(2, 1e4).Draw(t, "factor")
		l := &scenarios.LHS{Points: n, Ranges: []scenarios.Range{{Key: "a", Min: low, Max: high}, {Key: "b", Min: low, Max: high, Log: true}}}
		q := &request{}
		d := q.hypercube(l, 7)
		if len(d) != n {
			t.Fatalf("%d points of %d", len(d), n)
		}
		if fmt.Sprint(d) != fmt.Sprint(q.hypercube(l, 7)) || n > 4 && fmt.Sprint(d) == fmt.Sprint(q.hypercube(l, 8)) {
			t.Fatal("the seed does not decide the points")
		}
		for k := range l.Ranges {
			var values []float64
			for _, p := range d {
				v, err := strconv.ParseFloat(p.values[k].Value, 64)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, v)
			}
			sort.Float64s(values)
			for i, v := range values {
				from, to := quantileOf(&l.Ranges[k], i, n), quantileOf(&l.Ranges[k], i+1, n)
				// Values are rounded to four digits.
				if v < from*(1-1e-3) || v > to*(1+1e-3) {
					t.Fatalf("key %d: value %d of %d is %g, want one of %g to %g", k, i, n, v, from, to)
				}
			}
		}
	})
}

func quantileOf(r *scenarios.Range, i, n int) float64 {
	v, _ := strconv.ParseFloat(rangeValue(r, float64(i)/float64(n)), 64)
	return v
}

// Whole numbers are drawn alike, both bounds included.
func TestWholeRange(t *testing.T) {
	seen := make(map[string]int)
	for i := range 4000 {
		seen[rangeValue(&scenarios.Range{Min: 0, Max: 3, Whole: true}, (float64(i)+0.5)/4000)]++
	}
	if fmt.Sprint(seen) != "map[0:1000 1:1000 2:1000 3:1000]" {
		t.Error(seen)
	}
}
