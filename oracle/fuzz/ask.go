package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"mbsim/kernels"
	"mbsim/replay"
)

// generate writes the case that gen.py makes of a family and a seed into dir.
func (k kernel) generate(family string, seed int, dir string) error {
	return command("python3", filepath.Join(k.scripts, "gen.py"), family, strconv.Itoa(seed), dir)
}

// ask records the case in dir on the real kernel, and compares the simulator with that.
func (k kernel) ask(dir string) (*replay.Verdict, error) {
	sys, err := kernels.Find(k.name)
	if err != nil {
		return nil, err
	}
	args := []string{dir}
	if sys.Recorder.TakesKernel {
		args = append(args, k.name)
	}
	if err := command("bash", append([]string{filepath.Join(k.scripts, sys.Recorder.Script)}, args...)...); err != nil {
		return nil, err
	}
	return k.verify(dir)
}

// command runs a program. The error holds everything that the program printed.
func command(name string, args ...string) error {
	var text bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &text, &text
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(args[0]), err, bytes.TrimSpace(text.Bytes()))
	}
	return nil
}
