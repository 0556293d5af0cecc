package latency

import (
	"math"
	"math/bits"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Limit is the longest time that is told apart, ns: one hour.
const Limit int64 = 3600 * 1_000_000_000

// digits is how many significant decimal digits a histogram keeps.
const digits = 3

// Recorder holds what was recorded of each operation. It is not safe for
// concurrent use.
type Recorder struct {
	series [ops]series
}

// series is one operation's values.
type series struct {
	hist     *hdrhistogram.Histogram // nil until the first value
	min, max int64
	// The sum of all values, 128 bits: an hour a million times is 3.6e18 ns.
	sumHigh, sumLow uint64
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

func (s *series) add(ns int64) {
	if err := s.hist.RecordValue(ns); err != nil {
		panic("latency: " + err.Error()) // ns is within the histogram's range
	}
	s.min, s.max = min(s.min, ns), max(s.max, ns)
	s.addSum(0, uint64(ns))
}

func (s *series) addSum(high, low uint64) {
	var carry uint64
	s.sumLow, carry = bits.Add64(s.sumLow, low, 0)
	s.sumHigh, _ = bits.Add64(s.sumHigh, high, carry)
}

// Merge adds what other recorded. other stays as it is.
func (r *Recorder) Merge(other *Recorder) {
	for op := range ops {
		from := &other.series[op]
		if from.hist == nil {
			continue
		}
		s := &r.series[op]
		if s.hist == nil {
			s.open()
		}
		if dropped := s.hist.Merge(from.hist); dropped != 0 {
			panic("latency: histograms of different ranges")
		}
		s.min, s.max = min(s.min, from.min), max(s.max, from.max)
		s.addSum(from.sumHigh, from.sumLow)
	}
}

// Count is how many values of op were recorded.
func (r *Recorder) Count(op Op) int64 {
	if h := r.series[op].hist; h != nil {
		return h.TotalCount()
	}
	return 0
}

// Mean is the mean of op's values in ns, NaN where there are none.
func (r *Recorder) Mean(op Op) float64 {
	n := r.Count(op)
	if n == 0 {
		return math.NaN()
	}
	return r.series[op].sum() / float64(n)
}

// sum is the sum of the values, rounded where it needs more than 53 bits.
func (s *series) sum() float64 {
	high := float64(s.sumHigh) * (1 << 64)
	return high + float64(s.sumLow)
}

// Sum is the time all of op's values take together, ns.
func (r *Recorder) Sum(op Op) float64 { return r.series[op].sum() }

// Max is the largest of op's values, 0 where there are none.
func (r *Recorder) Max(op Op) int64 { return r.series[op].max }

// Min is the smallest of op's values, 0 where there are none.
func (r *Recorder) Min(op Op) int64 {
	if r.Count(op) == 0 {
		return 0
	}
	return r.series[op].min
}

// Percentile is the time that p percent of op's values do not exceed, 0 where
// there are none.
func (r *Recorder) Percentile(op Op, p float64) int64 {
	s := &r.series[op]
	if s.hist == nil || s.hist.TotalCount() == 0 {
		return 0
	}
	return max(s.min, min(s.max, s.hist.ValueAtPercentile(p)))
}

// Summary is what is told of an operation, in ns.
type Summary struct {
	Op            Op
	Count         int64
	Mean          float64
	Min, Max      int64
	P50, P90, P99 int64
	P999, P9999   int64 // 99.9 and 99.99 percent
}

// Summaries are those of the operations that were recorded, in the order of List.
func (r *Recorder) Summaries() []Summary {
	var all []Summary
	for op := range ops {
		if r.Count(op) == 0 {
			continue
		}
		p := func(p float64) int64 { return r.Percentile(op, p) }
		all = append(all, Summary{
			Op: op, Count: r.Count(op), Mean: r.Mean(op), Min: r.Min(op), Max: r.Max(op),
			P50: p(50), P90: p(90), P99: p(99), P999: p(99.9), P9999: p(99.99),
		})
	}
	return all
}
