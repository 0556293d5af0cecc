package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mbsim/replay"
)

// shrink looks for a small part of the script in dir that still differs, recording at most
// about so many cases, and returns the folder of the smallest one found. It removes ever smaller
// runs of lines (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
// 2002).
func (k kernel) shrink(dir string, v *replay.Verdict, questions int, stdout io.Writer) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "ops"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	small := filepath.Clean(dir) + "-small"
	// differs asks the kernel about a part of the script. A part that cannot be recorded, for
	// instance because it opens a file that it has not made, does not count.
	differs := func(ops []string) bool {
		questions--
		if err := k.copyCase(dir, small, ops); err != nil {
			return false
		}
		v, err := k.ask(small)
		return err == nil && !v.InTurnsIdentical()
	}
	// What comes behind the line that differs cannot matter.
	if n := v.Line; n > 0 && n < len(lines) && differs(lines[:n]) {
		lines = lines[:n]
	}
	// Remove runs of half the lines, of a quarter, and so on to single lines.
	for size := len(lines) / 2; size > 0 && questions > 0; size /= 2 {
		for at := 0; at < len(lines) && questions > 0; {
			rest := slices.Concat(lines[:at], lines[min(at+size, len(lines)):])
			// The next run of lines is now at the same place, or else behind this one.
			if differs(rest) {
				lines = rest
			} else {
				at += size
			}
		}
		fmt.Fprintf(stdout, "  shrunk to %d lines\n", len(lines))
	}
	// The last part that was tried may not be the smallest: record that one again.
	if err := k.copyCase(dir, small, lines); err != nil {
		return "", err
	}
	_, err = k.ask(small)
	return small, err
}

// copyCase writes into folder to the case of dir, with other operations.
func (k kernel) copyCase(dir, to string, ops []string) error {
	env, err := os.ReadFile(filepath.Join(dir, "case.env"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "case.env"), env, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "ops"), []byte(strings.Join(ops, "\n")+"\n"), 0o644)
}
