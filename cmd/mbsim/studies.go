package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mbsim/run"
	"mbsim/study"
)

// What sweep and bisect share: each makes a study of a scenario, and lists or performs its runs.

// addStudyFlags adds the flags that both have. verb is the command.
func (f *sweepFlags) addStudyFlags(c *cobra.Command, verb string) {
	// What is run, and what counts as a difference.
	c.Flags().IntVar(&f.reps, "reps", 0, "replications of each setting (default the scenario's, or 5)")
	addMinEffect(c, &f.minEffect)
	// How, and where to.
	c.Flags().IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "runs at a time on this machine")
	addOut(c, &f.out, "default out/SCENARIO-"+verb)
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "list the runs and what they will take, and run nothing")
	// What is printed, and what a shell completes.
	addProgress(c, &f.progress)
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print no table and no progress")
	c.ValidArgsFunction = completeScenarios
	completeMetrics(c)
}

// maxJobs: more runs at a time no machine has use for.
const maxJobs = 4096

// options are those of a study that the flags of both commands give.
func (f *sweepFlags) options() (opt study.Options, err error) {
	switch {
	case f.reps < 0:
		return opt, usagef("--reps is %d: want 1 or more", f.reps)
	case f.jobs < 1 || f.jobs > maxJobs:
		return opt, usagef("--jobs is %d: want 1 to %d", f.jobs, maxJobs)
	}
	opt = study.Options{Replications: f.reps, Metrics: metricNames()}
	// Sets, and the kernel and the seed, which are sets too.
	if opt.Sets, err = f.allSets(); err != nil {
		return opt, err
	}
	if opt.MinEffect, err = minEffect(f.minEffect); err != nil {
		return opt, err
	}
	// Runs of other code are other runs.
	opt.Version, err = study.CodeVersion()
	return opt, err
}

// studyCommand are the arguments of both commands that change the results.
func (f *sweepFlags) studyCommand() []string {
	c := f.flagsOf()
	if f.reps > 0 {
		c = append(c, "--reps", strconv.Itoa(f.reps))
	}
	if f.minEffect != defaultMinEffect {
		c = append(c, "--min-effect", f.minEffect)
	}
	return c
}

// withStudy warns of what is odd in a plan, and lists its runs or performs its study. Before it
// nothing may be wrong with the input any more, since the folder is touched here.
func (f *sweepFlags) withStudy(p *study.Plan, verb string, stdout, stderr io.Writer, perform func(*study.Study) error) error {
	dir := cmp.Or(f.out, filepath.Join("out", p.Scenario+"-"+verb))
	for _, w := range p.Warnings {
		fmt.Fprintf(stderr, "mbsim: warning: %s\n", w)
	}
	if f.dryRun {
		return f.list(stdout, dir, p)
	}
	// The folder keeps what is finished, so that the same command goes on after an interruption.
	s, err := study.Open(dir, p)
	if err != nil {
		return err
	}
	err = perform(s)
	if e := s.Close(); err == nil {
		err = e
	}
	return err
}

// metExpectations is the exit code 99 where a study's base setting did not meet what the
// scenario expects.
func metExpectations(r *study.Result) error {
	if !r.Met() {
		return silent(exitExpect)
	}
	return nil
}

// defaultMinEffect is the flag's default, as it is typed.
const defaultMinEffect = "1%"

// addMinEffect adds the flag --min-effect.
func addMinEffect(c *cobra.Command, p *string) {
	c.Flags().StringVar(p, "min-effect", defaultMinEffect, "`share` of the mean below which a difference is no verdict, whatever the evidence")
}

// minEffect is the value of the flag --min-effect as a share.
func minEffect(text string) (float64, error) {
	if text == "" {
		return study.DefaultMinEffect, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, usagef("--min-effect is %q: want a share, such as 1%% or 0.01", text)
	}
	return v, nil
}

// tellForeign says that runs of other settings stay in the folder, or the user may take them
// for these.
func (f *sweepFlags) tellForeign(s *study.Study, stderr io.Writer) {
	if n := s.Foreign(); n > 0 && !f.quiet {
		fmt.Fprintf(stderr, "mbsim: %s keeps %d finished runs of other settings or versions, which this study does not use\n", s.Dir, n)
	}
}

// performRuns performs the study's runs, with a bar.
func (f *sweepFlags) performRuns(ctx context.Context, s *study.Study, stderr io.Writer) error {
	f.tellForeign(s, stderr)
	// The bar counts only the runs to be performed.
	done, total := s.Finished()
	bar, err := newBar(f.progress, f.quiet, fmt.Sprintf("%s, %d runs", s.Plan.Scenario, total), stderr)
	if err != nil {
		return err
	}
	start := done // what was finished before is not in the bar: it would spoil the time left
	// Runs report from several goroutines, and the sum of their shares may shrink for a moment
	// when one ends: the bar does not go back.
	var mu sync.Mutex
	share := 0.0
	err = theInterrupts.gracefully(ctx, func(ctx context.Context) error {
		return s.Run(ctx, f.executor(stderr), func(p study.Progress) {
			mu.Lock()
			defer mu.Unlock()
			share = max(share, (float64(p.Done-start)+p.Running)/float64(max(p.Total-start, 1)))
			bar.update(run.Progress{Done: share})
		})
	})
	bar.done(err == nil)
	// What is finished stays, and the same command goes on from there.
	if errors.Is(err, context.Canceled) {
		done, total = s.Finished()
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; %d of %d runs are finished: the same command goes on", done, total)}
	}
	return err
}

// executor is who performs the runs: this machine, or a Slurm cluster.
func (f *sweepFlags) executor(stderr io.Writer) study.Executor {
	if f.engine == "slurm" {
		e := f.slurm
		if !f.quiet {
			e.Log = func(format string, a ...any) { fmt.Fprintf(stderr, "mbsim: "+format+"\n", a...) }
		}
		return &e
	}
	return &study.Pool{Jobs: f.jobs}
}

// list prints which runs would be performed, and how long they may take.
func (f *sweepFlags) list(w io.Writer, dir string, p *study.Plan) error {
	// What is finished already need not be performed.
	finished, left, err := p.Finished(dir)
	if err != nil {
		return err
	}
	cost, err := p.Estimate(dir, left)
	if err != nil {
		return err
	}
	// The settings.
	var rows []table.Row
	for i := range p.Settings {
		rows = append(rows, table.Row{p.Settings[i].Name, p.Replications, finished[i]})
	}
	fmt.Fprintf(w, "%s, seed %d, into %s\n\n", p.Scenario, p.Seed, dir)
	tableOf(w, false, table.Row{"setting", "runs", "finished"}, rows)
	// The number of runs, and the rule that may add more.
	total := len(p.Settings) * p.Replications
	fmt.Fprintf(w, "\n%d settings x %d replications = %d runs, %d to be performed", len(p.Settings), p.Replications, total, len(left))
	if u := p.Until; u != nil {
		fmt.Fprintf(w, "; then more until every difference is known to ±%g%%, at most %d replications", 100*u.CI, u.Max)
	}
	fmt.Fprintln(w)
	// The time, which the first finished run tells better than the number of operations.
	switch {
	case len(left) == 0:
	case !cost.Known:
		fmt.Fprintf(w, "no estimate of the time: %s\n", cost.Basis)
	default:
		jobs := min(f.jobs, len(left))
		fmt.Fprintf(w, "about %s with %d at a time (%s)\n", about(cost.Time/time.Duration(jobs)), jobs, cost.Basis)
	}
	return nil
}

// about is a time that is not known well.
func about(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < 10*time.Minute:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Minute).String()
}

// studyError gives an error its exit code.
func studyError(err error) error {
	switch {
	case err == nil, errors.As(err, new(*exitError)):
		return err
	case errors.As(err, new(*study.UserError)):
		return usage(err)
	}
	return &exitError{exitInternal, err}
}
