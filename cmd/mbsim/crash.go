package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mbsim/internal/crash"
	"mbsim/internal/shell"
	"mbsim/reports"
)

// reportPlace is where failures of mbsim itself are reported.
const reportPlace = "whoever you have mbsim from (see README.md, \"When mbsim itself fails\")"

// reportCrash writes the stack of a panic into a file, and one line about it to stderr.
func reportCrash(stderr io.Writer, args []string, err error) {
	where := "no file for the stack could be written"
	if name, e := writeCrash(args, err); e == nil {
		where = "the stack is in " + name
	} else {
		where += fmt.Sprintf(" (%v)", e)
	}
	fmt.Fprintf(stderr, "mbsim: internal error: %s; %s: please send it, and the files that the command reads, to %s\n",
		crash.OneLine(err), where, reportPlace)
}

// writeCrash writes version, command, error and stack into a new file: in the current folder,
// or in the one for temporary files where that cannot be written to.
func writeCrash(args []string, err error) (name string, _ error) {
	const pattern = "mbsim-crash-*.txt"
	f, e := os.CreateTemp(".", pattern)
	if e != nil {
		if f, e = os.CreateTemp("", pattern); e != nil {
			return "", e
		}
	}
	// Everything that helps to find the mistake. The folder may be unknown; the report is written
	// all the same.
	dir, _ := os.Getwd() // for the reader only
	m := reports.Build()
	_, e = fmt.Fprintf(f, "mbsim %s %s modified=%v %s\ntime: %s\nfolder: %s\ncommand: %s\nerror: %s\n\n%s\n",
		m.Version, m.Revision, m.Modified, m.Go, time.Now().UTC().Format(time.RFC3339), dir,
		shell.Line(append([]string{"mbsim"}, args...)), crash.OneLine(err), crash.Of(err).PanicStack())
	// The first error is the one that explains the others.
	if e2 := f.Close(); e == nil {
		e = e2
	}
	return strings.TrimPrefix(filepath.Clean(f.Name()), "./"), e
}
