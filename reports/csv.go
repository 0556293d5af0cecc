package reports

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"mbsim/metrics"
)

// WriteSeries writes series.csv: time_s, and a column a metric that has any
// value. A metric that was not taken at a time leaves its cell empty.
func WriteSeries(w io.Writer, r *metrics.Result) error {
	// The header, and by it the columns.
	ids := r.Series.Columns()
	c := csv.NewWriter(w)
	line := []string{"time_s"}
	for _, id := range ids {
		line = append(line, metrics.At(id).Name)
	}
	if err := c.Write(line); err != nil {
		return err
	}
	// A line for each time.
	for i, row := range r.Series.Rows {
		line = append(line[:0], seconds(r.Series.Times[i]))
		for _, id := range ids {
			cell := ""
			if row.Has(id) {
				cell = number(row[id])
			}
			line = append(line, cell)
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// number is v in as few digits as tell it from every other.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// seconds is a time in nanoseconds in seconds, exactly.
func seconds(ns int64) string {
	sign := ""
	// The magnitude is unsigned: that of the least int64 has no signed form.
	u := uint64(ns)
	if ns < 0 {
		sign, u = "-", -u
	}
	// Nine decimals are nanoseconds; zeros at the end tell nothing.
	s := fmt.Sprintf("%s%d.%09d", sign, u/1e9, u%1e9)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// nanoseconds is the inverse of seconds.
func nanoseconds(s string) (int64, error) {
	// The digits before and behind the point, filled up to nine, are nanoseconds.
	digits, sign := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if len(frac) > 9 || whole == "" {
		return 0, fmt.Errorf("%q: want a time in seconds, to the nanosecond at most", s)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 9-len(frac)), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q: want a time in seconds", s)
	}
	if sign {
		n = -n
	}
	return n, nil
}

// cells reads a CSV file line by line and hands out cells. Its errors name line and column.
type cells struct {
	c    *csv.Reader
	cell []string // of the line read last
	row  int      // number of that line, from 1
}

// newCells reads the header, which must be there.
func newCells(r io.Reader) (*cells, error) {
	t := &cells{c: csv.NewReader(r)}
	t.c.ReuseRecord = true
	ok, err := t.next()
	if err == nil && !ok {
		err = fmt.Errorf("1:1: empty")
	}
	return t, err
}

// next reads the next line; it is false after the last.
func (t *cells) next() (bool, error) {
	var err error
	t.row++
	t.cell, err = t.c.Read()
	var p *csv.ParseError
	// The reader's own errors say where they are: write that as all errors here do.
	switch {
	case err == io.EOF:
		return false, nil
	case errors.As(err, &p):
		return false, fmt.Errorf("%d:%d: %w", p.Line, p.Column, p.Err)
	}
	return err == nil, err
}

// errorf is an error in cell i of the line.
func (t *cells) errorf(i int, format string, a ...any) error {
	line, col := t.c.FieldPos(i)
	return fmt.Errorf("%d:%d: %s", line, col, fmt.Sprintf(format, a...))
}

// number reads cell i.
func (t *cells) number(i int) (float64, error) {
	v, err := strconv.ParseFloat(t.cell[i], 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, t.errorf(i, "%q: want a number", t.cell[i])
	}
	return v, nil
}

// time reads cell i, a time in seconds.
func (t *cells) time(i int) (int64, error) {
	ns, err := nanoseconds(t.cell[i])
	if err != nil {
		return 0, t.errorf(i, "%v", err)
	}
	return ns, nil
}

// readSeries reads what WriteSeries wrote.
func readSeries(r io.Reader) (*metrics.Series, error) {
	t, err := newCells(r)
	if err != nil {
		return nil, err
	}
	// The header: time, and then each metric once.
	if t.cell[0] != "time_s" {
		return nil, t.errorf(0, "%q: want time_s", t.cell[0])
	}
	ids := make([]metrics.ID, len(t.cell))
	// ids[0] stays unused, so that ids and cells have the same places.
	for i, name := range t.cell[1:] {
		if ids[i+1], err = metrics.Find(name); err != nil {
			return nil, t.errorf(i+1, "%v", err)
		}
		if slices.Contains(ids[1:i+1], ids[i+1]) {
			return nil, t.errorf(i+1, "%s is there twice", name)
		}
	}
	// The lines, in the order of time.
	s := &metrics.Series{}
	for {
		ok, err := t.next()
		if err != nil || !ok {
			return s, err
		}
		now, err := t.time(0)
		if err != nil {
			return nil, err
		}
		if n := len(s.Times); n > 0 && now <= s.Times[n-1] {
			return nil, t.errorf(0, "the time %s does not come after the one before", t.cell[0])
		}
		// An empty cell is a metric that was not taken at that time.
		row := metrics.NewRow()
		for i := 1; i < len(ids); i++ {
			if t.cell[i] == "" {
				continue
			}
			v, err := t.number(i)
			if err != nil {
				return nil, err
			}
			if err := set(row, metrics.At(ids[i]).Name, v); err != nil {
				return nil, t.errorf(i, "%v", err)
			}
		}
		// More lines than any run writes: this is not ours, and may fill memory.
		if len(s.Times) == maxSamples {
			return nil, t.errorf(0, "more than %d lines", maxSamples)
		}
		s.Times, s.Rows = append(s.Times, now), append(s.Rows, row)
	}
}

// WriteBlockMap writes blockmap.csv: a line a band of groups, from the first on,
// and a column a time in seconds; cells are the share of the band in use, to four
// places.
func WriteBlockMap(w io.Writer, m *metrics.BlockMap) error {
	c := csv.NewWriter(w)
	line := []string{"first_group", "groups"}
	for _, t := range m.Times {
		line = append(line, seconds(t))
	}
	if err := c.Write(line); err != nil {
		return err
	}
	// A line for each band: its first group, the number of its groups, and its shares.
	for b := range m.Bands() {
		first := b * m.PerBand
		line = append(line[:0], strconv.Itoa(first), strconv.Itoa(min(m.PerBand, m.Groups-first)))
		for _, used := range m.Used {
			line = append(line, number(fourPlaces(used[b])))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// fourPlaces is a share as the block map's file has it.
func fourPlaces(share float32) float64 { return math.Round(float64(share)*1e4) / 1e4 }

// readBlockMap reads what WriteBlockMap wrote.
func readBlockMap(r io.Reader) (*metrics.BlockMap, error) {
	t, err := newCells(r)
	if err != nil {
		return nil, err
	}
	// The header: times from the third column on.
	if len(t.cell) < 2 || t.cell[0] != "first_group" || t.cell[1] != "groups" {
		return nil, t.errorf(0, "want first_group,groups and times")
	}
	m := &metrics.BlockMap{}
	for i := 2; i < len(t.cell); i++ {
		now, err := t.time(i)
		if err != nil {
			return nil, err
		}
		m.Times = append(m.Times, now)
	}
	// A line is a band, and the map wants columns: each line adds one value to every time.
	m.Used = make([][]float32, len(m.Times))
	for {
		ok, err := t.next()
		if err != nil {
			return nil, err
		}
		// The end: there must be a group.
		if !ok {
			if m.Groups == 0 {
				return nil, fmt.Errorf("%d:1: no group", t.row)
			}
			return m, nil
		}
		// Bands follow each other without a gap and are equally long, except the last.
		n, err := strconv.ParseUint(t.cell[1], 10, 31)
		if err != nil || n == 0 || t.cell[0] != strconv.Itoa(m.Groups) || m.PerBand > 0 && (int(n) > m.PerBand || m.Groups%m.PerBand != 0) {
			return nil, t.errorf(0, "groups %s, %s of them: want bands of equal length, one after the other", t.cell[0], t.cell[1])
		}
		// The first band tells how long they are.
		if m.Groups += int(n); m.PerBand == 0 {
			m.PerBand = int(n)
		}
		for i := range m.Times {
			v, err := t.number(i + 2)
			if err != nil {
				return nil, err
			}
			if v < 0 || v > 1 {
				return nil, t.errorf(i+2, "%s: want a share of 0 to 1", t.cell[i+2])
			}
			m.Used[i] = append(m.Used[i], float32(v))
		}
	}
}
