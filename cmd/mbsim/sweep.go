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
	"slices"

	"github.com/spf13/cobra"

	"mbsim/internal/atomicfile"
	"mbsim/internal/shell"
	"mbsim/metrics"
	"mbsim/reports"
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

// engines are who performs the runs.
var engines = []string{"local", "slurm", "shards"}

// newSweep makes the command sweep.
func newSweep() *cobra.Command {
	var f sweepFlags
	// The command itself: what its help says, and what it calls.
	c := &cobra.Command{
		Use:   "sweep SCENARIO.yaml|CASE_DIR",
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
	addPictures(c, &f.format)
	f.addStudyFlags(c, "sweep")
	return c
}

// addFlags adds the flags of sweep.
func (f *sweepFlags) addFlags(c *cobra.Command) {
	// What is run: the settings and their replications.
	f.addScenarioFlags(c)
	c.Flags().Lookup("set").Usage = "`key=values` that settings are made of; may be repeated"
	c.Flags().StringVar(&f.until, "until", "", "add replications until `ci=SHARE[,max=N][,metric=NAME]` holds")
	c.Flags().StringVar(&f.baseline, "baseline", "", "`setting` that the others are compared with: \"default\" for the scenario as it is (default the first)")
	// What is compared.
	c.Flags().StringArrayVar(&f.metrics, "metric", nil, "`name` of a metric to compare first, and in the table; may be repeated")
	// Who performs the runs.
	c.Flags().StringVar(&f.engine, "engine", engines[0], "who performs the runs: local, slurm or shards")
	c.Flags().IntVar(&f.slurm.Shards, "shards", 0, "tasks of the slurm job array (default by the estimated time, a minute or more each)")
	c.Flags().StringArrayVar(&f.slurm.Args, "sbatch", nil, "further `argument` of sbatch, such as --partition=long; may be repeated")
	c.Flags().IntVar(&f.slurm.Attempts, "attempts", 4, "how often slurm may be asked for runs that were lost")
	c.Flags().BoolVar(&f.all, "all", false, "print every metric that differs")
	completeFixed(c, "engine", engines...)
}

// sweep plans the study and performs it, or only lists its runs.
func (f *sweepFlags) sweep(ctx context.Context, name string, stdout, stderr io.Writer) error {
	p, err := f.plan(name)
	if err != nil {
		return studyError(err)
	}
	return studyError(f.withStudy(p, "sweep", stdout, stderr, func(s *study.Study) error { return f.perform(ctx, s, stdout, stderr) }))
}

// maxShards: more of a study no cluster has use for.
const maxShards = 100000

// plan makes the study that the command line describes.
func (f *sweepFlags) plan(name string) (*study.Plan, error) {
	// The flags that are numbers and words.
	if err := checkFormat(f.format, pictureFormats...); err != nil {
		return nil, err
	}
	switch {
	case f.slurm.Shards < 0 || f.slurm.Shards > maxShards:
		return nil, usagef("--shards is %d: want 1 to %d, or 0 for as many as the time asks for", f.slurm.Shards, maxShards)
	case !slices.Contains(engines, f.engine):
		return nil, usagef("unknown engine %q: want local, slurm or shards", f.engine)
	}
	opt, err := f.options()
	if err != nil {
		return nil, err
	}
	opt.Until, opt.Baseline, opt.Command = f.until, f.baseline, f.command(name)
	// The first metric is the one that the study is about.
	for _, m := range f.metrics {
		if _, err := metrics.Find(m); err != nil {
			return nil, usage(err)
		}
	}
	if len(f.metrics) > 0 {
		opt.Metric = f.metrics[0]
	}
	return study.NewPlan(name, opt)
}

// command is the command line without what does not change the results.
func (f *sweepFlags) command(name string) []string {
	c := append([]string{"mbsim", "sweep", name}, f.studyCommand()...)
	for _, x := range []struct{ flag, value string }{{"--until", f.until}, {"--baseline", f.baseline}} {
		if x.value != "" {
			c = append(c, x.flag, x.value)
		}
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
	if err := f.writeSVG(r, s.Dir); err != nil {
		return err
	}
	if !f.quiet {
		if err := f.print(stdout, r, s.Dir); err != nil {
			return err
		}
	}
	return metExpectations(r)
}

// writeSVG writes the study's pictures as SVG too, if that was asked for. Those that are there from
// before would be of other runs, and go.
func (f *sweepFlags) writeSVG(r *study.Result, dir string) error {
	files, err := reports.StudyPictures(r.Page(), reports.Paper, reports.SVG)
	if err != nil {
		return err
	}
	texts := map[string][]byte{}
	for _, file := range files {
		if f.format != formatSVG {
			if err := os.Remove(filepath.Join(dir, file.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		var b bytes.Buffer
		if err := file.Write(&b); err != nil {
			return err
		}
		texts[file.Name] = b.Bytes()
	}
	return atomicfile.WriteAll(dir, texts)
}

// print prints the study's table.
func (f *sweepFlags) print(stdout io.Writer, r *study.Result, dir string) error {
	if err := compare.WriteSettings(stdout, r, compare.Options{Metrics: f.metrics, All: f.all, Width: widthOf(stdout)}, false); err != nil {
		return err
	}
	_, err := fmt.Fprintf(stdout, "\n%d runs are in %s\n", len(r.Settings)*r.Replications, dir)
	return err
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
