package reports

import (
	"math"

	"gonum.org/v1/plot"
)

// ticks are round numbers along an axis, labelled by label. They are step apart; where step is
// 0 there are about want of them, at least least apart.
type ticks struct {
	step  float64
	want  int
	least float64
	label func(v, step float64) string
}

// Ticks implements plot.Ticker.
func (t ticks) Ticks(lo, hi float64) []plot.Tick {
	// An axis without a length has no ticks. The form of the test refuses NaN too.
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return nil
	}
	// A step of a round number, where none is given.
	step := t.step
	if step == 0 {
		step = niceStep((hi-lo)/float64(t.want), t.least)
	}
	var out []plot.Tick
	// Ticks are whole multiples of the step, with some room for rounding at both ends.
	for i := math.Ceil(lo/step - 1e-9); i*step <= hi+step*1e-9; i++ {
		v := i*step + 0 // no negative zero
		out = append(out, plot.Tick{Value: v, Label: t.label(v, step)})
	}
	return out
}

// notFromZero is what the label of a linear axis adds where it begins above zero, or lengths on it
// would be taken for ratios.
func notFromZero(lo float64) string {
	if lo > 0 {
		return ", not from 0"
	}
	return ""
}

// niceStep is the smallest of 1, 2, 5 and 10 times a power of ten that is at least v and at
// least least.
func niceStep(v, least float64) float64 {
	v = max(v, least)
	// The power of ten below v, and then the first multiple of it that is large enough.
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if s := m * p; s >= v*(1-1e-9) {
			return s
		}
	}
	return 10 * p
}

// plain labels numbers: 0.25, 12,000, 3M.
func plain(v, step float64) string {
	if v == 0 {
		return "0"
	}
	// Large numbers get a suffix if it takes no more than three decimals to tell ticks apart.
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}} {
		if step >= u.size/1000 && math.Abs(v) >= u.size {
			return decimals(v/u.size, places(step/u.size)) + u.name
		}
	}
	return decimals(v, places(step))
}

// places is how many decimals tell multiples of step apart.
func places(step float64) int {
	return max(0, min(9, -int(math.Floor(math.Log10(step)+1e-9))))
}

// percent labels shares of 1.
func percent(v, step float64) string { return decimals(v*100, places(step*100)) + "%" }

// powers are the ticks of a logarithmic axis: powers of ten, and on an axis of at most two
// decades two and five times these as well. With whole, where only whole numbers are counted,
// there are none below 1.
type powers struct {
	label func(v, step float64) string
	whole bool
}

// Ticks implements plot.Ticker.
func (t powers) Ticks(lo, hi float64) []plot.Tick {
	var out []plot.Tick
	if !(lo > 0) || !(hi > lo) {
		return nil
	}
	// About six labels at most: of more decades only each every-th is labelled.
	decades := math.Log10(hi / lo)
	every := int(math.Ceil(decades / 6))
	first := int(math.Floor(math.Log10(lo) + 1e-9))
	// Each power of ten, and its multiples within the axis.
	for e := first; math.Pow10(e) <= hi*(1+1e-9); e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow10(e)
			if v < lo*(1-1e-9) || v > hi*(1+1e-9) {
				continue
			}
			k := plot.Tick{Value: v}
			if m == 1 && (e-first)%max(every, 1) == 0 || m > 1 && decades <= 2 {
				k.Label = t.label(v, v)
			}
			// Fractions of a thing cannot be counted.
			if t.whole && v < 1 {
				continue
			}
			// Multiples stand close together, so that a long axis goes without.
			if m == 1 || decades <= 2 {
				out = append(out, k)
			}
		}
	}
	return out
}

// timeUnit is the unit in which a span of nanoseconds is shown.
func timeUnit(span int64) (name string, ns float64) {
	switch s := float64(span) / 1e9; {
	case s < 1e-3:
		return "µs", 1e3
	case s < 2:
		return "ms", 1e6
	case s < 3*60:
		return "s", 1e9
	case s < 3*3600:
		return "min", 60e9
	case s < 3*86400:
		return "h", 3600e9
	}
	return "days", 86400e9
}

// decimate thins points to what a canvas of so many columns of pixels can show: the smallest
// and the largest value of each column, in their order, and the first and the last point.
func decimate(x, y []float64, columns int) (dx, dy []float64) {
	n := len(x)
	if n <= 2*columns || columns < 1 {
		return x, y
	}
	// column is the column of pixels that a point falls into.
	lo, span := x[0], x[n-1]-x[0]
	column := func(i int) int { return min(int((x[i]-lo)/span*float64(columns)), columns-1) }
	// take keeps a point, but not the same one twice.
	take := func(i int) {
		if k := len(dx); k == 0 || dx[k-1] != x[i] || dy[k-1] != y[i] {
			dx, dy = append(dx, x[i]), append(dy, y[i])
		}
	}
	take(0)
	// Column by column: find its least and its largest value, and keep them as they come.
	for i := 0; i < n; {
		least, most := i, i
		j := i
		for ; j < n && column(j) == column(i); j++ {
			if y[j] < y[least] {
				least = j
			}
			if y[j] > y[most] {
				most = j
			}
		}
		take(min(least, most))
		take(max(least, most))
		i = j
	}
	take(n - 1)
	return dx, dy
}
