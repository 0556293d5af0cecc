package commentcount

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the whole tree must have at least.
const (
	per100Lines = 6    // comment lines inside function bodies for each 100 lines of these
	ofLonger    = 0.66 // share of the functions of more than longer lines that have one inside
	longer      = 20   // lines
)

// count is of one package, or of all.
type count struct {
	lines, comments     int // of function bodies, and comment lines in these
	longer, withComment int // functions of more than longer lines, and those with a comment inside
}

func (c *count) add(o count) {
	c.lines += o.lines
	c.comments += o.comments
	c.longer += o.longer
	c.withComment += o.withComment
}

func (c count) per100() float64 { return 100 * float64(c.comments) / float64(max(c.lines, 1)) }
func (c count) share() float64  { return float64(c.withComment) / float64(max(c.longer, 1)) }

func (c count) String() string {
	return fmt.Sprintf("%4.1f comment lines in 100, %3.0f%% of %d functions over %d lines have one", c.per100(), 100*c.share(), c.longer, longer)
}

// TestComments counts and prints, and holds the whole tree to its least.
func TestComments(t *testing.T) {
	const root = "../.."
	var all count
	packages := make(map[string]count)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		c, err := ofFile(name)
		rel, _ := filepath.Rel(root, name)
		dir := path.Dir(filepath.ToSlash(rel))
		p := packages[dir]
		p.add(c)
		packages[dir] = p
		all.add(c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		t.Logf("%-24s %v", dir, packages[dir])
	}
	t.Logf("%-24s %v", "all", all)
	if all.per100() < per100Lines || all.share() < ofLonger {
		t.Errorf("want at least %d comment lines in 100, and one in %.0f%% of the longer functions", per100Lines, 100*ofLonger)
	}
}

// ofFile counts one file.
func ofFile(name string) (c count, err error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
	if err != nil {
		return c, err
	}
	line := func(p token.Pos) int { return set.Position(p).Line }
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		lines := line(fn.Body.Rbrace) - line(fn.Body.Lbrace) - 1
		comments := 0
		for _, g := range f.Comments {
			if g.Pos() > fn.Body.Lbrace && g.End() < fn.Body.Rbrace {
				comments += line(g.End()) - line(g.Pos()) + 1
			}
		}
		c.lines += max(lines, 0)
		c.comments += comments
		if lines+2 > longer {
			c.longer++
			if comments > 0 {
				c.withComment++
			}
		}
	}
	return c, nil
}
