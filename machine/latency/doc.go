// Package latency records how long things took: an HDR histogram an operation, from which
// percentiles are read.
//
//	r := latency.New()
//	r.Record(latency.Fsync, end-start)
//	r.Percentile(latency.Fsync, 99)
//	span := r.Cut() // what was recorded since the last cut
//	phase.Add(span) // recorders can be added up
//
// # Units
//
// Nanoseconds of simulated time, 0 to Limit, one hour: what takes longer counts
// as an hour. Percentiles are of 100.
//
// # Precision
//
// Count and maximum are exact. Percentiles are exact up to 2047 ns
// and within 0.1% above: a percentile is the upper end of its bucket, but never
// more than the maximum.
//
// # Invariants
//
// A histogram holds only the buckets that have a count, a few bytes each. Recording
// allocates where their number becomes larger than it ever was, a cut what it returns.
// In runs of the shipped scenarios with times all of it is 3% of the work.
//
// # Not modelled
//
// Coordinated omission: what is recorded is what was asked for.
//
// Read next: metrics, for what is counted; machine/smp and run, which record here.
package latency
