package folderlock

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// childEnv makes the test binary lock a folder and wait until it is killed.
const childEnv = "MBSIM_TEST_LOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		_, err := Acquire(dir)
		fmt.Println(err)
		// Until the test kills it, or has ended. Go ends a process in which nothing but
		// "select {}" is left.
		os.Stdin.Read(make([]byte, 1))
		return
	}
	os.Exit(m.Run())
}

// names are what is in a folder and below it.
func names(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// inUse makes sure that a folder cannot be locked, neither way, because of us.
func inUse(t *testing.T, dir string) {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s is in use by process %d on %s: one at a time writes into a folder", dir, os.Getpid(), host)
	for _, f := range []func(string) (*Lock, error){Acquire, Make} {
		if _, err := f(dir); !errors.As(err, new(*InUse)) || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
	}
}

func release(t *testing.T, l *Lock) {
	t.Helper()
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

// A folder that is there and one that is not: one at a time, and nothing is left.
func TestOneAtATime(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"there", "a/b/new"} {
		dir := filepath.Join(top, name)
		if name == "there" {
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range []func(string) (*Lock, error){Acquire, Make} {
			l, err := f(dir)
			if err != nil {
				t.Fatal(err)
			}
			inUse(t, dir)
			release(t, l)
			if got := names(t, top); got != "there" {
				t.Errorf("%s: left are %s", name, got)
			}
		}
	}
}

// While there is no folder its name is locked, and it appears whole; who made it holds
// it until the end.
func TestAppears(t *testing.T) {
	top := t.TempDir()
	dir, tmp := filepath.Join(top, "new"), filepath.Join(top, "tmp")
	l, err := Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, top); got != ".new.lock" {
		t.Errorf("there are %s", got)
	}
	if err := errors.Join(os.Mkdir(tmp, 0o777), os.WriteFile(filepath.Join(tmp, "file"), nil, 0o644), os.Rename(tmp, dir)); err != nil {
		t.Fatal(err)
	}
	release(t, l)
	if got := names(t, top); got != "new new/file" {
		t.Errorf("there are %s", got)
	}
	if l, err = Make(dir); err != nil {
		t.Fatal(err)
	}
	if got := names(t, top); got != "new new/.mbsim.lock new/file" {
		t.Errorf("there are %s", got)
	}
	release(t, l)
}

func TestErrors(t *testing.T) {
	top := t.TempDir()
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "a file is in the way of the folder", filepath.Join(file, "x"): "not a directory"} {
		for _, f := range []func(string) (*Lock, error){Acquire, Make} {
			if _, err := f(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error is %v, want %s", path, err, want)
			}
		}
	}
	if got := names(t, top); got != "file" {
		t.Errorf("left are %s", got)
	}
}

// What a killed process held can be locked, and nothing of it is left.
func TestKilled(t *testing.T) {
	top := t.TempDir()
	there := filepath.Join(top, "there")
	if err := os.Mkdir(there, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{there, filepath.Join(top, "new")} {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 100)
		n, err := out.Read(said) // it holds the lock once it speaks
		if err != nil || strings.TrimSpace(string(said[:n])) != "<nil>" {
			t.Errorf("the child says %s, %v", said[:n], err)
		}
		_, err = Acquire(dir)
		if want := fmt.Sprintf("in use by process %d on ", c.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %s", err, want)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // it was killed
		l, err := Acquire(dir)
		if err != nil {
			t.Fatal(err)
		}
		release(t, l)
	}
	if got := names(t, top); got != "there" {
		t.Errorf("left are %s", got)
	}
}

// A process that is about to exit leaves nothing, and takes no other lock.
func TestAbandon(t *testing.T) {
	defer func() { abandoned = false }()
	top := t.TempDir()
	l, err := Make(filepath.Join(top, "a/b"))
	if err != nil {
		t.Fatal(err)
	}
	Abandon()
	if got := names(t, top); got != "" {
		t.Errorf("left are %s", got)
	}
	if _, err := Acquire(filepath.Join(top, "c")); !errors.Is(err, errAbandoned) {
		t.Error(err)
	}
	release(t, l)
	if got := names(t, top); got != "" {
		t.Errorf("left are %s", got)
	}
}

// Many at once, who come and go: never two hold the folder.
func TestRace(t *testing.T) {
	for _, name := range []string{"there", "new"} {
		top := t.TempDir()
		dir := filepath.Join(top, name)
		if name == "there" {
			if err := os.Mkdir(dir, 0o777); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		var holders int
		var mu sync.Mutex
		note := func(d int) {
			mu.Lock()
			defer mu.Unlock()
			if holders += d; holders > 1 {
				t.Error("two hold the folder")
			}
		}
		for i := range 8 {
			all.Add(1)
			go func() {
				defer all.Done()
				for range 100 {
					l, err := []func(string) (*Lock, error){Acquire, Make}[i%2](dir)
					if errors.As(err, new(*InUse)) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					note(1)
					note(-1)
					release(t, l)
				}
			}()
		}
		all.Wait()
		if _, err := Acquire(dir); err != nil {
			t.Error(err)
		}
	}
}

// Who makes a folder and is killed before the lock beside it is removed leaves both: the next
// lock of the folder removes it, unless it is held.
func TestLeftBeside(t *testing.T) {
	top := t.TempDir()
	dir, left := filepath.Join(top, "out"), filepath.Join(top, ".out.lock")
	for _, f := range []func(string) (*Lock, error){Acquire, Make} {
		// As the killed process leaves it.
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(left, []byte("process 1 on n1\n"), 0o666)); err != nil {
			t.Fatal(err)
		}
		l, err := f(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(t, top); got != "out out/.mbsim.lock" {
			t.Errorf("there are %s", got)
		}
		release(t, l)
	}
	// A lock that somebody holds stays. A file description of its own stands for another process.
	held, err := os.Create(left)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	l, err := Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	release(t, l)
	if got := names(t, top); got != ".out.lock out" {
		t.Errorf("there are %s", got)
	}
}
