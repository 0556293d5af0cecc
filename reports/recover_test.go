package reports

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A process that replaces the files of a run may be killed after any step. What it
// leaves has no manifest, and nothing of it is there after Recover, but for what is not
// of a run.
func TestRecover(t *testing.T) {
	for killed := range 5 {
		dir := t.TempDir()
		put := func(name, text string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		put("notes.txt", "mine")
		if err := WriteDir(dir, &Manifest{}, []File{holding("a", "1"), holding("c", "1")}); err != nil {
			t.Fatal(err)
		}
		// As replaceFiles does it, up to a step.
		tmp := filepath.Join(dir, ".tmp-77")
		if err := os.Mkdir(tmp, 0o777); err != nil {
			t.Fatal(err)
		}
		steps := []func() error{
			func() error {
				put(".tmp-77/a", "2")
				put(".tmp-77/b", "2")
				put(".tmp-77/manifest.json", `{"schema": 1, "files": ["a", "b"]}`)
				return nil
			},
			func() error { return setAside(dir) },
			func() error { return os.Remove(filepath.Join(dir, "c")) },
			func() error { return os.Rename(filepath.Join(tmp, "a"), filepath.Join(dir, "a")) },
			func() error { return os.Rename(filepath.Join(tmp, "b"), filepath.Join(dir, "b")) },
		}
		for _, step := range steps[:killed+1] {
			if err := step(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(dir); killed > 0 && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after step %d: %v", killed, err)
		}
		if err := Recover(dir); err != nil {
			t.Fatal(err)
		}
		want := "notes.txt=mine"
		if killed == 0 { // nothing was replaced
			want = "a=1 c=1 manifest.json= notes.txt=mine"
		}
		if got := list(t, dir); got != want {
			t.Errorf("after step %d: %s, want %s", killed, got, want)
		}
	}
}

// Where all files were in their places the run stays. A folder without a run has
// nothing to lose, and one that is not there nothing at all.
func TestRecoverLeaves(t *testing.T) {
	dir := t.TempDir()
	if err := WriteDir(dir, &Manifest{}, []File{holding("a", "1")}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, replacedName), []byte(`{"schema": 1, "files": ["a"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Recover(dir); err != nil || list(t, dir) != "a=1 manifest.json=" {
		t.Errorf("%v, %s", err, list(t, dir))
	}
	empty := t.TempDir()
	if err := errors.Join(setAside(empty), Recover(empty)); err != nil || list(t, empty) != "" {
		t.Errorf("%v, %s", err, list(t, empty))
	}
	if err := Recover(filepath.Join(empty, "none")); err != nil {
		t.Error(err)
	}
}
