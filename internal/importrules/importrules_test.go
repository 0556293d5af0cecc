package importrules

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may lists what the packages of a folder may import of this module, tests not
// counted. The rooms are in the order of docs/ARCHITECTURE.md: each imports only
// rooms above it. A folder ending in /... stands for all below it.
var may = map[string][]string{
	"internal/commentcount":     {},
	"internal/invariants":       {},
	"internal/nearest":          {},
	"internal/atomicfile":       {},
	"internal/bounded":          {},
	"internal/folderlock":       {},
	"internal/fuzzing":          {},
	"internal/columns":          {},
	"internal/crash":            {},
	"internal/input":            {},
	"internal/memory":           {},
	"internal/shell":            {},
	"internal/unpack":           {},
	"sim":                       {"internal/crash"},
	"allocator":                 {},
	"allocator/bitmap":          {},
	"allocator/mballoc":         {"allocator", "allocator/bitmap", "internal/invariants", "internal/nearest"},
	"allocator/reservation":     {"allocator", "allocator/bitmap", "internal/invariants"},
	"allocator/alloctest":       {"allocator", "allocator/bitmap"},
	"workload":                  {"internal/nearest", "internal/crash", "internal/input", "internal/shell"},
	"filesystem":                {"allocator"},
	"filesystem/blockcache":     {"allocator"},
	"filesystem/dirent":         {"allocator", "filesystem"},
	"filesystem/image":          {"allocator", "filesystem", "filesystem/dirent", "internal/memory", "internal/nearest", "internal/input", "internal/unpack"},
	"filesystem/imagewriter":    {"allocator", "filesystem", "filesystem/image", "internal/atomicfile"},
	"filesystem/owners":         {"allocator", "allocator/bitmap"},
	"filesystem/ext4/es":        {"allocator", "filesystem"},
	"filesystem/ext4/extents":   {"allocator", "filesystem/ext4/es"},
	"filesystem/ext4/journal":   {"allocator", "filesystem"},
	"filesystem/ext4/pagecache": {},
	"filesystem/ext4/placement": {"allocator", "filesystem/dirent"},
	"filesystem/ext4":           {"allocator", "allocator/bitmap", "allocator/mballoc", "filesystem", "filesystem/blockcache", "filesystem/dirent", "filesystem/ext4/es", "filesystem/ext4/extents", "filesystem/ext4/journal", "filesystem/ext4/pagecache", "filesystem/ext4/placement", "filesystem/image", "filesystem/owners", "internal/invariants", "internal/nearest"},
	"filesystem/ext2":           {"allocator", "allocator/bitmap", "allocator/reservation", "filesystem", "filesystem/dirent", "filesystem/image", "filesystem/owners", "internal/memory", "internal/nearest"},
	"filesystem/play":           {"filesystem", "workload", "internal/crash", "internal/input"},
	"filesystem/imagetest":      {"filesystem", "filesystem/image", "filesystem/play", "workload"},
	"metrics":                   {"internal/invariants", "allocator", "allocator/bitmap", "allocator/mballoc", "allocator/reservation", "filesystem", "machine/latency", "internal/nearest"},
	"reports":                   {"filesystem", "metrics", "internal/atomicfile", "internal/bounded", "internal/columns", "internal/shell"},
	"kerneltext/procfs":         {"allocator", "allocator/mballoc", "filesystem"},
	"kerneltext/ftrace":         {"internal/input", "allocator", "allocator/mballoc", "workload"},
	"kernels":                   {"allocator", "allocator/mballoc", "filesystem", "filesystem/...", "kerneltext/procfs", "metrics", "workload", "internal/nearest"},
	"scenarios":                 {"imports", "allocator/mballoc", "filesystem/image", "kernels", "machine/cost", "machine/device", "workload", "internal/nearest", "internal/input"},
	"run":                       {"internal/crash", "internal/input", "internal/memory", "sim", "machine/device", "machine/smp", "machine/latency", "allocator", "allocator/mballoc", "filesystem", "filesystem/blockcache", "filesystem/ext4", "filesystem/image", "filesystem/owners", "filesystem/play", "kernels", "metrics", "scenarios", "workload"},
	"machine/latency":           {},
	"machine/cost":              {"internal/nearest"},
	"machine/device":            {"sim", "internal/nearest"},
	"machine/smp":               {"sim", "machine/cost", "machine/device", "machine/latency", "allocator", "allocator/mballoc"},
	"replay":                    {"allocator", "internal/crash", "internal/input", "internal/memory", "sim", "machine/smp", "allocator/mballoc", "filesystem", "filesystem/ext4", "filesystem/image", "filesystem/play", "kernels", "kerneltext/ftrace", "workload"},
	"study/...":                 {"metrics", "workload", "reports", "scenarios", "run", "study/...", "internal/atomicfile", "internal/bounded", "internal/columns", "internal/crash", "internal/folderlock", "internal/input", "internal/shell"},
	"study/bisect":              {"kernels", "metrics", "scenarios", "study", "study/stats"},
	"aging":                     {},
	"imports/strace":            {"internal/input"},
	"imports/filelist":          {"internal/input"},
	"imports/geriatrix":         {"internal/input"},
	"imports/fio":               {"internal/input", "internal/nearest"},
	"imports":                   {"imports/strace", "imports/filelist", "imports/fio", "imports/geriatrix", "kerneltext/ftrace", "internal/nearest", "internal/input", "internal/unpack", "workload"},
	"oracle/fuzz":               {"kernels", "replay"},
	"cmd/mbsim":                 {"..."},
}

// outside lists the rooms that may use a library; tests may use any.
var outside = map[string][]string{
	"gopkg.in/yaml.v3":              {"scenarios"},
	"github.com/klauspost/...":      {"internal/unpack"},
	"github.com/ulikunitz/xz":       {"internal/unpack"},
	"gonum.org/v1/plot/...":         {"reports"},
	"gonum.org/v1/gonum/...":        {"workload", "metrics", "study/..."},
	"golang.org/x/image/...":        {"reports"},
	"github.com/jedib0t/...":        {"internal/columns", "reports", "cmd/mbsim", "study/..."},
	"github.com/spf13/cobra":        {"cmd/mbsim"},
	"github.com/vbauerster/mpb/...": {"cmd/mbsim"},
	"github.com/HdrHistogram/...":   {"machine/latency"},
	"golang.org/x/term":             {"cmd/mbsim"},
	"golang.org/x/sync/...":         {"study/..."},
	"golang.org/x/sys/...":          {"study/..."},
	"pgregory.net/rapid":            {"allocator/alloctest"},
}

// matches says whether a path is what a pattern stands for.
func matches(pattern, p string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(p+"/", prefix)
	}
	return p == pattern
}

func anyMatches(patterns []string, p string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, p) })
}

// ruleOf is the entry of may for a folder.
func ruleOf(dir string) ([]string, bool) {
	if rule, ok := may[dir]; ok {
		return rule, true
	}
	for pattern, rule := range may {
		if strings.HasSuffix(pattern, "/...") && matches(pattern, dir) {
			return rule, true
		}
	}
	return nil, false
}

func TestImports(t *testing.T) {
	const root = "../.."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		if d.IsDir() {
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			if d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != "." || noModule == nil && rel != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		check(t, path.Dir(filepath.ToSlash(rel)), name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, dir, file string) {
	if dir == "internal/importrules" {
		return
	}
	rule, ok := ruleOf(dir)
	if !ok {
		t.Errorf("%s: the folder %s has no rule: add it to this test and to docs/ARCHITECTURE.md", file, dir)
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if own, ok := strings.CutPrefix(p, "mbsim/"); ok {
			if !anyMatches(rule, own) {
				t.Errorf("%s imports %s, which the rules do not allow", file, p)
			}
			continue
		}
		if !strings.Contains(p, ".") {
			continue // the standard library
		}
		allowed := false
		for library, rooms := range outside {
			allowed = allowed || matches(library, p) && anyMatches(rooms, dir)
		}
		if !allowed {
			t.Errorf("%s imports %s, which the rules do not allow in %s", file, p, dir)
		}
	}
}

// TestNoCycles checks that the rules themselves allow no circle.
func TestNoCycles(t *testing.T) {
	var visit func(dir string, way []string)
	visit = func(dir string, way []string) {
		if slices.Contains(way, dir) {
			t.Fatalf("the rules allow a circle: %v", append(way, dir))
		}
		for _, next := range may[dir] {
			if !strings.HasSuffix(next, "...") {
				visit(next, append(way, dir))
			}
		}
	}
	for dir := range may {
		visit(dir, nil)
	}
}
