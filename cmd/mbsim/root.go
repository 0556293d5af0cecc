package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes. A run that its expectations refuse ends with exitExpect.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitNoSpace     = 3
	exitExpect      = 99
	exitInterrupted = 130
)

// exitError is an error with its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error as the user's: bad arguments or bad input.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}

func usagef(format string, a ...any) error { return usage(fmt.Errorf(format, a...)) }

// silent is an error that has been told already.
func silent(code int) error { return &exitError{code, nil} }

// execute performs a command line and returns its exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitUsage, err} // cobra's own: unknown commands and flags
	}
	if e.err != nil {
		fmt.Fprintf(stderr, "mbsim: %v\n", e.err)
	}
	return e.code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mbsim",
		Short: "Simulate block allocation: where will my blocks land?",
		Long: `mbsim performs workloads on simulated file systems and shows where every block
lands, and why: ext4's multi-block allocator as in Linux 5.10, bit for bit.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(), newValidate(), newList(), newReplay(), newVerify(), newScript(), newReport(), newShow(), newVersion())
	root.AddCommand(newSweep(), newCompare(), newShard(), newMerge())
	return root
}
