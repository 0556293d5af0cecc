// Package kernels mounts every system that can be simulated: a file system as some kernel
// has it, such as ext4 of Linux 5.10, or ext2. It is the one room that knows which there
// are. Scenarios, runs, replays and the command line ask it by name, and none of them asks
// which file system it is: what a System can and has is said by its fields, and what is
// mounted by those of Mounted.
//
// A system of one's own is another entry of All. The allocator's side of a kernel is a
// literal in allocator/mballoc (linux5_10.go).
//
// Read next: systems.go for the list; run and replay for who mounts.
package kernels
