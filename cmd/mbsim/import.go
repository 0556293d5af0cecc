package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/imports"
	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/internal/nearest"
	"mbsim/kernels"
	"mbsim/workload"
)

// importFlags are the flags of import.
type importFlags struct {
	imports.Options
	out, size string
}

// importFormats are the formats that import reads.
var importFormats = []string{"strace"}

func newImport() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import [FORMAT] LOG --root DIR -o CASE_DIR",
		Short: "Make a case of a recording of real programs",
		Long: `import reads what strace recorded of programs, and writes what they did below the
folder DIR as a case: case.env, ops, and import.txt, which counts every call of the
log: performed, outside of DIR, or left out and why. mbsim replay CASE_DIR --mkfs
then puts the blocks where a kernel would.

Record with

  strace -f -ttt -y -s 0 -e trace=%file,%desc,%process -e signal=none -o log.strace PROGRAM...

-s 0 leaves the data out, which nobody needs. Any clock option may be there or not, and
the log may be compressed by gzip, xz or zstd. Without -y import must know all descriptors
and folders from the log itself: then record from the first process on, and say where it
began with --cwd.

Files that were there before are prepared at the beginning of the script, as large as the
log shows them to be. --state names a list that knows better: the output of

  find DIR -printf '%y %s %P\n'

before the program began. What the script cannot say yet is counted in import.txt: hard and
symbolic links, extended attributes, the fsync of a folder. So is what no log shows: what a
program stores in a mapping of a file in memory, or writes by io_uring.
docs/IMPORT.md says more.`,
		Example: `  mbsim import log.strace.xz --root /mnt/vol -o out/case
  mbsim replay out/case --mkfs --kernel 6.12 -o out/replayed`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(args, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	// What the log does not say of itself, and where the case goes.
	c.Flags().StringVar(&f.Root, "root", "", "the `folder` whose files are meant, an absolute path as in the log (required)")
	c.Flags().StringVar(&f.Cwd, "cwd", "", "`folder` where the programs were when the log begins, an absolute path")
	c.Flags().StringVar(&f.State, "state", "", "`file` with a list of what was there before (find -printf '%y %s %P\\n')")
	c.Flags().BoolVar(&f.Lenient, "lenient", false, "count lines that strace does not write, instead of refusing the log")
	c.Flags().StringVar(&f.size, "size", "", "`size` of the device in case.env (default: four times what the files need, 1G at least)")
	c.Flags().StringVarP(&f.out, "out", "o", "", "`folder` of the case (required)")
	return c
}

func (f *importFlags) run(args []string, stdout, stderr io.Writer) error {
	name, err := f.check(args)
	if err != nil {
		return usage(err)
	}
	log, err := imports.OpenLog(name)
	if err != nil {
		return usage(err)
	}
	defer log.Close()
	return holding(f.out, folderlock.Make, func() error {
		// The files of a case appear together at the end, or not at all.
		set, err := atomicfile.Begin(f.out)
		if err != nil {
			return &exitError{exitInternal, err}
		}
		report, err := f.write(log, set)
		if err != nil {
			code := exitUsage // what is wrong with the log or the list
			if machineFailed(err) {
				code = exitInternal
			}
			set.Abandon() // the error of the import is worth more
			return &exitError{code, err}
		}
		f.tell(report, stdout, stderr)
		return nil
	})
}

// check looks at the command line, and returns the log's name.
func (f *importFlags) check(args []string) (string, error) {
	if len(args) > 1 {
		// The first of several words is the format.
		if args[0] != importFormats[0] {
			best, _ := nearest.Of(args[0], importFormats)
			return "", fmt.Errorf("the format is %q: want %s; of several logs make one first (strace-log-merge)", args[0], best)
		}
		args = args[1:]
	}
	switch {
	case len(args) > 1:
		return "", fmt.Errorf("there are %d logs: make one of them first (strace-log-merge), or import each alone", len(args))
	case f.Root == "":
		return "", fmt.Errorf("import needs --root DIR: the folder whose files are meant, as the log names it")
	case !strings.HasPrefix(f.Root, "/"):
		return "", fmt.Errorf("--root is %q: want an absolute path, as the log names it", f.Root)
	case f.Cwd != "" && !strings.HasPrefix(f.Cwd, "/"):
		return "", fmt.Errorf("--cwd is %q: want an absolute path", f.Cwd)
	case f.out == "":
		return "", fmt.Errorf("import needs -o CASE_DIR")
	}
	if f.size != "" {
		if _, err := workload.ParseSize(f.size); err != nil {
			return "", fmt.Errorf("--size: %w", err)
		}
	}
	return args[0], nil
}

// write imports the log and writes the files of the case.
func (f *importFlags) write(log *imports.Log, set *atomicfile.Set) (*imports.Report, error) {
	file, err := set.Create("ops")
	if err != nil {
		return nil, err
	}
	ops := bufio.NewWriterSize(file, 1<<16)
	// The script is written as the log is read, and may be long.
	report, err := imports.Strace(log, f.Options, ops)
	if e := ops.Flush(); err == nil {
		err = e
	}
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	// The rest follows from what was counted meanwhile.
	env, err := f.caseEnv(report)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	report.WriteText(&text) // a Builder takes all
	return report, set.Finish(map[string][]byte{"case.env": env, "import.txt": []byte(text.String())})
}

// caseEnv is a machine for the case: a device on which the files have room, and a default file system
// with enough inodes.
func (f *importFlags) caseEnv(r *imports.Report) ([]byte, error) {
	const inodeRatio = 16384 // bytes of the device for each inode, as mke2fs has it
	size := int64(1) << 30
	for size/4 < r.Bytes || size/inodeRatio/2 < r.Names {
		size *= 2
	}
	text := fmt.Sprint(size)
	if f.size != "" {
		text = f.size
	}
	rec := kernels.Default().Recorder
	vars := []workload.EnvVar{
		{Key: "SIZE", Value: text}, {Key: "SMP", Value: "1"}, {Key: "PIDMOD", Value: "1"},
		{Key: rec.Mkfs, Value: strings.TrimSpace("-b 4096 " + rec.MkfsMore)}, {Key: rec.Mount, Value: rec.MountMore},
	}
	return workload.WriteEnv(vars)
}

// tell says what came of it, and on stderr what is not in the script.
func (f *importFlags) tell(r *imports.Report, stdout, stderr io.Writer) {
	fmt.Fprintf(stdout, "%d lines, %d calls: %d performed, %d move no block, %d failed, %d outside of %s\n",
		r.Lines, r.Calls, r.Performed, r.NoBlock, r.Failed, r.Outside, r.Root)
	fmt.Fprintf(stdout, "%s/ops has %d operations, %d of them for %d files and folders that were there before\n", f.out, r.Ops, r.PrepareOps, r.Before)
	// Whatever is not in the script is said, so that nobody takes the case for more than it is.
	if r.Performed == 0 {
		fmt.Fprintf(stderr, "mbsim: warning: no call of the log did anything below %s\n", r.Root)
	}
	if n := r.Left(); n > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: %d calls are left out:\n", n)
	}
	for _, x := range r.LeftOut {
		fmt.Fprintf(stderr, "mbsim:   %d: %s (first on line %d)\n", x.Count, x.Text, x.Line)
	}
	if r.CutOff > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: of %d calls the log does not show the end\n", r.CutOff)
	}
	if r.Foreign > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: %d lines are not of strace: %s\n", r.Foreign, r.FirstOdd)
	}
}
