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
identical.

A case may have further recordings with the same kernel, in CASE_DIR/KERNEL.2,
CASE_DIR/KERNEL.3 and so on. Where they differ among themselves, something in the
kernel took turns by chance, as the flusher and a writer do near a full disk. Then
it is enough if the replay is identical with one of them; or if it is "within": like
all of them before the line of the script at which they part, and with figures
(results, counters, free blocks, extents of each file) in their spread, or beyond it
by no more than a quarter of it. A text that a further recording lacks is as in
CASE_DIR/KERNEL, and trace.txt may be left out.`,
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
	identical, within := 0, 0
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
		} else if v.Within {
			within++
		}
		if asJSON {
			if err := enc.Encode(v); err != nil {
				return err
			}
			continue
		}
		word := "identical"
		if v.Within {
			word = "within"
		} else if !v.Identical {
			word = "DIFFERENT"
		}
		fmt.Fprintf(w, "%-22s %s  files %v  groups %v  counters %v  operations %v  requests %v\n",
			v.Case, word, v.Files, v.Groups, v.Counters, v.Results, v.Requests)
		printRecordings(w, v)
		if v.Difference != "" {
			fmt.Fprintf(w, "  first difference: %s\n", v.Difference)
		}
	}
	if !asJSON {
		fmt.Fprintf(w, "%d of %d identical", identical, len(dirs))
		if within > 0 {
			fmt.Fprintf(w, ", %d within the spread of their recordings", within)
		}
		fmt.Fprintln(w)
	}
	// What is missing is the user's to mend. What differs has been printed above, and decides the
	// exit code only.
	if missing != nil {
		return usage(missing)
	}
	if identical+within < len(dirs) {
		return silent(exitInternal)
	}
	return nil
}

// printRecordings says how several recordings of a case differ, if there are several that do.
func printRecordings(w io.Writer, v *replay.Verdict) {
	if v.Parting > 0 {
		fmt.Fprintf(w, "  %d recordings, which part at line %d; compared with %s\n", v.Recordings, v.Parting, v.Recording)
	}
	if v.Outside != "" {
		fmt.Fprintf(w, "  outside of their spread: %s\n", v.Outside)
	}
}
