// Package run plays one scenario: it mounts the starting state, lets the
// processes of the workload perform their operations on simulated CPUs, writes
// dirty data back and commits transactions as time passes, and samples metrics.
//
// Without a timing block a system call takes callTime of its CPU and nothing else
// takes time: writeback and commits happen at the time they are due, at once. With
// one, all work takes the time of the cost model, on a machine of machine/smp, and the
// flusher and the journal are processes. At the end all dirty
// data is written, so that every file has its blocks when it is measured.
//
// # Order
//
// Processes start in the order of their classes. Which of two operations at the
// same time comes first is decided by the engine's rules alone, so a run depends
// on scenario and seed and nothing else.
//
// Read next: sim (the engine), workload (what processes do), metrics.
package run
