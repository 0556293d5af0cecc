package workload

import (
	"math/rand/v2"
	"strconv"
)

// tree is the directories of a class, or of one process of it.
type tree struct {
	layout *Directories
	dirs   []directory
	prefix string // of names that lie in none of them
}

type directory struct {
	path   string
	parent int // its index, -1 for none
	depth  int
	made   bool
}

// newTree lays out directories. owner is the name of the class or process.
func newTree(l *Directories, owner string, r *rand.Rand) *tree {
	t := &tree{layout: l, prefix: owner + "."}
	// With Top, directory 0 is the one in which all others lie.
	top := -1
	if l.Top {
		t.dirs = append(t.dirs, directory{path: owner, parent: -1})
		top, t.prefix = 0, owner+"/"
	}
	for i := range l.Count {
		d := directory{path: t.prefix + "d" + strconv.Itoa(i), parent: top, depth: 1}
		// Each of those before that may hold it is as likely as the top.
		if pick := r.IntN(i + 1); pick < i && l.Depth > 1 {
			if up := pick + top + 1; t.dirs[up].depth < l.Depth {
				d.parent, d.depth = up, t.dirs[up].depth+1
				d.path = t.dirs[up].path + "/d" + strconv.Itoa(i)
			}
		}
		t.dirs = append(t.dirs, d)
	}
	return t
}

// makeAll appends what makes all directories, parents first.
func (t *tree) makeAll(ops []Op) []Op {
	for i := range t.dirs {
		t.dirs[i].made = true
		ops = append(ops, Op{Kind: Mkdir, Path: t.dirs[i].path})
	}
	return ops
}

// missing appends directory i and those above it, as far as they are not made,
// the uppermost first.
func (t *tree) missing(list []int, i int) []int {
	if i < 0 || t.dirs[i].made {
		return list
	}
	return append(t.missing(list, t.dirs[i].parent), i)
}

// place is the directory of a process's nth file, -1 for the root.
func (t *tree) place(n int64, r *rand.Rand) int {
	first := len(t.dirs) - t.layout.Count // the top holds files only if it is alone
	switch {
	case t.layout.Count == 0:
		return first - 1
	case t.layout.Files > 0:
		return first + int(n/int64(t.layout.Files)%int64(t.layout.Count))
	}
	return first + r.IntN(t.layout.Count)
}

// filePath is the path of a file of this name in directory i.
func (t *tree) filePath(i int, name string) string {
	if i < 0 {
		return t.prefix + name
	}
	return t.dirs[i].path + "/" + name
}
