// Command mbsim simulates where ext4's and ext2's block allocators put the
// blocks of a workload. See README.md.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// A run keeps most of what it allocates, so collecting less often costs little
		// memory: the heap may grow to five times what is alive.
		debug.SetGCPercent(400)
	}
	theInterrupts.catch()
	code := execute(os.Args[1:], os.Stdout, os.Stderr)
	abandon() // what a panic has left unfinished
	os.Exit(code)
}
