// Package smp is the machine on which several processes use one ext4 at once:
// CPUs, the kernel's locks, and the time that work takes. It implements
// ext4.Host on the engine, so that processes give way to each other at the
// kernel's lock points: the group lock, taken and dropped for each group scanned
// and found held by others (contention); between a search and the use of the
// best it found; the stream goal's lock; a locality group's mutex; the read of a
// bitmap; the commit of a transaction; the lock of an inode.
//
// Lost chunks, a busy file system, and layouts that differ from run to run come
// from nothing else than the order in which processes pass these points.
//
// # Units
//
// Times are nanoseconds of simulated time. Costs holds all of them.
//
// # Not modelled
//
// Preemption by a timer tick; caches; the time of what Costs does not name.
//
// Read next: replay and run, which put processes on a Machine.
package smp
