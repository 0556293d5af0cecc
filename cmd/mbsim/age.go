package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/aging"
	"mbsim/internal/folderlock"
	"mbsim/internal/nearest"
	"mbsim/kernels"
	"mbsim/reports"
	"mbsim/run"
	"mbsim/scenarios"
	"mbsim/workload"
)

// ageFlags are the flags of age.
type ageFlags struct {
	target
	kernel, size, use string
	mkfs, report      string
	progress          string
	churn             float64
	writers           int
	seed              uint64
	quiet             bool
	noPlots           bool
	print             bool
}

// newAge makes the command age.
func newAge() *cobra.Command {
	var f ageFlags
	c := &cobra.Command{
		Use:   "age PROFILE -o FILE",
		Short: "Age a file system as published studies found them, and write it to a disk image",
		Long: `age fills a new file system with files of a profile and then replaces them, until as much
was written as --churn says, and writes the aged file system to an image that a kernel mounts
(see mbsim image --help). Beside it, in the folder --report, are the results, metrics and plots
of the run (see mbsim run --help), of which mbsim show and mbsim image can show any moment.

A profile is what a study has found: how large files are, how old they get, and how many lie
in a directory.

` + profileTexts() + `
What this amounts to is a scenario: --print prints it, for mbsim run, sweep or script.`,
		Example: `  mbsim age agrawal --size 256M --use 70% --churn 2 -o aged.img
  mbsim age meyer --size 256M --use 80% --churn 1.5 --kernel 6.12 -o meyer.img
  mbsim age dabre --size 1G --print`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.age(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
		ValidArgs: aging.Names(),
	}
	// What is aged, how much, and where it is written.
	f.target.add(c)
	addKernel(c, &f.kernel, kernels.Default().Name, "`kernel` that ages it")
	c.Flags().StringVar(&f.size, "size", "16G", "`size` of the device")
	c.Flags().StringVar(&f.use, "use", "80%", "`share` of the device in use at the end")
	c.Flags().Float64Var(&f.churn, "churn", 3, "how many `times` the capacity is written, filling included")
	c.Flags().IntVar(&f.writers, "writers", 4, "processes that write at once, each on a CPU of its own")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of all random streams")
	c.Flags().StringVar(&f.mkfs, "mkfs", "", "arguments of mke2fs, such as \"-b 1024 -O ^flex_bg\"")
	c.Flags().StringVar(&f.report, "report", "", "`folder` of the results (default FILE.run)")
	c.Flags().BoolVar(&f.print, "print", false, "print the scenario that this amounts to, and do nothing")
	c.Flags().BoolVar(&f.noPlots, "no-plots", false, "leave out the plots")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print errors only")
	addProgress(c, &f.progress)
	return c
}

// profileTexts lists the profiles for the help, with their sources.
func profileTexts() string {
	var b strings.Builder
	for _, p := range aging.Profiles() {
		fmt.Fprintf(&b, "  %-10s %s\n", p.Name, p.Doc)
	}
	b.WriteString("\nSources:\n\n")
	for _, p := range aging.Profiles() {
		fmt.Fprintf(&b, "  %s: %s.\n", p.Name, p.Source)
	}
	return b.String()
}

// plan is what the flags ask for.
func (f *ageFlags) plan(name string) (*aging.Plan, error) {
	profile, ok := aging.Find(name)
	if !ok {
		best, _ := nearest.Of(name, aging.Names())
		return nil, usagef("unknown profile %q: want %s; did you mean %s?", name, strings.Join(aging.Names(), ", "), best)
	}
	sys, err := findKernel(f.kernel)
	if err != nil {
		return nil, err
	}
	size, err := workload.ParseSize(f.size)
	if err != nil {
		return nil, usagef("--size is %q: %v", f.size, err)
	}
	// A share, or a percentage.
	number, percent := strings.CutSuffix(f.use, "%")
	use, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return nil, usagef("--use is %q: want a share such as 0.8, or a percentage such as 80%%", f.use)
	}
	if percent {
		use /= 100
	}
	p := &aging.Plan{Profile: profile, Kernel: sys.Name, Size: size, Mkfs: f.mkfs, Use: use, Churn: f.churn, Writers: f.writers, Seed: f.seed}
	return p, usage(p.Check())
}

// age ages a file system and writes image and report.
func (f *ageFlags) age(ctx context.Context, name string, stdout, stderr io.Writer) error {
	plan, err := f.plan(name)
	if err != nil {
		return err
	}
	// The scenario alone is for who wants to change it.
	if f.print {
		_, err := io.WriteString(stdout, plan.Scenario())
		return err
	}
	if err := f.target.check(); err != nil {
		return err
	}
	// It is run as any other, and its results stand beside the image, where no other run's may.
	s, err := scenarios.Parse([]byte(plan.Scenario()), "age-"+name+".yaml", scenarios.Options{Metrics: metricNames()})
	if err != nil {
		return usage(err)
	}
	dir := f.report
	if dir == "" {
		dir = filepath.Clean(f.out) + ".run"
	}
	return holding(dir, folderlock.Acquire, func() error {
		if !f.force {
			if err := anotherRun(dir, s); err != nil {
				return err
			}
		}
		return f.ageInto(ctx, dir, name, s, plan.Files(), stdout, stderr)
	})
}

// manyFiles is from how many files on memory is spared.
const manyFiles = 500_000

// ageInto performs the scenario, which ends with about so many files, writes the image at its end, and the
// report into dir.
func (f *ageFlags) ageInto(ctx context.Context, dir, name string, s *scenarios.Scenario, files int64, stdout, stderr io.Writer) error {
	bar, err := newBar(f.progress, f.quiet, s.Name, stderr)
	if err != nil {
		return err
	}
	told := stdout
	if f.quiet {
		told = io.Discard
	}
	// Millions of files live long: a heap that grows by a quarter between two collections, and not to five
	// times its size, costs some time and saves most of the memory.
	if files > manyFiles {
		defer debug.SetGCPercent(debug.SetGCPercent(25))
	}
	var written error
	out, err := performRun(ctx, s, run.Options{Progress: bar.update, Stamps: true, Check: run.CheckNone, Final: func(out *run.Outcome) error {
		written = f.write(out.Mounted, out.Result.End, told)
		return nil
	}})
	bar.done(err == nil)
	if err := errors.Join(err, written); err != nil {
		return err
	}
	flags := runFlags{out: dir, noPlots: f.noPlots}
	r := flags.report(s, out, "age-"+name+".yaml")
	r.Manifest.Command = []string{"mbsim", "age", name, "--size", f.size, "--use", f.use, "--churn", fmt.Sprint(f.churn), "--writers", fmt.Sprint(f.writers), "--kernel", f.kernel, "--seed", fmt.Sprint(f.seed)}
	if f.mkfs != "" {
		r.Manifest.Command = append(r.Manifest.Command, "--mkfs", f.mkfs)
	}
	if err := flags.write(dir, r, procFiles(out)); err != nil {
		return &exitError{exitInternal, err}
	}
	if !f.quiet {
		if err := reports.Summary(stdout, r, false, reports.Text, widthOf(stdout)); err != nil {
			return err
		}
		reports.WriteNotes(stdout, r)
		fmt.Fprintf(stdout, "\nseed %d, %d events; results are in %s\n", s.Seed, out.Events, dir)
	}
	return nil
}
