package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mbsim/reports"
)

// newVersion makes the command version.
func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, revision and the kernels modelled",
		Example: `  mbsim version`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(c.OutOrStdout(), versionText())
			return err
		},
	}
}

// versionText is what version and --version print.
func versionText() string {
	m := reports.Build()
	revision := m.Revision
	if revision == "" {
		revision = "unknown"
	}
	if m.Modified {
		revision += " (modified)"
	}
	return fmt.Sprintf("mbsim %s\nrevision %s\n%s\nkernels: %s\n", m.Version, revision, m.Go, kernelNames())
}
