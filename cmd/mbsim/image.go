package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagewriter"
	"mbsim/internal/input"
	"mbsim/kernels"
	"mbsim/replay"
	"mbsim/run"
	"mbsim/workload"
)

// imageFlags are the flags of image.
type imageFlags struct {
	target
	sets     []string
	kernel   string
	seed     string
	at       string
	base     string
	mkfs     bool
	turns    bool
	progress string
}

// target are the flags that say where a file system is written, and how.
type target struct {
	out, content, epoch string
	force               bool
	contentSeed         uint64
}

// defaultEpoch is the date of simulated time 0: one that is over wherever an image is mounted.
const defaultEpoch = "2020-01-01T00:00:00Z"

// add adds the flags of a target to a command.
func (t *target) add(c *cobra.Command) {
	c.Flags().StringVarP(&t.out, "out", "o", "", "image `file`, or block device with --force")
	c.Flags().BoolVar(&t.force, "force", false, "replace a file that exists, or write to a block device")
	c.Flags().StringVar(&t.content, "content", imagewriter.Contents()[0], "what files hold: "+strings.Join(imagewriter.Contents(), ", "))
	c.Flags().StringVar(&t.epoch, "epoch", defaultEpoch, "`date` of simulated time 0, as in RFC 3339")
	c.Flags().Uint64Var(&t.contentSeed, "content-seed", 1, "seed of --content random, and of the UUID of a new file system")
	completeFixed(c, "content", imagewriter.Contents()...)
}

// newImage makes the command image.
func newImage() *cobra.Command {
	var f imageFlags
	c := &cobra.Command{
		Use:   "image RUN_DIR|SCENARIO|CASE_DIR -o FILE",
		Short: "Write the file system of a run to a disk image that a kernel mounts",
		Long: `image writes the file system as it is at the end of a run, or at a simulated time, as a
real one: into a sparse file, whole or not at all, or onto a block device (--force). What it
begins with is the folder of a run, a scenario, which it performs, or a case, whose script
it performs.

Every block of metadata lies where the simulator has put it: bitmaps, extent trees, indirect
blocks, directories with their names in their order and their indexes. e2fsck finds nothing
to mend, and a kernel goes on with it:

  mbsim image small-files -o disk.img && sudo mount -o loop disk.img /mnt

Files hold what --content says: zero (holes of the image), random, or name (each block says
inode, offset and path again and again). Dates are those of the simulated clock, counted from
--epoch. Files are root's.

Where the run began with an image, a copy of that is changed, and in it only what the run has
changed. The image itself is never written to.

--at TIME shows what is on disk just before that time, once the journal is replayed: data that
has no place yet is missing, and files that only handles held are deleted. Without it all data
is on disk, as after unmounting.`,
		Example: `  mbsim image small-files -o small-files.img
  mbsim image out/small-files -o early.img --at 200ms --content name
  mbsim image replay/testdata/small-files-1 -o case.img --kernel 6.12`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.image(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	// Where to, of which moment, and for each kind of what it begins with how to perform it.
	f.target.add(c)
	c.Flags().StringVar(&f.at, "at", "", "simulated `time`, such as 30s or 1m30s (default the end)")
	c.Flags().StringArrayVar(&f.sets, "set", nil, "change a setting of a scenario: `key=value`")
	c.Flags().StringVar(&f.seed, "seed", "", "`seed` of a scenario")
	addKernel(c, &f.kernel, "", "`kernel` of a scenario or a case")
	c.Flags().StringVar(&f.base, "base", "", "`folder` that paths in the scenario of a run are relative to")
	c.Flags().BoolVar(&f.mkfs, "mkfs", false, "compute the starting layout of a case as mke2fs does, read no recording")
	c.Flags().BoolVar(&f.turns, "turns", false, "perform a case in the turns of its recording (mbsim verify --help)")
	addProgress(c, &f.progress)
	return c
}

// image writes the image of what name stands for.
func (f *imageFlags) image(ctx context.Context, name string, stdout, stderr io.Writer) error {
	if err := f.target.check(); err != nil {
		return err
	}
	is := func(file string) bool {
		_, err := os.Stat(filepath.Join(name, file))
		return err == nil
	}
	switch {
	case is("case.env"):
		if f.at != "" {
			return usagef("--at %s: a case has no clock", f.at)
		}
		return f.ofCase(name, stdout)
	case is("manifest.json"):
		return f.ofRun(ctx, name, stdout, stderr)
	}
	return f.ofScenario(ctx, name, stdout, stderr)
}

// check refuses flags that make no sense, and a target that may not be written. never names files that
// may not be written even with --force.
func (t *target) check(never ...string) error {
	if t.out == "" {
		return usagef("-o is missing: name the image to write")
	}
	if !slices.Contains(imagewriter.Contents(), t.content) {
		return usagef("--content is %q: want %s", t.content, strings.Join(imagewriter.Contents(), ", "))
	}
	if _, err := time.Parse(time.RFC3339, t.epoch); err != nil {
		return usagef("--epoch is %q: want a date such as %s", t.epoch, defaultEpoch)
	}
	return usage(imagewriter.CheckTarget(t.out, t.force, never...))
}

// write writes a file system as it is at a simulated time, ns, and says so.
func (t *target) write(m *kernels.Mounted, now int64, stdout io.Writer) error {
	epoch, err := time.Parse(time.RFC3339, t.epoch)
	if err != nil {
		return usage(err)
	}
	l := m.OnDisk()
	o := imagewriter.Options{
		Content: imagewriter.Content(slices.Index(imagewriter.Contents(), t.content)),
		Seed:    t.contentSeed, Epoch: epoch.Unix(), Now: now,
	}
	if err := imagewriter.WriteFile(t.out, l, o); err != nil {
		if errors.As(err, new(*imagewriter.RefusedError)) {
			return usage(err)
		}
		return &exitError{exitInternal, err}
	}
	// What it is, and what to do with it.
	for _, note := range notesOn(l) {
		fmt.Fprintln(stdout, note)
	}
	s := m.Statfs()
	fmt.Fprintf(stdout, "%s: %s of %s, %d inodes and %s in use; sudo mount -o loop %s /mnt\n",
		t.out, m.System.FileSystem, input.Bytes(imagewriter.Size(l)), s.Inodes-s.FreeInodes, input.Bytes((s.Blocks-s.Free)*s.BlockSize), t.out)
	return nil
}

// notesOn says what of a file system is not written.
func notesOn(l *image.Layout) (notes []string) {
	if l.Super.ROCompat&(image.Quota|image.Project) != 0 {
		notes = append(notes, "its quota files do not count what the run has changed: run e2fsck before mounting it with quota")
	}
	return notes
}

// ofScenario performs a scenario and writes its file system.
func (f *imageFlags) ofScenario(ctx context.Context, name string, stdout, stderr io.Writer) error {
	flags := runFlags{sets: f.sets, kernel: f.kernel, seed: f.seed}
	s, err := flags.load(name)
	if err != nil {
		return err
	}
	if err := f.target.check(s.StateFile()); err != nil {
		return err
	}
	bar, err := newBar(f.progress, false, s.Name, stderr)
	if err != nil {
		return err
	}
	// Writing is part of the run, while its starting state is open.
	var written error
	opt := run.Options{Progress: bar.update, Stamps: true}
	if f.at != "" {
		if opt.At, err = f.time(); err != nil {
			return err
		}
		opt.Look = func(m *kernels.Mounted) error {
			written = f.write(m, opt.At, stdout)
			return nil
		}
	} else {
		opt.Final = func(out *run.Outcome) error {
			written = f.write(out.Mounted, out.Result.End, stdout)
			return nil
		}
	}
	_, err = performRun(ctx, s, opt)
	bar.done(err == nil)
	return errors.Join(err, written)
}

// time is the simulated time asked for, ns.
func (f *imageFlags) time() (int64, error) {
	d, err := time.ParseDuration(f.at)
	if err != nil || d < 0 {
		return 0, usagef("--at is %q: want a time with its unit, such as 30s or 1m30s", f.at)
	}
	return d.Nanoseconds(), nil
}

// ofRun performs a stored run again and writes its file system.
func (f *imageFlags) ofRun(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	if len(f.sets) > 0 || f.kernel != "" || f.seed != "" {
		return usagef("%s is a run: --set, --kernel and --seed are for scenarios and cases", dir)
	}
	r, err := loadRun(dir)
	if err != nil {
		return err
	}
	// The run is performed again up to the moment, as show does.
	show := showFlags{at: f.at}
	at, err := show.time(r)
	if err != nil {
		return err
	}
	past := &past{dir: dir, run: r, base: f.base, progress: f.progress, stderr: stderr}
	s, err := past.scenario()
	if err != nil {
		return err
	}
	if err := f.target.check(s.StateFile()); err != nil {
		return err
	}
	// Without a moment it is the end.
	now := at
	if at < 0 {
		now = r.Result.End
	}
	return past.state(ctx, at, func(m *kernels.Mounted) error { return f.write(m, now, stdout) })
}

// ofCase performs a case and writes its file system, unmounted.
func (f *imageFlags) ofCase(dir string, stdout io.Writer) error {
	kernel := f.kernel
	if kernel == "" {
		kernel = kernels.Default().Name
	}
	sys, folder, err := recordedKernel(kernel, dir)
	if err != nil {
		return err
	}
	c, err := workload.OpenCase(dir)
	if err != nil {
		return usage(err)
	}
	start := replayFlags{mkfs: f.mkfs}
	layout, err := start.layout(c, sys, folder)
	if err != nil {
		return usage(err)
	}
	cfg := replay.Config{Kernel: sys.Name, Case: c, Layout: layout, Seed: 1}
	if f.turns {
		if cfg.Turns, err = replay.ReadTurns(filepath.Join(dir, folder)); err != nil {
			return usage(err)
		}
	}
	var written error
	cfg.Final = func(m *kernels.Mounted) error {
		// Unmounting writes what has no place yet.
		if err := m.Remount(&filesystem.Task{}); err != nil {
			return err
		}
		written = f.write(m, 0, stdout)
		return nil
	}
	if _, err := replay.Run(cfg); err != nil {
		return replayError(err, written)
	}
	return written
}
