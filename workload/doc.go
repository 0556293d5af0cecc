// Package workload is where operations come from: scripts in the oracle's
// language, and process classes that draw operations from distributions.
//
// Sizes and offsets are bytes, times are nanoseconds of simulated time. The
// package knows no file system: it names files, and who plays the operations
// (sim/run) opens them.
package workload
