package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mbsim/kernels"
)

// kernelNames are the systems that there are, for help and messages.
func kernelNames() string { return strings.Join(kernels.Names(), ", ") }

// orHost is what --kernel takes besides, for help and messages.
const orHost = ", or " + kernels.HostName + " for the nearest to the running kernel"

// findKernel is the system that --kernel names: a kernel, one with changes switched, or the
// host's. Which one the host's is taken for is said on
// stderr.
func findKernel(name string) (*kernels.System, error) {
	if name == kernels.HostName {
		sys, note, err := kernels.Host()
		if err != nil {
			return nil, usage(err)
		}
		sayOnce(note)
		return sys, nil
	}
	sys, err := kernels.Find(name)
	if err != nil {
		return nil, usagef("--kernel: %w", err)
	}
	return sys, nil
}

// recordedKernel is the system that --kernel names for the case in dir, and the folder of its
// recording. A recording of a host says which kernel that was, on whatever machine it is
// looked at; without one, the recording of the profile nearest to this machine's is taken.
func recordedKernel(name, dir string) (sys *kernels.System, folder string, err error) {
	if name == kernels.HostName {
		file := filepath.Join(dir, kernels.HostName, "uname.txt")
		if release, err := os.ReadFile(file); err == nil {
			sys, note, err := kernels.Nearest(strings.TrimSpace(string(release)))
			if err != nil {
				return nil, "", usagef("%s: %v", file, err)
			}
			sayOnce(note)
			return sys, kernels.HostName, nil
		}
	}
	sys, err = findKernel(name)
	if err != nil {
		return nil, "", err
	}
	return sys, sys.Recording, nil
}

// said are the notes that were printed.
var said = make(map[string]bool)

// sayOnce prints a note on stderr, unless it was printed before.
func sayOnce(note string) {
	if !said[note] {
		fmt.Fprintln(os.Stderr, "mbsim:", note)
	}
	said[note] = true
}

// completeKernelFlag lets the shell complete the names of kernels after a flag.
func completeKernelFlag(c *cobra.Command, flag string) {
	completeFixed(c, flag, append(kernels.Names(), kernels.HostName)...)
}
