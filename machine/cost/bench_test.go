package cost_test

import (
	"fmt"
	"hash/crc32"
	"math/bits"
	"testing"
)

// Work like that of the kernel, on bitmaps like its own: a check of the costs
// that measure/measure.sh takes from the kernel itself. What these measure is
// below the kernel's figures, which include finding the page, its lock and its
// statistics, but of their size.

const (
	clusters = 32768 // of a group with blocks of 4 KiB
	orders   = 14
)

// buddy is a group's free space: a bitmap of each order, set where used.
type buddy struct {
	maps     [orders][clusters / 64]uint64
	counters [orders]int
}

// every frees one cluster in each n, all for 1.
func every(n int) *[clusters / 64]uint64 {
	m := new([clusters / 64]uint64)
	for c := range clusters {
		if c%n != 0 {
			m[c/64] |= 1 << (c % 64)
		}
	}
	return m
}

// next is the first cluster at or after c that is used (or free) as wanted.
func next(m *[clusters / 64]uint64, c int, used bool) int {
	for c < clusters {
		w := m[c/64]
		if !used {
			w = ^w
		}
		if w >>= c % 64; w != 0 {
			return c + bits.TrailingZeros64(w)
		}
		c = c&^63 + 64
	}
	return clusters
}

func (b *buddy) generate(m *[clusters / 64]uint64) (fragments int) {
	for k := range orders {
		b.counters[k] = 0
		for i := range b.maps[k][:max(1, clusters>>k/64)] {
			b.maps[k][i] = ^uint64(0)
		}
	}
	b.maps[0] = *m
	for c := next(m, 0, false); c < clusters; {
		end := next(m, c, true)
		fragments++
		for n := end - c; n > 0; {
			k := min(bits.Len(uint(n))-1, orders-1)
			if c != 0 {
				k = min(k, bits.TrailingZeros(uint(c)))
			}
			b.counters[k]++
			if k > 0 {
				b.maps[k][c>>k/64] &^= 1 << (c >> k % 64)
			}
			c += 1 << k
			n -= 1 << k
		}
		c = next(m, end, false)
	}
	return fragments
}

// orderAt is the order of the free buddy that holds c.
func (b *buddy) orderAt(c int) int {
	for k := 1; k < orders; k++ {
		if b.maps[k][c>>k/64]>>(c>>k%64)&1 == 0 {
			return k
		}
	}
	return 0
}

// take takes one cluster, splitting the buddy that holds it.
func (b *buddy) take(c int) (split int) {
	k := b.orderAt(c)
	for b.counters[k]--; k > 0; split++ {
		b.maps[k][c>>k/64] |= 1 << (c >> k % 64)
		k--
		if k > 0 {
			i := c >> k &^ 1
			b.maps[k][i/64] &^= 3 << (i % 64)
		}
		b.counters[k]++ // its sibling stays
	}
	b.maps[0][c/64] |= 1 << (c % 64)
	return split
}

var sink int

func BenchmarkCopyPage(b *testing.B) {
	// From cache to memory: the pages written are 64 MB apart in all.
	to, from := make([]byte, 64<<20), make([]byte, 4096)
	i := 0
	for b.Loop() {
		copy(to[i:], from)
		i = (i + 4096) % len(to)
	}
}

func BenchmarkChecksumBitmap(b *testing.B) {
	t := crc32.MakeTable(crc32.Castagnoli)
	p := make([]byte, 4096)
	for b.Loop() {
		sink += int(crc32.Update(0, t, p))
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{1, 512, 8, 2} {
		m, g := every(n), new(buddy)
		fragments := g.generate(m)
		b.Run(fmt.Sprint("fragments=", fragments), func(b *testing.B) {
			for b.Loop() {
				sink += g.generate(m)
			}
		})
	}
}

// BenchmarkExamine goes over the free extents of a group as mb_find_extent does.
func BenchmarkExamine(b *testing.B) {
	m, g := every(2), new(buddy)
	g.generate(m)
	c := 0
	for b.Loop() {
		if c = next(m, c, false); c >= clusters {
			c = 0
		}
		sink += g.orderAt(c)
		c++
	}
}

// BenchmarkTake takes the first cluster of the only free buddy, which is of the lowest
// or of the highest order, and puts the bitmaps back. The model charges both alike
// (buddy_update): splitting one order takes a thirteenth of the difference.
func BenchmarkTake(b *testing.B) {
	for _, order := range []int{0, 13} {
		b.Run(fmt.Sprint("splits=", order), func(b *testing.B) {
			m, g := every(clusters), new(buddy)
			for c := 1 << order; c < clusters; c++ {
				m[c/64] |= 1 << (c % 64)
			}
			for c := range 1 << order {
				m[c/64] &^= 1 << (c % 64)
			}
			g.generate(m)
			var words [orders]uint64
			for k := range words {
				words[k] = g.maps[k][0]
			}
			counters := g.counters
			if n := g.take(0); n != order {
				b.Fatalf("%d splits, want %d", n, order)
			}
			for b.Loop() {
				for k := range words {
					g.maps[k][0] = words[k]
				}
				g.counters = counters
				sink += g.take(0)
			}
		})
	}
}

// preallocation is as large as the kernel's struct ext4_prealloc_space.
type preallocation struct {
	next        *preallocation
	from, until uint32
	_           [104]byte
}

// BenchmarkPreallocations walks a list of preallocations, most of them elsewhere in memory than
// their neighbours, in which none is the one that is looked for.
func BenchmarkPreallocations(b *testing.B) {
	for _, n := range []int{64, 576, 12800} {
		b.Run(fmt.Sprint("length=", n), func(b *testing.B) {
			all := make([]preallocation, n)
			for i := range all {
				// 7919 is prime, so that the list goes by each of them once.
				at := &all[i*7919%n]
				at.from, at.until = uint32(i+1), uint32(i+2)
				if i+1 < n {
					at.next = &all[(i+1)*7919%n]
				}
			}
			for b.Loop() {
				for p := &all[0]; p != nil; p = p.next {
					if p.from == 0 && p.until > 0 {
						sink++
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/preallocation")
		})
	}
}
