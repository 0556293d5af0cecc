package imports

import (
	"strconv"
	"strings"

	"mbsim/imports/strace"
	"mbsim/workload"
)

// outcomeKind is what becomes of a call.
type outcomeKind uint8

const (
	performed outcomeKind = iota
	noBlock               // it moves no block
	outsideRoot
	leftOut
)

// outcome is what becomes of a call, and why, where it is left out.
type outcome struct {
	kind outcomeKind
	why  string
}

// handler performs a call that has succeeded.
type handler struct {
	fds   []int    // arguments that are descriptors
	names [][2]int // arguments that are names it makes or takes away: the folder's descriptor (-1: none) and the path
	run   func(*importer, *active) outcome
}

// handlers are the calls that are performed, by name.
func handlers() map[string]handler {
	h := make(map[string]handler)
	add := func(calls string, x handler) {
		for name := range strings.FieldsSeq(calls) {
			h[name] = x
		}
	}
	nameHandlers(add)
	processHandlers(add)
	statHandlers(add)
	// Data.
	add("write writev", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.write(a, 0, "", a.c.Ret) }})
	add("pwrite64 pwrite pwritev", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.write(a, 0, a.c.Arg(3), a.c.Ret) }})
	add("pwritev2", handler{fds: []int{0}, run: (*importer).pwritev2})
	add("sendfile sendfile64", handler{fds: []int{0, 1}, run: (*importer).sendfile})
	add("copy_file_range splice", handler{fds: []int{0, 2}, run: (*importer).copyRange})
	add("read readv", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.read(a, 0, "") }})
	add("pread64 pread preadv preadv2", handler{fds: []int{0}, run: func(im *importer, a *active) outcome { return im.read(a, 0, a.c.Arg(3)) }})
	add("lseek _llseek", handler{fds: []int{0}, run: (*importer).lseek})
	add("ftruncate ftruncate64", handler{fds: []int{0}, run: (*importer).ftruncate})
	add("fallocate", handler{fds: []int{0}, run: (*importer).fallocate})
	add("fsync fdatasync", handler{fds: []int{0}, run: (*importer).fsync})
	add("sync", handler{run: (*importer).sync})
	add("syncfs", handler{fds: []int{0}, run: (*importer).syncfs})
	add("mmap mmap2", handler{fds: []int{4}, run: (*importer).mmap})
	return h
}

// fileOf is the open file of a call's argument, below the root; an outcome where there is none.
func (im *importer) fileOf(a *active, arg int) (*openFile, outcome) {
	d := a.file(arg)
	switch {
	case d == nil:
		return nil, outcome{leftOut, "a descriptor of which the log does not say what it is (strace -y shows it)"}
	case d.at.n == nil:
		return nil, outcome{kind: outsideRoot}
	}
	return d, outcome{}
}

// write writes n bytes to the file of argument arg, at the position that another argument says, or
// where the file's own position is ("", NULL).
func (im *importer) write(a *active, arg int, at string, n int64) outcome {
	d, o := im.fileOf(a, arg)
	if d == nil {
		return o
	}
	if d.at.n.kind != file {
		return outcome{leftOut, "data written to a pipe or a device"}
	}
	if n <= 0 {
		return outcome{kind: noBlock}
	}
	// O_APPEND writes behind the end whatever the position is, also where the call names one.
	off, given := strace.Offset(at)
	if !given {
		off = d.pos
	}
	if d.appends || d.atEnd && !given {
		off = d.at.n.size
		d.at.n.appended += n
	}
	if !given {
		d.pos = off + n
	}
	fd := im.fd(d)
	if fd == "" {
		return outcome{leftOut, "data written to a file without a name"}
	}
	im.emit(workload.Op{Kind: workload.Write, FD: fd, Off: off, Len: n})
	if off+n > d.at.n.size {
		im.resize(d.at.n, off+n)
	}
	// O_SYNC and O_DSYNC: the call returns when the data is on the device.
	if d.syncs {
		im.emit(workload.Op{Kind: workload.Fsync, FD: fd})
	}
	return outcome{}
}

// pwritev2 is pwritev with flags; its position -1 is that of the descriptor.
func (im *importer) pwritev2(a *active) outcome {
	at := a.c.Arg(3)
	if at == "-1" {
		at = ""
	}
	d := a.file(0)
	if d == nil {
		return im.write(a, 0, at, a.c.Ret)
	}
	// What the flags say holds for this call alone.
	flags := a.c.Arg(4)
	appends, syncs := d.appends, d.syncs
	d.appends = appends || strace.Has(flags, "RWF_APPEND")
	d.syncs = syncs || strace.Has(flags, "RWF_SYNC") || strace.Has(flags, "RWF_DSYNC")
	o := im.write(a, 0, at, a.c.Ret)
	d.appends, d.syncs = appends, syncs
	return o
}

// sendfile copies from argument 1 to 0.
func (im *importer) sendfile(a *active) outcome {
	return im.copy(a, 1, a.c.Arg(2), 0, "")
}

// copyRange copies from argument 0, at 1, to 2, at 3.
func (im *importer) copyRange(a *active) outcome {
	return im.copy(a, 0, a.c.Arg(1), 2, a.c.Arg(3))
}

// copy copies between files at positions; both may be one file, with one position.
func (im *importer) copy(a *active, from int, fromAt string, to int, toAt string) outcome {
	pos := int64(0)
	d := a.file(from)
	if d != nil {
		pos = d.pos
	}
	o := im.write(a, to, toAt, a.c.Ret)
	// What is read may have been written by this call. The kernel sets the source's position last.
	if _, given := strace.Offset(fromAt); d != nil && !given {
		d.pos = pos
	}
	im.read(a, from, fromAt)
	return o
}

// read moves the position, and shows how far a file goes at least.
func (im *importer) read(a *active, arg int, at string) outcome {
	d := a.file(arg)
	if d == nil || d.at.n == nil || d.at.n.kind != file {
		return outcome{kind: noBlock}
	}
	off, given := strace.Offset(at)
	if !given {
		off = d.pos
		d.pos += a.c.Ret
	}
	if a.c.Ret > 0 {
		im.sizeSeen(d.at.n, off+a.c.Ret, false, a)
	}
	return outcome{kind: noBlock}
}

// lseek sets the position, and shows the size where it begins at the end.
func (im *importer) lseek(a *active) outcome {
	d := a.file(0)
	if d == nil || d.at.n == nil || d.at.n.kind != file {
		return outcome{kind: noBlock}
	}
	d.pos, d.atEnd = a.c.Ret, false
	if off, ok := strace.Int(a.c.Arg(1)); ok && a.c.Arg(2) == "SEEK_END" {
		im.sizeSeen(d.at.n, a.c.Ret-off, true, a)
	}
	return outcome{kind: noBlock}
}

func (im *importer) ftruncate(a *active) outcome {
	d, o := im.fileOf(a, 0)
	if d == nil {
		return o
	}
	return im.truncate(d, a.c.Arg(1))
}

// truncate sets the size of an open file.
func (im *importer) truncate(d *openFile, size string) outcome {
	n, ok := strace.Int(size)
	fd := im.fd(d)
	if !ok || n < 0 || fd == "" {
		return outcome{leftOut, "a truncation of a file without a name"}
	}
	// From here on the log alone says how large the file is.
	im.emit(workload.Op{Kind: workload.Ftruncate, FD: fd, Len: n})
	im.resize(d.at.n, n)
	d.at.n.fixed()
	return outcome{}
}

// falModes are the modes of fallocate(2) by the end of their names.
var falModes = map[string]uint32{"KEEP_SIZE": 1, "PUNCH_HOLE": 2, "COLLAPSE_RANGE": 8, "ZERO_RANGE": 16, "INSERT_RANGE": 32, "UNSHARE_RANGE": 64}

func (im *importer) fallocate(a *active) outcome {
	d, o := im.fileOf(a, 0)
	if d == nil {
		return o
	}
	// The mode is a sum of names, or 0.
	mode := uint32(0)
	for f := range strings.SplitSeq(a.c.Arg(1), "|") {
		m, ok := falModes[strings.TrimPrefix(f, "FALLOC_FL_")]
		if n, err := strconv.ParseUint(f, 0, 32); !ok && err == nil {
			m, ok = uint32(n), true
		}
		if !ok {
			return outcome{leftOut, "a fallocate with an unknown mode"}
		}
		mode |= m
	}
	off, ok1 := strace.Int(a.c.Arg(2))
	n, ok2 := strace.Int(a.c.Arg(3))
	fd := im.fd(d)
	if !ok1 || !ok2 || off < 0 || n <= 0 || off+n < 0 || fd == "" {
		return outcome{leftOut, "a fallocate of a file without a name"}
	}
	im.emit(workload.Op{Kind: workload.Fallocate, FD: fd, Mode: mode, Off: off, Len: n})
	// What it makes of the size.
	size := d.at.n.size
	switch {
	case mode&8 != 0:
		size = max(size-n, 0)
	case mode&32 != 0:
		size += n
	case mode&1 == 0:
		size = max(size, off+n)
	}
	im.resize(d.at.n, size)
	return outcome{}
}

// fsync is fdatasync too: the script has one operation for both.
func (im *importer) fsync(a *active) outcome {
	d, o := im.fileOf(a, 0)
	switch {
	case d == nil:
		return o
	case d.at.n.kind == dir:
		return outcome{leftOut, "fsync of a folder"}
	case d.at.n.kind != file:
		return outcome{kind: noBlock}
	}
	// A file that is only read may be synced too, and is opened for it. The language has no fdatasync,
	// which commits less where the size has not changed.
	fd := im.fd(d)
	if fd == "" {
		return outcome{leftOut, "fsync of a file without a name"}
	}
	if a.c.Name == "fdatasync" {
		im.report.note(noteDatasync, im.now)
	}
	im.emit(workload.Op{Kind: workload.Fsync, FD: fd})
	return outcome{}
}

func (im *importer) sync(*active) outcome {
	im.emit(workload.Op{Kind: workload.Sync})
	return outcome{}
}

func (im *importer) syncfs(a *active) outcome {
	if d, o := im.fileOf(a, 0); d == nil {
		return o
	}
	return im.sync(a)
}

// mmap of a file that is written through memory hides what is written.
func (im *importer) mmap(a *active) outcome {
	d := a.file(4)
	if d == nil || d.at.n == nil || d.at.n.kind != file || !d.writable {
		return outcome{kind: noBlock}
	}
	shared := strace.Has(a.c.Arg(3), "MAP_SHARED") || strace.Has(a.c.Arg(3), "MAP_SHARED_VALIDATE")
	if shared && strace.Has(a.c.Arg(2), "PROT_WRITE") {
		return outcome{leftOut, "a shared mapping of a file for writing (mmap): what the program stores in it is in no log"}
	}
	return outcome{kind: noBlock}
}
