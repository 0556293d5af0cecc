package device

import (
	"fmt"
	"testing"

	"mbsim/sim"
)

// steady keeps a device busy with depth requests at a time, until n are done.
type steady struct {
	d     *Device
	n     int
	next  uint64
	kind  Kind
	count uint32
	done  func()
}

func newSteady(b testing.TB, e *sim.Engine, m Medium, kind Kind, count uint32) *steady {
	d, err := New(e, Default(m), terabyte)
	if err != nil {
		b.Fatal(err)
	}
	s := &steady{d: d, kind: kind, count: count}
	s.done = s.submit
	return s
}

func (s *steady) submit() {
	if s.n--; s.n < 0 {
		return
	}
	s.next = (s.next*6364136223846793005 + 1442695040888963407) % (200_000_000)
	s.d.Submit(Request{Kind: s.kind, Block: s.next, Count: s.count, BlockSize: block, CPU: s.n}, s.done)
}

func (s *steady) run(e *sim.Engine, depth, n int) {
	s.n = n
	for range depth {
		s.submit()
	}
	e.Run(sim.Forever)
}

func TestAllocatesNothing(t *testing.T) {
	for _, m := range []Medium{None, HDD, SSD, NVMe} {
		for _, kind := range []Kind{Read, Write, Flush} {
			e := sim.New()
			s := newSteady(t, e, m, kind, 400) // split in two
			plug := s.d.NewPlug()
			s.run(e, 100, 20000)
			if n := testing.AllocsPerRun(20, func() {
				s.run(e, 100, 1000)
				plug.Submit(Request{Kind: kind, Block: 1, Count: 1, BlockSize: block}, nil)
				plug.Submit(Request{Kind: kind, Block: 2, Count: 1, BlockSize: block}, nil)
				plug.Flush()
				e.Run(sim.Forever)
			}); n != 0 {
				t.Errorf("%v %v: %v allocations for 1000 requests", m, kind, n)
			}
			e.Close()
		}
	}
}

func BenchmarkSubmit(b *testing.B) {
	for _, m := range []Medium{None, HDD, SSD, NVMe} {
		for _, kind := range []Kind{Read, Write} {
			for _, depth := range []int{1, 32} {
				b.Run(fmt.Sprintf("%v/%v/depth=%d", m, kind, depth), func(b *testing.B) {
					e := sim.New()
					defer e.Close()
					s := newSteady(b, e, m, kind, 1)
					s.run(e, depth, 10000)
					b.ReportAllocs()
					b.ResetTimer()
					s.run(e, depth, b.N)
				})
			}
		}
	}
}

func BenchmarkDo(b *testing.B) {
	for _, m := range []Medium{None, HDD, NVMe} {
		b.Run(m.String(), func(b *testing.B) {
			e := sim.New()
			defer e.Close()
			s := newSteady(b, e, m, Read, 1)
			e.Go("", func(p *sim.Process) {
				for i := range b.N {
					s.d.Do(p, Request{Kind: Read, Block: uint64(i*7919) % 200_000_000, Count: 1, BlockSize: block})
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			e.Run(sim.Forever)
		})
	}
}

// BenchmarkLarge is a request of the largest size: on flash it covers 80 stripes.
func BenchmarkLarge(b *testing.B) {
	for _, m := range []Medium{HDD, SSD, NVMe} {
		b.Run(m.String(), func(b *testing.B) {
			e := sim.New()
			defer e.Close()
			s := newSteady(b, e, m, Write, 320)
			s.run(e, 32, 10000)
			b.ReportAllocs()
			b.ResetTimer()
			s.run(e, 32, b.N)
		})
	}
}
