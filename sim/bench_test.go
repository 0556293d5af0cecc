package sim

import (
	"fmt"
	"testing"
)

// BenchmarkCallbacks is the hold model: each event schedules its successor. One
// iteration is one event.
func BenchmarkCallbacks(b *testing.B) {
	for _, pending := range []int{64, 1000, 100000} {
		b.Run(fmt.Sprint("pending=", pending), func(b *testing.B) {
			e := New()
			defer e.Close()
			r := Stream(1, 0, "hold")
			delays := make([]int64, 1<<16)
			for i := range delays {
				delays[i] = 1 + r.Int64N(2000)
			}
			n := 0
			var again func()
			again = func() {
				if n++; n < b.N {
					e.After(delays[n&(1<<16-1)], again)
				}
			}
			for range pending {
				e.After(r.Int64N(2000), again)
			}
			b.ReportAllocs()
			b.ResetTimer()
			e.Run(Forever)
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkSwitch is the cost of a process's wait with a switch to another and
// back.
func BenchmarkSwitch(b *testing.B) {
	for _, processes := range []int{2, 64} {
		b.Run(fmt.Sprint("processes=", processes), func(b *testing.B) {
			e := New()
			defer e.Close()
			n := 0
			for range processes {
				e.Go("", func(p *Process) {
					for n < b.N {
						n++
						p.Wait(10)
					}
				})
			}
			b.ReportAllocs()
			b.ResetTimer()
			e.Run(Forever)
		})
	}
}

// BenchmarkShortcut is the cost of a wait in which nothing else happens.
func BenchmarkShortcut(b *testing.B) {
	e := New()
	defer e.Close()
	e.Go("", func(p *Process) {
		for range b.N {
			p.Wait(10)
		}
	})
	b.ReportAllocs()
	e.Run(Forever)
}

// BenchmarkMutex is the cost of a lock handed from process to process, each of
// which holds it for a while.
func BenchmarkMutex(b *testing.B) {
	e := New()
	defer e.Close()
	m := e.NewMutex("")
	n := 0
	for range 8 {
		e.Go("", func(p *Process) {
			for n < b.N {
				n++
				m.Lock(p)
				p.Wait(10)
				m.Unlock(p)
			}
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	e.Run(Forever)
}
