package reports

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func holding(name, s string) File {
	return File{name, func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}}
}

// list is the files below dir with what they hold, sorted.
func list(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		if filepath.Base(rel) == manifestName {
			raw = nil
		}
		b.WriteString(rel + "=" + string(raw) + " ")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func TestWriteDir(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "out", "run")
	expect := func(what, want string) {
		t.Helper()
		if got := list(t, top); got != want {
			t.Errorf("%s: %s\nwant %s", what, got, want)
		}
	}
	if err := WriteDir(dir, &Manifest{}, []File{holding("a", "1"), holding("b", "1")}); err != nil {
		t.Fatal(err)
	}
	expect("new", "out/run/a=1 out/run/b=1 out/run/manifest.json=")

	// Somebody puts files of his own there; one takes the name of a file to come.
	for _, name := range []string{"notes.txt", "c"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sub", "x"), []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := WriteDir(dir+"/", &Manifest{}, []File{holding("b", "2"), holding("d", "2")}); err != nil {
		t.Fatal(err)
	}
	expect("again", "out/run/b=2 out/run/c=mine out/run/d=2 out/run/manifest.json= out/run/notes.txt=mine out/run/sub/x=mine")

	// What fails leaves everything as it was.
	broken := errors.New("broken")
	err := WriteDir(dir, &Manifest{}, []File{holding("b", "3"), {"e", func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	}}})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "e: ") {
		t.Errorf("the error is %v", err)
	}
	if err := WriteDir(filepath.Join(top, "other"), &Manifest{}, []File{{"e", func(io.Writer) error { return broken }}}); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	if err := WriteDir(dir, &Manifest{}, []File{holding("b", "3"), holding("sub", "3")}); err == nil {
		t.Error("a directory was taken for a file")
	}
	expect("after failures", "out/run/b=2 out/run/c=mine out/run/d=2 out/run/manifest.json= out/run/notes.txt=mine out/run/sub/x=mine")
	if entries, _ := os.ReadDir(top); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}

	for _, files := range [][]File{{holding("", "")}, {holding("../x", "")}, {holding(".", "")}, {holding("a/b", "")}, {holding("manifest.json", "")}, {holding("a", ""), holding("a", "")}} {
		if err := WriteDir(filepath.Join(top, "names"), &Manifest{}, files); err == nil {
			t.Errorf("%q was taken for a name", files[0].Name)
		}
	}
	if err := WriteDir(filepath.Join(dir, "b"), &Manifest{}, nil); err == nil {
		t.Error("a file was taken for the directory")
	}
	if err := WriteDir(filepath.Join(dir, "b", "x"), &Manifest{}, nil); err == nil {
		t.Error("a file was taken for the parent directory")
	}
}

// A manifest that names what is not a plain file of the directory removes nothing.
func TestStaleFilesAreOurs(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "run")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]string{"../precious": "mine", "manifest.json": `{"schema": 1, "files": ["../precious"]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteDir(dir, &Manifest{}, []File{holding("a", "1")}); err != nil {
		t.Fatal(err)
	}
	if got := list(t, top); got != "precious=mine run/a=1 run/manifest.json=" {
		t.Error(got)
	}
}

// The permissions of a new directory are those of any other.
func TestWriteDirPermissions(t *testing.T) {
	top := t.TempDir()
	dir, plain := filepath.Join(top, "run"), filepath.Join(top, "plain")
	if err := WriteDir(dir, &Manifest{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(plain, 0o777); err != nil {
		t.Fatal(err)
	}
	a, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	if a.Mode() != b.Mode() {
		t.Errorf("mode %v, want %v", a.Mode(), b.Mode())
	}
}

// What a run writes can be read, and what is made of that is the same, byte for
// byte; so is what the same run writes again.
func TestLoadIsTheInverseOfWrite(t *testing.T) {
	r := simulate(t, "../metrics/testdata/tunable-1")
	top := t.TempDir()
	one, two := filepath.Join(top, "one"), filepath.Join(top, "two")
	if err := Write(one, r, holding("mb_stats.txt", "mballoc:\n")); err != nil {
		t.Fatal(err)
	}
	back, err := Load(one)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(back.Manifest.Files, "mb_stats.txt") || len(back.Manifest.Files) != 11 {
		t.Errorf("files %v", back.Manifest.Files)
	}
	if err := Write(two, back, holding("mb_stats.txt", "mballoc:\n")); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(back.Manifest.Files, manifestName) {
		a, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(two, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs after it was read and written again", name)
		}
	}
	again := simulate(t, "../metrics/testdata/tunable-1")
	again.Manifest.Files = back.Manifest.Files // the page links to them
	for _, f := range Files(again) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		a, err := os.ReadFile(filepath.Join(one, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b.Bytes()) {
			t.Errorf("%s differs when the run is made again", f.Name)
		}
	}
	if err := os.Remove(filepath.Join(one, manifestName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(one); err == nil || !strings.Contains(err.Error(), "not whole") {
		t.Errorf("without a manifest: %v", err)
	}
}
