package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"mbsim/internal/crash"
	"mbsim/reports"
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

// silent is an error that the user has been told of already.
func silent(code int) error { return &exitError{code, nil} }

// execute performs a command line and returns the exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	return executeRoot(newRoot(), args, stdout, stderr)
}

// executeRoot is execute for a given tree of commands.
func executeRoot(root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	blameInternal(root)
	// A panic is caught here, and reported with its stack.
	err := crash.Guard(root.Execute)
	awaitQuit()
	if err == nil {
		return exitOK
	}
	if crash.Of(err) != nil {
		reportCrash(stderr, args, err)
		return exitInternal
	}
	// Every error has an exit code; those of the command-line library have none of their own.
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitUsage, err} // cobra's own: unknown commands and flags
	}
	// What looked like the user's mistake may be a full disk.
	if e.code == exitUsage && machineFailed(e.err) {
		e.code = exitInternal
	}
	// A silent error has been told already.
	if e.err != nil {
		fmt.Fprintf(stderr, "mbsim: %v\n", e.err)
	}
	return e.code
}

// blameInternal makes each error that a command returns one of mbsim's own or of the machine,
// unless it is marked as something else: the user's mistakes are marked where they are found
// (usage).
func blameInternal(c *cobra.Command) {
	for _, sub := range c.Commands() {
		blameInternal(sub)
	}
	if perform := c.RunE; perform != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			err := perform(c, args)
			if err != nil && !errors.As(err, new(*exitError)) {
				return &exitError{exitInternal, err}
			}
			return err
		}
	}
}

// machineFailed says whether an error is the machine's: what the user gave may be right.
func machineFailed(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE},
		func(e error) bool { return errors.Is(err, e) })
}

// newRoot makes the tree of commands.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "mbsim",
		Short: "Simulate block allocation: where will my blocks land?",
		Long: `mbsim performs workloads on simulated file systems and shows where every block
lands: under ext4's multi-block allocator as in Linux 5.10 to 7.3, and under ext2's
reservation windows.

Exit codes of all commands: 0 all is well, 1 mbsim itself or the machine failed, 2 the
scenario, a file or the command line is wrong, 130 interrupted; and 3 and 99 of run, 99 of
sweep and merge, as their help says.`,
		Example: `  mbsim run small-files
  mbsim list`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       reports.Build().Version,
	}
	root.SetVersionTemplate(versionText())
	root.AddCommand(newRun(), newValidate(), newList(), newReplay(), newVerify(), newScript(), newImport(), newReport(), newShow(), newImage(), newAge(), newVersion(), newInit(), newSchema(), newMan())
	root.AddCommand(newSweep(), newCompare(), newBisect(), newShard(), newMerge())
	return root
}
