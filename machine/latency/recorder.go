package latency

import (
	"math"
	"math/bits"
	"slices"
)

// Limit is the longest time that is told apart, ns: one hour.
const Limit int64 = 3600 * 1_000_000_000

// Recorder holds what was recorded of each operation. It is not safe for
// concurrent use.
type Recorder struct {
	series [Ops]series
}

// series is one operation's values.
type series struct {
	counts   []int64 // by bucket, nil until the first value
	touched  []int32 // buckets that have a count, in no order
	total    int64
	min, max int64
}

// Values below exact have a bucket each. Above, each power of two is cut into half buckets
// of equal width.
const (
	exact = 2048
	half  = exact / 2
)

// bucketOf is the number of the bucket that holds v, 0 to Limit.
func bucketOf(v int64) int32 {
	if v < exact {
		return int32(v)
	}
	shift := bits.Len64(uint64(v)) - bits.Len64(exact-1)
	return int32(exact + (shift-1)*half + int(v>>shift) - half)
}

// upperEnd is the largest value in a bucket.
func upperEnd(bucket int32) int64 {
	if bucket < exact {
		return int64(bucket)
	}
	shift := (int(bucket)-exact)/half + 1
	top := (int64(bucket)-exact)%half + half
	return (top+1)<<shift - 1
}

// New returns an empty recorder.
func New() *Recorder { return new(Recorder) }

// Record counts one operation that took ns. What is below 0 counts as 0, what is
// above Limit as Limit.
func (r *Recorder) Record(op Op, ns int64) {
	s := &r.series[op]
	if s.counts == nil {
		s.open()
	}
	ns = min(max(ns, 0), Limit)
	s.add(bucketOf(ns), 1)
	s.min, s.max = min(s.min, ns), max(s.max, ns)
}

// open prepares for the first value.
func (s *series) open() {
	s.counts = make([]int64, bucketOf(Limit)+1)
	s.min = math.MaxInt64
}

// add counts n values in a bucket.
func (s *series) add(bucket int32, n int64) {
	if s.counts[bucket] == 0 {
		s.touched = append(s.touched, bucket)
	}
	s.counts[bucket] += n
	s.total += n
}

// Count is how many values of op were recorded.
func (r *Recorder) Count(op Op) int64 { return r.series[op].total }

// Max is the largest of op's values, 0 where there are none.
func (r *Recorder) Max(op Op) int64 { return r.series[op].max }

// Percentile is the time that p percent of op's values do not exceed, 0 where
// there are none.
func (r *Recorder) Percentile(op Op, p float64) int64 {
	s := &r.series[op]
	if s.total == 0 {
		return 0
	}
	// The bucket in which the value of this rank lies.
	rank := int64(min(p, 100)/100*float64(s.total) + 0.5)
	b := bucketOf(s.min)
	for seen := s.counts[b]; seen < rank && b < bucketOf(s.max); seen += s.counts[b] {
		b++
	}
	if rank == 0 {
		return s.min
	}
	return max(s.min, min(s.max, upperEnd(b)))
}

// Span is what was recorded in a stretch of time, in little memory: only buckets that have
// a count. The zero Span holds nothing.
type Span struct {
	series [Ops]spanSeries
}

// spanSeries is one operation's part of a span.
type spanSeries struct {
	buckets  []bucketCount // in order
	min, max int64
}

type bucketCount struct {
	bucket int32
	count  int64
}

// Cut returns what was recorded since New or the last Cut, and empties the recorder.
func (r *Recorder) Cut() (out Span) {
	for op := range r.series {
		s := &r.series[op]
		if s.total == 0 {
			continue
		}
		// In order, so that equal values make equal spans.
		slices.Sort(s.touched)
		x := &out.series[op]
		x.buckets = make([]bucketCount, len(s.touched))
		for i, b := range s.touched {
			x.buckets[i] = bucketCount{b, s.counts[b]}
			s.counts[b] = 0
		}
		x.min, x.max = s.min, s.max
		s.touched, s.total, s.min, s.max = s.touched[:0], 0, math.MaxInt64, 0
	}
	return out
}

// Add records all that a span holds, as if it had been recorded here.
func (r *Recorder) Add(x *Span) {
	for op := range x.series {
		from, s := &x.series[op], &r.series[op]
		if len(from.buckets) == 0 {
			continue
		}
		if s.counts == nil {
			s.open()
		}
		for _, b := range from.buckets {
			s.add(b.bucket, b.count)
		}
		s.min, s.max = min(s.min, from.min), max(s.max, from.max)
	}
}
