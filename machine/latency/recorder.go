package latency

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Limit is the longest time that is told apart, ns: one hour.
const Limit int64 = 3600 * 1_000_000_000

// digits is how many significant decimal digits a histogram keeps.
const digits = 3

// Recorder holds what was recorded of each operation. It is not safe for
// concurrent use.
type Recorder struct {
	series [Ops]series
}

// series is one operation's values.
type series struct {
	hist     *hdrhistogram.Histogram // nil until the first value
	min, max int64
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
	s.add(min(max(ns, 0), Limit))
}

// open prepares for the first value.
func (s *series) open() {
	s.hist = hdrhistogram.New(1, Limit, digits)
	s.min, s.max = math.MaxInt64, 0
}

// add records a value between 0 and Limit.
func (s *series) add(ns int64) {
	if err := s.hist.RecordValue(ns); err != nil {
		panic("latency: " + err.Error()) // ns is within the histogram's range
	}
	s.min, s.max = min(s.min, ns), max(s.max, ns)
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
	s := &r.series[op]
	if s.hist == nil || s.hist.TotalCount() == 0 {
		return 0
	}
	return max(s.min, min(s.max, s.hist.ValueAtPercentile(p)))
}
