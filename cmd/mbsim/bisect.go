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
	"runtime"
	"strconv"
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
	asJSON   bool
}

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
bisect.json, which is what --json prints. What was interrupted goes on when the same
command is given again; the results have the same bytes for any -j.

Exit codes: 0 all is well, 1 mbsim itself or the machine failed, 2 the scenario or
the command line is wrong, 130 interrupted.`,
		Example: `  mbsim bisect small-files --from 6.1 --to 7.2 --metric extents_per_file_mean
  mbsim bisect untar --from 5.10 --to 6.1 --metric files --reps 10 -j 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return studyError(f.bisect(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr()))
		},
	}
	// What is asked: two kernels and a metric.
	c.Flags().StringVar(&f.from, "from", "", "the older `kernel`, or a profile (required)")
	c.Flags().StringVar(&f.to, "to", "", "the newer `kernel`, or a profile (required)")
	c.Flags().StringVar(&f.metric, "metric", "extents_per_file_mean", "`name` of the metric that is asked about")
	// How it is run: the flags of sweep that apply here.
	c.Flags().IntVar(&f.reps, "reps", 0, "replications of each setting (default the scenario's, or 5)")
	addMinEffect(c, &f.minEffect)
	f.addSets(c)
	c.Flags().IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "runs at a time on this machine")
	c.Flags().StringVarP(&f.out, "out", "o", "", "output folder (default out/SCENARIO-bisect)")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "list the runs and what they will take, and run nothing")
	// What is printed.
	c.Flags().BoolVar(&f.asJSON, "json", false, "print an object instead of the table")
	c.Flags().StringVar(&f.progress, "progress", "auto", "progress bar on stderr: auto, always or never")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print no table and no progress")
	// What a shell completes.
	c.ValidArgsFunction = completeScenarios
	completeMetrics(c)
	completeKernelFlag(c, "from")
	completeKernelFlag(c, "to")
	return c
}

// The files that bisect adds to those of its study.
const (
	bisectJSON    = "bisect.json"
	bisectPicture = "bisect.png"
)

// bisect plans the study, performs it and says what was found.
func (f *bisectFlags) bisect(ctx context.Context, name string, stdout, stderr io.Writer) error {
	// Everything that can be wrong with the input is found before the folder is touched.
	b, p, err := f.plan(name)
	if err != nil {
		return err
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join("out", p.Scenario+"-bisect")
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(stderr, "mbsim: warning: %s\n", w)
	}
	if f.dryRun {
		return f.list(stdout, dir, p)
	}
	s, err := study.Open(dir, p)
	if err != nil {
		return err
	}
	found, err := f.perform(ctx, s, b, stderr)
	if e := s.Close(); err == nil {
		err = e
	}
	if err != nil || f.quiet {
		return err
	}
	if f.asJSON {
		return compare.WriteBisectJSON(stdout, found)
	}
	if err := compare.WriteBisect(stdout, found, false); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\n%d runs are in %s, and the picture in %s\n", len(p.Settings)*p.Replications, dir, filepath.Join(dir, bisectPicture))
	return err
}

// plan makes the bisection and its study.
func (f *bisectFlags) plan(name string) (*bisect.Bisection, *study.Plan, error) {
	// The flags.
	switch {
	case f.from == "" || f.to == "":
		return nil, nil, usagef("bisect needs --from and --to, such as --from 6.1 --to 7.2")
	case f.reps < 0:
		return nil, nil, usagef("--reps is %d: want 1 or more", f.reps)
	case f.jobs < 1 || f.jobs > maxJobs:
		return nil, nil, usagef("--jobs is %d: want 1 to %d", f.jobs, maxJobs)
	}
	for _, set := range f.sets {
		if key := scenarios.KeyOf(set); key == bisect.Key || strings.HasPrefix(key, bisect.Key+".") {
			return nil, nil, usagef("--set %s: --from and --to say which kernels are compared", set)
		}
	}
	if _, err := metrics.Find(f.metric); err != nil {
		return nil, nil, usagef("--metric: %w", err)
	}
	b, err := bisect.New(f.from, f.to)
	if err != nil {
		return nil, nil, err
	}
	// The study: every profile of the bisection, and nothing of the scenario's own sweep.
	sets, err := f.allSets()
	if err != nil {
		return nil, nil, err
	}
	least, err := minEffect(f.minEffect)
	if err != nil {
		return nil, nil, err
	}
	version, err := study.CodeVersion()
	if err != nil {
		return nil, nil, err
	}
	p, err := study.NewPlan(name, study.Options{Sets: append(sets, b.Set()), Alone: true, Replications: f.reps, Metric: f.metric, MinEffect: least,
		Baseline: bisect.SettingOf(b.From), Metrics: metricNames(), Version: version, Command: f.command(name)})
	return b, p, err
}

// command is the command line without what does not change the results.
func (f *bisectFlags) command(name string) []string {
	c := append([]string{"mbsim", "bisect", name, "--from", f.from, "--to", f.to, "--metric", f.metric}, f.flagsOf()...)
	if f.reps > 0 {
		c = append(c, "--reps", strconv.Itoa(f.reps))
	}
	return c
}

// perform performs the study's runs, finds what the changes do, and writes it.
func (f *bisectFlags) perform(ctx context.Context, s *study.Study, b *bisect.Bisection, stderr io.Writer) (*bisect.Finding, error) {
	// What was found in other runs must not stand beside those to come.
	for _, name := range []string{bisectJSON, bisectPicture} {
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
	// Both files, or none.
	var object, picture bytes.Buffer
	if err := compare.WriteBisectJSON(&object, found); err != nil {
		return nil, err
	}
	file := reports.BisectPicture(compare.BisectPicture(found), reports.Paper)
	if err := file.Write(&picture); err != nil {
		return nil, err
	}
	return found, atomicfile.WriteAll(s.Dir, map[string][]byte{bisectJSON: object.Bytes(), bisectPicture: picture.Bytes()})
}
