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
buddies_time_used) and mb_structs.txt, what operations returned, and which blocks
each request for blocks got. It names the first difference, and what only one side
has and was not compared. The exit code is 0 only if all is identical.

--kernel host compares with CASE_DIR/host, recorded by oracle/record-here.sh, as the
profile does that is nearest to the kernel that recorded it; or, where there is no
such folder, takes the profile nearest to the kernel that is running.

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
			v := verifier{c.OutOrStdout(), kernel, asJSON}
			return v.verify(args)
		},
	}
	c.Flags().StringVar(&kernel, "kernel", kernels.Default().Name, "whose behaviour and recording: "+kernelNames()+orHost)
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object a case")
	completeKernels(c)
	return c
}

// verifier compares cases with their recordings.
type verifier struct {
	out    io.Writer
	kernel string
	asJSON bool
}

// one verifies the case in dir.
func (x *verifier) one(dir string) (*replay.Verdict, error) {
	sys, folder, err := recordedKernel(x.kernel, dir)
	if err != nil {
		return nil, err
	}
	return replay.VerifyRecording(dir, sys.Name, folder)
}

// print prints a verdict.
func (x *verifier) print(v *replay.Verdict) {
	word := "identical"
	if v.Turns != nil {
		word = "in turns "
	}
	if v.Within {
		word = "within"
	} else if !v.Identical {
		word = "DIFFERENT"
	}
	fmt.Fprintf(x.out, "%-22s %s  files %v  groups %v  counters %v  operations %v  requests %v\n",
		v.Case, word, v.Files, v.Groups, v.Counters, v.Results, v.Requests)
	// Several recordings of a case may differ.
	if v.Parting > 0 {
		fmt.Fprintf(x.out, "  %d recordings, which part at line %d; compared with %s\n", v.Recordings, v.Parting, v.Recording)
	}
	if v.Outside != "" {
		fmt.Fprintf(x.out, "  outside of their spread: %s\n", v.Outside)
	}
	for _, m := range v.Missing {
		fmt.Fprintf(x.out, "  not compared: %s\n", m)
	}
	if v.WithoutTurns != "" {
		fmt.Fprintf(x.out, "  without the recording's turns the first difference is: %s\n", v.WithoutTurns)
	}
	if v.Difference != "" {
		fmt.Fprintf(x.out, "  first difference: %s\n", v.Difference)
	}
}

// verify verifies the cases in dirs.
func (x *verifier) verify(dirs []string) error {
	// A name that is misspelt is an error for all of them.
	if x.kernel != kernels.HostName {
		if _, err := findKernel(x.kernel); err != nil {
			return err
		}
	}
	identical, within := 0, 0
	var missing error
	enc := json.NewEncoder(x.out)
	for _, dir := range dirs {
		v, err := x.one(dir)
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
		if x.asJSON {
			if err := enc.Encode(v); err != nil {
				return err
			}
			continue
		}
		x.print(v)
	}
	if !x.asJSON {
		fmt.Fprintf(x.out, "%d of %d identical", identical, len(dirs))
		if within > 0 {
			fmt.Fprintf(x.out, ", %d within the spread of their recordings", within)
		}
		fmt.Fprintln(x.out)
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
