package latency

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestRecorder(t *testing.T) {
	r := New()
	for v := int64(1); v <= 1000; v++ {
		r.Record(Fsync, v)
	}
	if n, m, lo, hi := r.Count(Fsync), r.Mean(Fsync), r.Min(Fsync), r.Max(Fsync); n != 1000 || m != 500.5 || lo != 1 || hi != 1000 {
		t.Errorf("count %d, mean %v, min %d, max %d", n, m, lo, hi)
	}
	for _, c := range []struct {
		p    float64
		want int64
	}{{0, 1}, {0.1, 1}, {50, 500}, {90, 900}, {99, 990}, {99.9, 999}, {100, 1000}, {200, 1000}} {
		if got := r.Percentile(Fsync, c.p); got != c.want {
			t.Errorf("percentile %v: got %d, want %d", c.p, got, c.want)
		}
	}
	if r.Count(Write) != 0 || !math.IsNaN(r.Mean(Write)) || r.Percentile(Write, 50) != 0 || r.Min(Write) != 0 || r.Max(Write) != 0 {
		t.Error("there are writes")
	}
	if s := r.Summaries(); len(s) != 1 || s[0].Op != Fsync || s[0].P9999 != 1000 {
		t.Errorf("summaries %+v", s)
	}
}

// Percentiles stay within 0.1% of those of the sorted values, at any size.
func TestPrecision(t *testing.T) {
	g := rand.New(rand.NewPCG(1, 2))
	r := New()
	values := make([]int64, 20000)
	sum := 0.0
	for i := range values {
		values[i] = int64(math.Exp(g.Float64() * math.Log(float64(Limit))))
		sum += float64(values[i])
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
	if got := r.Sum(Write); math.Abs(got-sum) > 1e-12*sum {
		t.Errorf("sum: got %v, want %v", got, sum)
	}
	if r.Min(Write) != values[0] || r.Max(Write) != values[len(values)-1] {
		t.Error("minimum and maximum are not exact")
	}
}

func TestOutOfRange(t *testing.T) {
	r := New()
	r.Record(Read, -5)
	r.Record(Read, math.MaxInt64)
	if r.Min(Read) != 0 || r.Max(Read) != Limit || r.Count(Read) != 2 || r.Percentile(Read, 100) != Limit || r.Percentile(Read, 50) != 0 {
		t.Errorf("%+v", r.Summaries())
	}
}

// The sum of many long times does not fit 64 bits.
func TestSumCarries(t *testing.T) {
	r, one := New(), New()
	one.Record(Commit, Limit)
	for range 30 { // Limit times 2^30
		r.Merge(one)
		two := New()
		two.Merge(one)
		two.Merge(one)
		one = two
	}
	want := float64(Limit) * (1<<30 - 1)
	if got := r.Sum(Commit); math.Abs(got-want) > 1e-12*want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := r.Mean(Commit); math.Abs(got-float64(Limit)) > 1 {
		t.Errorf("mean %v", got)
	}
	checkRoundTrip(t, r)
}

// checkRoundTrip checks that JSON holds all of r.
func checkRoundTrip(t *testing.T, r *Recorder) []byte {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back := New()
	if err := json.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, again) {
		t.Errorf("read back, it is\n%s\nnot\n%s", again, b)
	}
	return b
}

// Shards merged in any order give what one recorder of everything has.
func TestMergeIsTheWhole(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 4))
	whole := New()
	shards := []*Recorder{New(), New(), New(), New()}
	for range 5000 {
		op := Op(g.IntN(int(ops)/4) * 3) // most stay empty
		ns := g.Int64N(1 << g.IntN(42))
		whole.Record(op, ns)
		shards[g.IntN(3)].Record(op, ns) // one shard stays empty
	}
	want := checkRoundTrip(t, whole)
	for range 3 {
		g.Shuffle(len(shards), func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
		merged := New()
		for i, s := range shards {
			if i%2 == 0 { // as it comes from another process
				b := checkRoundTrip(t, s)
				s = New()
				if err := json.Unmarshal(b, s); err != nil {
					t.Fatal(err)
				}
			}
			merged.Merge(s)
		}
		if got := checkRoundTrip(t, merged); !bytes.Equal(got, want) {
			t.Fatal("merged shards differ from the whole")
		}
	}
}

func TestJSON(t *testing.T) {
	r := New()
	for _, v := range []int64{0, 0, 7, 5_000_000} {
		r.Record(Create, v)
	}
	got := string(checkRoundTrip(t, r))
	const want = `[{"name":"create","count":4,"sum_ns":5000007,"mean_ns":1250001.75,"min_ns":0,"p50_ns":0,` +
		`"p90_ns":5000000,"p99_ns":5000000,"p99.9_ns":5000000,"p99.99_ns":5000000,"max_ns":5000000,` +
		`"buckets":[[0,2],[7,1],[4997120,1]]}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if b, err := json.Marshal(New()); err != nil || string(b) != "[]" {
		t.Errorf("an empty recorder is %s, %v", b, err)
	}

	for _, c := range []struct{ from, to, err string }{
		{`"create"`, `"creat"`, `unknown latency "creat", did you mean "create"?`},
		{`"count":4`, `"count":5`, `latency "create": its buckets hold 4 values, not 5`},
		{`[7,1]`, `[7,-1]`, `no bucket of [7, -1]`},
		{`[7,1]`, `[-7,1]`, `negative`},
		{`[7,1]`, `[3600000000001,1]`, `no bucket of [3600000000001, 1]`},
		{`"sum_ns":5000007`, `"sum_ns":-1`, `no sum`},
		{`"max_ns":5000000`, `"max_ns":6000000`, `values of 0 to 6000000 ns, but buckets of 0 to`},
		{`"min_ns":0`, `"min_ns":-9223372036854775808`, `values of -9223372036854775808`},
	} {
		bad := strings.Replace(want, c.from, c.to, 1)
		before := checkRoundTrip(t, r)
		if err := r.UnmarshalJSON([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %v, want %s", c.to, err, c.err)
		}
		if !bytes.Equal(checkRoundTrip(t, r), before) {
			t.Errorf("%s: a failed read changed the recorder", c.to)
		}
	}
	twice := want[:len(want)-1] + "," + want[1:]
	if err := r.UnmarshalJSON([]byte(twice)); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for i, info := range List() {
		op, err := Find(info.Name)
		if err != nil || op != Op(i) || op.String() != info.Name || info.Doc == "" || seen[info.Name] {
			t.Errorf("%d: %+v, found %v, %v", i, info, op, err)
		}
		seen[info.Name] = true
	}
	if len(seen) != int(ops) {
		t.Errorf("%d names for %d operations", len(seen), ops)
	}
	for name, want := range map[string]string{
		"fsnyc": `unknown latency "fsnyc", did you mean "fsync"?`,
		"xyzzy": `unknown latency "xyzzy"`,
	} {
		if _, err := Find(name); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecordAllocatesNothing(t *testing.T) {
	r := New()
	r.Record(Read, 1)
	v := int64(1)
	if n := testing.AllocsPerRun(1000, func() { v = v * 7 % Limit; r.Record(Read, v) }); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}

func BenchmarkRecord(b *testing.B) {
	r := New()
	v := int64(1)
	b.ReportAllocs()
	for b.Loop() {
		v = (v*48271 + 11) % (10 * 1_000_000)
		r.Record(Read, v)
	}
}
