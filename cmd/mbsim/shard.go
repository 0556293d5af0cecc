package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mbsim/study"
)

// newShard makes the command shard.
func newShard() *cobra.Command {
	index, of, jobs, dir := -1, 0, 1, ""
	c := &cobra.Command{
		Use:   "shard --index I --of N --out DIR",
		Short: "Perform one part of a planned study, for clusters",
		Long: `shard performs the runs of DIR/plan.json (see mbsim sweep --engine shards) whose
number leaves the remainder I when divided by N, skips those that are finished, and
writes its records into a file of its own in DIR/shards: under a temporary name
while it runs, under its own when it is done. It may be killed and repeated at any
time, also while another attempt goes on. mbsim merge puts all together.

  Slurm        sbatch --array=0-7 --wrap 'mbsim shard --index $SLURM_ARRAY_TASK_ID --of 8 --out DIR'
               (mbsim sweep --engine slurm does this by itself)
  Kubernetes   an indexed job: --index $JOB_COMPLETION_INDEX
  GNU parallel seq 0 7 | parallel mbsim shard --index {} --of 8 --out DIR`,
		Example: `  mbsim shard --index 0 --of 4 --out out/small-files-sweep
  mbsim shard --index 3 --of 4 --out out/small-files-sweep -j 2`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			// None of the three has a default that could be meant.
			if dir == "" || of < 1 || index < 0 {
				return usagef("shard needs --index I, --of N and --out DIR")
			}
			if jobs < 1 || jobs > maxJobs {
				return usagef("--jobs is %d: want 1 to %d", jobs, maxJobs)
			}
			return studyError(shard(c.Context(), c.OutOrStdout(), dir, index, of, jobs))
		},
	}
	// Which part, of which study.
	c.Flags().IntVar(&index, "index", index, "number of the part, from 0")
	c.Flags().IntVar(&of, "of", of, "number of parts")
	addOut(c, &dir, "required: that of the study")
	c.Flags().IntVarP(&jobs, "jobs", "j", jobs, "runs at a time")
	return c
}

// shard performs shard index of the study in dir, and prints how many runs that were.
func shard(ctx context.Context, w io.Writer, dir string, index, of, jobs int) error {
	version, err := study.CodeVersion()
	if err != nil {
		return err
	}
	// What is finished when a signal comes stays finished.
	n := 0
	err = theInterrupts.gracefully(ctx, func(ctx context.Context) (err error) {
		n, err = study.Shard(ctx, dir, index, of, jobs, version)
		return err
	})
	if errors.Is(err, context.Canceled) {
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; %d runs are finished", n)}
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "shard %d of %d: %d runs performed\n", index, of, n)
	return err
}
