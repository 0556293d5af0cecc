package geriatrix

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"mbsim/internal/input"
)

// Bin is a value and its weight, relative to the others.
type Bin struct {
	Value, Weight float64
	Dirs          int64 // of a depth: directories there
}

// Profile is how a file system looks that has aged. What no text has told is nil.
type Profile struct {
	Ages, Sizes, Depths []Bin
	Lines               int64
}

// maxBins is the most lines that a distribution has.
const maxBins = 10000

// IsProfile says whether a text begins as a distribution: with the number of its lines, and two or three
// numbers a line.
func IsProfile(head []byte) bool {
	lines := strings.SplitN(string(head), "\n", 4)
	if len(lines) < 3 {
		return false
	}
	n, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	_, _, wrong := bin(lines[1])
	return err == nil && n >= 1 && n <= maxBins && wrong == nil
}

// Read reads one of the three texts.
func (p *Profile) Read(r io.Reader, name string) error {
	bins, columns, err := p.read(r, name)
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	var into *[]Bin
	switch {
	case columns == 3:
		into = &p.Depths
	case strings.Contains(base, "size"):
		into = &p.Sizes
	case strings.Contains(base, "age"):
		into = &p.Ages
	case p.Ages == nil: // without a name that tells, ages come first, as on the command line of Geriatrix
		into = &p.Ages
	default:
		into = &p.Sizes
	}
	if *into != nil {
		return fmt.Errorf("%s:1:1: there is such a distribution already: want one of ages, one of sizes and one of depths", name)
	}
	*into = bins
	return nil
}

// read reads a distribution, and says how many columns it has.
func (p *Profile) read(r io.Reader, name string) (bins []Bin, columns int, err error) {
	lines := input.NewLines(r, name, input.MaxLine)
	errorf := func(col int, format string, a ...any) error {
		return fmt.Errorf("%s:%d:%d: %w", name, lines.Number(), col, fmt.Errorf(format, a...))
	}
	want, total := -1, 0.0
	for lines.Next() && want != len(bins) {
		p.Lines++
		text := strings.TrimSpace(string(lines.Line()))
		if text == "" {
			continue
		}
		if want < 0 {
			if want, err = strconv.Atoi(text); err != nil || want < 1 || want > maxBins {
				return nil, 0, errorf(1, "%q: want the number of lines that follow, 1 to %d", text, maxBins)
			}
			continue
		}
		b, n, wrong := bin(text)
		switch {
		case wrong != nil:
			return nil, 0, errorf(1, "%w", wrong)
		case columns != 0 && n != columns:
			return nil, 0, errorf(1, "it has %d columns, and the lines before have %d", n, columns)
		case len(bins) > 0 && b.Value <= bins[len(bins)-1].Value:
			return nil, 0, errorf(1, "the value %g is not above that of the line before", b.Value)
		}
		columns, total = n, total+b.Weight
		bins = append(bins, b)
	}
	switch {
	case lines.Err() != nil:
		return nil, 0, lines.Err()
	case want < 0 || len(bins) < want:
		return nil, 0, errorf(1, "there are %d lines of values, and the first line says %d", len(bins), want)
	case total <= 0:
		return nil, 0, errorf(1, "all weights are 0")
	}
	return bins, columns, nil
}

// bin reads a line of a distribution.
func bin(text string) (b Bin, columns int, err error) {
	words := strings.Fields(text)
	if len(words) != 2 && len(words) != 3 {
		return b, 0, fmt.Errorf("want a value and a weight, and for depths the number of directories")
	}
	for i, into := range []*float64{&b.Value, &b.Weight} {
		if *into, err = strconv.ParseFloat(words[i], 64); err != nil || !(*into >= 0 && *into < 1<<60) {
			return b, 0, fmt.Errorf("%q: want a number of 0 or more", words[i])
		}
	}
	if len(words) == 3 {
		if b.Dirs, err = strconv.ParseInt(words[2], 10, 32); err != nil || b.Dirs < 0 {
			return b, 0, fmt.Errorf("%q: want a number of directories", words[2])
		}
	}
	return b, len(words), nil
}

// Mean is the mean of a distribution.
func Mean(bins []Bin) float64 {
	sum, total := 0.0, 0.0
	for _, b := range bins {
		sum, total = sum+b.Value*b.Weight, total+b.Weight
	}
	return sum / total
}
