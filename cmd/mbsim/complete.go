package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/kernels"
	"mbsim/metrics"
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

// completion makes fn complete the values of a flag.
func completion(c *cobra.Command, flag string, fn cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, fn); err != nil {
		panic(err) // the flag is missing: a mistake in this program
	}
}

// completeFixed completes a flag that takes one of a few words.
func completeFixed(c *cobra.Command, flag string, words ...string) {
	completion(c, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeFolder completes a flag that takes a folder.
func completeFolder(c *cobra.Command, flag string) {
	completion(c, flag, cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
}

// completeMetrics completes the names of metrics after --metric.
func completeMetrics(c *cobra.Command) {
	var names []string
	for _, m := range metrics.List() {
		names = append(names, m.Name+"\t"+m.Doc)
	}
	completeFixed(c, "metric", names...)
}

// progressValues are what --progress takes.
var progressValues = []string{"auto", "always", "never"}

// addProgress adds the flag --progress.
func addProgress(c *cobra.Command, p *string) {
	c.Flags().StringVar(p, "progress", progressValues[0], "progress bar on stderr: auto, always or never")
	completeFixed(c, "progress", progressValues...)
}

// completeSets completes --set: its key (the name of a tunable, or a dotted path of the scenario's
// keys), and the values of profile and mount.
func completeSets(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	const more = cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	key, value, hasValue := strings.Cut(typed, "=")
	switch {
	case hasValue && (key == scenarios.ProfileKey || key == scenarios.ProfileKey+".kernel"):
		return listValues(typed, value, kernels.Names()), more
	case hasValue && key == "mount":
		return listValues(typed, value, mountOptions()), more
	case hasValue:
		return nil, cobra.ShellCompDirectiveDefault
	}
	var keys []string
	for _, t := range scenarios.Tunables() {
		keys = append(keys, t.Field+"=\t"+t.Doc)
	}
	// What is in lists of named elements needs the scenario: without it there is no path.
	var names []string
	if len(args) > 0 {
		names = args[:1]
	}
	for _, s := range scenarios.Describe() {
		for _, where := range s.Where {
			for _, path := range pathsOf(where, names) {
				for _, k := range s.Keys {
					keys = append(keys, strings.TrimPrefix(path+"."+k.Name, ".")+"=\t"+k.Doc)
				}
			}
		}
	}
	return keys, more
}

// listValues completes the last of the values that stand behind = with commas between them.
func listValues(typed, value string, values []string) []string {
	before := strings.TrimSuffix(typed, value)
	given, last := "", value
	if i := strings.LastIndexByte(value, ','); i >= 0 {
		given, last = value[:i+1], value[i+1:]
	}
	var all []string
	for _, v := range values {
		if strings.HasPrefix(v, last) {
			all = append(all, before+given+v)
		}
	}
	return all
}

// mountOptions are the mount options that decide something on some system.
func mountOptions() []string {
	var all []string
	for _, s := range kernels.All() {
		all = append(all, s.MountOptions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// pathsOf are the paths of --set that lead to where a section stands. Elements of lists have names
// in a path: those of the phases and classes of the scenario, if one is named. Of other lists there
// are no paths.
func pathsOf(where string, scenario []string) []string {
	const phases, classes = "workload.phases", "workload.classes"
	switch {
	case where == "expect" || where == "sweep.variants":
		return nil
	case where != phases && !strings.HasPrefix(where, phases+".") && where != classes:
		return []string{where}
	case len(scenario) == 0 || where == classes: // classes without phases are read as those of one phase
		return nil
	}
	s, err := scenarios.Load(scenario[0], scenarios.Options{Metrics: metricNames()})
	if err != nil {
		return nil
	}
	below := strings.TrimPrefix(where, phases)
	inClass, isClass := strings.CutPrefix(below, ".classes")
	var paths []string
	for i := range s.Workload.Phases {
		p := &s.Workload.Phases[i]
		if !isClass && p.Name != "" {
			paths = append(paths, phases+"."+p.Name+below)
		}
		// A class is named without its phase: what is set of it holds in all of them.
		for j := range p.Classes {
			if path := classes + "." + p.Classes[j].Name + inClass; isClass && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}
