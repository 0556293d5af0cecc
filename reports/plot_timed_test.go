package reports

import (
	"slices"
	"testing"
)

// TestWholeIntervals: the last interval, which the end of a run cuts off, is no point of a rate.
func TestWholeIntervals(t *testing.T) {
	got := wholeIntervals(curve{x: []float64{0, 10, 20, 30, 31}, y: []float64{1, 2, 3, 4, 900}})
	if !slices.Equal(got.y, []float64{1, 2, 3, 4}) {
		t.Errorf("%v", got.y)
	}
	// A curve whose intervals are alike stays as it is, and so does one of two points.
	for _, x := range [][]float64{{0, 10, 20, 28}, {0, 1}} {
		if got := wholeIntervals(curve{x: x, y: x}); !slices.Equal(got.x, x) {
			t.Errorf("%v of %v", got.x, x)
		}
	}
}

// TestNumericLevels: only levels that are numbers are joined by lines, and kernels are none.
func TestNumericLevels(t *testing.T) {
	of := func(key string, values ...string) effect {
		e := effect{Key: key}
		for _, v := range values {
			e.Levels = append(e.Levels, level{Value: v})
		}
		return e
	}
	for _, c := range []struct {
		e    effect
		want bool
	}{
		{of("cpus", "1", "2", "16"), true}, {of("device.mkfs.size", "64M", "1G"), true},
		{of("kernel", "5.10", "6.1"), false}, {of("profile", "5.10", "6.1"), false}, {of("mount", "delalloc", "nodelalloc"), false},
		{of("a", "1", ""), false},
	} {
		if got := c.e.isNumeric(); got != c.want {
			t.Errorf("%s %v: %v", c.e.Key, c.e.Levels, got)
		}
	}
}

// TestNotFromZero: a linear axis that begins above zero says so.
func TestNotFromZero(t *testing.T) {
	if notFromZero(0) != "" || notFromZero(-1) != "" || notFromZero(0.5) == "" {
		t.Error("an axis does not say where it begins")
	}
}
