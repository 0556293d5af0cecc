// Package metrics is what is measured of a run: one registry of metrics (name,
// unit, which direction is better, where the figure comes from), a collector that
// samples them over simulated time, and the result it ends with.
//
// # Registry
//
// Every figure has one entry (List, Find). A Counter counts up from the start of
// the run, and a phase's value is its difference to the phase's start. A Gauge is
// a state, and a phase's value is that at its end. A Ratio is computed from
// others: in a phase from their differences. Names are stable; one that does not
// exist is an error, never a zero. A metric that does not apply (a locality
// group's on ext2) is absent, which is NaN in a Row.
//
// # Units
//
// Time is int64 nanoseconds of simulated time. Space is in file-system blocks
// unless the unit says clusters or bytes. A share is of 1.
//
// # Invariants
//
// Sampling never changes the simulated state: free space is read through
// Policy's peeks, which load no group and count nothing, and files through Look
// where the file system has it. A test runs the same operations with and without
// a collector and compares what comes out.
//
// Memory is bounded whatever the length of the run: a timeline that is full
// drops every other of its samples and takes half as many from then on. Figures
// that need the whole tree or every bitmap are taken at far fewer moments than
// counters.
//
// # Not modelled
//
// Statistics over several runs. Time itself: whoever runs the clock calls Sample.
//
// Read next: reports, which writes results as text, JSON, CSV and pictures.
package metrics
