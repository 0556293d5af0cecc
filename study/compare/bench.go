package compare

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"mbsim/metrics"
	"mbsim/study"
)

// WriteBench writes runs in Go's benchmark format: a line a run, whose units are
// the metrics. benchstat -col side compares the sources, which are called A and B;
// benchstat -col setting compares the settings of a study. benchstat knows no
// pairs: it compares medians of independent samples, and sees less than this
// package does.
func WriteBench(w io.Writer, sources []*Source, opt Options) error {
	names, err := chosen(opt)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	// benchstat learns from these lines which direction is better.
	for _, name := range names {
		id, _ := metrics.Find(name)
		if m := metrics.At(id); m.Better != metrics.Neither && some(sources, name) {
			fmt.Fprintf(b, "Unit %s better=%s\n", name, m.Better)
		}
	}
	// A line for each run, under what the lines have in common.
	for i, src := range sources {
		for j := range src.Sides {
			s := &src.Sides[j]
			// What differs between lines makes benchstat divide its tables.
			fmt.Fprintf(b, "\nscenario: %s\nside: %c\n", line(s.Scenario), 'A'+i)
			if len(src.Sides) > 1 {
				fmt.Fprintf(b, "setting: %s\n", line(s.Setting))
			}
			for k := range s.Samples {
				writeSample(b, s, &s.Samples[k], names)
			}
		}
	}
	return b.Flush()
}

// some says whether any run has the metric.
func some(sources []*Source, metric string) bool {
	for _, src := range sources {
		for i := range src.Sides {
			if study.Values(src.Sides[i].Samples, metric) != nil {
				return true
			}
		}
	}
	return false
}

// writeSample writes the line of one run, nothing if it has none of the metrics.
func writeSample(w io.Writer, s *Side, x *study.Sample, names []string) {
	values := ""
	for _, name := range names {
		if v, ok := x.Values[name]; ok {
			values += " " + strconv.FormatFloat(v, 'g', -1, 64) + " " + name
		}
	}
	if values != "" {
		fmt.Fprintf(w, "Benchmark%s 1%s\n", benchName(s.Scenario), values)
	}
}

// line is a text on one line.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// benchName is a scenario's name in the form of a benchmark's: small-files is SmallFiles.
func benchName(s string) string {
	var b strings.Builder
	up := true
	// A letter after anything else but letters and digits begins a word.
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z' && up:
			b.WriteRune(c - 'a' + 'A')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteRune(c)
		default:
			up = true
			continue
		}
		up = false
	}
	return b.String()
}
