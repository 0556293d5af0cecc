package imports

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"mbsim/internal/input"
	"mbsim/workload"
)

// before is a file or a directory that was there before the log.
type before struct {
	path   string // from the root
	kind   kind
	size   int64 // bytes, at least
	target string
	inList bool // in the list that the user gave
	there  bool // on the device already: the script need not make it
	exact  bool // its size is known
	// sealed says that the log can tell no more of its size: it was truncated, or is in the list.
	sealed bool
}

// readState reads a list of what was there before, as find -printf '%y %s %P\n' writes it: type, size
// and path of each file. name is its name in errors.
func readState(r io.Reader, name string) ([]*before, error) {
	var all []*before
	kinds := make(map[string]kind)
	lines := input.NewLines(r, name, input.MaxLine)
	for lines.Next() {
		text := string(lines.Line())
		if text == "" {
			continue
		}
		kindText, rest, _ := strings.Cut(text, " ")
		sizeText, p, ok := strings.Cut(rest, " ")
		size, err := strconv.ParseInt(sizeText, 10, 64)
		k, isKind := map[string]kind{"f": file, "d": dir, "l": link, "p": special, "s": special, "b": special, "c": special}[kindText]
		switch {
		case !isKind:
			return nil, fmt.Errorf("%s:%d:1: the type is %q: want f, d, l, p, s, b or c, as find -printf '%%y %%s %%P\\n' writes it", name, lines.Number(), shorten(kindText))
		case err != nil || size < 0:
			return nil, fmt.Errorf("%s:%d:%d: the size is %q: want a number of bytes, as find -printf '%%y %%s %%P\\n' writes it", name, lines.Number(), len(kindText)+2, shorten(sizeText))
		case !ok:
			return nil, fmt.Errorf("%s:%d:%d: the path is missing: find -printf '%%y %%s %%P\\n' writes it", name, lines.Number(), len(text)+1)
		}
		// The root itself has an empty path, and mke2fs makes lost+found.
		p = path.Clean("/" + p)[1:]
		// Nothing lies in a file, and no name stands for two things.
		for up := p; up != "." && up != ""; up = path.Dir(up) {
			if was, ok := kinds[up]; ok && (up == p || was != dir) {
				return nil, fmt.Errorf("%s:%d:%d: %q is in the list already, and is not the folder of %q", name, lines.Number(), len(kindText)+len(sizeText)+3, up, p)
			}
		}
		kinds[p] = k
		if p != "" && p != "lost+found" && !strings.HasPrefix(p, "lost+found/") {
			all = append(all, &before{path: p, kind: k, size: size, inList: true, exact: true, sealed: true})
		}
	}
	return all, lines.Err()
}

// onDevice are the files of an image as what was there before.
func onDevice(files []Known) []*before {
	var all []*before
	for _, f := range files {
		b := &before{path: f.Path, kind: file, size: f.Size, inList: true, there: true, exact: true, sealed: true}
		if f.Dir {
			b.kind = dir
		}
		all = append(all, b)
	}
	return all
}

// discover notes what a call has shown to be there without any call that made it: in the first
// reading it was there before, if its directory was.
func (im *importer) discover(in *node, as string, k kind) *node {
	n := &node{kind: k}
	if k == dir {
		n.children = make(map[string]*node)
	}
	if p, ok := im.wasThere(in, as); ok {
		im.learn(n, &before{path: p, kind: k})
	} else {
		n.appeared = true
		im.report.note(noteAppeared, im.now)
	}
	n.attach(in, as)
	im.born(n)
	if n.appeared {
		im.make(n)
	}
	return n
}

// wasThere says whether a name was there before the log: in the first reading, if its directory was.
// A name is there once alone: what comes back has been made by something that the log does not show.
func (im *importer) wasThere(in *node, as string) (string, bool) {
	if !im.first || in.before == nil {
		return "", false
	}
	p := path.Join(in.before.path, as)
	return p, !im.paths[p]
}

// learn notes that a node was there before.
func (im *importer) learn(n *node, b *before) {
	n.before = b
	im.known = append(im.known, b)
	im.paths[b.path] = true
}

// sizeSeen notes that a call has shown the size of a file, or at least how far it goes.
func (im *importer) sizeSeen(n *node, size int64, exact bool, by *active) {
	if n == nil || n.kind != file || im.busy(n, by) {
		return
	}
	// stat and a seek to the end are exact, unless the end has moved by appends of unknown place.
	if exact && n.before != nil && n.appended == 0 && n.size <= size {
		n.before.exact = true
	}
	if size == n.size || size < n.size && !exact {
		return
	}
	// What the log does not account for was there before, or was written unseen.
	more := size - n.size
	switch {
	case more < 0:
		im.report.note(noteSize, im.now)
		return
	case n.before == nil && n.maybe != "" && !im.paths[n.maybe]:
		im.learn(n, &before{path: n.maybe, kind: file})
		fallthrough
	case n.before != nil && !n.before.sealed:
		// Writes at given places lie inside of the size; what was appended comes on top of it.
		if n.appended == 0 {
			n.before.size = size
		} else {
			n.before.size += more
		}
		n.before.exact = exact
	case n.appeared:
		im.fill(n, n.size, size)
	default:
		im.report.note(noteSize, im.now)
		return
	}
	im.resize(n, size)
}

// busy says whether another call is at work on a file, so that its size may not yet be known.
func (im *importer) busy(n *node, by *active) bool {
	return slices.ContainsFunc(im.pending, func(a *active) bool {
		return a != by && slices.ContainsFunc(a.held, func(h held) bool { return h.d.at.n == n })
	})
}

// fixed notes that a file's content from now on is that of the log alone.
func (n *node) fixed() {
	n.maybe, n.appended = "", 0
	if n.before != nil {
		n.before.sealed = true
	}
}

// prepare makes what was there before, and begins the tree of the second reading with it.
func (im *importer) prepare(known []*before) {
	// The user's list has the order that it has; what the log has shown follows by path.
	rest := slices.IndexFunc(known, func(b *before) bool { return !b.inList })
	if rest >= 0 {
		slices.SortStableFunc(known[rest:], func(a, b *before) int { return strings.Compare(a.path, b.path) })
	}
	// Each directory on the way comes before what lies in it.
	for _, b := range known {
		in := im.tree
		parent, as := path.Split(b.path)
		for c := range strings.SplitSeq(strings.Trim(parent, "/"), "/") {
			if c != "" {
				p, _ := in.path(im.tree) // it has a name, as everything has that is prepared
				in = im.prepareOne(in, c, &before{path: path.Join(p, c), kind: dir})
			}
		}
		if in.kind != dir {
			im.report.note(noteVanished, im.now) // the log has shown a file to be a folder later
			continue
		}
		im.prepareOne(in, as, b)
		if b.kind == file && !b.exact {
			im.report.UnknownSizes++
		}
	}
	// The log begins with all of that on the device.
	if im.report.Ops > 0 {
		im.emit(workload.Op{Kind: workload.Sync})
	}
	im.report.Before, im.report.PrepareOps = len(known), im.report.Ops
}

// prepareOne makes a file or directory that was there before, if it is not there yet.
func (im *importer) prepareOne(in *node, as string, b *before) *node {
	if n := in.children[as]; n != nil {
		im.becomeDir(n)
		return n
	}
	// The first reading remembers where each node was, since directories may move later.
	n := &node{kind: b.kind, target: b.target}
	if im.first {
		n.before = b
		im.paths[b.path] = true
	}
	if b.kind == dir {
		n.children = make(map[string]*node)
	}
	n.attach(in, as)
	im.born(n)
	// A file is made and filled through one descriptor, unless it is on the device.
	switch {
	case b.there:
		im.resize(n, b.size)
	case b.kind == file:
		fd := im.open(n, true, false)
		im.fillOpen(fd, 0, b.size)
		im.close(n, fd)
		im.resize(n, b.size)
	default:
		im.make(n)
	}
	return n
}
