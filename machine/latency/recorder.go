package latency

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Limit is the longest time that is told apart, ns: one hour.
const Limit int64 = 3600 * 1_000_000_000

// digits is how many significant decimal digits a histogram keeps.
const digits = 3

// Recorder holds what was recorded of each operation: of a run, or of a stretch of it. It is
// not safe for concurrent use.
type Recorder struct {
	series [Ops]series
}

// series is one operation's values. Few different times occur in a stretch, so that the
// histogram holds only the buckets that have a count: it is small, and cheap to empty.
type series struct {
	hist     *hdrhistogram.PackedHistogram // nil until the first value
	min, max int64                         // exact, where there is a value
}

// New returns an empty recorder.
func New() *Recorder { return new(Recorder) }

// Record counts one operation that took ns. What is below 0 counts as 0, what is
// above Limit as Limit.
func (r *Recorder) Record(op Op, ns int64) {
	s := &r.series[op]
	if s.hist == nil {
		s.open()
	}
	ns = min(max(ns, 0), Limit)
	if err := s.hist.RecordValue(ns); err != nil {
		panic("latency: " + err.Error()) // ns is within the histogram's range
	}
	s.min, s.max = min(s.min, ns), max(s.max, ns)
}

// open prepares for the first value.
func (s *series) open() {
	s.hist = hdrhistogram.NewPacked(1, Limit, digits)
	s.min, s.max = math.MaxInt64, 0
}

// Count is how many values of op were recorded.
func (r *Recorder) Count(op Op) int64 {
	if h := r.series[op].hist; h != nil {
		return h.TotalCount()
	}
	return 0
}

// Max is the largest of op's values, 0 where there are none.
func (r *Recorder) Max(op Op) int64 { return r.series[op].max }

// Percentile is the time that p percent of op's values do not exceed, 0 where
// there are none.
func (r *Recorder) Percentile(op Op, p float64) int64 {
	if r.Count(op) == 0 {
		return 0
	}
	// A bucket's end may lie outside of the values in it.
	s := &r.series[op]
	return max(s.min, min(s.max, s.hist.ValueAtPercentile(p)))
}

// Cut returns what was recorded since New or the last Cut, and empties the recorder.
func (r *Recorder) Cut() *Recorder {
	out := New()
	for op := range r.series {
		s := &r.series[op]
		if r.Count(Op(op)) == 0 {
			continue
		}
		out.series[op] = series{s.hist.Clone(), s.min, s.max}
		s.hist.Reset()
		s.min, s.max = math.MaxInt64, 0
	}
	return out
}

// Add records all that another recorder holds, as if it had been recorded here. The other
// stays as it is.
func (r *Recorder) Add(other *Recorder) {
	for op := range other.series {
		from, s := &other.series[op], &r.series[op]
		if other.Count(Op(op)) == 0 {
			continue
		}
		if s.hist == nil {
			s.open()
		}
		if dropped := s.hist.Merge(from.hist); dropped != 0 {
			panic("latency: histograms of different ranges")
		}
		s.min, s.max = min(s.min, from.min), max(s.max, from.max)
	}
}
