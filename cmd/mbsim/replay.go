package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/imports"
	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/internal/memory"
	"mbsim/kernels"
	"mbsim/kerneltext/ftrace"
	"mbsim/replay"
	"mbsim/workload"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	kernel, out string
	mkfs, trace bool
	turns       bool
	seed        uint64
}

// newReplay makes the command replay.
func newReplay() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay CASE_DIR",
		Short: "Perform a case's script and write what a real kernel's recording holds",
		Long: `replay reads CASE_DIR/case.env and CASE_DIR/ops, and the starting layout from
CASE_DIR/KERNEL/before.dumpe2fs.gz (or the file that STATE in case.env names; or computes it
from case.env: with --mkfs, for a script with the times of a run, and for a case that no
kernel has recorded),
performs the operations (those of ops, then ops.0, ops.1, ... all at once, if
there are any), and writes into the output folder, in the formats of a
recording:

  files.txt      inode, size and extents of every file
  mb_groups.txt  /proc/fs/ext4/DEV/mb_groups at the end
  mb_stats.txt   /proc/fs/ext4/DEV/mb_stats at the end
  mb_structs.txt /proc/fs/ext4/DEV/mb_structs_summary at the end, if the kernel has it
  es_shrinker_info.txt
                 /proc/fs/ext4/DEV/es_shrinker_info at the end; its hits are fewer than a kernel's
  mb_groups.log  mb_groups at each stat of the script, if it has any
  results.txt    what each operation returned, or its negative errno
  trace.txt      with --trace: ext4 and jbd2 events, as tracefs prints them

A case of mbsim import ftrace has no operations: requests.txt holds what a kernel asked
its allocator, and replay asks mbsim's alone the same. How many answers are the kernel's
is printed, and written into decisions.txt with the first ones that differ.

Nothing else of a recording is read, but with --turns who had a turn when: see
mbsim verify --help.`,
		Example: `  mbsim replay replay/testdata/small-files-1 --kernel 5.10 --trace
  mbsim replay replay/testdata/small-files-1 --mkfs --kernel 6.12 --out out/small-files-6.12`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(args[0], c.OutOrStdout()) },
	}
	// Whose behaviour, from which layout, and what is written.
	addKernel(c, &f.kernel, kernels.Default().Name, "`kernel` that behaves")
	addOut(c, &f.out, "default out/CASE")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "how the writers ops.0, ops.1, ... of a case interleave, if it has any")
	c.Flags().BoolVar(&f.mkfs, "mkfs", false, "compute the starting layout from case.env as mke2fs does, read no recording")
	c.Flags().BoolVar(&f.turns, "turns", false, "let the flusher, the worker that converts extents and the clock have their turns as in CASE_DIR/KERNEL/trace.txt")
	c.Flags().BoolVar(&f.trace, "trace", false, "write trace.txt too")
	return c
}

func (f *replayFlags) run(dir string, stdout io.Writer) error {
	sys, folder, err := recordedKernel(f.kernel, dir)
	if err != nil {
		return err
	}
	c, err := workload.OpenCase(dir)
	if err != nil {
		return usage(err)
	}
	layout, err := f.layout(c, sys, folder)
	if err != nil {
		return usage(err)
	}
	var turns *replay.Turns
	if f.turns {
		if turns, err = replay.ReadTurns(filepath.Join(dir, folder)); err != nil {
			return usage(err)
		}
	}
	// Without --out the folder is named after the case.
	if f.out == "" {
		f.out = filepath.Join("out", filepath.Base(filepath.Clean(dir)))
	}
	defer layout.Close()
	return holding(f.out, folderlock.Make, func() error {
		if name := filepath.Join(dir, imports.RequestsFile); fileExists(name) {
			return f.decide(name, replay.Config{Kernel: sys.Name, Case: c, Layout: layout}, stdout)
		}
		return f.replayInto(f.out, sys, c, layout, turns)
	})
}

// replayInto performs the case and writes what it comes to into dir.
func (f *replayFlags) replayInto(dir string, sys *kernels.System, c *workload.Case, layout *image.Layout, turns *replay.Turns) error {
	cfg := replay.Config{Kernel: sys.Name, Case: c, Layout: layout, Seed: f.seed, Turns: turns}
	var trace bytes.Buffer
	w := ftrace.NewWriter(&trace, max(c.PIDMod, 0))
	// One writer observes the allocator's decisions, the file system's, and the operations of the
	// script.
	if f.trace {
		cfg.Blocks, cfg.Files, cfg.Before = w, w, w.Operation
	}
	// The files of a replay appear together at the end, or not at all.
	set, err := atomicfile.Begin(dir)
	if err != nil {
		return &exitError{exitInternal, err}
	}
	out, err := perform(cfg, set)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return replayError(err, set.Abandon())
	}
	files := recording(c, out)
	if f.trace {
		files["trace.txt"] = trace.Bytes()
	}
	if err := set.Finish(files); err != nil {
		return &exitError{exitInternal, err}
	}
	return nil
}

// replayError gives what ended a replay its exit code: a mistake in the script or the case is the
// user's, and so is a device that is too large.
func replayError(err, also error) error {
	code := exitInternal
	if errors.As(err, new(*workload.ScriptError)) || errors.As(err, new(*replay.CaseError)) || errors.As(err, new(*memory.TooMuch)) {
		code = exitUsage
	}
	return &exitError{code, errors.Join(err, also)}
}

// perform performs the case, and writes results.txt meanwhile unless writers have
// one each.
func perform(cfg replay.Config, set *atomicfile.Set) (*replay.Outcome, error) {
	if len(cfg.Case.Writers) > 0 {
		return replay.Run(cfg)
	}
	// A script may be long: each result is written as it comes, and none is kept.
	file, err := set.Create("results.txt")
	if err != nil {
		return nil, err
	}
	w := play.NewResultsWriter(file, max(cfg.Case.PIDMod, 0))
	cfg.Performed = w.Add
	out, err := replay.Run(cfg)
	return out, errors.Join(err, w.Close(), file.Close())
}

// layout is the starting state, of the recording in folder.
func (f *replayFlags) layout(c *workload.Case, sys *kernels.System, folder string) (*image.Layout, error) {
	switch {
	case c.State != "" && !f.mkfs:
		return replay.OpenState(c.State, sys)
	case f.mkfs, c.Times, !recorded(c.Dir):
		return sys.MakeLayout(c)
	}
	dir := filepath.Join(c.Dir, folder)
	l, err := replay.ReadLayout(dir)
	if err != nil {
		return nil, fmt.Errorf("%w (--mkfs computes the layout instead)", err)
	}
	return l, nil
}

// recorded says whether any kernel has recorded a case. What nobody has recorded, such as an imported case,
// begins with the file system that case.env describes.
func recorded(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return true // reading the recording will tell what is wrong
	}
	// Each kernel's recording is a folder with the state before, as text and perhaps packed.
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		for _, name := range []string{"before.dumpe2fs", "before.dumpe2fs.gz"} {
			if _, err := os.Stat(filepath.Join(dir, e.Name(), name)); err == nil {
				return true
			}
		}
		return false
	})
}

// recording is the outcome as the files of a recording, but for results.txt.
func recording(c *workload.Case, out *replay.Outcome) map[string][]byte {
	files := map[string][]byte{"files.txt": out.Files}
	results := func(name string, r []play.Result) {
		var b bytes.Buffer
		play.WriteResults(&b, out.PID, r) // a Buffer takes all
		files[name] = b.Bytes()
	}
	// Writers have a file of results each, and so has the script that prepares.
	if len(out.Writers) > 0 {
		results("results.prepare.txt", out.Results)
	}
	for i, r := range out.Writers {
		results("results."+c.Writers[i].Name+".txt", r)
	}
	// A text that is nil does not exist for this file system or script. The order does not matter,
	// as the result is a map too.
	for name, text := range map[string][]byte{
		"mb_groups.txt": out.Groups, "mb_stats.txt": out.Stats, "mb_structs.txt": out.Structs, "es_shrinker_info.txt": out.Shrinker, "mb_groups.log": out.GroupsLog,
	} {
		if text != nil {
			files[name] = text
		}
	}
	return files
}
