package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/run"
	"mbsim/scenarios"
	"mbsim/workload"
)

func newScript() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "script SCENARIO.yaml -o CASE_DIR",
		Short: "Write a scenario's operations as a case for a real kernel",
		Long: `script runs the scenario and writes what its processes did, in the order in which
they did it, as a case: case.env and ops. oracle/record.sh takes it to a real
kernel, and mbsim replay and verify to the simulator.

A recorder makes its own file system, so the scenario must start from mkfs. It
has no background writeback and no timed commits: what the scenario's clock did
in between is not in the case. Reads are left out, since they move no block. Its
process is root: where a process that may not take the blocks reserved for root found
no space, the recorder may find some, and script warns of it.

With --times all of that is in the case, and so is who performed what: mbsim replay then
puts every block where the run did. A recorder passes over these lines (at, process,
flusher, committer, prefetch): it has a clock, threads and a process of its own. A
scenario with timing has no such case, since its operations overlap.`,
		Example: `  mbsim script small-files -o out/case
  mbsim script small-files --times -o out/timed-case`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.script(c.Context(), args[0], c.ErrOrStderr()) },
	}
	// The flags of a run that matter here, and the case's own.
	f.addScenarioFlags(c)
	addOut(c, &f.out, "required: that of the case")
	c.Flags().BoolVar(&f.times, "times", false, "with the times of the run, for mbsim replay, which then places every block as the run did")
	c.ValidArgsFunction = completeScenarios
	return c
}

func (f *runFlags) script(ctx context.Context, name string, stderr io.Writer) error {
	if f.out == "" {
		return usagef("script needs -o CASE_DIR")
	}
	s, err := f.load(name)
	if err != nil {
		return err
	}
	// What cannot become a case is refused before the run, which may take long.
	vars, err := caseEnv(s, f.times)
	if err != nil {
		return usage(err)
	}
	// The run itself records its operations.
	return holding(f.out, folderlock.Make, func() error {
		out, err := performRun(ctx, s, run.Options{Record: true, RecordTimes: f.times})
		if err != nil {
			return err
		}
		if f.times {
			vars = append(vars, timesEnv(s, out)...)
		} else {
			warnOfRoot(s, out, stderr)
		}
		env, err := workload.WriteEnv(vars)
		if err != nil {
			return usage(err)
		}
		var ops bytes.Buffer
		if err := workload.WriteScript(&ops, out.Ops); err != nil {
			return &exitError{exitInternal, err}
		}
		return atomicfile.WriteAll(f.out, map[string][]byte{"case.env": env, "ops": ops.Bytes()})
	})
}

// warnOfRoot warns that a recorder, whose process is root, may find space where the run's
// processes found none.
func warnOfRoot(s *scenarios.Scenario, out *run.Outcome, stderr io.Writer) {
	n, err := out.Result.Value("ops_enospc")
	layout, errLayout := s.Layout()
	if err != nil || errLayout != nil || n == 0 || layout.Super.ReservedBlocks == 0 {
		return
	}
	for i := range s.Workload.Phases {
		for j := range s.Workload.Phases[i].Classes {
			if c := &s.Workload.Phases[i].Classes[j]; c.User.UID != 0 {
				fmt.Fprintf(stderr, "mbsim: warning: %.0f operations found no space; the recorder's process is root, unlike those of class %s, and may find some in the blocks reserved for root\n", n, c.Name)
				return
			}
		}
	}
}

// timesEnv is what case.env says of a run whose times are in the script.
func timesEnv(s *scenarios.Scenario, out *run.Outcome) []workload.EnvVar {
	return []workload.EnvVar{
		{Key: "TIMES", Value: "1"}, {Key: "SEED", Value: fmt.Sprint(s.Seed)},
		{Key: "DIRTY_BACKGROUND", Value: fmt.Sprint(out.DirtyBackground)},
		{Key: "WRITEBACK_CHUNK", Value: fmt.Sprint(out.WritebackChunk)},
	}
}

// caseEnv is the scenario's machine as case.env says it. With times nothing is as only a recorder
// needs it.
func caseEnv(s *scenarios.Scenario, times bool) ([]workload.EnvVar, error) {
	if times && s.Timing != nil {
		return nil, fmt.Errorf("%s: timing: operations overlap, which a script cannot say: leave --times out", s.File)
	}
	if s.Device.Mkfs == nil {
		return nil, fmt.Errorf("%s: device: a case starts from mkfs", s.File)
	}
	// The recorder names the type of file system itself, so it must be the profile's.
	list := s.MkfsArgs() // begins with -t and the type
	fsType, list := list[1], list[2:]
	sys := s.System()
	if fsType != sys.FileSystem {
		return nil, fmt.Errorf("%s: device.mkfs.type: %s: the recorder of profile %s makes %s", s.File, fsType, s.Profile, sys.FileSystem)
	}
	args := strings.Join(list, " ")
	var tunables []string
	for _, t := range s.Tunables {
		tunables = append(tunables, fmt.Sprintf("%s=%d", t.Sysfs, t.Value))
	}
	// What the variables are called, and what a recording needs besides, differs between systems.
	rec := sys.Recorder
	if times {
		rec.MkfsMore, rec.MountMore = "", ""
	}
	vars := []workload.EnvVar{
		{Key: "SIZE", Value: fmt.Sprint(s.Device.Mkfs.Size)}, {Key: "SMP", Value: fmt.Sprint(s.CPUs)},
		{Key: "PIDMOD", Value: "1"}, // the first process of a run
		{Key: rec.Mkfs, Value: strings.TrimSpace(args + " " + rec.MkfsMore)},
		{Key: rec.Mount, Value: recorderMount(s.Mount, rec.MountMore)},
	}
	if rec.Tunables != "" {
		vars = append(vars, workload.EnvVar{Key: rec.Tunables, Value: strings.Join(tunables, " ")})
	}
	return vars, nil
}

// recorderMount adds the option more, of the form name=value, to the scenario's mount options
// and drops the user's option of that name. The added option puts off what happens by the
// clock: no recording would be repeatable otherwise.
func recorderMount(mount, more string) string {
	if more == "" {
		return mount
	}
	name, _, _ := strings.Cut(more, "=")
	// The user's option of that name is left out, or it would replace this one.
	options := []string{more}
	for o := range strings.SplitSeq(mount, ",") {
		if o != "" && !strings.HasPrefix(o, name+"=") {
			options = append(options, o)
		}
	}
	return strings.Join(options, ",")
}
