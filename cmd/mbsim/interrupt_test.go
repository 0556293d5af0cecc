package main

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// mainEnv makes the test binary be mbsim.
const mainEnv = "MBSIM_TEST_MAIN"

// program is mbsim as a process of its own, in dir.
func program(t *testing.T, dir string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), mainEnv+"=1")
	stderr := &bytes.Buffer{}
	c.Stderr = stderr
	return c, stderr
}

// tree lists what is below a folder.
func tree(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// interrupted interrupts a program, and checks how it ends and what it leaves.
func interrupted(t *testing.T, c *exec.Cmd, stderr *bytes.Buffer, want string, before []string) {
	t.Helper()
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var end *exec.ExitError
	if err := c.Wait(); !errors.As(err, &end) || end.ExitCode() != exitInterrupted {
		t.Errorf("%v, %s: want exit code %d", err, stderr, exitInterrupted)
	}
	if stderr.String() != want {
		t.Errorf("%q, want %q", stderr, want)
	}
	if after := tree(t, c.Dir); !slices.Equal(after, before) {
		t.Errorf("left: %q, before: %q", after, before)
	}
}

// Whatever reads a file is interrupted while it waits for it: a pipe that nobody writes
// into. That the pipe can be opened for writing says that the command reads it.
func TestInterruptReading(t *testing.T) {
	for args, file := range map[string]string{
		"run in -o out":                         "in",
		"validate in":                           "in",
		"sweep in -o out":                       "in",
		"script in -o out":                      "in",
		"replay . --mkfs -o out":                "case.env",
		"verify .":                              "case.env",
		"replay pipe --mkfs -o new/out --trace": "pipe/ops",
	} {
		t.Run(args, func(t *testing.T) {
			dir := t.TempDir()
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, "pipe"), 0o777); err != nil {
				t.Fatal(err)
			}
			write("pipe/case.env", "SIZE=64M\n")
			write("ok.yaml", "device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\nsync\\n\"}\n")
			if err := os.MkdirAll(filepath.Join(dir, "new"), 0o777); err != nil {
				t.Fatal(err)
			}
			pipe := filepath.Join(dir, file)
			if err := syscall.Mkfifo(pipe, 0o666); err != nil {
				t.Skip(err)
			}
			before := tree(t, dir)
			c, stderr := program(t, dir, strings.Fields(args)...)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			interrupted(t, c, stderr, "mbsim: interrupted\n", before)
		})
	}
}

// Files of results are files: what else has their names is refused at once, and nobody
// waits for a pipe.
func TestResultsAreFiles(t *testing.T) {
	for args, file := range map[string]string{
		"show . --as mb_groups":              "manifest.json",
		"report .":                           "manifest.json",
		"compare . .":                        "manifest.json",
		"merge .":                            "plan.json",
		"shard --out . --index 0 --of 1":     "plan.json",
		"sweep ok.yaml -o . --engine shards": "runs.ndjson",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "ok.yaml"), []byte("device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\nsync\\n\"}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(filepath.Join(dir, file), 0o666); err != nil {
			t.Skip(err)
		}
		before := tree(t, dir)
		c, stderr := program(t, dir, strings.Fields(args)...)
		var end *exec.ExitError
		if err := c.Run(); !errors.As(err, &end) || end.ExitCode() != exitUsage || stderr.String() != "mbsim: "+file+": not a regular file\n" {
			t.Errorf("%s: %v, %s", args, err, stderr)
		}
		if after := tree(t, dir); !slices.Equal(after, before) {
			t.Errorf("%s: left: %q, before: %q", args, after, before)
		}
	}
}

// A replay that is interrupted between two operations leaves nothing of what it has
// written by then.
func TestInterruptReplay(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "case.env"), []byte("SIZE=64M\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "ops")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	before := tree(t, dir)
	c, stderr := program(t, dir, "replay", ".", "--mkfs", "-o", "out")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	// More than the pipe, the parser and its queue hold: some have been performed.
	if _, err := w.WriteString(strings.Repeat("sync\n", 200_000)); err != nil {
		t.Fatal(err)
	}
	interrupted(t, c, stderr, "mbsim: interrupted\n", before)
}

// A run that is interrupted while it runs writes what it has so far, and says so. Its progress
// says that it runs.
func TestInterruptRun(t *testing.T) {
	const endless = `device: {mkfs: {size: 64M}}
workload:
  classes: [{name: w, think: 1ms, mix: {create: 1, delete: 1}, file_size: 4K}]
stop: {operations: 1000000000000}
`
	for _, args := range []string{"run s.yaml -o out --progress always", "sweep s.yaml -o out --progress always --reps 2"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(endless), 0o666); err != nil {
			t.Fatal(err)
		}
		c, _ := program(t, dir, strings.Fields(args)...)
		c.Stderr = nil
		out, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(out)
		if _, err := r.ReadByte(); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		var rest bytes.Buffer
		if _, err := rest.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		var end *exec.ExitError
		if err := c.Wait(); !errors.As(err, &end) || end.ExitCode() != exitInterrupted || !strings.Contains(rest.String(), "mbsim: interrupted") {
			t.Errorf("%s: %v, %s", args, err, rest.String())
		}
		// Of a run there are results, which say that it was interrupted.
		if strings.HasPrefix(args, "run") {
			m, err := os.ReadFile(filepath.Join(dir, "out", "manifest.json"))
			if err != nil || !strings.Contains(string(m), `"interrupted": true`) {
				t.Errorf("the manifest does not say that the run was interrupted: %v", err)
			}
			x, err := os.ReadFile(filepath.Join(dir, "out", "results.json"))
			if err != nil || !strings.Contains(string(x), "these are the results so far") {
				t.Errorf("the results do not say so: %v", err)
			}
		}
		for _, name := range tree(t, dir) {
			if strings.HasPrefix(filepath.Base(name), ".") || strings.Contains(name, "tmp-") || strings.HasPrefix(args, "sweep") && strings.HasSuffix(name, ".png") {
				t.Errorf("%s: left %s", args, name)
			}
		}
	}
}
