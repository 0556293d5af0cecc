package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/nearest"
	"mbsim/run"
)

// addCheck adds the flag that says when the file system is checked.
func addCheck(c *cobra.Command, value *string) {
	c.Flags().StringVar(value, "check", run.CheckEnd.String(), "when to check the whole file system: `end`, phase, sync or none")
	c.Flags().Lookup("check").NoOptDefVal = run.CheckEnd.String()
	completeFixed(c, "check", checkNames()...)
}

func checkNames() []string {
	var names []string
	for _, m := range run.CheckModes() {
		names = append(names, m.String())
	}
	return names
}

// checkMode is the mode of that name.
func checkMode(name string) (run.CheckMode, error) {
	for _, m := range run.CheckModes() {
		if m.String() == name {
			return m, nil
		}
	}
	hint := ""
	if best, near := nearest.Of(name, checkNames()); near {
		hint = fmt.Sprintf(" (did you mean %q?)", best)
	}
	return 0, usagef("--check is %q: want %s%s", name, strings.Join(checkNames(), ", "), hint)
}
