package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newValidate makes the command validate.
func newValidate() *cobra.Command {
	var f runFlags
	show := false
	c := &cobra.Command{
		Use:   "validate SCENARIO.yaml...",
		Short: "Check scenarios without running them",
		Example: `  mbsim validate scenarios/small-files.yaml
  mbsim validate small-files --set s_mb_order2_reqs=4 --show`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, name := range args {
				s, err := f.load(name)
				if err != nil {
					return err
				}
				// The image, or what mke2fs would make, can be wrong too.
				layout, err := s.Layout()
				if err != nil {
					return usage(err)
				}
				if err := layout.Close(); err != nil {
					return usage(err)
				}
				if show {
					fmt.Fprintf(c.OutOrStdout(), "# %s\n%s", name, s.Resolved())
				} else {
					fmt.Fprintf(c.OutOrStdout(), "%s: ok, sha256 %s\n", name, s.Digest())
				}
			}
			return nil
		},
	}
	f.addScenarioFlags(c)
	c.Flags().BoolVar(&show, "show", false, "print the scenario with every default written out")
	c.ValidArgsFunction = completeScenarios
	return c
}
