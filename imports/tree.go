package imports

import (
	"path"
	"slices"
	"strings"
)

// kind is what a name stands for.
type kind uint8

const (
	file kind = iota
	dir
	link    // symbolic: not in the script
	special // a pipe, a socket, a device: not in the script
)

// node is a file or a directory below the root.
type node struct {
	kind kind
	// names are its names: one of a directory, none of what was removed. The script knows a file by the
	// first one alone.
	names    []name
	children map[string]*node // of a directory
	target   string           // of a link; "" where it is not known
	size     int64            // bytes, of a file
	// before is what it was before the log; nil where the log has made it, and in the second reading.
	before *before
	// maybe is where it would have been before the log, if its creation has only opened it.
	maybe    string
	appended int64 // bytes that were written behind its end, wherever that was
	appeared bool  // no call has made it
	hidden   bool  // made by O_TMPFILE: its name is the script's own
	opens    int   // open files of it
	inScript int   // descriptors of the script that are open on it, holder too
	holder   string
}

// name is an entry of a directory.
type name struct {
	in *node
	as string
}

// spot is a place from which paths go on: a directory below the root, or a path outside. The zero
// spot is not known.
type spot struct {
	n   *node
	out string
}

func (s spot) known() bool { return s.n != nil || s.out != "" }

// path is the path of a node's first name from the root, false where it has none any more.
func (n *node) path(root *node) (string, bool) {
	var parts []string
	for n != root {
		if len(n.names) == 0 {
			return "", false
		}
		parts = append(parts, n.names[0].as)
		n = n.names[0].in
	}
	if len(parts) == 0 {
		return ".", true
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/"), true
}

// within says whether n is a directory, or lies in it.
func within(n, in *node) bool {
	for n != in {
		if len(n.names) == 0 {
			return false
		}
		n = n.names[0].in
	}
	return true
}

// attach gives a node a name that is free.
func (n *node) attach(in *node, as string) {
	in.children[as] = n
	n.names = append(n.names, name{in, as})
}

// detach takes a name away.
func (n *node) detach(in *node, as string) {
	delete(in.children, as)
	n.names = slices.DeleteFunc(n.names, func(x name) bool { return x == name{in, as} })
}

// first says whether the script knows the node by this name.
func (n *node) first(in *node, as string) bool {
	return len(n.names) > 0 && n.names[0] == name{in, as}
}

// target is where a path leads: an entry of a directory and what it stands for, nil where there is
// nothing. in is nil where the path names a directory by a dot, or the root.
type target struct {
	in *node
	as string
	n  *node
}

// where says on which side of the root a path ends.
type where uint8

const (
	inside where = iota
	outside
	unknown // it begins at a place that is not known
)

const maxHops = 40 // symbolic links in one path, as the kernel has it

// enter is the spot at a clean absolute path.
func (im *importer) enter(p string) spot {
	if p == im.root {
		return spot{n: im.tree}
	}
	return spot{out: p}
}

// walk follows a path. follow says whether a symbolic link at its end is followed; exists that the
// directories on the way are there, since the call has succeeded: one that is not known was there
// before.
func (im *importer) walk(from spot, p string, follow, exists bool) (t target, w where, out string) {
	if strings.HasPrefix(p, "/") {
		from = im.enter("/")
	}
	if !from.known() {
		return target{}, unknown, ""
	}
	at, hops := from, 0
	for p = strings.TrimLeft(p, "/"); p != ""; p = strings.TrimLeft(p, "/") {
		var c string
		c, p, _ = strings.Cut(p, "/")
		last := strings.Trim(p, "/") == ""
		// Outside nothing is known but the names.
		switch {
		case c == ".":
			continue
		case at.n == nil:
			at = im.enter(path.Join(at.out, c))
			continue
		case c == ".." && at.n == im.tree:
			at = im.enter(path.Dir(im.root))
			continue
		case c == "..":
			if len(at.n.names) == 0 {
				return target{}, unknown, ""
			}
			at.n = at.n.names[0].in
			continue
		}
		// An entry of a directory.
		if !im.becomeDir(at.n) {
			return target{}, unknown, ""
		}
		n := at.n.children[c]
		if n == nil && exists {
			im.settle(at.n, c)
			n = at.n.children[c]
		}
		switch {
		case n != nil && n.kind == link && (follow || !last):
			hops++
			if n.target == "" || hops > maxHops {
				return target{}, unknown, ""
			}
			p = n.target + "/" + p
			if strings.HasPrefix(p, "/") {
				at = im.enter("/")
			}
			continue
		case last:
			return target{at.n, c, n}, inside, ""
		case n == nil && !exists:
			return target{}, unknown, ""
		case n == nil:
			n = im.discover(at.n, c, dir)
		}
		at.n = n
	}
	if at.n == nil {
		return target{}, outside, at.out
	}
	return target{n: at.n}, inside, ""
}

// becomeDir says whether a node is a directory, and makes one of it where it was believed to be a
// file only because nothing was known of it.
func (im *importer) becomeDir(n *node) bool {
	switch {
	case n.kind == dir:
		return true
	case n.kind != file || n.hidden || len(n.names) > 1 || n.size > 0 || n.inScript > 0 || n.before == nil && !n.appeared:
		return false
	}
	n.kind, n.children = dir, make(map[string]*node)
	if n.before != nil {
		n.before.kind = dir
	}
	// The script has made a file by now.
	if p, ok := n.path(im.tree); ok && n.appeared {
		im.emit(unlinkOp(p))
		im.emit(mkdirOp(p))
	}
	return true
}

// resize notes that a file has another size, and how much space all files need.
func (im *importer) resize(n *node, size int64) {
	const page = 4096 // rounded up to, as blocks are
	im.space.bytes += (size+page-1)/page - (n.size+page-1)/page
	im.space.peakBytes = max(im.space.peakBytes, im.space.bytes)
	n.size = size
}

// born counts a file or directory with a new name.
func (im *importer) born(n *node) {
	im.space.names++
	im.space.peakNames = max(im.space.peakNames, im.space.names)
}

// space counts what the device must hold: pages, and inodes.
type space struct {
	bytes, peakBytes int64 // in pages
	names, peakNames int64
}
