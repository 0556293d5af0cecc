package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mbsim/internal/folderlock"
	"mbsim/metrics"
	"mbsim/reports"
	"mbsim/run"
	"mbsim/scenarios"
)

// runFlags are the flags of run, some of which other commands have too.
type runFlags struct {
	sets     []string
	seed     string
	kernel   string
	out      string
	progress string
	quiet    bool
	all      bool
	noPlots  bool
	format   string // of pictures
	force    bool
	times    bool
	check    string
}

// newRun makes the command run.
func newRun() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run SCENARIO.yaml",
		Short: "Run a scenario and write its metrics and plots",
		Long: `run plays a scenario: a file, or the name of one that comes with mbsim (see
mbsim list). It prints a table of the most important metrics and writes into the
output folder:

  results.json   every metric, with its unit
  series.csv     metrics over simulated time
  manifest.json  version, seed, scenario, resolved configuration, command line
  mb_groups.txt  /proc/fs/ext4/DEV/mb_groups at the end, in the kernel's format; of more
                 than 16384 groups those that the run has looked into
  mb_stats.txt   /proc/fs/ext4/DEV/mb_stats at the end, likewise
  *.png          plots; with --format svg also *.svg
  report.html    all of it on one page that works offline

One process at a time writes into a folder: another is refused at once. A folder that
holds the results of a run with other settings is left alone, unless --force is given.

In the end the file system is checked as a whole: whose every block is, and all
counts, reservations and names. --check=phase does that after each phase too,
--check=sync also after each sync and remount, --check=none never. Where processes
run at once (timing), a check waits until none is inside an operation. If anything
contradicts, that is a mistake of mbsim: it is told in one line, with the seed and
the simulated time, and nothing is written. A check takes time by the files and the
groups in use: of the scenarios that come with mbsim, one in the end takes 0.4% to
15% of the run, mostly 5% or less; --check=phase up to 40%, --check=sync up to 75%,
and several times the run where that does little but sync (locality-groups).

Exit codes: 0 all is well, 1 mbsim itself or the machine failed, or a check did, 2 the
scenario or the command line is wrong, the folder is in use, or the device needs more
memory than there is (nothing is written then), 3 the device was full and the scenario
ends then, 99 an expectation of the scenario was not met, 130 interrupted: the results so
far are written, and say so.`,
		Example: `  mbsim run scenarios/small-files.yaml
  mbsim run small-files --set s_mb_order2_reqs=4 --set workload.classes.builder.count=8 -o out/order4
  mbsim run small-files --set device.image=disk.img --seed 7 -o out/image`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	// What is run, and where to.
	f.addScenarioFlags(c)
	addOut(c, &f.out, "default out/SCENARIO, with the settings behind it: out/SCENARIO,KEY=VALUE")
	c.Flags().BoolVar(&f.force, "force", false, "write over the results of another run")
	// What is printed and drawn.
	addProgress(c, &f.progress)
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print no table and no progress")
	c.Flags().BoolVar(&f.all, "all", false, "print every metric")
	c.Flags().BoolVar(&f.noPlots, "no-plots", false, "write no pictures")
	addPictures(c, &f.format)
	// How often the file system is checked as a whole.
	addCheck(c, &f.check)
	c.ValidArgsFunction = completeScenarios
	return c
}

// addScenarioFlags adds what changes a scenario.
func (f *runFlags) addScenarioFlags(c *cobra.Command) {
	f.addSets(c)
	addKernel(c, &f.kernel, "", "`kernel` instead of the scenario's")
}

// addSets adds what changes a scenario but for its kernel.
func (f *runFlags) addSets(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.sets, "set", nil, "set `key=value` of the scenario: a dotted path, or a tunable's name; may be repeated")
	c.Flags().StringVar(&f.seed, "seed", "", "`number` that all random streams derive from (the scenario's seed, by default 1)")
	completion(c, "set", completeSets)
}

// allSets are what --set, --kernel and --seed set. Of the last two the one given is a --set too,
// and holds whatever a --set before it says.
func (f *runFlags) allSets() ([]string, error) {
	sets := f.sets[:len(f.sets):len(f.sets)]
	if f.kernel != "" {
		sys, err := findKernel(f.kernel)
		if err != nil {
			return nil, err
		}
		sets = append(sets, "profile="+sys.Name)
	}
	if f.seed != "" {
		sets = append(sets, "seed="+f.seed)
	}
	return sets, nil
}

// flagsOf are the flags that change a scenario, as a command line has them.
func (f *runFlags) flagsOf() (words []string) {
	for _, set := range f.sets {
		words = append(words, "--set", set)
	}
	for _, x := range []struct{ flag, value string }{{"--kernel", f.kernel}, {"--seed", f.seed}} {
		if x.value != "" {
			words = append(words, x.flag, x.value)
		}
	}
	return words
}

// load reads the scenario with the flags applied.
func (f *runFlags) load(name string) (*scenarios.Scenario, error) {
	sets, err := f.allSets()
	if err != nil {
		return nil, err
	}
	s, err := scenarios.Load(name, scenarios.Options{Sets: sets, Metrics: metricNames()})
	return s, usage(err)
}

// metricNames lists the names of all metrics.
func metricNames() []string {
	var names []string
	for _, m := range metrics.List() {
		names = append(names, m.Name)
	}
	return names
}

// run runs the scenario of this name and writes its results into the output folder.
func (f *runFlags) run(ctx context.Context, name string, stdout, stderr io.Writer) error {
	// Everything that can be wrong with the input is found before the folder is touched.
	if err := checkFormat(f.format, pictureFormats...); err != nil {
		return err
	}
	s, err := f.load(name)
	if err != nil {
		return err
	}
	check, err := checkMode(f.check)
	if err != nil {
		return err
	}
	dir := f.out
	if dir == "" {
		sets, err := f.allSets()
		if err != nil {
			return err
		}
		dir = folderOf(s.Name, sets)
	}
	// The folder appears whole when the run has ended, so that it is only reserved here.
	return holding(dir, folderlock.Acquire, func() error {
		if !f.force {
			if err := anotherRun(dir, s); err != nil {
				return err
			}
		}
		return f.runInto(ctx, dir, s, check, name, stdout, stderr)
	})
}

// runInto performs a scenario, with the file system checked as check says, and writes the
// results into dir.
func (f *runFlags) runInto(ctx context.Context, dir string, s *scenarios.Scenario, check run.CheckMode, name string, stdout, stderr io.Writer) error {
	// Perform the run.
	bar, err := newBar(f.progress, f.quiet, s.Name, stderr)
	if err != nil {
		return err
	}
	out, err := performRun(ctx, s, run.Options{Progress: bar.update, Check: check, Keep: true})
	bar.done(err == nil && !out.Interrupted)
	if err != nil {
		return err
	}
	// Write its files: all of them, or none.
	r := f.report(s, out, name)
	if err := f.write(dir, r, procFiles(out)); err != nil {
		return &exitError{exitInternal, err}
	}
	// Tell what it came to. Expectations decide the exit code.
	if !f.quiet {
		if err := reports.Summary(stdout, r, f.all, reports.Text, widthOf(stdout)); err != nil {
			return err
		}
		verdicts(stdout, out)
		reports.WriteNotes(stdout, r)
		what := "results and plots"
		if f.noPlots {
			what = "results"
		}
		fmt.Fprintf(stdout, "\nseed %d, %d events; %s are in %s\n", s.Seed, out.Events, what, dir)
	}
	return ending(out)
}

// performRun performs a scenario. Whatever ends it early becomes an error with its exit code.
func performRun(ctx context.Context, s *scenarios.Scenario, opt run.Options) (out *run.Outcome, err error) {
	err = theInterrupts.gracefully(ctx, func(ctx context.Context) error {
		out, err = run.Run(ctx, s, opt)
		return err
	})
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, context.Canceled):
		return nil, &exitError{exitInterrupted, errors.New("interrupted; nothing was written")}
	case errors.As(err, new(*run.StartError)):
		return nil, usage(err)
	}
	return nil, &exitError{exitInternal, err}
}

// write writes the run's files, and others, into dir.
func (f *runFlags) write(dir string, r *reports.Run, others []reports.File) error {
	if f.noPlots {
		return reports.WriteDir(dir, &r.Manifest, append(reports.DataFiles(r), others...))
	}
	return reports.WriteDir(dir, &r.Manifest, append(reports.Files(r, pictureFiles(f.format)...), others...))
}

// report puts together result and manifest, which is all that the files are made of.
func (f *runFlags) report(s *scenarios.Scenario, out *run.Outcome, name string) *reports.Run {
	m := reports.Build()
	m.Scenario, m.ScenarioDigest, m.Seed = s.Name, s.Digest(), s.Seed
	m.Interrupted = out.Interrupted
	m.Fingerprint, m.Notes = fmt.Sprintf("%016x", out.Fingerprint), out.Notes
	// The command line without what does not change the run.
	m.Command = append([]string{"mbsim", "run", name}, f.flagsOf()...)
	m.Config = s.ResolvedJSON()
	m.Changed = changedSettings(m.Config)
	return &reports.Run{Result: out.Result, Manifest: m}
}

// procFiles are the kernel's files in /proc, where the file system has them.
func procFiles(out *run.Outcome) []reports.File {
	var files []reports.File
	for _, f := range []struct {
		name string
		text []byte
	}{{"mb_groups.txt", out.Groups}, {"mb_stats.txt", out.Stats}} {
		if f.text != nil {
			files = append(files, reports.File{Name: f.name, Write: func(w io.Writer) error {
				_, err := w.Write(f.text)
				return err
			}})
		}
	}
	return files
}

// verdicts prints a table of the expectations and whether they are met.
func verdicts(w io.Writer, out *run.Outcome) {
	if len(out.Verdicts) == 0 {
		return
	}
	var rows []table.Row
	// A metric without a value does not meet an expectation, whatever the limit.
	for _, v := range out.Verdicts {
		// Six digits, unless the value that they say would be judged otherwise.
		value, word := strconv.FormatFloat(v.Value, 'g', 6, 64), "met"
		if said, err := strconv.ParseFloat(value, 64); err != nil || v.Expect.Holds(said) != v.Expect.Holds(v.Value) {
			value = strconv.FormatFloat(v.Value, 'g', -1, 64)
		}
		switch {
		case v.NotApplicable:
			value, word = "", "not applicable: there is no such metric for what was run"
		case v.Absent:
			value, word = "", "NOT MET: this run has no value for it"
		case !v.Met:
			word = "NOT MET"
		}
		rows = append(rows, table.Row{v.Expect.String(), value, word})
	}
	fmt.Fprintln(w)
	tableOf(w, false, table.Row{"expectation", "value", ""}, rows)
}

// ending is the exit code of a run that came to its end. An expectation that is not met says
// more than a full device, which the scenario may have meant to fill.
func ending(out *run.Outcome) error {
	if out.Interrupted {
		return &exitError{exitInterrupted, errors.New("interrupted; the results so far were written")}
	}
	for _, v := range out.Verdicts {
		if v.Failed() {
			return silent(exitExpect)
		}
	}
	if out.OutOfSpace {
		return silent(exitNoSpace)
	}
	return nil
}
