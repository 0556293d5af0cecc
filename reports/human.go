package reports

import (
	"math"
	"strconv"
	"strings"
)

// human is a value and its unit as a person reads them: shares in per cent,
// bytes with a binary prefix, whole numbers with commas, others to four digits.
func human(v float64, unit string) (value, shown string) {
	return inUnitOf(v, v, unit)
}

// inUnitOf is human in the unit that another value of the same row has: a row has one.
func inUnitOf(v, other float64, unit string) (value, shown string) {
	switch unit {
	case "share":
		return decimals(v*100, 2), "%"
	case "bytes", "bytes/s":
		scaled, prefix := binaryScale(other)
		if prefix == "" {
			return wholeOrFour(v), unit
		}
		return decimals(v*scaled/other, 2), prefix + "iB" + strings.TrimPrefix(unit, "bytes")
	}
	// So many digits nobody reads.
	for _, p := range []struct {
		size float64
		name string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}} {
		if math.Abs(other) >= 10*p.size {
			return fourDigits(v/p.size) + p.name, unit
		}
	}
	return wholeOrFour(v), unit
}

// wholeOrFour is a whole number with all its digits, and another one with four.
func wholeOrFour(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return commas(v)
	}
	return fourDigits(v)
}

// fourDigits is v to four digits in all, but at most four decimals.
func fourDigits(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 3 - int(math.Floor(math.Log10(math.Abs(v))))
	return decimals(v, min(max(digits, 0), 4))
}

// binaryScale scales a number of bytes.
func binaryScale(v float64) (float64, string) {
	prefix := ""
	for i := 0; i < 6 && math.Abs(v) >= 1024; i++ {
		v /= 1024
		prefix = "KMGTPE"[i : i+1]
	}
	return v, prefix
}

// sizeLabel is a number of bytes on the label of an axis: 4K, 1.5G.
func sizeLabel(v float64) string {
	v, prefix := binaryScale(v)
	return number(math.Round(v*100)/100) + prefix
}

// decimals is v with at most n decimal places, and commas.
func decimals(v float64, n int) string {
	s := strconv.FormatFloat(v, 'f', n, 64)
	whole, frac, _ := strings.Cut(s, ".")
	whole = group(whole)
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// commas is v rounded to a whole number, with commas.
func commas(v float64) string { return group(strconv.FormatFloat(v, 'f', 0, 64)) }

// group puts commas between the thousands of a whole number.
func group(s string) string {
	digits := strings.TrimPrefix(s, "-")
	var b strings.Builder
	// A comma stands before each three digits from the right.
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return s[:len(s)-len(digits)] + b.String()
}
