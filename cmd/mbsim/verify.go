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

// verifyFormats are the values of --format: of json an object a case.
var verifyFormats = []string{formatText, formatJSON}

// newVerify makes the command verify.
func newVerify() *cobra.Command {
	kernel, format := "", ""
	c := &cobra.Command{
		Use:   "verify CASE_DIR...",
		Short: "Replay cases and compare with what a real kernel did",
		Long: `verify replays each case and compares with its recording in CASE_DIR/KERNEL:
lines of files.txt, of mb_groups.txt and mb_groups.log, of mb_stats.txt (but
buddies_time_used) and mb_structs.txt, what operations returned, and which blocks
each request for blocks got. It names the first difference, and what only one side
has and was not compared.

--kernel host compares with CASE_DIR/host, recorded by oracle/record-here.sh, as the
profile does that is nearest to the kernel that recorded it; or, where there is no
such folder, takes the profile nearest to the kernel that is running.

Some of what decides where blocks lie is chance: when the kernel's flusher and the
worker that converts extents have their turn beside the writer, and, without a
journal, in which second of the clock an inode is made. mbsim has rules for it. Where
the replay by these rules differs, verify replays once more in the turns that the
recording's trace.txt shows: who did something when, and for which range of which
file. Where blocks lie is not taken from it. A case that is identical then is
reported as "in turns", and counts as good.

A case may have further recordings with the same kernel, in CASE_DIR/KERNEL.2,
CASE_DIR/KERNEL.3 and so on; it is enough if the replay is identical with one of
them. A text that a further recording lacks is as in CASE_DIR/KERNEL.

Exit codes: 0 all is identical, 1 something differs, or mbsim itself or the machine failed,
2 a case or the command line is wrong, 130 interrupted.`,
		Example: `  mbsim verify replay/testdata/small-files-1
  mbsim verify replay/testdata/full-1 --kernel 5.10 --format json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkFormat(format, verifyFormats...); err != nil {
				return err
			}
			v := verifier{c.OutOrStdout(), kernel, format == formatJSON}
			return v.verify(args)
		},
	}
	// Which recordings, and how the verdicts are printed.
	addKernel(c, &kernel, kernels.Default().Name, "`kernel` that behaves, and whose recording it is")
	addFormat(c, &format, verifyFormats...)
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
	switch {
	case v.Identical:
		x.line("identical", v)
	case v.InTurnsIdentical():
		x.line("in turns", v.InTurns)
		fmt.Fprintf(x.out, "  turns: %v\n", v.InTurns.Turns)
		fmt.Fprintf(x.out, "  by rules: %s\n", tallies(v))
	default:
		x.line("DIFFERENT", v)
	}
	for _, m := range v.Missing {
		fmt.Fprintf(x.out, "  not compared: %s\n", m)
	}
	if v.Difference != "" {
		fmt.Fprintf(x.out, "  first difference: %s\n", v.Difference)
	}
	// What remains different in turns is no chance.
	if t := v.InTurns; t != nil && !t.Identical {
		fmt.Fprintf(x.out, "  in turns (%v): %s\n", t.Turns, tallies(t))
		fmt.Fprintf(x.out, "  first difference in turns: %s\n", t.Difference)
	}
}

// line prints the line that a verdict begins with.
func (x *verifier) line(word string, v *replay.Verdict) {
	name := v.Case
	if v.Recordings > 1 {
		name += "/" + v.Recording
	}
	fmt.Fprintf(x.out, "%-22s %-9s  %s\n", name, word, tallies(v))
}

// tallies are how much of each kind is the same.
func tallies(v *replay.Verdict) string {
	text := ""
	for _, kind := range []struct {
		name string
		replay.Tally
	}{{"files", v.Files}, {"groups", v.Groups}, {"counters", v.Counters}, {"operations", v.Results}, {"requests", v.Requests}} {
		same := kind.String()
		if kind.Total == 0 {
			same = "not compared"
		}
		text += "  " + kind.name + " " + same
	}
	return text[2:]
}

// verify verifies the cases in dirs.
func (x *verifier) verify(dirs []string) error {
	// A name that is misspelt is an error for all of them.
	if x.kernel != kernels.HostName {
		if _, err := findKernel(x.kernel); err != nil {
			return err
		}
	}
	identical, inTurns := 0, 0
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
		} else if v.InTurnsIdentical() {
			inTurns++
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
		if inTurns > 0 {
			fmt.Fprintf(x.out, ", %d more in the turns of their recordings", inTurns)
		}
		fmt.Fprintln(x.out)
	}
	// What is missing is the user's to mend. What differs has been printed above, and decides the
	// exit code only.
	if missing != nil {
		return usage(missing)
	}
	if identical+inTurns < len(dirs) {
		return silent(exitInternal)
	}
	return nil
}
