package fio

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Share is a size in bytes, or a share of another one in percent.
type Share struct {
	Bytes   int64
	Percent int64 // 0 where Bytes counts
}

// Of is the size, where it may be a share of whole.
func (s Share) Of(whole int64) int64 {
	if s.Percent > 0 {
		return int64(float64(whole) / 100 * float64(s.Percent))
	}
	return s.Bytes
}

// Split is a block size and how often it is used, in percent.
type Split struct {
	Bytes   int64
	Percent float64
}

// Blocks are the lengths of requests: Split where it is set, else multiples of Min from Min to Max.
type Blocks struct {
	Min, Max int64
	Split    []Split
}

// Zone is a part of a file, in percent of it, and the share of requests that go there.
type Zone struct{ Requests, Size float64 }

// Distribution says where random requests go.
type Distribution struct {
	Kind  string // random, zipf, pareto, normal, zoned
	Value float64
	Zones []Zone
}

// parseSize reads a size such as 4k, 1.5m, 0x1000 or 4KiB (which is 4000, as fio has it).
func parseSize(s string) (int64, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		n, err := strconv.ParseInt(hex, 16, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%q: want a size such as 4k", s)
		}
		return n, nil
	}
	// The number, then its unit: a letter, an i that makes it a power of 1000, and a b that means nothing.
	digits := strings.TrimRight(text, "kmgtpeib")
	unit := strings.TrimSuffix(text[len(digits):], "b")
	base := 1024.0
	if strings.HasSuffix(unit, "i") {
		unit, base = unit[:len(unit)-1], 1000
	}
	n, err := strconv.ParseFloat(digits, 64)
	power := strings.Index("kmgtpe", unit) + 1
	known := unit != "" && power > 0 || unit == "" && base == 1024
	if unit == "" {
		power = 0
	}
	n *= math.Pow(base, float64(power))
	if err != nil || len(unit) > 1 || !known || !(n >= 0 && n < 1<<62) || strings.Trim(digits, "0123456789.") != "" {
		return 0, fmt.Errorf("%q: want a size such as 4k", s)
	}
	return int64(n), nil
}

// parseShare reads a size, or a number of percent.
func parseShare(s string) (Share, error) {
	if number, ok := strings.CutSuffix(s, "%"); ok {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > 100 {
			return Share{}, fmt.Errorf("%q: want 1%% to 100%%", s)
		}
		return Share{Percent: n}, nil
	}
	n, err := parseSize(s)
	return Share{Bytes: n}, err
}

// parseRange reads one size, or two with a hyphen between.
func parseRange(s string) (low, high int64, err error) {
	from, to, both := strings.Cut(s, "-")
	if low, err = parseSize(from); err != nil {
		return 0, 0, err
	}
	high = low
	if both {
		if high, err = parseSize(to); err != nil {
			return 0, 0, err
		}
	}
	if high < low {
		return 0, 0, fmt.Errorf("%q: the range ends below where it begins", s)
	}
	return low, high, nil
}

// parseBlocks reads the lengths of requests, which may differ by direction: reads, writes and trims stand
// between commas. What is missing behind the last comma is as before it; what is empty keeps its value.
func parseBlocks(s string, split bool, reads, writes *Blocks) error {
	parts := strings.Split(s, ",")
	for i, into := range []*Blocks{reads, writes} {
		part := parts[min(i, len(parts)-1)]
		if part == "" {
			continue
		}
		if split {
			if err := parseSplit(part, into); err != nil {
				return err
			}
			continue
		}
		low, high, err := parseRange(part)
		if err != nil {
			return err
		}
		if low < 1 || high > maxBlock {
			return fmt.Errorf("%q: want a length of 1 byte to 1 GB", part)
		}
		*into = Blocks{Min: low, Max: high}
	}
	return nil
}

// maxBlock is the longest request, in bytes: one of a write operation of a script.
const maxBlock = 1 << 30

// parseSplit reads 4k/10:64k/90. Sizes without a share have what is left of 100%, in equal parts.
func parseSplit(s string, into *Blocks) error {
	b := Blocks{Min: maxBlock}
	left, without := 100.0, 0
	for part := range strings.SplitSeq(s, ":") {
		sizeText, shareText, has := strings.Cut(part, "/")
		n, err := parseSize(sizeText)
		if err != nil {
			return err
		}
		if n < 1 || n > maxBlock {
			return fmt.Errorf("%q: want a length of 1 byte to 1 GB", sizeText)
		}
		share := -1.0
		if has && shareText != "" {
			if share, err = parsePercent(shareText); err != nil {
				return err
			}
			left -= share
		} else {
			without++
		}
		b.Split = append(b.Split, Split{n, share})
		b.Min, b.Max = min(b.Min, n), max(b.Max, n)
	}
	if left < -0.5 || without == 0 && left > 0.5 {
		return fmt.Errorf("%q: the shares make %g%%: want 100%%", s, 100-left)
	}
	for i := range b.Split {
		if b.Split[i].Percent < 0 {
			b.Split[i].Percent = max(left, 0) / float64(without)
		}
	}
	*into = b
	return nil
}

// parsePercent reads a share in percent.
func parsePercent(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0, fmt.Errorf("%q: want 0 to 100 percent", s)
	}
	return n, nil
}

// parseDistribution reads random_distribution: random, zipf:1.2, pareto:0.2, normal:20,
// zoned:60/10:30/20:10/70. What follows a comma is of other directions, or a centre, and is not kept.
func parseDistribution(s string) (d Distribution, err error) {
	s, _, _ = strings.Cut(s, ",")
	kind, value, _ := strings.Cut(s, ":")
	d = Distribution{Kind: kind}
	switch kind {
	case "random":
	case "zipf", "pareto", "normal":
		first, _, _ := strings.Cut(value, ":")
		d.Value = map[string]float64{"zipf": 1.1, "pareto": 0.2, "normal": 0}[kind]
		if first != "" {
			d.Value, err = strconv.ParseFloat(first, 64)
		}
		if err != nil || !(d.Value >= 0 && d.Value <= 100) || kind == "pareto" && !(d.Value > 0 && d.Value < 1) {
			return d, fmt.Errorf("%q: want a parameter such as zipf:1.2, pareto:0.2 (above 0, below 1) or normal:20", s)
		}
	case "zoned":
		for part := range strings.SplitSeq(value, ":") {
			requests, size, _ := strings.Cut(part, "/")
			var z Zone
			if z.Requests, err = parsePercent(requests); err == nil {
				z.Size, err = parsePercent(size)
			}
			if err != nil {
				return d, err
			}
			d.Zones = append(d.Zones, z)
		}
	default:
		return d, fmt.Errorf("%q: want random, zipf:THETA, pareto:H, normal:DEVIATION, or zoned:REQUESTS/SIZE for each zone", s)
	}
	return d, nil
}

// parseInt reads a whole number from low to high.
func parseInt(s string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q: want a number of %d to %d", s, low, high)
	}
	return n, nil
}

// parseBool reads 0 or 1; a key alone is 1.
func parseBool(s string) (bool, error) {
	switch s {
	case "", "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, fmt.Errorf("%q: want 0 or 1", s)
}
