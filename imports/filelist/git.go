package filelist

import "strings"

// gitParser reads what git ls-tree -lr prints: mode, type, object, size, a tab, and the path, which is
// quoted where it has bytes that are no text.
type gitParser struct{}

// gitKinds are the types of files by mode: a file, one that may be executed, a symbolic link, a
// directory, a submodule.
var gitKinds = map[string]Kind{"100644": File, "100755": File, "100664": File, "120000": Symlink, "040000": Dir, "160000": Special}

func (gitParser) line(s string, e *Entry) (bool, *mistake) {
	w := words{s: s}
	m, at := w.next()
	kind, ok := gitKinds[m]
	if !ok {
		return false, &mistake{at, "want a mode such as 100644"}
	}
	object, at := w.next()
	if object != "blob" && object != "tree" && object != "commit" {
		return false, &mistake{at, "want blob, tree or commit"}
	}
	w.next() // the name of the object, which says nothing here
	tab := strings.IndexByte(s, '\t')
	sizeText, at := w.next()
	size, isSize := number(sizeText)
	switch {
	case tab < 0 || tab+1 == len(s):
		return false, &mistake{len(s), "the path is missing: a tab stands in front of it"}
	case w.at > tab:
		return false, &mistake{tab, "the size is missing: git ls-tree prints it with -l"}
	case !isSize && sizeText != "-":
		return false, &mistake{at, "want a size in bytes, or - for what has none"}
	}
	path := s[tab+1:]
	if len(path) > 1 && path[0] == '"' && path[len(path)-1] == '"' {
		path = unescape(path[1 : len(path)-1])
	}
	e.Kind, e.Size = kind, size
	e.setPath(path)
	return true, nil
}
