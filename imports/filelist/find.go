package filelist

import "strings"

// column is what a column of find -printf has.
type column uint8

const (
	typeColumn column = iota // %y
	sizeColumn               // %s
	pathColumn               // %p or %P: the only one that may have spaces, so it is found from both ends
)

// layouts are the orders of columns that are known. The first that fits the first line is the list's;
// lists without types are of files alone.
var layouts = [][]column{
	{typeColumn, sizeColumn, pathColumn},
	{sizeColumn, typeColumn, pathColumn},
	{typeColumn, pathColumn, sizeColumn},
	{sizeColumn, pathColumn, typeColumn},
	{pathColumn, sizeColumn, typeColumn},
	{pathColumn, typeColumn, sizeColumn},
	{sizeColumn, pathColumn},
	{pathColumn, sizeColumn},
}

// findParser reads what find prints.
type findParser struct {
	layout []column // nil before the first line
	ls     bool     // find -ls
}

// typeKinds are the types of files as %y prints them.
var typeKinds = map[string]Kind{"f": File, "d": Dir, "l": Symlink, "p": Special, "s": Special, "b": Special, "c": Special, "D": Special, "U": Special, "N": Special, "L": Symlink}

func (p *findParser) line(s string, e *Entry) (bool, *mistake) {
	if p.layout == nil && !p.ls {
		p.choose(s)
	}
	switch {
	case p.ls:
		return lsLine(s, e)
	case p.layout == nil:
		return false, &mistake{0, `want type, size and path as find -printf '%y %s %P\n' writes them`}
	}
	return columns(s, p.layout, e)
}

// choose finds the columns of the list by its first line.
func (p *findParser) choose(s string) {
	if _, wrong := lsLine(s, new(Entry)); wrong == nil {
		p.ls = true
		return
	}
	for _, l := range layouts {
		if _, wrong := columns(s, l, new(Entry)); wrong == nil {
			p.layout = l
			return
		}
	}
}

// columns reads a line of known columns. The columns in front of the path are cut off from the left, those
// behind it from the right: what is left is the path, whatever it holds.
func columns(s string, layout []column, e *Entry) (bool, *mistake) {
	begin, end, left := 0, len(s), 0
	for ; layout[left] != pathColumn; left++ {
		word, _, found := cutAny(s[begin:end])
		if wrong := e.column(layout[left], word, begin); wrong != nil {
			return false, wrong
		}
		if !found {
			return false, &mistake{end, "the path is missing"}
		}
		begin += len(word) + 1
	}
	for right := len(layout) - 1; right > left; right-- {
		at := strings.LastIndexAny(s[begin:end], " \t")
		if at < 0 {
			return false, &mistake{begin, "a column is missing"}
		}
		if wrong := e.column(layout[right], s[begin+at+1:end], begin+at+1); wrong != nil {
			return false, wrong
		}
		end = begin + at
	}
	e.setPath(s[begin:end])
	return true, nil
}

// cutAny cuts at the first space or tab.
func cutAny(s string) (word, rest string, found bool) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// column stores what a column other than the path has.
func (e *Entry) column(c column, word string, at int) *mistake {
	var ok bool
	if c == typeColumn {
		e.Kind, ok = typeKinds[word]
		if !ok {
			return &mistake{at, "want a type: f, d, l, p, s, b or c (%y)"}
		}
		return nil
	}
	if e.Size, ok = number(word); !ok {
		return &mistake{at, "want a size in bytes (%s)"}
	}
	return nil
}

// lsLine reads a line of find -ls: inode and blocks, then what ls -l prints.
func lsLine(s string, e *Entry) (bool, *mistake) {
	w := words{s: s}
	for range 2 {
		word, at := w.next()
		if _, ok := number(word); !ok {
			return false, &mistake{at, "want a number"}
		}
	}
	for w.at < len(s) && s[w.at] == ' ' {
		w.at++
	}
	// Names are escaped as those of tar are.
	long := longParser{tar: true}
	at := w.at
	found, wrong := long.line(s[at:], e)
	if wrong != nil {
		wrong.at += at
	}
	return found, wrong
}
