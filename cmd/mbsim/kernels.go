package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mbsim/replay"
)

func kernels() string { return strings.Join(replay.Kernels(), ", ") }

func checkKernel(name string) error {
	for _, k := range replay.Kernels() {
		if k == name {
			return nil
		}
	}
	return usagef("unknown kernel %q: want one of %s", name, kernels())
}

func completeKernels(c *cobra.Command) {
	err := c.RegisterFlagCompletionFunc("kernel", cobra.FixedCompletions(replay.Kernels(), cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag is missing: a mistake in this program
	}
}
