// Package latency records how long things took: one HDR histogram an operation,
// from which percentiles are read, and which shards of a study merge.
//
//	r := latency.New()
//	r.Record(latency.Fsync, end-start)
//	r.Percentile(latency.Fsync, 99)
//
// # Units
//
// Nanoseconds of simulated time, 0 to Limit, one hour: what takes longer counts
// as an hour. Percentiles are of 100.
//
// # Precision
//
// Count, sum, minimum and maximum are exact. Percentiles are exact up to 2047 ns
// and within 0.1% above: a percentile is the upper end of its bucket, but never
// more than the maximum.
//
// # Invariants
//
// Merging recorders of parts, in any order, gives the recorder of the whole, to
// the last byte of its JSON; and reading that JSON gives the recorder again.
// Names are fixed: a name that does not exist is an error. Recording allocates
// nothing but the histogram, 270 KB, at the first value of an operation.
//
// # Not modelled
//
// Latency over time: a recorder covers the run it was made for. Coordinated
// omission: what is recorded is what was asked for.
//
// Read next: metrics, for what is counted; machine/device, which records here.
package latency
