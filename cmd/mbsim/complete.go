package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mbsim/scenarios"
)

// completeScenarios completes names of scenarios that come with mbsim, and
// files.
func completeScenarios(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, s := range scenarios.List() {
		names = append(names, s.Name+"\t"+s.Question)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeSets completes the key of --set: names of tunables, and dotted paths of the
// scenario's keys.
func completeSets(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	const more = cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	if strings.Contains(typed, "=") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var keys []string
	for _, t := range scenarios.Tunables() {
		keys = append(keys, t.Field+"=\t"+t.Doc)
	}
	// A section may occur at several places of a scenario.
	for _, s := range scenarios.Describe() {
		for _, where := range s.Where {
			for _, k := range s.Keys {
				path := k.Name
				if where != "" {
					path = where + "." + k.Name
				}
				keys = append(keys, path+"=\t"+k.Doc)
			}
		}
	}
	return keys, more
}
