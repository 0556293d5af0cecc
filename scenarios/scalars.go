package scenarios

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// boolean is true or false.
type boolean struct{}

func (boolean) describe() string { return "true or false" }

func (boolean) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isQuoted(n) || n.Value != "true" && n.Value != "false" {
		return d.wrong(n, "true or false")
	}
	*p.(*bool) = n.Value == "true"
	return nil
}

func (boolean) encode(p any) *yaml.Node { return scalar("!!bool", strconv.FormatBool(*p.(*bool))) }

// whole is a whole number of min to max.
type whole struct {
	min, max int64
	zeroIs   string // what 0 means; it is not written then
}

func (w whole) describe() string {
	if w.max == math.MaxInt64 {
		return fmt.Sprintf("a whole number of %d or more", w.min)
	}
	return fmt.Sprintf("a whole number of %d to %d", w.min, w.max)
}

var wholeText = onUse(`^[+-]?(0|[1-9][0-9]*)$`)

func (w whole) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isQuoted(n) || !wholeText().MatchString(n.Value) {
		return d.wrong(n, w.describe())
	}
	// The seed may use all 64 bits, which the limits, of type int64, cannot say.
	if u, ok := p.(*uint64); ok {
		v, err := strconv.ParseUint(n.Value, 10, 64)
		if err != nil {
			return d.wrong(n, fmt.Sprintf("a whole number of 0 to %d", uint64(math.MaxUint64)))
		}
		*u = v
		return nil
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	if err != nil || v < w.min || v > w.max {
		return d.wrong(n, w.describe())
	}
	// The limits leave nothing that the conversion could cut off.
	switch p := p.(type) {
	case *int:
		*p = int(v)
	case *int64:
		*p = v
	case *uint32:
		*p = uint32(v)
	}
	return nil
}

func (w whole) encode(p any) *yaml.Node {
	s := ""
	switch p := p.(type) {
	case *int:
		s = strconv.Itoa(*p)
	case *int64:
		s = strconv.FormatInt(*p, 10)
	case *uint32:
		s = strconv.FormatUint(uint64(*p), 10)
	case *uint64:
		s = strconv.FormatUint(*p, 10)
	}
	// A zero that stands for something else is not written.
	if s == "0" && w.zeroIs != "" {
		return nil
	}
	return scalar("!!int", s)
}

// number is a number of min to max.
type number struct {
	min, max float64
	zeroIs   string
}

func (t number) describe() string {
	switch {
	case math.IsInf(t.min, -1):
		return "a number"
	case math.IsInf(t.max, 1):
		return fmt.Sprintf("a number of %v or more", t.min)
	}
	return fmt.Sprintf("a number of %v to %v", t.min, t.max)
}

var numberText = onUse(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)

func (t number) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isQuoted(n) || !numberText().MatchString(n.Value) {
		return d.wrong(n, t.describe())
	}
	v, err := strconv.ParseFloat(n.Value, 64)
	if err != nil || !(v >= t.min && v <= t.max) {
		return d.wrong(n, t.describe())
	}
	*p.(*float64) = v
	return nil
}

func (t number) encode(p any) *yaml.Node {
	v := *p.(*float64)
	if v == 0 && t.zeroIs != "" {
		return nil
	}
	s := formatFloat(v)
	// The tag must be what the text alone would mean: yaml.v3 writes any other tag out.
	if wholeText().MatchString(s) {
		return scalar("!!int", s)
	}
	return scalar("!!float", s)
}

// share is a part of a whole: 0 to 1, or a percentage.
type share struct{ zeroIs string }

func (share) describe() string { return "a share of 0 to 1, or a percentage such as 95%" }

func (t share) decode(d *decoder, n *yaml.Node, p any) error {
	v, percent := strings.CutSuffix(n.Value, "%")
	// Quotes make a text of a number, but a percentage is a text to YAML anyway.
	if n.Kind != yaml.ScalarNode || !numberText().MatchString(v) || isQuoted(n) && !percent {
		return d.wrong(n, t.describe())
	}
	f, err := strconv.ParseFloat(v, 64)
	if percent {
		f /= 100
	}
	if err != nil || !(f >= 0 && f <= 1) {
		return d.wrong(n, t.describe())
	}
	*p.(*float64) = f
	return nil
}

func (t share) encode(p any) *yaml.Node { return number{zeroIs: t.zeroIs}.encode(p) }

// size is a number of bytes.
type size struct {
	min, max int64
	zeroIs   string
}

func (size) describe() string { return "a size such as 4096, 64K or 1.5G" }

var sizeText = onUse(`^([0-9]{1,20}(?:\.[0-9]{1,20})?) ?([KMGTPEkmgtpe]?)(i?B)?$`)

func (t size) decode(d *decoder, n *yaml.Node, p any) error {
	v, ok := parseSize(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		return d.wrong(n, t.describe())
	}
	// Until here the value is an exact fraction: 1.5K is a whole number of bytes, 1.3K is refused,
	// and neither is rounded.
	switch {
	case !v.IsInt():
		return d.valueErrorf(n, "%s is not a whole number of bytes", found(n))
	case !v.Num().IsInt64() || v.Num().Int64() > t.max || v.Num().Int64() < t.min:
		return d.valueErrorf(n, "want a size of %s to %s, found %s", formatSize(t.min), formatSize(t.max), found(n))
	}
	*p.(*int64) = v.Num().Int64()
	return nil
}

// parseSize is a size in bytes, and false for what is none.
func parseSize(s string) (*big.Rat, bool) {
	m := sizeText().FindStringSubmatch(s)
	// KiB is a unit, iB alone is none.
	if m == nil || m[3] == "iB" && m[2] == "" {
		return nil, false
	}
	v, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return nil, false
	}
	base := int64(1024)
	if m[3] == "B" { // as in truncate(1) and dd(1): 1K is 1024, 1KB is 1000
		base = 1000
	}
	// The place of the letter in the row is the power of the base.
	if m[2] != "" {
		for range strings.Index("KMGTPE", strings.ToUpper(m[2])) + 1 {
			v.Mul(v, new(big.Rat).SetInt64(base))
		}
	}
	return v, true
}

func (t size) encode(p any) *yaml.Node { return whole{zeroIs: t.zeroIs}.encode(p) }

// formatSize is a size in the largest unit that needs no fraction.
func formatSize(n int64) string {
	units := "KMGTPE"
	unit := ""
	for i := 0; i < len(units) && n != 0 && n%1024 == 0; i++ {
		n /= 1024
		unit = units[i : i+1]
	}
	return strconv.FormatInt(n, 10) + unit
}

// duration is a time in nanoseconds, with its unit.
type duration struct {
	min, max int64
	orZero   bool // 0 is allowed too
	zeroIs   string
}

func (duration) describe() string { return "a duration such as 10ms or 5s" }

func (t duration) decode(d *decoder, n *yaml.Node, p any) error {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		return d.wrong(n, t.describe())
	}
	// Without a unit it would be a guess whether seconds or milliseconds are meant. Zero needs
	// none.
	if numberText().MatchString(n.Value) && n.Value != "0" {
		return d.valueErrorf(n, "want a duration with its unit, found %s: is it %ss or %sms?", found(n), n.Value, n.Value)
	}
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return d.wrong(n, t.describe())
	}
	// Some keys have a least value, but allow 0 too, which switches them off.
	if (int64(v) < t.min || int64(v) > t.max) && (v != 0 || !t.orZero) {
		zero := ""
		if t.orZero {
			zero = "0 or "
		}
		return d.valueErrorf(n, "want "+zero+"a duration of %v to %v, found %s", time.Duration(t.min), time.Duration(t.max), found(n))
	}
	*p.(*int64) = int64(v)
	return nil
}

func (t duration) encode(p any) *yaml.Node {
	v := *p.(*int64)
	if v == 0 && t.zeroIs != "" {
		return nil
	}
	return scalar("!!str", time.Duration(v).String())
}
