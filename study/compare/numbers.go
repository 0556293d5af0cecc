package compare

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mbsim/metrics"
	"mbsim/study"
	"mbsim/study/stats"
)

// significant is v with n significant digits and no exponent.
func significant(v float64, n int) string {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	// Round first: that may carry into a further digit, as from 9.99 to 10.0.
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'e', n-1, 64), 64)
	digits := n - 1 - int(math.Floor(math.Log10(math.Abs(v))))
	return commas(strconv.FormatFloat(v, 'f', max(digits, 0), 64))
}

// commas puts commas between the thousands.
func commas(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, frac, point := strings.Cut(s, ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if point {
		b.WriteString("." + frac)
	}
	return sign + b.String()
}

// scale is how a unit is shown: the factor and what stands behind the number.
func scale(unit string, v float64) (factor float64, suffix string) {
	switch unit {
	case "share":
		return 100, "%"
	case "bytes", "bytes/s":
		factor, suffix = 1, " B"
		for i := 0; i < 5 && math.Abs(v*factor) >= 1024; i++ {
			factor /= 1024
			suffix = " " + "KMGTP"[i:i+1] + "iB"
		}
		return factor, suffix + strings.TrimPrefix(unit, "bytes")
	}
	// So many digits nobody reads.
	for _, p := range []struct {
		size float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}} {
		if math.Abs(v) >= 10*p.size {
			return 1 / p.size, p.name
		}
	}
	return 1, ""
}

// shownUnit is the unit of a column, "" where each number has its own.
func shownUnit(unit string) string {
	if unit == "share" || unit == "bytes" || unit == "bytes/s" {
		return ""
	}
	return unit
}

// decimals returns how many decimal places show half the width of an interval to two digits.
func decimals(half float64) int {
	return min(max(1-int(math.Floor(math.Log10(half))), 0), 6)
}

// width is half the width of an interval, or 0 where only rounding keeps it from being 0.
func width(v, half float64) float64 {
	if half < 1e-9*math.Abs(v) {
		return 0
	}
	return half
}

// mean is a mean with its interval: 1.241 ± 0.012. It is in the unit of the largest of all means
// that it stands beside.
func mean(m stats.Mean, unit string, all ...stats.Mean) string {
	if m.N == 0 {
		return ""
	}
	largest := m.Value
	for _, other := range all {
		if other.N > 0 && math.Abs(other.Value) > math.Abs(largest) {
			largest = other.Value
		}
	}
	factor, suffix := scale(unit, largest)
	v, half := m.Value*factor, width(m.Value, m.Half)*factor
	// Without an interval the number itself decides how many digits are shown.
	if math.IsNaN(half) || half == 0 {
		text := significant(v, 4)
		if v == math.Trunc(v) {
			text = commas(strconv.FormatFloat(v, 'f', 0, 64))
		}
		if half == 0 {
			text += " ± 0"
		}
		return text + suffix
	}
	// The interval decides how many digits mean anything.
	d := decimals(half)
	return commas(strconv.FormatFloat(v, 'f', d, 64)) + " ± " + commas(strconv.FormatFloat(half, 'f', d, 64)) + suffix
}

// change is a difference with its interval: in per cent of the first mean; of a share in
// percentage points; in the metric's unit where the first mean is zero.
func change(e *study.Effect) string {
	v, half := e.Relative()
	factor, suffix := 100.0, "%"
	switch unit := unitOf(e.Metric); {
	case unit == "share":
		v, half, suffix = e.Difference.Value, e.Difference.Half, " pp"
	case math.IsNaN(v):
		v, half = e.Difference.Value, e.Difference.Half
		factor, suffix = scale(unit, v)
	}
	// Two pairs give an interval so wide that it only confuses.
	half = width(v, half)
	if e.Difference.N < 3 {
		half = math.NaN()
	}
	// From tenfold on, people read a factor more easily.
	if suffix == "%" && v >= 9 {
		return times(1+v, half)
	}
	v, half = v*factor, half*factor
	// Without an interval: three digits.
	if math.IsNaN(half) || half == 0 {
		text := significant(v, 3)
		if v > 0 {
			text = "+" + text
		}
		if half == 0 && v != 0 {
			text += " ± 0"
		}
		return text + suffix
	}
	// With one: as many digits as it leaves a meaning.
	d := decimals(half)
	sign := "+"
	if v < 0 {
		sign = ""
	}
	return sign + commas(strconv.FormatFloat(v, 'f', d, 64)) + " ± " + commas(strconv.FormatFloat(half, 'f', d, 64)) + suffix
}

// times is a change of tenfold and more.
func times(v, half float64) string {
	if math.IsNaN(half) || half == 0 {
		return "×" + significant(v, 3)
	}
	d := decimals(half)
	return "×" + commas(strconv.FormatFloat(v, 'f', d, 64)) + " ± " + commas(strconv.FormatFloat(half, 'f', d, 64))
}

// fixed is a number with n decimal places.
func fixed(v float64, n int) string { return commas(strconv.FormatFloat(v, 'f', n, 64)) }

// pText is a p value in a table.
func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return ""
	case p < 0.0001:
		return "<0.0001"
	}
	return fmt.Sprintf("%.4f", p)
}

// pSentence is a p value in a sentence.
func pSentence(p float64) string {
	if text := pText(p); strings.HasPrefix(text, "<") {
		return "p < " + text[1:]
	}
	return "p = " + pText(p)
}

// word is a verdict with its doubt.
func word(e *study.Effect) string {
	w := string(e.Verdict)
	if e.Doubtful() {
		w += "?"
	}
	return w
}

// unitOf is the unit of a metric, "" of an unknown one.
func unitOf(metric string) string {
	id, err := metrics.Find(metric)
	if err != nil {
		return ""
	}
	return metrics.At(id).Unit
}
