package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mbsim/internal/bounded"
	"mbsim/kernels"
	"mbsim/reports"
)

// showFlags are the flags of show.
type showFlags struct {
	as       string
	at       string
	base     string
	progress string
}

// showForms are the values of --as.
var showForms = []string{"mb_groups", "mb_stats", "e2freefrag", "filefrag"}

// newShow makes the command show.
func newShow() *cobra.Command {
	var f showFlags
	c := &cobra.Command{
		Use:   "show DIR [FILE...] --as FORM",
		Short: "Show the state of a run in a form people know",
		Long: `show prints the state of the file system of a run, at its end or at a simulated
time, as the kernel and e2fsprogs do:

  mb_groups   /proc/fs/ext4/DEV/mb_groups: free buddies of each group
  mb_stats    /proc/fs/ext4/DEV/mb_stats: the allocator's counters
  e2freefrag  free space by the size of its pieces
  filefrag    filefrag -v of all regular files, or of the files named: paths
              from the root of the file system, or patterns (dir/*)

The files of the run's folder tell most of what there was at the end. For the rest
the run is made again, from the resolved scenario in manifest.json, and compared
with its fingerprint, which covers all events, the result of every operation and
where all blocks lie in the end, so that what is shown is the state of that very run:
an mbsim whose allocator decides otherwise refuses to show it. Paths in the scenario
are relative to where it was read; --base names that folder if show runs elsewhere.

A time shows what there was just before what happened at that very nanosecond.`,
		Example: `  mbsim show out/small-files --as mb_groups
  mbsim show out/small-files --as e2freefrag --at 200ms
  mbsim show out/small-files '*/*/*/*' --as filefrag`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return f.show(c.Context(), args[0], args[1:], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	// In which form, of which moment, and from where the scenario was read.
	c.Flags().StringVar(&f.as, "as", "", "`form`: "+strings.Join(showForms, ", "))
	c.Flags().StringVar(&f.at, "at", "", "simulated `time`, such as 30s or 1m30s (default the end)")
	c.Flags().StringVar(&f.base, "base", "", "`folder` that paths in the scenario are relative to")
	addProgress(c, &f.progress)
	completeFixed(c, "as", showForms...)
	return c
}

// show prints the state of the run in dir.
func (f *showFlags) show(ctx context.Context, dir string, files []string, stdout, stderr io.Writer) error {
	// The arguments.
	if !slices.Contains(showForms, f.as) {
		return usagef("--as is %q: want %s", f.as, strings.Join(showForms, ", "))
	}
	if len(files) > 0 && f.as != "filefrag" {
		return usagef("--as %s shows the whole file system: no files can be named", f.as)
	}
	for _, p := range files {
		if _, err := path.Match(p, ""); err != nil {
			return usagef("%s: %v", p, err)
		}
	}
	// The run, and the time asked for.
	r, err := loadRun(dir)
	if err != nil {
		return err
	}
	at, err := f.time(r)
	if err != nil {
		return err
	}
	// What is not in the run's files is found by performing the run again. Output is buffered, so
	// that nothing is printed if that run turns out to be another one.
	w := bufio.NewWriter(stdout)
	past := &past{dir: dir, run: r, base: f.base, progress: f.progress, stderr: stderr}
	switch {
	case at >= 0:
		err = past.at(ctx, at, func(m *kernels.Mounted) error { return writeState(m, w, f.as, dir, files) })
	case f.as == "filefrag":
		err = past.end(ctx, func(m *kernels.Mounted) error { return writeState(m, w, f.as, dir, files) })
	default:
		err = showStored(w, r, dir, f.as)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// time returns the simulated time asked for in nanoseconds, -1 for the end.
func (f *showFlags) time(r *reports.Run) (int64, error) {
	if f.at == "" {
		return -1, nil
	}
	d, err := time.ParseDuration(f.at)
	if err != nil || d < 0 {
		return 0, usagef("--at is %q: want a time with its unit, such as 30s or 1m30s", f.at)
	}
	if end := r.Result.End; d.Nanoseconds() > end {
		return 0, usagef("--at %s: the run ended at %s", f.at, time.Duration(end))
	}
	return d.Nanoseconds(), nil
}

// maxShown is how many bytes of a stored file are shown at most: of mb_groups.txt, a
// line a group.
const maxShown = 1 << 36

// showStored prints the state at the end of the run from its files.
func showStored(w io.Writer, r *reports.Run, dir, as string) error {
	// The last snapshot has the free space at the end.
	if as == "e2freefrag" {
		n := len(r.Result.Snapshots)
		if n == 0 || r.Result.Snapshots[n-1].Free.Total == 0 {
			return usagef("%s: the run holds nothing of the free space", dir)
		}
		f := &r.Result.Snapshots[n-1].Free
		return reports.WriteFreeFrag(w, dir, f, f.Blocks)
	}
	// The other forms are stored as text.
	name := filepath.Join(dir, as+".txt")
	if !slices.Contains(r.Manifest.Files, as+".txt") { // then it is not this run's
		return usagef("%s: there is none: only ext4 has %s", name, as)
	}
	in, err := bounded.Open(name, maxShown)
	if err != nil {
		return usage(err)
	}
	defer in.Close()
	if _, err := io.Copy(w, in); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
