package imports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"

	"mbsim/imports/filelist"
	"mbsim/imports/fio"
	"mbsim/imports/strace"
	"mbsim/internal/nearest"
)

// Output makes a file of the case, by its name. Who calls the import closes it.
type Output func(name string) (io.Writer, error)

// Format is a form of recordings or lists that can be imported.
type Format struct {
	Name string // as the command line has it
	What string // which program writes it
	// Several says that the files of one recording can be imported together.
	Several bool
	// NeedsRoot says that the recording shows more than the files that are meant.
	NeedsRoot bool
	// Script says that it becomes a script of one process, in the file ops.
	Script bool

	recognize func(head []byte) bool // by the first bytes, unpacked
	run       func(logs []*Log, opt Options, out Output) (*Report, error)
}

// Formats are the forms that are read. A file whose form is not given is tried in this order. A tar file
// comes first, as its members may be texts of all the others. Lists of files come last, since one of find
// with a size and a path a line accepts much.
func Formats() []Format {
	var tar, lists []Format
	for _, l := range filelist.Formats() {
		if l.Name == "tar" {
			tar = append(tar, listFormat(l))
		} else {
			lists = append(lists, listFormat(l))
		}
	}
	return slices.Concat(tar, []Format{
		{Name: "strace", What: "strace -f -ttt -y -s 0 -o FILE PROGRAM", Several: true, NeedsRoot: true, Script: true, recognize: isStrace, run: importStrace},
		{Name: "ftrace", What: "events of ext4 and jbd2, of tracefs, trace-cmd report or perf script", recognize: isTrace, run: importTrace},
		{Name: "geriatrix", What: "profiles of Geriatrix: distributions of ages, sizes and depths", Several: true, recognize: isGeriatrix, run: importGeriatrix},
		{Name: "fio-iolog", What: "fio --write_iolog=FILE, versions 2 and 3", Several: true, Script: true, recognize: fio.IsIolog, run: importIologs},
		{Name: "fio", What: "a job file of fio", Several: true, Script: true, recognize: isFio, run: importFio},
	}, lists)
}

// listFormat is a list of files as a format.
func listFormat(l filelist.Format) Format {
	return Format{
		Name: l.Name, What: l.What, Several: true, Script: true,
		recognize: func(head []byte) bool {
			f, ok := filelist.Recognize(head)
			return ok && f.Name == l.Name
		},
		run: func(logs []*Log, opt Options, out Output) (*Report, error) { return importLists(l, logs, opt, out) },
	}
}

// isStrace says whether the first line is one that strace writes.
func isStrace(head []byte) bool {
	r := strace.NewReader(bytes.NewReader(head), "")
	return r.Next() && r.Event().Kind != strace.Other
}

// importStrace is Strace as the run of a format.
func importStrace(logs []*Log, opt Options, out Output) (*Report, error) {
	log := logs[0]
	if len(logs) > 1 {
		var err error
		if log, err = mergeStrace(logs); err != nil {
			return nil, err
		}
	}
	ops, err := out("ops")
	if err != nil {
		return nil, err
	}
	return Strace(log, opt, ops)
}

// FindFormat is the format of a name.
func FindFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	best, _ := nearest.Of(name, names)
	return Format{}, fmt.Errorf("unknown format %q (did you mean %q?)", name, best)
}

// headSize is how much of a file is looked at to recognize its format, in bytes.
const headSize = 1 << 16

// Recognize says which format a file has.
func Recognize(l *Log) (Format, error) {
	var head []byte
	err := l.text(func(r io.Reader) error {
		b := bufio.NewReaderSize(r, headSize)
		head, _ = b.Peek(headSize) // what is wrong with the file reading it will tell
		return nil
	})
	if err != nil {
		return Format{}, err
	}
	all := Formats()
	for _, f := range all {
		if f.recognize(head) {
			return f, nil
		}
	}
	// The error for what is none of them names a line that strace would not write.
	return FindFormat("strace")
}

// Import imports recordings of this format, and makes the files of the case but for case.env and
// import.txt.
func (f *Format) Import(logs []*Log, opt Options, out Output) (*Report, error) {
	if len(logs) > 1 && !f.Several {
		return nil, fmt.Errorf("%s: one file of format %s is imported at a time", logs[1].Name, f.Name)
	}
	return f.run(logs, opt, out)
}
