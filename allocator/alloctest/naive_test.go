package alloctest

import (
	"flag"
	"fmt"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"mbsim/allocator"
	"mbsim/allocator/bitmap"
)

// naive is the simplest policy there is: the first free blocks from the goal on.
type naive struct {
	d    *Disk
	bits bitmap.Bits // of the whole device
	flaw string      // what it does wrong
	n    int         // requests so far
}

func newNaive(d *Disk, flaw string) *naive {
	p := &naive{d: d, bits: bitmap.New(int(d.Geometry.Blocks)), flaw: flaw}
	for b, o := range d.owner {
		if o != Free {
			p.bits.Set(b)
		}
	}
	return p
}

func (p *naive) Take(r Request) (allocator.Block, uint32, bool) {
	end := int(p.d.Geometry.Blocks)
	p.n++
	if p.flaw == "full early" && p.Free() < 3 {
		return 0, 0, false
	}
	if r.Goal >= p.d.Geometry.Blocks {
		r.Goal = 0
	}
	from := int(r.Goal)
	if p.flaw == "goal lost" && p.n%4 == 0 {
		from++
	}
	b := p.bits.NextZero(from, end)
	if b == end {
		if b = p.bits.NextZero(0, end); b == end {
			if p.flaw == "too large" {
				return allocator.Block(end), 1, true
			}
			return 0, 0, false
		}
	}
	n := p.bits.NextSet(b, min(end, b+int(r.Len))) - b
	if p.flaw == "too many" {
		n++
	}
	if p.flaw != "twice" || p.n%5 > 0 {
		p.bits.SetRange(b, min(n, end-b))
	}
	if p.flaw == "system" && p.n%7 == 0 {
		b = 0
	}
	return allocator.Block(b), uint32(n), true
}

func (p *naive) Give(r Request) bool {
	if p.flaw == "lost" {
		r.Len -= min(r.Len, 1)
	}
	p.bits.ClearRange(int(r.Goal), int(r.Len))
	return true
}

func (p *naive) Forget(int) {}
func (p *naive) Settle()    {}

func (p *naive) Check() error {
	if p.flaw == "check" && p.n > 3 {
		return fmt.Errorf("the policy finds fault with itself")
	}
	return nil
}

func (p *naive) Free() int64 { return int64(p.bits.CountZero(int(p.d.Geometry.Blocks))) }

func (p *naive) FreeOf(id allocator.GroupID) uint32 {
	n := uint32(bitmap.Bits(p.Bitmap(id)).CountZero(int(p.d.Geometry.ClustersIn(id))))
	if p.flaw == "count" && p.n > 3 {
		n++
	}
	return n
}

func (p *naive) Bitmap(id allocator.GroupID) []uint64 {
	bits := bitmap.New(int(p.d.Geometry.BlocksPerGroup))
	bits.Fill()
	for i := range int(p.d.Geometry.ClustersIn(id)) {
		if !p.bits.Test(int(p.d.Geometry.GroupStart(id)) + i) {
			bits.Clear(i)
		}
	}
	return bits
}

func TestNaive(t *testing.T) {
	Run(t, func(d *Disk, _ int) (Policy, error) { return newNaive(d, ""), nil })
}

// verdict is a test that only remembers whether it failed.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()               {}
func (v *verdict) Name() string          { return "verdict" }
func (v *verdict) Logf(string, ...any)   {}
func (v *verdict) Log(...any)            {}
func (v *verdict) Failed() bool          { return v.failed }
func (v *verdict) Fail()                 { v.failed = true }
func (v *verdict) Errorf(string, ...any) { v.failed = true }
func (v *verdict) Error(...any)          { v.failed = true }
func (v *verdict) Fatal(...any)          { v.FailNow() }
func (v *verdict) Fatalf(string, ...any) { v.FailNow() }
func (v *verdict) FailNow() {
	v.failed = true
	runtime.Goexit()
}

// TestFlaws: the suite finds what is wrong with policies that are wrong.
func TestFlaws(t *testing.T) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		old := flag.Lookup(name).Value.String()
		flag.Set(name, value)
		t.Cleanup(func() { flag.Set(name, old) })
	}
	checks := []func(*rapid.T, Maker){random, goal, fillAndEmpty, repeat}
	for _, flaw := range []string{"full early", "goal lost", "too large", "too many", "twice", "system", "lost", "check", "count"} {
		found := false
		for _, check := range checks {
			v := &verdict{TB: t}
			done := make(chan bool)
			go func() {
				defer close(done)
				rapid.Check(v, func(t *rapid.T) {
					check(t, func(d *Disk, _ int) (Policy, error) { return newNaive(d, flaw), nil })
				})
			}()
			<-done
			found = found || v.failed
		}
		if !found {
			t.Errorf("%s: not found", flaw)
		}
	}
}
