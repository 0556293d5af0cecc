package main

import (
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

	"mbsim/internal/shell"
	"mbsim/metrics"
	"mbsim/run"
	"mbsim/study"
	"mbsim/study/compare"
	"mbsim/study/slurm"
)

// sweepFlags are the flags of sweep.
type sweepFlags struct {
	runFlags
	reps      int
	until     string
	baseline  string
	metrics   []string
	jobs      int
	dryRun    bool
	minEffect string
	engine    string
	slurm     slurm.Engine
}

// newSweep makes the command sweep.
func newSweep() *cobra.Command {
	var f sweepFlags
	// The command itself: what its help says, and what it calls.
	c := &cobra.Command{
		Use:   "sweep SCENARIO.yaml",
		Short: "Run a scenario with many settings, several times each, and compare them",
		Long: `sweep runs every combination of the values that --set gives (and of the sweep
block of the scenario, see mbsim list keys), several times each, and compares the
settings with the first. Replication r of every setting draws the same random
numbers, so that differences are paired and few replications are enough.

  --set s_mb_order2_reqs=0..9          a range; also 16..64+16 and 16..1024*2
  --set s_mb_stream_request=16,64      several values
  --set 'mount=nodelalloc|commit=30'   | where commas belong to the value
  --set cpus=4                         one value: the same in all settings
  --set profile=LIST                   kernels, or kernels with changes switched:
                                       +NAME adds one, ^NAME leaves one out

With --until ci=2% replications are added until the 95% interval of every
difference to the baseline is at most 2% of the baseline's mean to either side
(max=N limits them, metric=NAME says of what; a study that stops when it likes
what it sees is a little too sure of itself).

The output folder holds study.json (all runs and their statistics), study.csv (a
line a run), plan.json and runs.ndjson. A study that was interrupted or killed
goes on where it stopped when the same command is given again; finished runs are
never repeated. study.json has the same bytes for any -j. One process at a time
writes into a folder: another is refused at once.

Plan, records and results end with checksums, and study.json must be what plan.json
and runs.ndjson come to: what was changed is refused with file and line, by every
command. Studies of an mbsim without checksums (schema 1) are refused too: run them
again, into another folder.

Engines: local runs on this machine's cores. slurm submits the runs as a job array,
follows it, has lost ones performed again, and merges. shards only writes the plan:
run mbsim shard for each part, anywhere, and mbsim merge in the end.

The runs are not checked as mbsim run checks its own, which would take some percent
more time: run one of the settings with mbsim run --set to have it checked. A study has
200,000 runs at most.

What the scenario expects it expects of itself: of the setting that sets nothing, or
else of the baseline. That others do not meet it is only remarked.

Exit codes: 0 all is well, 1 mbsim itself or the machine failed, 2 the scenario or
the command line is wrong, 99 the scenario as it is (or the baseline) did not meet what
it expects, 130 interrupted.`,
		Example: `  mbsim sweep small-files --set s_mb_order2_reqs=0..9 --reps 5
  mbsim sweep policies
  mbsim sweep streams --set s_mb_group_prealloc=64..1024*2 --until ci=2%,max=50 --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.sweep(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f.addFlags(c)
	return c
}

// addFlags adds the flags of sweep.
func (f *sweepFlags) addFlags(c *cobra.Command) {
	// What is run: the settings and their replications.
	f.addScenarioFlags(c)
	c.Flags().Lookup("set").Usage = "`key=values` that settings are made of; may be repeated"
	c.Flags().IntVar(&f.reps, "reps", 0, "replications of each setting (default the scenario's, or 5)")
	c.Flags().StringVar(&f.until, "until", "", "add replications until `ci=SHARE[,max=N][,metric=NAME]` holds")
	c.Flags().StringVar(&f.baseline, "baseline", "", "`setting` that the others are compared with: \"default\" for the scenario as it is (default the first)")
	// What is compared.
	c.Flags().StringArrayVar(&f.metrics, "metric", nil, "`name` of a metric to compare first, and in the table; may be repeated")
	addMinEffect(c, &f.minEffect)
	// Who performs the runs, and where to.
	c.Flags().IntVarP(&f.jobs, "jobs", "j", runtime.NumCPU(), "runs at a time on this machine")
	c.Flags().StringVarP(&f.out, "out", "o", "", "output folder (default out/SCENARIO-sweep)")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "list the runs and what they will take, and run nothing")
	c.Flags().StringVar(&f.engine, "engine", "local", "who performs the runs: local, slurm or shards")
	c.Flags().IntVar(&f.slurm.Shards, "shards", 0, "tasks of the slurm job array (default by the estimated time, a minute or more each)")
	c.Flags().StringArrayVar(&f.slurm.Args, "sbatch", nil, "further `argument` of sbatch, such as --partition=long; may be repeated")
	c.Flags().IntVar(&f.slurm.Attempts, "attempts", 4, "how often slurm may be asked for runs that were lost")
	// What is printed.
	c.Flags().StringVar(&f.progress, "progress", "auto", "progress bar on stderr: auto, always or never")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "print no table and no progress")
	c.Flags().BoolVar(&f.all, "all", false, "print every metric that differs")
	c.ValidArgsFunction = completeScenarios
	completeMetrics(c)
}

// addMinEffect adds the flag --min-effect.
func addMinEffect(c *cobra.Command, p *string) {
	c.Flags().StringVar(p, "min-effect", "1%", "`share` of the mean below which a difference is no verdict, whatever the evidence")
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

// completeMetrics completes the names of metrics.
func completeMetrics(c *cobra.Command) {
	_ = c.RegisterFlagCompletionFunc("metric", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, m := range metrics.List() {
			names = append(names, m.Name+"\t"+m.Doc)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// sweep plans the study and performs it, or only lists its runs.
func (f *sweepFlags) sweep(ctx context.Context, name string, stdout, stderr io.Writer) error {
	// Everything that can be wrong with the input is found before the folder is touched.
	p, err := f.plan(name)
	if err != nil {
		return studyError(err)
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join("out", p.Scenario+"-sweep")
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(stderr, "mbsim: warning: %s\n", w)
	}
	if f.dryRun {
		return studyError(f.list(stdout, dir, p))
	}
	// The folder keeps what is finished, so that the same command goes on after an interruption.
	s, err := study.Open(dir, p)
	if err != nil {
		return studyError(err)
	}
	err = f.perform(ctx, s, stdout, stderr)
	if e := s.Close(); err == nil {
		err = e
	}
	return studyError(err)
}

// More runs at a time, or more shards of a study, no machine and no cluster has use for.
const (
	maxJobs   = 4096
	maxShards = 100000
)

// plan makes the study that the command line describes.
func (f *sweepFlags) plan(name string) (*study.Plan, error) {
	// The flags that are numbers and words.
	switch {
	case f.reps < 0:
		return nil, usagef("--reps is %d: want 1 or more", f.reps)
	case f.jobs < 1 || f.jobs > maxJobs:
		return nil, usagef("--jobs is %d: want 1 to %d", f.jobs, maxJobs)
	case f.slurm.Shards < 0 || f.slurm.Shards > maxShards:
		return nil, usagef("--shards is %d: want 1 to %d, or 0 for as many as the time asks for", f.slurm.Shards, maxShards)
	case f.engine != "local" && f.engine != "slurm" && f.engine != "shards":
		return nil, usagef("unknown engine %q: want local, slurm or shards", f.engine)
	}
	// Sets, and the kernel and the seed, which are sets too.
	sets, err := f.allSets()
	if err != nil {
		return nil, err
	}
	opt := study.Options{Sets: sets, Replications: f.reps, Until: f.until, Baseline: f.baseline, Metrics: metricNames(), Command: f.command(name)}
	if opt.MinEffect, err = minEffect(f.minEffect); err != nil {
		return nil, err
	}
	// The first metric is the one that the study is about.
	for _, m := range f.metrics {
		if _, err := metrics.Find(m); err != nil {
			return nil, usage(err)
		}
	}
	if len(f.metrics) > 0 {
		opt.Metric = f.metrics[0]
	}
	// Runs of other code are other runs.
	if opt.Version, err = study.CodeVersion(); err != nil {
		return nil, err
	}
	return study.NewPlan(name, opt)
}

// command is the command line without what does not change the results.
func (f *sweepFlags) command(name string) []string {
	c := append([]string{"mbsim", "sweep", name}, f.flagsOf()...)
	for _, x := range []struct{ flag, value string }{{"--until", f.until}, {"--baseline", f.baseline}} {
		if x.value != "" {
			c = append(c, x.flag, x.value)
		}
	}
	if f.reps > 0 {
		c = append(c, "--reps", strconv.Itoa(f.reps))
	}
	if f.minEffect != "1%" {
		c = append(c, "--min-effect", f.minEffect)
	}
	for _, m := range f.metrics {
		c = append(c, "--metric", m)
	}
	return c
}

// perform performs the study's runs and prints its table.
func (f *sweepFlags) perform(ctx context.Context, s *study.Study, stdout, stderr io.Writer) error {
	if f.engine == "shards" {
		f.tellForeign(s, stderr)
		return f.printShards(stdout, s)
	}
	if err := f.performRuns(ctx, s, stderr); err != nil {
		return err
	}
	// Write the result, and print its table.
	r, err := s.Write()
	if err != nil {
		return err
	}
	if !f.quiet {
		err = f.print(stdout, r, s.Dir)
	}
	if err == nil && !r.Met() {
		err = silent(exitExpect)
	}
	return err
}

// print prints the study's table.
func (f *sweepFlags) print(stdout io.Writer, r *study.Result, dir string) error {
	if err := compare.WriteSettings(stdout, r, compare.Options{Metrics: f.metrics, All: f.all}, false); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "\n%d runs are in %s\n", len(r.Settings)*r.Replications, dir)
	return err
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

// printShards prints which commands perform the planned study in parts.
func (f *sweepFlags) printShards(w io.Writer, s *study.Study) error {
	done, total := s.Finished()
	n := f.slurm.Shards
	if n == 0 {
		n = min(4, max(1, total-done))
	}
	_, err := fmt.Fprintf(w, `The plan of %d runs (%d finished) is in %s. Run each of
  mbsim shard --index I --of %d --out %s     for I = 0 to %d
anywhere the folder can be seen, as often as needed, and then
  mbsim merge %s
`, total, done, s.Dir, n, shell.Quote(s.Dir), n-1, shell.Quote(s.Dir))
	return err
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
