package latency

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// operationJSON is one operation as JSON has it. The percentiles are for those
// who read the file; buckets, sum, min and max are what it is read back from.
type operationJSON struct {
	Name    string     `json:"name"`
	Count   int64      `json:"count"`
	Sum     *big.Int   `json:"sum_ns"`
	Mean    float64    `json:"mean_ns"`
	Min     int64      `json:"min_ns"`
	P50     int64      `json:"p50_ns"`
	P90     int64      `json:"p90_ns"`
	P99     int64      `json:"p99_ns"`
	P999    int64      `json:"p99.9_ns"`
	P9999   int64      `json:"p99.99_ns"`
	Max     int64      `json:"max_ns"`
	Buckets [][2]int64 `json:"buckets"` // [lowest value, count], those that hold any
}

// MarshalJSON writes the operations that were recorded, in the order of List.
func (r *Recorder) MarshalJSON() ([]byte, error) {
	all := []operationJSON{}
	for _, s := range r.Summaries() {
		o := &r.series[s.Op]
		sum := new(big.Int).SetUint64(o.sumHigh)
		sum.Lsh(sum, 64).Or(sum, new(big.Int).SetUint64(o.sumLow))
		all = append(all, operationJSON{
			Name: s.Op.String(), Count: s.Count, Sum: sum, Mean: s.Mean, Min: s.Min,
			P50: s.P50, P90: s.P90, P99: s.P99, P999: s.P999, P9999: s.P9999, Max: s.Max,
			Buckets: buckets(o.hist),
		})
	}
	return json.Marshal(all)
}

func buckets(h *hdrhistogram.Histogram) [][2]int64 {
	var all [][2]int64
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			all = append(all, [2]int64{bar.From, bar.Count})
		}
	}
	return all
}

// UnmarshalJSON reads what MarshalJSON wrote. r is left as it was where that
// fails.
func (r *Recorder) UnmarshalJSON(b []byte) error {
	var all []operationJSON
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	var read Recorder
	for i := range all {
		op, err := Find(all[i].Name)
		if err != nil {
			return err
		}
		if read.series[op].hist != nil {
			return fmt.Errorf("latency %q is there twice", all[i].Name)
		}
		if err := all[i].fill(&read.series[op]); err != nil {
			return fmt.Errorf("latency %q: %w", all[i].Name, err)
		}
	}
	*r = read
	return nil
}

// fill makes the series that o tells of.
func (o *operationJSON) fill(s *series) error {
	s.open()
	for _, b := range o.Buckets {
		if b[0] > Limit || b[1] < 1 {
			return fmt.Errorf("no bucket of [%d, %d]", b[0], b[1])
		}
		if err := s.hist.RecordValues(b[0], b[1]); err != nil {
			return err
		}
	}
	if n := s.hist.TotalCount(); n != o.Count || n == 0 {
		return fmt.Errorf("its buckets hold %d values, not %d", n, o.Count)
	}
	if o.Sum == nil || o.Sum.Sign() < 0 || o.Sum.BitLen() > 128 {
		return fmt.Errorf("no sum")
	}
	low, high := new(big.Int), new(big.Int)
	s.sumLow = low.And(o.Sum, low.SetUint64(^uint64(0))).Uint64()
	s.sumHigh = high.Rsh(o.Sum, 64).Uint64()
	lowest, highest := s.hist.Min(), s.hist.Max()
	if o.Min < 0 || o.Min > o.Max || o.Max > Limit || !s.hist.ValuesAreEquivalent(o.Min, lowest) || !s.hist.ValuesAreEquivalent(o.Max, highest) {
		return fmt.Errorf("values of %d to %d ns, but buckets of %d to %d", o.Min, o.Max, lowest, highest)
	}
	s.min, s.max = o.Min, o.Max
	return nil
}
