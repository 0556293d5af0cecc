package study

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
)

// writeCSV writes study.csv: a line a run, in the order of settings and
// replications, with a column a key that settings set and a column a metric. A
// cell is empty where there is nothing.
func (r *Result) writeCSV(w io.Writer) error {
	// A column for each key that any setting sets, in the order in which they come.
	var keys []string
	for i := range r.Settings {
		for _, v := range r.Settings[i].Values {
			if !slices.Contains(keys, v.Key) {
				keys = append(keys, v.Key)
			}
		}
	}
	// The header, and then a line for each run.
	head := append([]string{"setting"}, keys...)
	head = append(head, "replication", "seed", "id", "fingerprint", "simulated_s", "out_of_space")
	for _, m := range r.Metrics {
		head = append(head, m.Name)
	}
	c := csv.NewWriter(w)
	if err := c.Write(head); err != nil {
		return err
	}
	for i := range r.Settings {
		s := &r.Settings[i]
		for j := range s.Runs {
			if err := c.Write(r.csvLine(s, &s.Runs[j], keys)); err != nil {
				return err
			}
		}
	}
	c.Flush()
	return c.Error()
}

// csvLine is the line of one run.
func (r *Result) csvLine(s *SettingResult, run *RunResult, keys []string) []string {
	line := []string{s.Name}
	// What the setting sets. A key that is there twice has its last value.
	for _, key := range keys {
		cell := ""
		for _, v := range s.Values {
			if v.Key == key {
				cell = v.Value
			}
		}
		line = append(line, cell)
	}
	// The run, in as many digits as its numbers need.
	plain := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	line = append(line, strconv.Itoa(run.Replication), strconv.FormatUint(r.Seed, 10), run.ID, run.Fingerprint,
		plain(float64(run.Simulated)/1e9), strconv.FormatBool(run.OutOfSpace))
	for _, m := range r.Metrics {
		cell := ""
		if v, ok := run.Metrics[m.Name]; ok {
			cell = plain(v)
		}
		line = append(line, cell)
	}
	return line
}
