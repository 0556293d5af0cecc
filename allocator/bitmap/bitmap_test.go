package bitmap

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// bitRange is the bits [start, start+n).
type bitRange struct{ start, n int }

func of(size int, ranges []bitRange) Bits {
	b := New(size)
	for _, r := range ranges {
		for i := r.start; i < r.start+r.n; i++ {
			b.Set(i)
		}
	}
	return b
}

// ranges lists the set bits of b.
func ranges(b Bits) (out []bitRange) {
	size := len(b) * 64
	for i := 0; i < size; i++ {
		if !b.Test(i) {
			continue
		}
		r := bitRange{start: i}
		for i < size && b.Test(i) {
			r.n++
			i++
		}
		out = append(out, r)
	}
	return out
}

func equal(a, b Bits) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestSetAndClearRange(t *testing.T) {
	const size = 256
	tests := []struct {
		name                string
		before              []bitRange
		set, clear          bitRange
		afterSet, afterBoth []bitRange
	}{
		{"nothing", nil, bitRange{5, 0}, bitRange{9, 0}, nil, nil},
		{"one bit", nil, bitRange{63, 1}, bitRange{63, 1}, []bitRange{{63, 1}}, nil},
		{"a whole word", nil, bitRange{64, 64}, bitRange{64, 32}, []bitRange{{64, 64}}, []bitRange{{96, 32}}},
		{"over a border", nil, bitRange{60, 8}, bitRange{63, 2}, []bitRange{{60, 8}}, []bitRange{{60, 3}, {65, 3}}},
		{"over two borders", nil, bitRange{1, 190}, bitRange{64, 64}, []bitRange{{1, 190}}, []bitRange{{1, 63}, {128, 63}}},
		{"everything", nil, bitRange{0, 256}, bitRange{0, 256}, []bitRange{{0, 256}}, nil},
		{"the last bit", nil, bitRange{255, 1}, bitRange{254, 2}, []bitRange{{255, 1}}, nil},
		{"between others", []bitRange{{0, 10}, {200, 6}}, bitRange{10, 190}, bitRange{5, 198}, []bitRange{{0, 206}}, []bitRange{{0, 5}, {203, 3}}},
		{"what is set already", []bitRange{{100, 50}}, bitRange{120, 10}, bitRange{100, 50}, []bitRange{{100, 50}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := of(size, tt.before)
			b.SetRange(tt.set.start, tt.set.n)
			if want := of(size, tt.afterSet); !equal(b, want) {
				t.Fatalf("after setting %v: %v, want %v", tt.set, ranges(b), tt.afterSet)
			}
			b.ClearRange(tt.clear.start, tt.clear.n)
			if want := of(size, tt.afterBoth); !equal(b, want) {
				t.Fatalf("after clearing %v: %v, want %v", tt.clear, ranges(b), tt.afterBoth)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	const size = 320
	tests := []struct {
		name       string
		set        []bitRange
		start, end int
		zero, one  int
	}{
		{"empty bitmap", nil, 0, 320, 0, 320},
		{"full bitmap", []bitRange{{0, 320}}, 0, 320, 320, 0},
		{"at the start", []bitRange{{10, 5}}, 10, 320, 15, 10},
		{"past the start", []bitRange{{10, 5}}, 12, 320, 15, 12},
		{"behind a word's end", []bitRange{{0, 64}, {130, 1}}, 3, 320, 64, 3},
		{"words away", []bitRange{{0, 300}}, 1, 320, 300, 1},
		{"set bit words away", []bitRange{{301, 2}}, 2, 320, 2, 301},
		{"beyond the end", []bitRange{{0, 100}, {200, 1}}, 0, 90, 90, 0},
		{"set bit beyond the end", []bitRange{{200, 1}}, 0, 200, 0, 200},
		{"at the end", []bitRange{{0, 89}}, 0, 90, 89, 0},
		{"end before start", []bitRange{{5, 5}}, 9, 3, 3, 3},
		{"end at start", nil, 7, 7, 7, 7},
		{"one bit", []bitRange{{63, 1}}, 63, 64, 64, 63},
		{"last bit", []bitRange{{319, 1}}, 319, 320, 320, 319},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := of(size, tt.set)
			if got := b.NextZero(tt.start, tt.end); got != tt.zero {
				t.Errorf("NextZero(%d, %d) = %d, want %d", tt.start, tt.end, got, tt.zero)
			}
			if got := b.NextSet(tt.start, tt.end); got != tt.one {
				t.Errorf("NextSet(%d, %d) = %d, want %d", tt.start, tt.end, got, tt.one)
			}
		})
	}
}

func TestNewRoundsUp(t *testing.T) {
	for n, words := range map[int]int{0: 0, 1: 1, 64: 1, 65: 2, 32768: 512} {
		if got := len(New(n)); got != words {
			t.Errorf("New(%d) has %d words, want %d", n, got, words)
		}
	}
	b := New(65)
	b.Fill()
	if n := b.CountZero(128); n != 0 {
		t.Errorf("%d zero bits after Fill", n)
	}
}

// model is a bitmap of the simplest kind.
type model []bool

func (m model) count(start, n int, v bool) (k int) {
	for _, x := range m[start : start+n] {
		if x == v {
			k++
		}
	}
	return k
}

func (m model) next(start, end int, v bool) int {
	for i := start; i < end; i++ {
		if m[i] == v {
			return i
		}
	}
	return end
}

func (m model) String() string {
	var s strings.Builder
	for _, x := range m {
		s.WriteByte("01"[map[bool]int{true: 1}[x]])
	}
	return s.String()
}

// FuzzAgainstBools reads operations of five bytes (kind, start, length) and
// performs them on a bitmap and on a slice of booleans.
func FuzzAgainstBools(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{5, 50, 500} {
		seed := make([]byte, n)
		for i := range seed {
			seed[i] = byte(rnd.Uint32())
		}
		f.Add(seed)
	}
	f.Add([]byte{0, 0, 0, 1, 0, 1, 0, 63, 0, 66})
	f.Fuzz(func(t *testing.T, ops []byte) {
		const size = 512
		b, m := New(size), make(model, size)
		for ; len(ops) >= 5; ops = ops[5:] {
			start := (int(ops[1])<<8 | int(ops[2])) % size
			n := (int(ops[3])<<8 | int(ops[4])) % (size - start + 1)
			set := ops[0]%2 == 0
			for i := start; i < start+n; i++ {
				m[i] = set
			}
			switch {
			case set && n == 1:
				b.Set(start)
			case set:
				b.SetRange(start, n)
			case n == 1:
				b.Clear(start)
			default:
				b.ClearRange(start, n)
			}
			compare(t, b, m, start, n)
		}
	})
}

func compare(t *testing.T, b Bits, m model, start, n int) {
	t.Helper()
	for i, v := range m {
		if b.Test(i) != v {
			t.Fatalf("bit %d is %t\n%v", i, b.Test(i), m)
		}
	}
	// Around the range last changed, questions have every kind of answer.
	for _, q := range []bitRange{{start, n}, {0, len(m)}, {start / 2, n}, {start, (len(m) - start) / 2}, {start, len(m) - start}} {
		end := q.start + q.n
		if got, want := b.AllSet(q.start, q.n), m.count(q.start, q.n, true) == q.n; got != want {
			t.Fatalf("AllSet(%d, %d) = %t\n%v", q.start, q.n, got, m)
		}
		if got, want := b.AllClear(q.start, q.n), m.count(q.start, q.n, false) == q.n; got != want {
			t.Fatalf("AllClear(%d, %d) = %t\n%v", q.start, q.n, got, m)
		}
		if got, want := b.NextZero(q.start, end), m.next(q.start, end, false); got != want {
			t.Fatalf("NextZero(%d, %d) = %d, want %d\n%v", q.start, end, got, want, m)
		}
		if got, want := b.NextSet(q.start, end), m.next(q.start, end, true); got != want {
			t.Fatalf("NextSet(%d, %d) = %d, want %d\n%v", q.start, end, got, want, m)
		}
		if got, want := b.CountZero(end), m.count(0, end, false); got != want {
			t.Fatalf("CountZero(%d) = %d, want %d\n%v", end, got, want, m)
		}
	}
}

// TestZeroOrder compares with a count of the aligned bits around each zero bit.
func TestZeroOrder(t *testing.T) {
	const seed, size = 1, 256
	rnd := rand.New(rand.NewPCG(seed, 0))
	for round := range 2000 {
		b := New(size)
		for range rnd.IntN(1 + round%40) {
			b.Set(rnd.IntN(size))
		}
		for i := range size {
			if b.Test(i) {
				continue
			}
			want := 0
			for want < 6 && b.AllClear(i>>(want+1)<<(want+1), 2<<want) {
				want++
			}
			if got := b.ZeroOrder(i); got != want {
				t.Fatalf("seed %d, round %d: ZeroOrder(%d) = %d, want %d in %v", seed, round, i, got, want, ranges(b))
			}
		}
	}
}

// A group of 4K blocks has 32768 clusters.
const groupBits = 32768

func BenchmarkSetClearRange(b *testing.B) {
	for _, n := range []int{1, 16, 512, 8192} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := New(groupBits)
			b.ReportAllocs()
			for i := range b.N {
				at := i * 67 % (groupBits - n)
				m.SetRange(at, n)
				m.ClearRange(at, n)
			}
		})
	}
}

func BenchmarkNextZeroFar(b *testing.B) {
	m := New(groupBits)
	m.SetRange(0, groupBits-1)
	b.ReportAllocs()
	for b.Loop() {
		if m.NextZero(0, groupBits) != groupBits-1 {
			b.Fatal("the last bit is zero")
		}
	}
}

func BenchmarkCountZero(b *testing.B) {
	m := New(groupBits)
	b.ReportAllocs()
	for b.Loop() {
		if m.CountZero(groupBits) != groupBits {
			b.Fatal("all bits are zero")
		}
	}
}
