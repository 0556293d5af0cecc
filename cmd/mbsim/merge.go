package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mbsim/study"
	"mbsim/study/compare"
)

// newMerge makes the command merge.
func newMerge() *cobra.Command {
	quiet := false
	c := &cobra.Command{
		Use:   "merge DIR",
		Short: "Put together what the shards of a study have performed",
		Long: `merge adds what mbsim shard has written into DIR/shards to DIR/runs.ndjson. When
all runs of the plan are there it writes study.json and study.csv and prints the
table. It may be called at any time, as often as one likes.

If runs are missing, or the plan's rule (--until) asks for more replications, it
says so and ends with exit code 1: run the shards again.

Exit codes: 0 all is well, 1 runs are missing, or mbsim itself or the machine failed, 2 the
command line or the folder is wrong, 99 the scenario as it is (or the baseline) did not meet
what it expects.`,
		Example: `  mbsim merge out/small-files-sweep`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return studyError(merge(c.OutOrStdout(), args[0], quiet))
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "print no table")
	return c
}

// merge adds the records of shards to the study in dir, and prints its table if all runs are
// there.
func merge(w io.Writer, dir string, quiet bool) (err error) {
	// Opening the study takes up what the shards have written.
	p, err := study.ReadPlan(dir)
	if err != nil {
		return err
	}
	s, err := study.Open(dir, p)
	if err != nil {
		return err
	}
	defer func() {
		if e := s.Close(); err == nil {
			err = e
		}
	}()
	// The rule for further replications is looked at only when all planned runs are there.
	if done, total := s.Finished(); done < total {
		return fmt.Errorf("%s: %d of %d runs are missing: run the shards again", dir, total-done, total)
	}
	more, err := s.Extend()
	if err != nil {
		return err
	}
	if more {
		done, total := s.Finished()
		return fmt.Errorf("%s: the differences are not known well enough: %d more runs are planned, run the shards again", dir, total-done)
	}
	// All is there: write the result.
	r, err := s.Write()
	if err != nil {
		return err
	}
	if !quiet {
		if err := compare.WriteSettings(w, r, compare.Options{Width: widthOf(w)}, false); err != nil {
			return err
		}
	}
	return metExpectations(r)
}
