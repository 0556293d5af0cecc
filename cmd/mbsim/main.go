// Command mbsim simulates where ext4's and ext2's block allocators put the
// blocks of a workload. See README.md.
package main

import "os"

func main() {
	os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr))
}
