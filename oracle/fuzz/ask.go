package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"mbsim/replay"
)

// generate writes a case.
func (k kernel) generate(family string, seed int, dir string) error {
	return command("python3", filepath.Join(k.scripts, "gen.py"), family, strconv.Itoa(seed), dir)
}

// ask records the case in dir and compares.
func (k kernel) ask(dir string) (*replay.Verdict, error) {
	script, args := "record.sh", []string{dir, k.name}
	if k.name == "ext2" {
		script, args = "record-ext2.sh", []string{dir}
	}
	if err := command("bash", append([]string{filepath.Join(k.scripts, script)}, args...)...); err != nil {
		return nil, err
	}
	return k.verify(dir)
}

// command runs a program; its error holds what it printed.
func command(name string, args ...string) error {
	var text bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &text, &text
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, bytes.TrimSpace(text.Bytes()))
	}
	return nil
}
