// Command mbsim simulates where ext4's and ext2's block allocators put the
// blocks of a workload. See README.md.
package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"mbsim/internal/atomicfile"
)

func main() {
	if os.Getenv("GOGC") == "" {
		collectLate()
	}
	theInterrupts.catch()
	code := execute(os.Args[1:], os.Stdout, os.Stderr)
	atomicfile.Abandon() // what a panic has left unfinished
	os.Exit(code)
}

// collectLate lets the first garbage collection wait until the heap has 64 MB, so that
// short runs need none, and later ones until it has five times what is alive.
func collectLate() {
	const first, later = 1600, 400 // percent; the runtime's least is 4 MB for 100
	debug.SetGCPercent(first)
	sentinel := new([4]int64) // gone at the first collection
	runtime.AddCleanup(sentinel, func(percent int) { debug.SetGCPercent(percent) }, later)
}
