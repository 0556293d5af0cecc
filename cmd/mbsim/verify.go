package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mbsim/internal/crash"
	"mbsim/kernels"
	"mbsim/replay"
)

func newVerify() *cobra.Command {
	kernel, asJSON := "", false
	c := &cobra.Command{
		Use:   "verify CASE_DIR...",
		Short: "Replay cases and compare with what a real kernel did",
		Long: `verify replays each case and compares with its recording in CASE_DIR/KERNEL:
lines of files.txt, of mb_groups.txt and mb_groups.log, of mb_stats.txt (but
buddies_time_used), what operations returned, and which blocks each request for
blocks got. It names the first difference. The exit code is 0 only if all is
identical.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := findKernel(kernel); err != nil {
				return err
			}
			return verify(c.OutOrStdout(), args, kernel, asJSON)
		},
	}
	c.Flags().StringVar(&kernel, "kernel", kernels.Default().Name, "whose behaviour and recording: "+kernelNames())
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a case")
	completeKernels(c)
	return c
}

func verify(w io.Writer, dirs []string, kernel string, asJSON bool) error {
	identical := 0
	var missing error
	enc := json.NewEncoder(w)
	for _, dir := range dirs {
		v, err := replay.Verify(dir, kernel)
		// A broken invariant is a mistake of the simulator: there is no point in going on.
		if crash.Of(err) != nil {
			return err
		}
		if err != nil {
			// A case that cannot be compared does not keep the others from it. It is reported at
			// the end.
			missing = errors.Join(missing, err)
			continue
		}
		if v.Identical {
			identical++
		}
		if asJSON {
			if err := enc.Encode(v); err != nil {
				return err
			}
			continue
		}
		word := "identical"
		if !v.Identical {
			word = "DIFFERENT"
		}
		fmt.Fprintf(w, "%-22s %s  files %v  groups %v  counters %v  operations %v  requests %v\n",
			v.Case, word, v.Files, v.Groups, v.Counters, v.Results, v.Requests)
		if v.Difference != "" {
			fmt.Fprintf(w, "  first difference: %s\n", v.Difference)
		}
	}
	if !asJSON {
		fmt.Fprintf(w, "%d of %d identical\n", identical, len(dirs))
	}
	// What is missing is the user's to mend. What differs has been printed above, and decides the
	// exit code only.
	if missing != nil {
		return usage(missing)
	}
	if identical < len(dirs) {
		return silent(exitInternal)
	}
	return nil
}
