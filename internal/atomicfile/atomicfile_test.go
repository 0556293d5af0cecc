package atomicfile

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// childEnv makes the test binary begin to write into a folder and wait to be killed.
const childEnv = "MBSIM_TEST_ATOMICFILE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		writeForEver(dir)
	}
	os.Exit(m.Run())
}

// writeForEver begins a file, a folder and a set, says so, and waits.
func writeForEver(dir string) {
	f, err1 := Create(filepath.Join(dir, "file"))
	d, err2 := CreateFolder(dir, "folder")
	s, err3 := Begin(dir)
	if err := errors.Join(err1, err2, err3, s.Write("one", []byte("1"))); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("writing\n")
	os.Stdin.Read(make([]byte, 1)) // until the test ends
	runtime.KeepAlive([]any{f, d, s})
}

// names are those in a folder.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// holds fails unless a file holds text and nothing else is in its folder.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := names(t, dir)
	if len(got) != len(want) {
		t.Errorf("%s holds %q, want %d files", dir, got, len(want))
	}
	for name, text := range want {
		if raw, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(raw) != text {
			t.Errorf("%s: %q, %v: want %q", name, raw, err, text)
		}
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	check(t, Write(path, []byte("old")))
	f, err := Create(path)
	check(t, err)
	_, err = f.WriteString("new")
	check(t, err)
	if raw, _ := os.ReadFile(path); string(raw) != "old" {
		t.Errorf("before Commit the file holds %q", raw)
	}
	check(t, f.Abandon())
	holds(t, dir, map[string]string{"x": "old"})
	check(t, WriteDurable(path, []byte("newer")))
	holds(t, dir, map[string]string{"x": "newer"})
}

func TestSet(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "new", "folder")
	s, err := Begin(dir)
	check(t, err)
	check(t, s.Write("a", []byte("1")))
	check(t, s.Abandon())
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("an abandoned set left its folder")
	}
	check(t, WriteAll(dir, map[string][]byte{"a": []byte("1"), "b": []byte("2")}))
	holds(t, dir, map[string]string{"a": "1", "b": "2"})
	check(t, os.Mkdir(filepath.Join(dir, "c"), 0o777))
	err = WriteAll(dir, map[string][]byte{"a": []byte("3"), "c": []byte("3")})
	if err == nil || !strings.Contains(err.Error(), "a directory is in the way") {
		t.Errorf("%v", err)
	}
	check(t, os.Remove(filepath.Join(dir, "c")))
	holds(t, dir, map[string]string{"a": "1", "b": "2"})
}

// What is temporary stays while its process lives, and goes with the next writer once
// it was killed. Names that only look alike stay.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	check(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), childEnv+"="+dir)
	in, err := c.StdinPipe()
	check(t, err)
	defer in.Close()
	out, err := c.StdoutPipe()
	check(t, err)
	check(t, c.Start())
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	all := func() {
		check(t, Write(filepath.Join(dir, "file"), nil))
		f, err := CreateFolder(dir, "folder")
		check(t, err)
		check(t, f.Remove())
		check(t, WriteAll(dir, map[string][]byte{"two": nil}))
	}
	alike := ".file.tmp-12x"
	check(t, os.WriteFile(filepath.Join(dir, alike), nil, 0o666))
	all()
	if got := names(t, dir); len(got) != 6 {
		t.Errorf("beside a living writer: %q", got)
	}
	check(t, c.Process.Kill())
	c.Wait() // it was killed
	all()
	if got := names(t, dir); !slices.Equal(got, []string{alike, "file", "two"}) {
		t.Errorf("after the writer was killed: %q", got)
	}
}

// A process that is about to exit leaves nothing, and begins nothing more.
func TestAbandon(t *testing.T) {
	defer func() {
		abandoned, forGood = false, sync.Once{}
		together.Unlock()
	}()
	dir := t.TempDir()
	_, err := Create(filepath.Join(dir, "x"))
	check(t, err)
	s, err := Begin(dir)
	check(t, err)
	check(t, s.Write("a", nil))
	_, err = Begin(filepath.Join(dir, "new"))
	check(t, err)
	Abandon()
	Abandon()
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
	if _, err := Create(filepath.Join(dir, "x")); !errors.Is(err, ErrAbandoned) || len(names(t, dir)) != 0 {
		t.Errorf("%v, %q", err, names(t, dir))
	}
}
