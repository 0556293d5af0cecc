package filelist

import "strings"

// longParser reads what tar tvf and ls -l print: mode, owner, size, date, path. Both have the same columns
// but for the owner, which GNU tar joins by a slash; and ls -R has titles.
type longParser struct {
	tar bool
	// dir is the directory of ls -R that the lines are about. titled says that there was one at all.
	dir string
}

func (p *longParser) line(s string, e *Entry) (bool, *mistake) {
	if !p.tar && p.title(s) {
		return false, nil
	}
	w := words{s: s}
	m, at := w.next()
	kind, ok := mode(m)
	if !ok {
		return false, &mistake{at, "want a mode such as -rw-r--r--"}
	}
	if wrong := p.owner(&w); wrong != nil {
		return false, wrong
	}
	// Devices have two numbers instead of a size: "8,1" in tar, "8, 1" in ls.
	sizeText, at := w.next()
	size, isSize := number(sizeText)
	switch {
	case strings.HasSuffix(sizeText, ","):
		w.next()
	case !isSize && !(kind == Special && strings.Contains(sizeText, ",")):
		return false, &mistake{at, "want a size in bytes"}
	}
	if wrong := w.date(); wrong != nil {
		return false, wrong
	}
	path, at := w.rest()
	if path == "" {
		return false, &mistake{at, "the path is missing"}
	}
	// ls -a lists the directory itself, and the one above it.
	if !p.tar && (path == "." || path == "..") {
		return false, nil
	}
	e.Kind, e.Size = kind, size
	p.name(e, path)
	return true, nil
}

// owner reads whose the file is: "user/group" of GNU tar, or "1 user group" of ls and bsdtar.
func (p *longParser) owner(w *words) *mistake {
	first, at := w.next()
	if p.tar && strings.Contains(first, "/") {
		return nil
	}
	if _, ok := number(first); !ok {
		return &mistake{at, "want a number of links, or an owner such as user/group"}
	}
	for range 2 {
		if name, at := w.next(); name == "" {
			return &mistake{at, "want a user and a group"}
		}
	}
	return nil
}

// name splits a path from the target of a link.
func (p *longParser) name(e *Entry, path string) {
	switch e.Kind {
	case Symlink:
		path, e.Target, _ = strings.Cut(path, " -> ")
	case HardLink:
		path, e.Target, _ = strings.Cut(path, " link to ")
	}
	if p.tar {
		path, e.Target = unescape(path), unescape(e.Target)
	} else if p.dir != "" {
		path = p.dir + "/" + path
	}
	e.setPath(path)
}

// title reads what ls prints between files: empty lines, totals, and the names of directories.
func (p *longParser) title(s string) bool {
	if s == "" {
		return true
	}
	if total, ok := strings.CutPrefix(s, "total "); ok && !strings.ContainsAny(total, " /") {
		return true
	}
	dir, ok := strings.CutSuffix(s, ":")
	if _, isMode := mode(strings.SplitN(s, " ", 2)[0]); !ok || isMode {
		return false
	}
	p.dir = dir
	return true
}
