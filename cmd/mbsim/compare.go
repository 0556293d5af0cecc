package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mbsim/study/compare"
)

// compareFlags are the flags of compare.
type compareFlags struct {
	format    string
	metrics   []string
	expect    []string
	all       bool
	minEffect string
	judge     bool // --min-effect was given
}

// compareFormats are the values of --format.
var compareFormats = []string{formatText, formatMarkdown, "csv", formatJSON, "bench"}

// newCompare makes the command compare.
func newCompare() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use:   "compare A [B]",
		Short: "Say which of two settings is better, by how much, and how sure that is",
		Long: `compare compares B with A. Each is one of

  DIR            a folder that mbsim run has written, or a folder of such folders
                 (runs with several seeds)
  STUDY          a folder that mbsim sweep has written: settings of the same name
                 are compared
  STUDY:SETTING  one setting of a study

With one argument, a study, all its settings are compared with its baseline.

Runs are paired by seed and replication: what a seed does to both cancels. Means
and differences come with 95% intervals of Student's t; ~ means that there is no
evidence (the interval holds zero, or there are fewer than three pairs), better
and worse go by the metric's direction, and p is corrected for the number of
metrics compared (Holm). The scenarios are compared too: a key that differs and
that no --set asked for is warned of.

The bench format is that of Go's benchmarks:
  mbsim compare A B --format bench > runs.txt; benchstat -col side runs.txt`,
		Example: `  mbsim compare out/small-files-sweep:s_mb_order2_reqs=2 out/small-files-sweep:s_mb_order2_reqs=9
  mbsim compare out/before out/after --format markdown
  mbsim compare out/policies-sweep --metric related_distance`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			f.judge = c.Flags().Changed("min-effect")
			return studyError(f.compare(c.OutOrStdout(), args))
		},
	}
	// How the comparison is written, and of which metrics.
	addFormat(c, &f.format, compareFormats...)
	c.Flags().StringArrayVar(&f.metrics, "metric", nil, "`name` of a metric to compare (default the headlines); may be repeated")
	c.Flags().StringArrayVar(&f.expect, "expect-diff", nil, "`key` of the scenario that may differ; may be repeated")
	c.Flags().BoolVar(&f.all, "all", false, "every metric")
	addMinEffect(c, &f.minEffect)
	// What a shell completes.
	completeMetrics(c)
	return c
}

// compare reads what the arguments name, compares it and writes the result to w.
func (f *compareFlags) compare(w io.Writer, args []string) error {
	if err := checkFormat(f.format, compareFormats...); err != nil {
		return err
	}
	// Read both sides, or the one study.
	var sources []*compare.Source
	for _, arg := range args {
		s, err := compare.Open(arg)
		if err != nil {
			return err
		}
		sources = append(sources, s)
	}
	least, err := minEffect(f.minEffect)
	if err != nil {
		return err
	}
	opt := compare.Options{Metrics: f.metrics, All: f.all, Expect: f.expect, MinEffect: least, Width: widthOf(w)}
	// benchstat does the comparing itself, and one argument is compared within itself.
	if f.format == "bench" {
		return compare.WriteBench(w, sources, opt)
	}
	if len(sources) == 1 {
		return f.settings(w, sources[0], opt)
	}
	// Settings of two studies are matched by name: a comparison for each pair.
	matches, err := compare.Match(sources[0], sources[1])
	if err != nil {
		return err
	}
	var pairs []*compare.Pair
	for _, m := range matches {
		p, err := compare.Compare(m[0], m[1], opt)
		if err != nil {
			return err
		}
		pairs = append(pairs, p)
	}
	// CSV is one table for all; the other formats have a part for each.
	if f.format == "csv" {
		return compare.WriteCSV(w, pairs)
	}
	for i, p := range pairs {
		if i > 0 && f.format != formatJSON {
			fmt.Fprintln(w)
		}
		if err := f.pair(w, p); err != nil {
			return err
		}
	}
	return nil
}

// pair writes one comparison in the format asked for.
func (f *compareFlags) pair(w io.Writer, p *compare.Pair) error {
	if f.format == formatJSON {
		return p.WriteJSON(w)
	}
	return p.Write(w, f.format == formatMarkdown, widthOf(w))
}

// settings compares the settings of one study.
func (f *compareFlags) settings(w io.Writer, s *compare.Source, opt compare.Options) error {
	if s.Study == nil || len(s.Sides) < 2 {
		return usagef("%s is one setting: want another to compare it with", s.Name)
	}
	// A study has a least effect of its own, which holds if nobody says another.
	if f.judge {
		s.Study.Judge(opt.MinEffect)
	}
	switch f.format {
	case "csv":
		return compare.WriteSettingsCSV(w, s.Study, opt)
	case formatJSON:
		return compare.WriteSettingsJSON(w, s.Study)
	}
	return compare.WriteSettings(w, s.Study, opt, f.format == formatMarkdown)
}
