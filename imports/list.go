package imports

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"path"
	"strings"

	"mbsim/imports/filelist"
	"mbsim/workload"
)

// Why entries of a list are left out.
const (
	leftSymlink  = "symbolic links: the script has none"
	leftHardLink = "further names of files (hard links): the script has the first name"
	leftSpecial  = "pipes, sockets, devices and submodules"
	leftInFile   = "entries that lie in a file of the list, which is no directory"
	leftMount    = "lost+found and what lies in it: mke2fs makes it"
)

// The notes of the import of a list.
const (
	noteImplied  = "directories that the list does not have, made for the files in them"
	noteReplaced = "files that the list has again: removed and made anew, as tar does"
	noteKeptDir  = "directories in the place of which the list has a file later: the file is left out"
)

// lister makes a script of a list: files and directories in its order, each file written from its beginning
// to its end by one descriptor.
type lister struct {
	script
	format filelist.Format
	report *Report
	root   string // "" until the first entry has said it
	// seen are the names that the script has made. A hash of 128 bits stands for the name, since a list may
	// have millions, and two names with one hash do not occur.
	seen map[nameKey]kind
}

// nameKey stands for a path.
type nameKey [16]byte

func keyOf(p string) (k nameKey) {
	sum := sha256.Sum256([]byte(p))
	copy(k[:], sum[:])
	return k
}

// importLists imports lists of one format, one behind the other.
func importLists(f filelist.Format, logs []*Log, opt Options, out Output) (*Report, error) {
	ops, err := out("ops")
	if err != nil {
		return nil, err
	}
	im := &lister{script: script{out: ops}, format: f, seen: make(map[nameKey]kind), root: opt.Root,
		report: &Report{File: fileNames(logs), Root: opt.Root, Unit: "entries", Place: "line", Still: "already there: directories that files needed before, the root itself"}}
	if f.Name == "tar" {
		im.report.Place = "member"
	}
	if err := im.prepare(opt); err != nil {
		return nil, err
	}
	for _, l := range logs {
		if err := l.text(func(r io.Reader) error { return im.readAll(f.Open(r, l.Name, opt.Lenient), l.Name) }); err != nil {
			return nil, err
		}
	}
	// What is still in memory the kernel would write a little later.
	im.emit(workload.Op{Kind: workload.Sync})
	im.report.Ops, im.report.Root = im.ops, cmp.Or(im.root, "/")
	return im.report, im.err
}

// prepare makes what was there before, by another list, and notes what is on the device.
func (im *lister) prepare(opt Options) error {
	known, err := opt.known()
	if err != nil {
		return err
	}
	for _, b := range known {
		switch {
		case b.there:
			im.seen[keyOf(b.path)] = b.kind
		case b.kind == dir:
			im.parents(b.path+"/x", 1)
		case b.kind == file && im.parents(b.path, 1):
			im.file(b.path, &filelist.Entry{Size: b.size})
		}
	}
	if im.ops > 0 {
		im.emit(workload.Op{Kind: workload.Sync})
	}
	im.report.Before, im.report.PrepareOps = len(known), im.ops
	return nil
}

// readAll makes what one list has.
func (im *lister) readAll(r filelist.Reader, name string) error {
	entries := im.report.Calls
	for r.Next() && im.err == nil {
		im.report.Calls++
		im.entry(r.Entry())
	}
	places, foreign, first := r.Read()
	im.report.Lines += places
	im.report.Foreign += foreign
	if first != nil && im.report.FirstOdd == "" {
		im.report.FirstOdd = first.Error()
	}
	switch {
	case r.Err() != nil:
		return r.Err()
	case im.report.Calls == entries && first != nil:
		return first
	case im.report.Calls == entries:
		return fmt.Errorf("%s: there is no file and no directory in it", name)
	}
	return nil
}

// entry makes one entry, and counts it once.
func (im *lister) entry(e *filelist.Entry) {
	p, inside := im.below(e)
	switch {
	case !inside:
		im.report.Outside++
	case p == ".":
		im.report.NoBlock++
	case p == "lost+found" || strings.HasPrefix(p, "lost+found/"):
		im.leave(e, leftMount)
	case e.Kind == filelist.Symlink:
		im.leave(e, leftSymlink)
	case e.Kind == filelist.HardLink:
		im.leave(e, leftHardLink)
	case e.Kind == filelist.Special:
		im.leave(e, leftSpecial)
	case e.Kind == filelist.Dir && (im.seen[keyOf(p)] == dir || im.format.Implied):
		im.report.NoBlock++
	case !im.parents(p, e.Place):
		im.leave(e, leftInFile)
	case e.Kind == filelist.Dir:
		if im.seen[keyOf(p)] == file && im.has(p) {
			im.leave(e, leftInFile)
			return
		}
		im.mkdir(p)
		im.report.Performed++
	case im.has(p) && im.seen[keyOf(p)] == dir:
		im.leave(e, noteKeptDir)
	default:
		im.file(p, e)
		im.report.Performed++
	}
}

// has says whether the script has made a name.
func (im *lister) has(p string) bool {
	_, ok := im.seen[keyOf(p)]
	return ok
}

// leave counts an entry that is not in the script.
func (im *lister) leave(e *filelist.Entry, why string) {
	im.report.LeftOut = add(im.report.LeftOut, why, e.Place, func() string { return shorten(e.Path) })
}

// below is the path of an entry from the root. Where nobody has named the root, and the first entry has an
// absolute path, that is the root: find begins with the directory that it was given. Of relative paths the
// root is where they begin.
func (im *lister) below(e *filelist.Entry) (string, bool) {
	absolute := strings.HasPrefix(e.Path, "/")
	if im.root == "" && absolute {
		im.root = path.Clean(e.Path)
		if e.Kind != filelist.Dir {
			im.root = path.Dir(im.root)
		}
	}
	if !absolute {
		p := path.Clean("/" + e.Path)[1:]
		return cmp.Or(p, "."), true
	}
	return under(path.Clean(im.root), path.Clean(e.Path))
}

// under is the path p from a folder, both absolute and clean; "." for the folder itself, and false where it
// does not lie in it.
func under(root, p string) (string, bool) {
	if p == root {
		return ".", true
	}
	return strings.CutPrefix(p, strings.TrimSuffix(root, "/")+"/")
}

// parents makes the directories above a path that are not there yet. It reports false where one of them is a
// file.
func (im *lister) parents(p string, place int) bool {
	up := path.Dir(p)
	if up == "." {
		return true
	}
	if k, ok := im.seen[keyOf(up)]; ok {
		return k == dir
	}
	if !im.parents(up, place) {
		return false
	}
	if !im.format.Implied {
		im.report.note(noteImplied, place)
	}
	im.mkdir(up)
	return true
}

func (im *lister) mkdir(p string) {
	im.seen[keyOf(p)] = dir
	im.report.Names++
	im.emit(mkdirOp(p))
}

// maxPieces is the most writes that one file takes: a list may say that a file has exabytes, and a script of
// as many lines would help nobody.
const maxPieces = 1 << 16

// file makes a file as large as the list says.
func (im *lister) file(p string, e *filelist.Entry) {
	// tar removes what is in its way, and does not write over it.
	if im.has(p) {
		im.report.note(noteReplaced, e.Place)
		im.emit(unlinkOp(p))
	} else {
		im.seen[keyOf(p)] = file
		im.report.Names++
	}
	const fd = "f1"
	im.emit(workload.Op{Kind: workload.Creat, FD: fd, Path: p})
	parts := e.Data
	if parts == nil {
		parts = []filelist.Range{{Off: 0, Len: e.Size}}
	}
	end := int64(0)
	for _, part := range parts {
		im.pieces(fd, part.Off, part.Len)
		end = part.Off + part.Len
		im.report.Bytes += min(roundUp(part.Len, 4096), 1<<63-1-im.report.Bytes)
	}
	// A hole at the end is there by the size alone.
	if end < e.Size {
		im.emit(workload.Op{Kind: workload.Ftruncate, FD: fd, Len: e.Size})
	}
	im.emit(workload.Op{Kind: workload.Close, FD: fd})
}

// pieces writes a range as the program writes it.
func (im *lister) pieces(fd string, off, n int64) {
	piece := max(im.format.Piece, roundUp(n/maxPieces, im.format.Piece))
	// The last piece of the largest file ends at the largest number there is: what is left is counted, and
	// not where the next one begins.
	for n > 0 {
		now := min(piece, n)
		im.emit(workload.Op{Kind: workload.Write, FD: fd, Off: off, Len: now})
		off, n = off+now, n-now
	}
}

// roundUp rounds up to a multiple, without an overflow.
func roundUp(n, unit int64) int64 {
	if r := n % unit; r > 0 {
		n -= r
		n += min(unit, 1<<63-1-n)
	}
	return n
}

// fileNames are the names of several files as a report shows them.
func fileNames(logs []*Log) string {
	if len(logs) == 1 {
		return logs[0].Name
	}
	return fmt.Sprintf("%s and %d more", logs[0].Name, len(logs)-1)
}
