// Package latency records how long things took: a histogram an operation (its
// buckets are those of an HDR histogram of three digits), from which percentiles are read.
//
//	r := latency.New()
//	r.Record(latency.Fsync, end-start)
//	r.Percentile(latency.Fsync, 99)
//	span := r.Cut() // what was recorded since the last cut; spans can be added up
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
// Recording allocates nothing but the histogram, 270 KB, at the first value of an
// operation.
//
// # Not modelled
//
// Coordinated omission: what is recorded is what was asked for.
//
// Read next: metrics, for what is counted; machine/smp and run, which record here.
package latency
