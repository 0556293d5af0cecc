package imports

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mbsim/imports/fio"
	"mbsim/workload"
)

// The notes of the import of logs of fio.
const (
	noteWait     = "waits: the script has no clock"
	noteFioTrims = "trims: fio trims block devices alone"
)

// iologFile is a file of logs of fio.
type iologFile struct {
	*plainFile
	fd    string // in the script, "" where it is closed
	opens int    // by jobs: the last close closes it
	// before is how far reads show it to have gone before the logs began, in bytes: behind all that they
	// have written up to then.
	before, end int64
}

// iologImporter makes a script of logs of fio.
type iologImporter struct {
	builder
	logs    map[string]*iologFile // by the path in the log
	lenient bool
}

// importIologs imports the logs of the jobs of one run of fio, in the order of their times. Logs of version 2
// have none, so only one of them can be imported at a time.
func importIologs(logs []*Log, opt Options, out Output) (*Report, error) {
	ops, err := out("ops")
	if err != nil {
		return nil, err
	}
	im := &iologImporter{builder: newBuilder(logs, opt, ops), logs: make(map[string]*iologFile), lenient: opt.Lenient}
	// The first reading learns which files there are, and what was in them before.
	if err := im.merge(logs, im.learn); err != nil {
		return nil, err
	}
	im.report.Lines, im.report.Foreign = 0, 0
	im.commonRoot()
	if err := im.prepare(opt); err != nil {
		return nil, err
	}
	im.prepareRead()
	if err := im.merge(logs, im.request); err != nil {
		return nil, err
	}
	// What no log closes its job has closed when it ended.
	for _, name := range sortedNames(im.logs) {
		if f := im.logs[name]; f.fd != "" {
			im.close(f.fd)
		}
	}
	if im.report.Calls == 0 {
		return nil, fmt.Errorf("%s: no request is in it", logs[0].Name)
	}
	return im.finish()
}

// merge reads logs side by side, and uses their requests in the order of their times.
func (im *iologImporter) merge(logs []*Log, use func(*fio.Request)) error {
	var open []*fio.Iolog
	for _, l := range logs {
		text, release, err := l.open()
		if err != nil {
			return err
		}
		defer release()
		r := fio.NewIolog(text, l.Name)
		r.Lenient = im.lenient
		if len(logs) > 1 && r.Version == 2 {
			return fmt.Errorf("%s:1:1: a log of version 2 has no times, so it cannot be merged with others: import it alone, or write logs of version 3 (fio 3.31 and later)", l.Name)
		}
		open = append(open, r)
	}
	// waiting are those that have a request that was not used yet.
	waiting := make([]*fio.Iolog, 0, len(open))
	for _, r := range open {
		if r.Next() {
			waiting = append(waiting, r)
		}
	}
	for len(waiting) > 0 && im.err == nil {
		first := slices.MinFunc(waiting, func(a, b *fio.Iolog) int { return int(min(max(a.Request().Time-b.Request().Time, -1), 1)) })
		use(first.Request())
		if !first.Next() {
			waiting = slices.DeleteFunc(waiting, func(r *fio.Iolog) bool { return r == first })
		}
	}
	for _, r := range open {
		if r.Err() != nil {
			return r.Err()
		}
		im.report.Lines += r.Lines()
		im.report.Foreign += r.Foreign
		if r.First != nil && im.report.FirstOdd == "" {
			im.report.FirstOdd = r.First.Error()
		}
	}
	return nil
}

// learn notes what a request shows of its file.
func (im *iologImporter) learn(r *fio.Request) {
	if r.Action == fio.Wait {
		return
	}
	f := im.logs[r.File]
	if f == nil {
		f = &iologFile{}
		im.logs[r.File] = f
	}
	switch end := r.Off + r.Len; r.Action {
	case fio.Read:
		if end > f.end {
			f.before, f.end = end, end
		}
	case fio.Write:
		f.end = max(f.end, end)
	}
}

// commonRoot is the folder in which all files lie, where the user names none.
func (im *iologImporter) commonRoot() {
	for _, name := range sortedNames(im.logs) {
		if im.root == "" && strings.HasPrefix(name, "/") {
			im.root = path.Dir(path.Clean(name))
		}
		for strings.HasPrefix(name, "/") && im.root != "" {
			if _, ok := under(im.root, path.Clean(name)); ok {
				break
			}
			if im.root == "/" || im.report.Root != "" {
				break
			}
			im.root = path.Dir(im.root)
		}
	}
}

// prepareRead makes the files that the logs show to have been there before, as far as they are read.
func (im *iologImporter) prepareRead() {
	made := 0
	for _, name := range sortedNames(im.logs) {
		f := im.logs[name]
		f.plainFile = im.place(name, 1)
		if f.plainFile == nil || f.exists || f.before == 0 {
			continue
		}
		im.make(f.path, f.before)
		f.plainFile = im.files[f.path]
		made++
		im.report.UnknownSizes++
	}
	im.prepared(made)
}

// request performs a request of a log, and counts it once.
func (im *iologImporter) request(r *fio.Request) {
	im.report.Calls++
	f := im.logs[r.File]
	switch {
	case r.Action == fio.Wait:
		im.report.LeftOut = add(im.report.LeftOut, noteWait, r.Line, func() string { return "wait" })
		return
	case f.plainFile == nil:
		im.report.Outside++
		return
	}
	switch r.Action {
	case fio.Add, fio.Read:
		im.report.NoBlock++
		return
	case fio.Trim:
		im.report.LeftOut = add(im.report.LeftOut, noteFioTrims, r.Line, func() string { return r.File })
		return
	case fio.Close:
		f.opens = max(f.opens-1, 0)
		if f.opens == 0 && f.fd != "" {
			im.close(f.fd)
			f.fd = ""
		}
		im.report.Performed++
		return
	}
	// All others need the file open, also where the log does not show who has opened it.
	if r.Action == fio.Open {
		f.opens++
	}
	if f.fd == "" {
		f.fd = im.descriptor()
		im.openFile(f.fd, f.plainFile, false)
	}
	switch {
	case r.Action == fio.Write && r.Len > 0:
		im.emit(workload.Op{Kind: workload.Write, FD: f.fd, Off: r.Off, Len: r.Len})
		f.size = max(f.size, r.Off+r.Len)
	case r.Action == fio.Sync, r.Action == fio.Datasync:
		if r.Action == fio.Datasync {
			im.report.note(noteDatasync, r.Line)
		}
		im.emit(workload.Op{Kind: workload.Fsync, FD: f.fd})
	}
	im.report.Performed++
}
