package importrules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A name is a string that code which asks what it has to do with would compare with: that of a
// file system, or a kernel's version.
var (
	fileSystemName = regexp.MustCompile(`^ext[234]$`)
	kernelVersion  = regexp.MustCompile(`^[4-9]\.[0-9]+(-seed)?$`)
)

// mayName are the places that may name a file system: those that are about just one, and what
// mke2fs calls its types. mayNameVersion are those that may name a version: the lists of changes, and
// the oldest kernels, which are no list.
var (
	mayName        = []string{"kernels/", "filesystem/", "scenarios/keys.go"}
	mayNameVersion = []string{
		"allocator/mballoc/changes.go", "allocator/mballoc/linux", "filesystem/ext4/changes.go", "filesystem/ext4/linux",
	}
)

// allowed are the places that may have a string, nil where it is no name; named says whether
// it is one.
func allowed(s string) (places []string, named bool) {
	switch {
	case fileSystemName.MatchString(s):
		return mayName, true
	case kernelVersion.MatchString(s):
		return mayNameVersion, true
	}
	return nil, false
}

// TestKernelsAreNamedOnce: who handles scenarios, runs, replays, metrics and reports asks
// package kernels what a system has, and never which one it is.
func TestKernelsAreNamedOnce(t *testing.T) {
	const root = "../.."
	named := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(lit.Value)
			places, isName := allowed(s)
			if err != nil || !isName {
				return true
			}
			named++
			for _, may := range places {
				if strings.HasPrefix(rel, may) {
					return true
				}
			}
			t.Errorf("%v names %s: ask package kernels", set.Position(lit.Pos()), lit.Value)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named == 0 {
		t.Error("nobody names a kernel: the test looks at nothing")
	}
}
