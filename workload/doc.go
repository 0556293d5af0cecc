// Package workload is where operations come from: scripts in the oracle's
// language (Script, ReadCase), and process classes that draw operations
// from distributions (Class, Population).
//
// A Population turns the classes of a phase into Workers, one a process. Whoever
// runs them (run) asks each for its next operation and tells it what became
// of the one before:
//
//	workers, prepare := population.Begin(&phase, now)
//	...
//	step, more := worker.Next(workload.View{Now: now, Used: share, Ret: result})
//
// # Units
//
// Sizes and offsets are bytes, times are nanoseconds of simulated time, shares
// are 0 to 1. An operation of a class (an Activity: create, append, ...) is a few
// system calls, each an Op.
//
// # Invariants
//
// What a process does depends on its streams and on what its operations
// returned, on nothing else: not on other processes, but for the share of the
// device in use where it has a target. Every purpose has a stream of its own,
// and every draw from a distribution takes one number from it: another think
// time leaves the files as they are, and another file size leaves the order of
// operations.
// Files live in slices and lists; no map decides anything. Draws use the
// mathematical functions of the Go library, which are the same on every machine
// of one architecture.
//
// # Not modelled
//
// Files that several processes write, names longer than a few letters, hard
// links, renames, memory maps. A fallocate that fails is believed to have
// changed nothing.
//
// The package knows no file system and no engine: it names files, and who plays
// the operations opens them.
//
// Read next: scenarios, which says what classes are written like; run.
package workload
