package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/imports"
	"mbsim/internal/atomicfile"
	"mbsim/internal/folderlock"
	"mbsim/kernels"
	"mbsim/workload"
)

// importFlags are the flags of import.
type importFlags struct {
	imports.Options
	out, size string
	state     string // absolute path of the image or text of dumpe2fs that the case begins as
	dump      bool   // it is a text of dumpe2fs
}

// recordingFiles is what is imported: files of one format.
type recordingFiles struct {
	format imports.Format
	logs   []*imports.Log
}

func (r *recordingFiles) close() {
	for _, l := range r.logs {
		l.Close()
	}
}

func newImport() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import [FORMAT] FILE... -o CASE_DIR",
		Short: "Make a case of a recording of real programs, or of a list of files",
		Long: `import reads what was recorded of programs, or a list of files, and writes a case:
ops, the operations; case.env, the device; scenario.yaml, which performs both with a
clock; and import.txt, which counts all that was read: performed, outside of the root, or
left out and why. mbsim replay CASE_DIR puts the blocks where a kernel would, mbsim run
and mbsim sweep CASE_DIR compare kernels and settings. The format is told by the first
lines, or named:

` + importFormats() + `
Programs are recorded best with

  strace -f -ttt -y -s 0 -e trace=%file,%desc,%process -e signal=none -o log.strace PROGRAM...

-s 0 leaves the data out, which nobody needs. Any clock option may be there or not, and
files may be compressed by gzip, xz or zstd. Without -y import must know all descriptors
and folders from the log itself: then record from the first process on, and say where it
began with --cwd. Logs of strace -ff -ttt, one a process, are merged by their times.

What no call shows strace does not show: what a program stores in a mapping of a file in
memory, or writes by io_uring. docs/record.bt, a script of bpftrace, shows how much that
is, file by file.

The allocator's own decisions are recorded with the kernel's trace events:

  trace-cmd record -e ext4 -e jbd2 PROGRAM...; trace-cmd report >trace.txt
  dumpe2fs DEVICE | gzip >before.dumpe2fs.gz     # before, with nothing dirty

and mbsim replay then says which of them another kernel would have made too.

Files that were there before are prepared at the beginning of the script, as large as the
recording shows them to be. --state names what knows better: a list of them,

  find DIR -printf '%y %s %P\n'

or an image of the file system (the device itself, e2image -r, qcow2), from which the case
begins then. docs/IMPORT.md says more.`,
		Example: `  mbsim import log.strace.xz --root /mnt/vol -o out/case
  mbsim replay out/case --kernel 6.12 -o out/replayed
  mbsim sweep out/case --set profile=5.10,6.12 -o out/compared`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(args, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	// What the log does not say of itself, and where the case goes.
	c.Flags().StringVar(&f.Root, "root", "", "the `folder` whose files are meant, an absolute path as in the recording (strace needs it; default where all files lie)")
	c.Flags().StringVar(&f.Cwd, "cwd", "", "`folder` where the programs were when the log begins, an absolute path")
	c.Flags().StringVar(&f.State, "state", "", "`file` that says what was there before: a list (find -printf '%y %s %P\\n'), an image, or a text of dumpe2fs")
	c.Flags().StringVar(&f.Device, "device", "", "`number` of the device whose events are meant, such as 8,1 (format ftrace)")
	c.Flags().BoolVar(&f.Lenient, "lenient", false, "count lines that are not of the format, instead of refusing the file")
	c.Flags().StringVar(&f.size, "size", "", "`size` of the device in case.env (default: four times what the files need, 1G at least)")
	c.Flags().StringVarP(&f.out, "out", "o", "", "`folder` of the case (required)")
	return c
}

// importFormats lists the formats, a line each.
func importFormats() string {
	var b strings.Builder
	for _, f := range imports.Formats() {
		fmt.Fprintf(&b, "  %-12s %s\n", f.Name, f.What)
	}
	return b.String()
}

func (f *importFlags) run(args []string, stdout, stderr io.Writer) error {
	if err := f.checkFlags(); err != nil {
		return usage(err)
	}
	rec, err := f.open(args)
	if err != nil {
		return usage(err)
	}
	defer rec.close()
	if err := f.readState(); err != nil {
		return usage(err)
	}
	return holding(f.out, folderlock.Make, func() error {
		// The files of a case appear together at the end, or not at all.
		set, err := atomicfile.Begin(f.out)
		if err != nil {
			return &exitError{exitInternal, err}
		}
		report, err := f.write(rec, set)
		if err != nil {
			code := exitUsage // what is wrong with the recording or the list
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

// open opens the files that the command line names. The first word is their format where it is the name of
// one and not that of a file; otherwise the first file tells it.
func (f *importFlags) open(args []string) (_ *recordingFiles, err error) {
	rec := &recordingFiles{}
	defer func() {
		if err != nil {
			rec.close()
		}
	}()
	// A first word that is no file names the format.
	named := false
	if len(args) > 1 {
		if _, missing := os.Stat(args[0]); missing != nil {
			if rec.format, err = imports.FindFormat(args[0]); err != nil {
				return nil, err
			}
			named, args = true, args[1:]
		}
	}
	// Each file is opened once, and read as often as its format wants.
	for _, name := range args {
		l, err := imports.OpenLog(name)
		if err != nil {
			return nil, err
		}
		rec.logs = append(rec.logs, l)
	}
	if !named {
		if rec.format, err = imports.Recognize(rec.logs[0]); err != nil {
			return nil, err
		}
	}
	if rec.format.NeedsRoot && f.Root == "" {
		return nil, fmt.Errorf("import of %s (format %s) needs --root DIR: the folder whose files are meant, as the recording names it", rec.logs[0].Name, rec.format.Name)
	}
	return rec, nil
}

// checkFlags looks at the flags.
func (f *importFlags) checkFlags() error {
	switch {
	case f.Root != "" && !strings.HasPrefix(f.Root, "/"):
		return fmt.Errorf("--root is %q: want an absolute path, as the recording names it", f.Root)
	case f.Cwd != "" && !strings.HasPrefix(f.Cwd, "/"):
		return fmt.Errorf("--cwd is %q: want an absolute path", f.Cwd)
	case f.out == "":
		return fmt.Errorf("import needs -o CASE_DIR")
	}
	if f.size != "" {
		var err error
		if f.Size, err = workload.ParseSize(f.size); err != nil {
			return fmt.Errorf("--size: %w", err)
		}
	}
	return nil
}

// write imports the recording and writes the files of the case.
func (f *importFlags) write(rec *recordingFiles, set *atomicfile.Set) (*imports.Report, error) {
	// Scripts are written as the recording is read, since they may be long.
	files := caseFiles{set: set}
	report, err := rec.format.Import(rec.logs, f.Options, files.create)
	if e := files.close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	// The rest follows from what was counted meanwhile. A scenario says itself on which device it runs.
	var text strings.Builder
	report.WriteText(&text) // a Builder takes all
	more := map[string][]byte{"import.txt": []byte(text.String())}
	if !report.Scenario {
		if more["case.env"], err = f.caseEnv(report); err != nil {
			return nil, err
		}
	}
	if !report.Scenario && !report.Requests {
		more[imports.ScenarioFile] = f.scenario(report)
	}
	return report, set.Finish(more)
}

// caseFiles are the files of a case being written.
type caseFiles struct {
	set     *atomicfile.Set
	files   []io.Closer
	buffers []*bufio.Writer
}

// create makes a file of the case.
func (c *caseFiles) create(name string) (io.Writer, error) {
	file, err := c.set.Create(name)
	if err != nil {
		return nil, err
	}
	b := bufio.NewWriterSize(file, 1<<16)
	c.files, c.buffers = append(c.files, file), append(c.buffers, b)
	return b, nil
}

// close writes what is buffered, and closes all files.
func (c *caseFiles) close() error {
	var errs []error
	for i, b := range c.buffers {
		errs = append(errs, b.Flush(), c.files[i].Close())
	}
	return errors.Join(errs...)
}

// deviceSize is a device on which the files of a case have room, with enough inodes by default: what --size
// says, or four times what the files need.
func (f *importFlags) deviceSize(r *imports.Report) (string, error) {
	const inodeRatio = 16384 // bytes of the device for each inode, as mke2fs has it
	if f.size != "" {
		return f.size, nil
	}
	size := int64(1) << 30
	for size/4 < r.Bytes || size/inodeRatio/2 < r.Names {
		if size == 1<<62 {
			return "", fmt.Errorf("%s: its files have %d bytes: more than a device holds", r.File, r.Bytes)
		}
		size *= 2
	}
	return fmt.Sprint(size), nil
}

// caseEnv is a machine for the case, with a default file system.
func (f *importFlags) caseEnv(r *imports.Report) ([]byte, error) {
	size, err := f.deviceSize(r)
	if err != nil {
		return nil, err
	}
	rec := kernels.Default().Recorder
	vars := []workload.EnvVar{
		{Key: "SIZE", Value: size}, {Key: "SMP", Value: fmt.Sprint(max(r.CPUs, 1))}, {Key: "PIDMOD", Value: "1"},
		{Key: rec.Mkfs, Value: strings.TrimSpace("-b 4096 " + rec.MkfsMore)}, {Key: rec.Mount, Value: rec.MountMore},
	}
	if f.state != "" {
		vars = append(vars, workload.EnvVar{Key: "STATE", Value: f.state})
	}
	return workload.WriteEnv(vars)
}

// scenario performs the case as mbsim run and mbsim sweep do: with a clock, by which the kernel writes what is
// old, and with any settings.
func (f *importFlags) scenario(r *imports.Report) []byte {
	device := fmt.Sprintf("{image: %q}", f.state)
	switch size, err := f.deviceSize(r); {
	case f.state == "" && err == nil:
		device = fmt.Sprintf("{mkfs: {size: %s}}", size)
	case f.dump:
		device = fmt.Sprintf("{dumpe2fs: %q}", f.state)
	}
	name := filepath.Base(filepath.Clean(f.out))
	return fmt.Appendf(nil, "# What does %s come to?\n#\n# Made by mbsim import: ops holds the operations, import.txt says what is in it.\nname: %q\ndevice: %s\nworkload:\n  script: ops\n",
		strings.Join(strings.Fields(r.File), " "), name, device)
}

// tell says what came of it, and on stderr what is not in the script.
func (f *importFlags) tell(r *imports.Report, stdout, stderr io.Writer) {
	fmt.Fprintf(stdout, "%s\n", r.Summary())
	if r.Scenario {
		fmt.Fprintf(stdout, "mbsim run %s/%s\n", f.out, imports.ScenarioFile)
		return
	}
	if r.Requests {
		fmt.Fprintf(stdout, "%s/%s has %d events: mbsim replay %s\n", f.out, imports.RequestsFile, r.Performed, f.out)
		return
	}
	fmt.Fprintf(stdout, "%s/ops has %d operations, %d of them for %d files and folders that were there before\n", f.out, r.Ops, r.PrepareOps, r.Before)
	// Whatever is not in the script is said, so that nobody takes the case for more than it is.
	if r.Performed == 0 {
		fmt.Fprintf(stderr, "mbsim: warning: none of the %s did anything below %s\n", r.Unit, r.Root)
	}
	if n := r.Left(); n > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: %d %s are left out:\n", n, r.Unit)
	}
	for _, x := range r.LeftOut {
		fmt.Fprintf(stderr, "mbsim:   %d: %s (first on %s %d)\n", x.Count, x.Text, r.Place, x.Line)
	}
	if r.CutOff > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: of %d calls the log does not show the end\n", r.CutOff)
	}
	if r.Foreign > 0 {
		fmt.Fprintf(stderr, "mbsim: warning: %d lines are not of the format: %s\n", r.Foreign, r.FirstOdd)
	}
}
