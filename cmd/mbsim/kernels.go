package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mbsim/kernels"
)

// kernelNames are the systems that --kernel takes, for help and messages.
func kernelNames() string { return strings.Join(kernels.Names(), ", ") }

// findKernel is the system that --kernel names.
func findKernel(name string) (*kernels.System, error) {
	sys, err := kernels.Find(name)
	if err != nil {
		return nil, usagef("unknown kernel %q: want one of %s", name, kernelNames())
	}
	return sys, nil
}

// completeKernels lets the shell complete the names of kernels after --kernel.
func completeKernels(c *cobra.Command) {
	err := c.RegisterFlagCompletionFunc("kernel", cobra.FixedCompletions(kernels.Names(), cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is missing: a mistake in this program
	}
}
