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

// Where as many different times have been recorded before, recording allocates nothing, also
// after a cut.
func TestRecordAllocatesNothing(t *testing.T) {
	r := New()
	values := func() {
		for i, v := 0, int64(1); i < 1000; i++ {
			v = v * 7 % Limit
			r.Record(Write, v)
		}
	}
	values()
	r.Cut()
	if n := testing.AllocsPerRun(10, values); n != 0 {
		t.Errorf("%v allocations for a thousand values", n)
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

// Spans that are cut and added up again are what one recorder would hold, and a cut leaves
// nothing behind.
func TestSpans(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	whole, parts, sum := New(), New(), New()
	for i := range 9000 {
		v := int64(math.Exp(g.Float64() * math.Log(float64(Limit))))
		whole.Record(Fsync, v)
		parts.Record(Fsync, v)
		if i%700 == 0 {
			sum.Add(parts.Cut())
			if parts.Count(Fsync) != 0 || parts.Max(Fsync) != 0 || parts.Percentile(Fsync, 99) != 0 {
				t.Fatal("a cut leaves values behind")
			}
		}
	}
	sum.Add(parts.Cut())
	for _, p := range []float64{0, 1, 50, 99, 99.9, 100} {
		if got, want := sum.Percentile(Fsync, p), whole.Percentile(Fsync, p); got != want {
			t.Errorf("percentile %v: %d in the sum of spans, %d at once", p, got, want)
		}
	}
	if sum.Count(Fsync) != 9000 || sum.Max(Fsync) != whole.Max(Fsync) {
		t.Errorf("%d values, at most %d", sum.Count(Fsync), sum.Max(Fsync))
	}
	sum.Add(parts.Cut())
	if sum.Count(Fsync) != 9000 {
		t.Error("an empty span adds something")
	}
}
