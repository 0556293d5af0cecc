package imports

import (
	"cmp"
	"io"
	"path"
	"strconv"
	"strings"

	"mbsim/workload"
)

// plainFile is a file that a builder has made, or knows of.
type plainFile struct {
	path   string // from the root
	exists bool
	size   int64 // bytes
}

// builder writes a script for recordings that name files and not processes: it knows which files and
// directories there are, and nothing else.
type builder struct {
	script
	report *Report
	root   string // "" until it is known
	files  map[string]*plainFile
	dirs   map[string]bool
	free   []string // descriptors that are not in use
	fds    int
}

func newBuilder(logs []*Log, opt Options, ops io.Writer) builder {
	return builder{
		script: script{out: ops}, files: make(map[string]*plainFile), dirs: make(map[string]bool), root: opt.Root,
		report: &Report{File: fileNames(logs), Unit: "requests", Place: "line", Still: "move no block: reads"},
	}
}

// finish ends the script, and completes the report.
func (im *builder) finish() (*Report, error) {
	// What is still in memory the kernel would write a little later.
	im.emit(workload.Op{Kind: workload.Sync})
	im.report.Ops, im.report.Root = im.ops, cmp.Or(im.root, "/")
	im.report.Names = int64(len(im.files) + len(im.dirs))
	for _, f := range im.files {
		im.report.Bytes += min(roundUp(f.size, 4096), 1<<63-1-im.report.Bytes)
	}
	return im.report, im.err
}

// prepare makes what a list of the user says was there before, and notes what is on the device.
func (im *builder) prepare(opt Options) error {
	known, err := opt.known()
	if err != nil {
		return err
	}
	for _, b := range known {
		switch {
		case b.there && b.kind == dir:
			im.dirs[b.path] = true
		case b.there:
			im.files[b.path] = &plainFile{path: b.path, exists: true, size: b.size}
		case b.kind == dir:
			im.parents(b.path + "/x")
		case b.kind == file:
			im.make(b.path, b.size)
		}
	}
	im.prepared(len(known))
	return nil
}

// prepared ends what was there before: all of it is on the device when the recording begins.
func (im *builder) prepared(n int) {
	if n > 0 && im.ops > 0 {
		im.emit(workload.Op{Kind: workload.Sync})
	}
	im.report.Before += n
	im.report.PrepareOps = im.ops
}

// make makes a file of a size, closed.
func (im *builder) make(p string, size int64) {
	f := &plainFile{path: p}
	im.files[p] = f
	fd := im.descriptor()
	im.openFile(fd, f, false)
	// A list may say that a file has exabytes: the script stays short.
	piece := max(fillPiece, roundUp(size/maxPieces, fillPiece))
	for off := int64(0); off < size; off += min(piece, size-off) {
		im.emit(workload.Op{Kind: workload.Write, FD: fd, Off: off, Len: min(piece, size-off)})
	}
	f.size = size
	im.close(fd)
}

// place is the file at a path of a recording, nil where it lies outside of the root.
func (im *builder) place(p string, line int) *plainFile {
	if !strings.HasPrefix(p, "/") {
		im.report.note(noteRelative, line)
		p = path.Clean("/" + p)[1:]
	} else {
		var ok bool
		if p, ok = under(path.Clean(cmp.Or(im.root, "/")), path.Clean(p)); !ok || p == "." {
			return nil
		}
	}
	f := im.files[p]
	if f == nil {
		f = &plainFile{path: p}
		im.files[p] = f
	}
	return f
}

// openFile opens a file, and makes it where it is not there.
func (im *builder) openFile(fd string, f *plainFile, direct bool) {
	if !f.exists {
		im.parents(f.path)
		im.emit(workload.Op{Kind: workload.Creat, FD: fd, Path: f.path})
		f.exists, f.size = true, 0
		if !direct {
			return
		}
		im.emit(workload.Op{Kind: workload.Close, FD: fd}) // creat knows no O_DIRECT: the file is opened again
	}
	im.emit(workload.Op{Kind: workload.Open, FD: fd, Path: f.path, Direct: direct})
}

// parents makes the directories above a path that are not there yet.
func (im *builder) parents(p string) {
	up := path.Dir(p)
	if up == "." || im.dirs[up] {
		return
	}
	im.parents(up)
	im.dirs[up] = true
	im.emit(mkdirOp(up))
}

func (im *builder) descriptor() string {
	if n := len(im.free); n > 0 {
		fd := im.free[n-1]
		im.free = im.free[:n-1]
		return fd
	}
	im.fds++
	return "f" + strconv.Itoa(im.fds)
}

func (im *builder) close(fd string) {
	im.emit(workload.Op{Kind: workload.Close, FD: fd})
	im.free = append(im.free, fd)
}
