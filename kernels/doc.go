// Package kernels mounts every system that can be simulated: a file system as some kernel
// has it, such as ext4 of Linux 5.10, or ext2. It is the only package that knows which systems
// there are. Scenarios, runs, replays and the command line look a system up by its name, and
// none of them asks which file system it is: the fields of System say what a system has and
// can do, and those of Mounted what a mounted one offers.
//
// To add a system, add an entry to All. A kernel of ext4 is one of ext4.Kernels: a literal
// in filesystem/ext4 and allocator/mballoc (linux5_10.go), or what changed since.
//
// Read next: systems.go for the list; run and replay for who mounts.
package kernels
