package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is temporary and nobody's goes; what is held, and what others may have called
// so, stays.
func TestClean(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tmp-1", ".tmp-", ".tmp-x", ".a-tmp-1", ".tmp-1", ".a.tmp-12", "a.tmp-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, ".tmp-2", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := Create(filepath.Join(dir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	if err := Clean(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := strings.Join([]string{".a-tmp-1", filepath.Base(f.Name()), ".tmp-", ".tmp-x", "a.tmp-1", "tmp-1"}, " ")
	if got := strings.Join(left, " "); got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	if err := Clean(filepath.Join(dir, "none")); err != nil {
		t.Error(err)
	}
}
