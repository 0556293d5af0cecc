package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/internal/folderlock"
)

// Each subcommand that writes into a folder is refused at once while another process
// holds it, whether the folder is there or not, and changes nothing.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("s.yaml", "device: {mkfs: {size: 64M}}\nworkload: {script: \"sync\\nsync\\n\"}\n")
	if err := os.Mkdir(filepath.Join(dir, "case"), 0o777); err != nil {
		t.Fatal(err)
	}
	put("case/case.env", "SIZE=64M\n")
	put("case/ops", "sync\n")
	mbsim := func(args string) (code int, stderr string) {
		t.Helper()
		c, text := program(t, dir, strings.Fields(args)...)
		err := c.Run()
		var end *exec.ExitError
		if err != nil && !errors.As(err, &end) {
			t.Fatal(err)
		}
		return c.ProcessState.ExitCode(), text.String()
	}
	for _, args := range []string{"run s.yaml -q --no-plots -o run", "sweep s.yaml -q -o study"} {
		if code, stderr := mbsim(args); code != exitOK {
			t.Fatalf("mbsim %s: %d, %s", args, code, stderr)
		}
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for args, out := range map[string]string{
		"run s.yaml -q --no-plots -o run":     "run",
		"run s.yaml -q --no-plots -o new/run": "new/run",
		"sweep s.yaml -q -o study":            "study",
		"sweep s.yaml -q -o new":              "new",
		"merge study":                         "study",
		"report run --no-plots":               "run",
		"report study --no-plots":             "study",
		"report run --no-plots -o new":        "new",
		"script s.yaml -o case":               "case",
		"replay case --mkfs -o run":           "run",
		"replay case --mkfs -o new":           "new",
	} {
		l, err := folderlock.Acquire(filepath.Join(dir, out))
		if err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		code, stderr := mbsim(args)
		want := fmt.Sprintf("mbsim: %s is in use by process %d on %s: one at a time writes into a folder\n", out, os.Getpid(), host)
		if code != exitUsage || stderr != want {
			t.Errorf("%s: %d, %s, want %s", args, code, stderr, want)
		}
		if after := tree(t, dir); !slices.Equal(after, before) {
			t.Errorf("%s: left %q, before %q", args, after, before)
		}
		if err := l.Release(); err != nil {
			t.Fatal(err)
		}
		if code, stderr = mbsim(args); code != exitOK {
			t.Errorf("%s: afterwards %d, %s", args, code, stderr)
		}
		for _, name := range tree(t, dir) {
			if strings.HasPrefix(filepath.Base(name), ".") {
				t.Errorf("%s: left %s", args, name)
			}
		}
		if err := os.RemoveAll(filepath.Join(dir, "new")); err != nil {
			t.Fatal(err)
		}
	}
}
