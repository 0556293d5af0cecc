package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"mbsim/internal/crash"
	"mbsim/sim"
)

// breakDown panics.
func breakDown() { panic("an invariant\nis broken") }

// A panic ends the program with 1 and one line, wherever it was; the stack is in a file.
func TestCrash(t *testing.T) {
	for name, fail := range map[string]func() error{
		"in the command":   func() error { breakDown(); return nil },
		"in a goroutine":   func() error { return usage(crash.Guard(func() error { breakDown(); return nil })) },
		"in the simulator": func() error { e := sim.New(); e.At(7, breakDown); e.Run(sim.Forever); return nil },
		"in a process": func() error {
			e := sim.New()
			e.Go("p", func(*sim.Process) { breakDown() })
			return crash.Guard(func() error { e.Run(sim.Forever); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			root := newRoot()
			root.AddCommand(&cobra.Command{Use: "fail", RunE: func(*cobra.Command, []string) error { return fail() }})
			var stdout, stderr bytes.Buffer
			if code := executeRoot(root, []string{"fail", "it's $HOME"}, &stdout, &stderr); code != exitInternal {
				t.Errorf("exit code %d", code)
			}
			line := stderr.String()
			if strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "mbsim: internal error: ") || !strings.Contains(line, "an invariant is broken") ||
				!strings.Contains(line, reportPlace) {
				t.Errorf("%q", line)
			}
			files, err := filepath.Glob("mbsim-crash-*.txt")
			if err != nil || len(files) != 1 || !strings.Contains(line, files[0]) {
				t.Fatalf("files %q, %v: %s", files, err, line)
			}
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"mbsim ", "command: mbsim fail 'it'\\''s $HOME'\n", "an invariant is broken", "breakDown"} {
				if !strings.Contains(string(text), want) {
					t.Errorf("%s does not hold %q", text, want)
				}
			}
		})
	}
}

// Exit code 2 is for wrong input: an error that nobody called the user's is not, nor is
// one of the machine that came while reading what the user gave.
func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
	}{
		{nil, exitOK}, {errors.New("x"), exitInternal}, {usagef("x"), exitUsage}, {silent(exitExpect), exitExpect},
		{usagef("x: %w", syscall.ENOSPC), exitInternal}, {usagef("x: %w", syscall.ENOENT), exitUsage},
		{usage(&os.PathError{Op: "read", Path: "x", Err: syscall.EIO}), exitInternal},
	} {
		root := newRoot()
		root.AddCommand(&cobra.Command{Use: "end", RunE: func(*cobra.Command, []string) error { return c.err }})
		var stdout, stderr bytes.Buffer
		if code := executeRoot(root, []string{"end"}, &stdout, &stderr); code != c.code {
			t.Errorf("%v: exit code %d, want %d", c.err, code, c.code)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := execute([]string{"run", "--no-such-flag"}, &stdout, &stderr); code != exitUsage {
		t.Errorf("an unknown flag: exit code %d", code)
	}
}
