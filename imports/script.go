package imports

import (
	"io"
	"strconv"

	"mbsim/workload"
)

// script is a script being written, line by line: none of it is kept.
type script struct {
	out  io.Writer
	ops  int64 // operations written
	line []byte
	err  error // the first one of out; nothing is written after it
}

// emit writes an operation.
func (s *script) emit(op workload.Op) {
	s.ops++
	if s.err != nil {
		return
	}
	s.line = append(workload.AppendOp(s.line[:0], op), '\n')
	_, s.err = s.out.Write(s.line)
}

func unlinkOp(p string) workload.Op { return workload.Op{Kind: workload.Unlink, Path: p} }
func mkdirOp(p string) workload.Op  { return workload.Op{Kind: workload.Mkdir, Path: p} }

// emit writes an operation into the script, but not in the first reading, which only learns what was
// there before.
func (im *importer) emit(op workload.Op) {
	im.report.Ops++
	if !im.first {
		im.script.emit(op)
	}
}

// descriptor is a name for a descriptor of the script that is free.
func (im *importer) descriptor() string {
	if n := len(im.free); n > 0 {
		fd := im.free[n-1]
		im.free = im.free[:n-1]
		return fd
	}
	im.descriptors++
	return "f" + strconv.Itoa(im.descriptors)
}

// open opens a file in the script, which creates or truncates it where create is set, and returns the
// descriptor's name. It returns "" for what has no name, and so cannot be opened.
func (im *importer) open(n *node, create, direct bool) string {
	p, ok := n.path(im.tree)
	if !ok || n.kind != file {
		return ""
	}
	fd := im.descriptor()
	if create {
		im.emit(workload.Op{Kind: workload.Creat, FD: fd, Path: p})
	}
	// creat knows no O_DIRECT: the file is opened again.
	if create && direct {
		im.emit(workload.Op{Kind: workload.Close, FD: fd})
	}
	if !create || direct {
		im.emit(workload.Op{Kind: workload.Open, FD: fd, Path: p, Direct: direct})
	}
	n.inScript++
	return fd
}

// close closes a descriptor of the script.
func (im *importer) close(n *node, fd string) {
	im.emit(workload.Op{Kind: workload.Close, FD: fd})
	im.free = append(im.free, fd)
	n.inScript--
}

// make makes a file or directory at its name, closed. What the script cannot say is not made.
func (im *importer) make(n *node) {
	p, ok := n.path(im.tree)
	switch {
	case !ok:
	case n.kind == dir:
		im.emit(mkdirOp(p))
	case n.kind == file:
		im.close(n, im.open(n, true, false))
	}
}

// fillPiece is how much is written at a time to a file whose content no call has written, in bytes.
const fillPiece = 1 << 20

// fill writes a file from one size to another.
func (im *importer) fill(n *node, from, to int64) {
	if fd := im.open(n, false, false); fd != "" {
		im.fillOpen(fd, from, to)
		im.close(n, fd)
	}
}

// fillOpen is fill of an open file.
func (im *importer) fillOpen(fd string, from, to int64) {
	// A log may show that a file has exabytes: the script stays short.
	piece := max(fillPiece, roundUp((to-from)/maxPieces, fillPiece))
	for ; from < to; from += min(piece, to-from) {
		im.emit(workload.Op{Kind: workload.Write, FD: fd, Off: from, Len: min(piece, to-from)})
	}
}

// hold keeps a file open in the script that is about to lose its last name, where only processes that
// read it have it open: its blocks are not free until they close it.
func (im *importer) hold(n *node) {
	if n.kind == file && n.opens > 0 && n.inScript == 0 {
		n.holder = im.open(n, false, false)
	}
}

// drop takes a name away from what it stands for, in the script too.
func (im *importer) drop(in *node, as string, n *node) {
	p, ok := n.path(im.tree)
	firstName := n.first(in, as)
	switch {
	case n.kind == dir:
		im.empty(n)
		if ok {
			im.emit(workload.Op{Kind: workload.Rmdir, Path: p})
		}
		n.detach(in, as)
	case n.kind == file && ok && firstName && len(n.names) > 1:
		// The script knows it by this name: it goes on by the next one.
		n.detach(in, as)
		if to, ok := n.path(im.tree); ok {
			im.emit(workload.Op{Kind: workload.Rename, Path: p, To: to})
		}
		return
	case n.kind == file && ok && firstName:
		im.hold(n)
		im.emit(unlinkOp(p))
		n.detach(in, as)
	default:
		n.detach(in, as)
	}
	// The space is free when nobody has it open any more.
	if len(n.names) == 0 {
		im.space.names--
		if n.opens == 0 {
			im.resize(n, 0)
		}
	}
}

// empty removes what the model still has in a directory that the kernel found empty. Files of O_TMPFILE
// have a name only in the script, and move out of the way.
func (im *importer) empty(n *node) {
	for _, as := range sortedKeys(n.children) {
		if x := n.children[as]; x.hidden {
			im.move(x, target{n, as, x}, target{im.tree, im.unused(im.tree), nil})
			continue
		}
		im.report.note(noteVanished, im.now)
		im.drop(n, as, n.children[as])
	}
}

// move renames a file or directory of the script to a name that is free.
func (im *importer) move(n *node, src, dst target) {
	was, ok := n.path(im.tree)
	inScript := ok && n.first(src.in, src.as) && (n.kind == file || n.kind == dir)
	// The name keeps its place among others: the first one is the script's.
	delete(src.in.children, src.as)
	dst.in.children[dst.as] = n
	for i := range n.names {
		if n.names[i] == (name{src.in, src.as}) {
			n.names[i] = name{dst.in, dst.as}
		}
	}
	if now, ok := n.path(im.tree); ok && inScript {
		im.emit(workload.Op{Kind: workload.Rename, Path: was, To: now})
	}
}
