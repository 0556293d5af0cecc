package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/atomicfile"
	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/scenarios"
	"mbsim/study"
	"mbsim/study/bisect"
	"mbsim/study/compare"
)

// bisectFlags are the flags of bisect. Its runs are those of a study, performed as sweep
// performs them.
type bisectFlags struct {
	sweepFlags
	from, to string
	metric   string
	format   string
}

// bisectFormats are the values of --format; svg is text, and the picture as SVG too.
var bisectFormats = []string{formatText, formatMarkdown, formatJSON, formatSVG}

// newBisect makes the command bisect.
func newBisect() *cobra.Command {
	f := bisectFlags{sweepFlags: sweepFlags{engine: "local"}}
	c := &cobra.Command{
		Use:   "bisect SCENARIO.yaml --from KERNEL --to KERNEL",
		Short: "Say which change between two kernels makes a difference",
		Long: `bisect runs a scenario under two kernels and under kernels between them, and says
whether a metric differs and which change makes it. Kernels differ in a list of
named changes (mbsim list changes), each of which is looked at three times:

  put into OLD   alone into the older kernel, with the changes that it needs
  in NEW         what it does in the newer kernel: taken out alone, with the
                 changes that need it
  on the way     from the older to the newer one, change by change in the order
                 of versions; these steps add up to the whole difference

Runs are paired by replication and compared as mbsim compare does; p is corrected for
the number of changes (Holm). --from and --to take profiles too: 6.12^NAME is 6.12
without a change, 6.12+NAME with one.

The output folder is that of a study (mbsim sweep), with two files more: bisect.png and
bisect.json, which is what --format json prints. What was interrupted goes on when the same
command is given again; the results have the same bytes for any -j.

Exit codes: 0 all is well, 1 mbsim itself or the machine failed, 2 the scenario or
the command line is wrong, 130 interrupted.`,
		Example: `  mbsim bisect small-files --from 6.1 --to 7.2 --metric extents_per_file_mean --reps 3
  mbsim bisect untar --from 5.10 --to 6.1 --metric files --reps 4 -j 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return studyError(f.bisect(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr()))
		},
	}
	// What is asked: two kernels and a metric.
	c.Flags().StringVar(&f.from, "from", "", "the older `kernel`, or a profile (required)")
	c.Flags().StringVar(&f.to, "to", "", "the newer `kernel`, or a profile (required)")
	c.Flags().StringVar(&f.metric, "metric", "extents_per_file_mean", "`name` of the metric that is asked about")
	addFormat(c, &f.format, bisectFormats...)
	// How it is run: the flags of sweep that apply here.
	f.addSets(c)
	f.addStudyFlags(c, "bisect")
	completeKernelFlag(c, "from")
	completeKernelFlag(c, "to")
	return c
}

// The files that bisect adds to those of its study.
const (
	bisectJSON    = "bisect.json"
	bisectPicture = "bisect.png"
	bisectSVG     = "bisect.svg"
)

// bisect plans the study, performs it and says what was found.
func (f *bisectFlags) bisect(ctx context.Context, name string, stdout, stderr io.Writer) error {
	b, p, err := f.plan(name)
	if err != nil {
		return err
	}
	return f.withStudy(p, "bisect", stdout, stderr, func(s *study.Study) error {
		found, err := f.perform(ctx, s, b, stderr)
		if err != nil || f.quiet {
			return err
		}
		return f.print(stdout, found, s)
	})
}

// print prints what was found.
func (f *bisectFlags) print(stdout io.Writer, found *bisect.Finding, s *study.Study) error {
	if f.format == formatJSON {
		return compare.WriteBisectJSON(stdout, found)
	}
	if err := compare.WriteBisect(stdout, found, f.format == formatMarkdown, widthOf(stdout)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "\n%d runs are in %s, and the picture in %s\n", len(s.Plan.Settings)*s.Plan.Replications, s.Dir, filepath.Join(s.Dir, bisectPicture))
	return err
}

// plan makes the bisection and its study.
func (f *bisectFlags) plan(name string) (*bisect.Bisection, *study.Plan, error) {
	// What is asked.
	if f.from == "" || f.to == "" {
		return nil, nil, usagef("bisect needs --from and --to, such as --from 6.1 --to 7.2")
	}
	for _, set := range f.sets {
		if key := scenarios.KeyOf(set); key == bisect.Key || strings.HasPrefix(key, bisect.Key+".") {
			return nil, nil, usagef("--set %s: --from and --to say which kernels are compared", set)
		}
	}
	if err := checkFormat(f.format, bisectFormats...); err != nil {
		return nil, nil, err
	}
	if _, err := metrics.Find(f.metric); err != nil {
		return nil, nil, usagef("--metric: %w", err)
	}
	b, err := bisect.New(f.from, f.to)
	if err != nil {
		return nil, nil, err
	}
	// The study: every profile of the bisection, and nothing of the scenario's own sweep.
	opt, err := f.options()
	if err != nil {
		return nil, nil, err
	}
	opt.Sets, opt.Alone, opt.Metric, opt.Baseline = append(opt.Sets, b.Set()), true, f.metric, bisect.SettingOf(b.From)
	opt.Command = append([]string{"mbsim", "bisect", name, "--from", f.from, "--to", f.to, "--metric", f.metric}, f.studyCommand()...)
	p, err := study.NewPlan(name, opt)
	return b, p, err
}

// perform performs the study's runs, finds what the changes do, and writes it.
func (f *bisectFlags) perform(ctx context.Context, s *study.Study, b *bisect.Bisection, stderr io.Writer) (*bisect.Finding, error) {
	// What was found in other runs must not stand beside those to come.
	for _, name := range []string{bisectJSON, bisectPicture, bisectSVG} {
		if err := os.Remove(filepath.Join(s.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := f.performRuns(ctx, s, stderr); err != nil {
		return nil, err
	}
	r, err := s.Write()
	if err != nil {
		return nil, err
	}
	found, err := b.Find(r, f.metric)
	if err != nil {
		return nil, err
	}
	// All files, or none.
	var object bytes.Buffer
	if err := compare.WriteBisectJSON(&object, found); err != nil {
		return nil, err
	}
	texts := map[string][]byte{bisectJSON: object.Bytes()}
	for _, form := range pictureFiles(f.format) {
		var picture bytes.Buffer
		file := reports.BisectPicture(compare.BisectPicture(found), reports.Paper, form)
		if err := file.Write(&picture); err != nil {
			return nil, err
		}
		texts[file.Name] = picture.Bytes()
	}
	return found, atomicfile.WriteAll(s.Dir, texts)
}
