package reports

import (
	"math"
	"testing"

	"gonum.org/v1/plot"
	"pgregory.net/rapid"
)

func labels(ts []plot.Tick) (out []string) {
	for _, t := range ts {
		if t.Label != "" {
			out = append(out, t.Label)
		}
	}
	return out
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		t      plot.Ticker
		want   []string
	}{
		{0, 10, ticks{want: 5, label: plain}, []string{"0", "2", "4", "6", "8", "10"}},
		{0, 2.2, ticks{want: 5, label: plain}, []string{"0", "0.5", "1.0", "1.5", "2.0"}},
		{0, 3, ticks{want: 5, least: 1, label: plain}, []string{"0", "1", "2", "3"}},
		{0, 42000, ticks{want: 4, label: plain}, []string{"0", "20,000", "40,000"}},
		{0, 3.4e6, ticks{want: 4, label: plain}, []string{"0", "1M", "2M", "3M"}},
		{9e8, 1.2e9, ticks{want: 3, label: plain}, []string{"900M", "1.0G", "1.1G", "1.2G"}},
		{-1, 1, ticks{want: 2, label: plain}, []string{"-1", "0", "1"}},
		{0.98, 1, ticks{want: 4, label: percent}, []string{"98.0%", "98.5%", "99.0%", "99.5%", "100.0%"}},
		{0, 1, ticks{step: 0.25, label: percent}, []string{"0%", "25%", "50%", "75%", "100%"}},
		{5, 5, ticks{want: 4, label: plain}, nil},
		{0, math.Inf(1), ticks{want: 4, label: plain}, nil},
		{math.NaN(), 1, ticks{want: 4, label: plain}, nil},
		{1, 1000, powers{label: plain}, []string{"1", "10", "100", "1,000"}},
		{0.5, 30, powers{label: plain, whole: true}, []string{"1", "2", "5", "10", "20"}},
		{1, 1e12, powers{label: plain}, []string{"1", "100", "10,000", "1M", "100M", "10G", "1,000G"}},
		{0, 10, powers{label: plain}, nil},
		{-3, 10, powers{label: plain}, nil},
	} {
		if got := labels(c.t.Ticks(c.lo, c.hi)); !equal(got, c.want) {
			t.Errorf("%v to %v: %q, want %q", c.lo, c.hi, got, c.want)
		}
	}
}

// Ticks lie on the axis, there are neither too few nor too many, and no label is
// there twice.
func TestTicksAreReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Float64Range(-1e9, 1e9).Draw(t, "lo")
		span := math.Pow(10, rapid.Float64Range(-3, 9).Draw(t, "span"))
		got := ticks{want: 5, label: plain}.Ticks(lo, lo+span)
		if len(got) < 2 || len(got) > 7 {
			t.Fatalf("%d ticks", len(got))
		}
		seen := map[string]bool{}
		for _, k := range got {
			if k.Value < lo-span*1e-6 || k.Value > lo+span*(1+1e-6) || seen[k.Label] {
				t.Fatalf("%v of %v", k, got)
			}
			seen[k.Label] = true
		}
	})
}

// What is thinned keeps its ends and the largest and smallest value of every
// column, in order.
func TestDecimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "points")
		columns := rapid.IntRange(1, 50).Draw(t, "columns")
		var x, y []float64
		at := 0.
		for range n {
			at += rapid.Float64Range(0.01, 3).Draw(t, "step")
			x, y = append(x, at), append(y, rapid.Float64Range(-5, 5).Draw(t, "y"))
		}
		dx, dy := decimate(x, y, columns)
		if len(dx) != len(dy) || len(dx) > max(n, 0) || n > 2*columns && len(dx) > 2*columns+2 {
			t.Fatalf("%d points of %d for %d columns", len(dx), n, columns)
		}
		if dx[0] != x[0] || dy[0] != y[0] || dx[len(dx)-1] != x[n-1] || dy[len(dy)-1] != y[n-1] {
			t.Fatal("an end is gone")
		}
		span := func(v []float64) (lo, hi float64) {
			lo, hi = v[0], v[0]
			for _, f := range v {
				lo, hi = min(lo, f), max(hi, f)
			}
			return lo, hi
		}
		a0, a1 := span(y)
		b0, b1 := span(dy)
		if a0 != b0 || a1 != b1 {
			t.Fatalf("values of %v to %v became %v to %v", a0, a1, b0, b1)
		}
		for i := 1; i < len(dx); i++ {
			if dx[i] <= dx[i-1] {
				t.Fatalf("x %v", dx)
			}
		}
	})
}

func TestHuman(t *testing.T) {
	for _, c := range []struct {
		v           float64
		unit        string
		value, with string
	}{
		{0.12345, "share", "12.35", "%"}, {1, "share", "100.00", "%"},
		{999, "bytes", "999", "bytes"}, {1536, "bytes", "1.50", "KiB"}, {3 << 40, "bytes", "3.00", "TiB"},
		{1234567, "blocks", "1,234,567", "blocks"}, {-1234, "blocks", "-1,234", "blocks"}, {0, "files", "0", "files"},
		{1.23456, "ratio", "1.235", "ratio"}, {0.00123, "ratio", "0.0012", "ratio"}, {12345.6, "ratio", "12,346", "ratio"},
	} {
		if v, u := human(c.v, c.unit); v != c.value || u != c.with {
			t.Errorf("%v %s is %q %q, want %q %q", c.v, c.unit, v, u, c.value, c.with)
		}
	}
}

func TestTimeUnit(t *testing.T) {
	for _, c := range []struct {
		span int64
		want string
	}{{0, "µs"}, {999_999, "µs"}, {1e6, "ms"}, {2e9, "s"}, {180e9, "min"}, {3 * 3600e9, "h"}, {10 * 86400e9, "days"}} {
		if got, _ := timeUnit(c.span); got != c.want {
			t.Errorf("%d ns is shown in %s, want %s", c.span, got, c.want)
		}
	}
}
