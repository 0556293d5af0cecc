// Command mbsim simulates where ext4's and ext2's block allocators put the
// blocks of a workload. See README.md.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // short runs with little garbage: collect less often
	}
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}
