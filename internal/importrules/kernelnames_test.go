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

// kernelName is a string that names a file system or a kernel's version, as code that
// asks which one it has to do with would compare with.
var kernelName = regexp.MustCompile(`^(ext[234]|[5-9]\.[0-9]+(-seed)?)$`)

// mayName are the places that may name one: those that are about just one, and what
// mke2fs calls its types.
var mayName = []string{"kernels/", "filesystem/", "allocator/mballoc/linux", "allocator/mballoc/changes.go", "scenarios/keys.go"}

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
			if s, err := strconv.Unquote(lit.Value); err != nil || !kernelName.MatchString(s) {
				return true
			}
			named++
			for _, may := range mayName {
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
