package latency

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRecorder(t *testing.T) {
	r := New()
	for v := int64(1); v <= 1000; v++ {
		r.Record(Fsync, v)
	}
	if n, hi := r.Count(Fsync), r.Max(Fsync); n != 1000 || hi != 1000 {
		t.Errorf("count %d, max %d", n, hi)
	}
	for _, c := range []struct {
		p    float64
		want int64
	}{{0, 1}, {0.1, 1}, {50, 500}, {90, 900}, {99, 990}, {99.9, 999}, {100, 1000}, {200, 1000}} {
		if got := r.Percentile(Fsync, c.p); got != c.want {
			t.Errorf("percentile %v: got %d, want %d", c.p, got, c.want)
		}
	}
	if r.Count(Write) != 0 || r.Percentile(Write, 50) != 0 || r.Max(Write) != 0 {
		t.Error("there are writes")
	}
}

// Percentiles stay within 0.1% of those of the sorted values, at any size.
func TestPrecision(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	r := New()
	values := make([]int64, 20000)
	for i := range values {
		values[i] = int64(math.Exp(g.Float64() * math.Log(float64(Limit))))
		r.Record(Write, values[i])
	}
	slices.Sort(values)
	for _, p := range []float64{0, 1, 10, 25, 50, 75, 90, 99, 99.9, 100} {
		rank := max(1, int(p/100*float64(len(values))+0.5))
		want := values[rank-1]
		got := r.Percentile(Write, p)
		if math.Abs(float64(got-want)) > 0.001*float64(want) {
			t.Errorf("percentile %v: got %d, want %d", p, got, want)
		}
	}
	if r.Max(Write) != values[len(values)-1] {
		t.Error("the maximum is not exact")
	}
}

func TestOutOfRange(t *testing.T) {
	r := New()
	r.Record(Create, -5)
	r.Record(Create, math.MaxInt64)
	if r.Max(Create) != Limit || r.Count(Create) != 2 || r.Percentile(Create, 100) != Limit || r.Percentile(Create, 50) != 0 {
		t.Errorf("%d values, at most %d, half of them up to %d", r.Count(Create), r.Max(Create), r.Percentile(Create, 50))
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for op := range Ops {
		seen[op.String()] = true
	}
	if len(seen) != int(Ops) || seen[""] {
		t.Errorf("%d operations have the names %v", Ops, seen)
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	r := New()
	r.Record(Write, 1)
	v := int64(1)
	if n := testing.AllocsPerRun(1000, func() { v = v * 7 % Limit; r.Record(Write, v) }); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := New()
	v := int64(1)
	b.ReportAllocs()
	for b.Loop() {
		v = (v*48271 + 11) % (10 * 1_000_000)
		r.Record(Write, v)
	}
}
