package reports

import (
	"slices"
	"strings"
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

// TestFarApart: means ten times apart need a logarithmic axis, unless one is zero or they are differences.
func TestFarApart(t *testing.T) {
	for _, c := range []struct {
		means      []float64
		difference bool
		want       bool
	}{{[]float64{7, 279}, false, true}, {[]float64{7, 60}, false, false}, {[]float64{0, 60}, false, false}, {[]float64{7, 279}, true, false}, {nil, false, false}} {
		e := effect{Difference: c.difference}
		for _, m := range c.means {
			e.Levels = append(e.Levels, level{Mean: m, Low: -1, High: m})
		}
		if _, got := e.farApart(); got != c.want {
			t.Errorf("%v, difference %v: %v", c.means, c.difference, got)
		}
	}
}

// TestLevelNames: names are all there, in several lines or upwards; numbers may leave some out.
func TestLevelNames(t *testing.T) {
	pic := newPicture(Paper, PNG)
	for _, c := range []struct {
		names []string
		width float64 // in letters
		lines int     // of the longest name
		up    bool
	}{
		{[]string{"ext2", "ext2 with windows", "ext4 nodelalloc", "ext4"}, 80, 1, false},
		{[]string{"ext2", "ext2 with windows", "ext4 nodelalloc", "ext4"}, 28, 2, false},
		{[]string{"ext2", "5.10^best-avail-len^named-criteria", "ext4"}, 20, 1, true},
	} {
		e := effect{Key: "variant"}
		for _, n := range c.names {
			e.Levels = append(e.Levels, level{Value: n})
		}
		p := pic.theme.plot()
		pic.levelAxis(p, &e, pic.em(c.width))
		lines := 0
		for i, mark := range p.X.Tick.Marker.Ticks(0, 1) {
			lines = max(lines, strings.Count(mark.Label, "\n")+1)
			if strings.ReplaceAll(mark.Label, "\n", " ") != c.names[i] && !c.up {
				t.Errorf("%q is called %q", c.names[i], mark.Label)
			}
		}
		if up := p.X.Tick.Label.Rotation != 0; lines != c.lines || up != c.up {
			t.Errorf("%v in %v: %d lines, upwards %v", c.names, c.width, lines, up)
		}
	}
}
