package sim

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestOrder(t *testing.T) {
	e := New()
	defer e.Close()
	var got []string
	say := func(s string) func() { return func() { got = append(got, fmt.Sprintf("%d %s", e.Now(), s)) } }
	e.At(20, say("late"))
	e.At(10, say("first"))
	e.At(10, say("second"))
	e.At(10, func() {
		say("third")()
		e.After(0, say("fourth, made by third"))
	})
	e.Run(Forever)
	want := []string{"10 first", "10 second", "10 third", "10 fourth, made by third", "20 late"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if e.Now() != 20 || e.Events() != 5 || e.Pending() != 0 {
		t.Errorf("now %d, %d events, %d pending", e.Now(), e.Events(), e.Pending())
	}
}

// Events come out as a stable sort by time would put them.
func TestOrderProperty(t *testing.T) {
	type item struct {
		at int64
		n  int
	}
	rapid.Check(t, func(t *rapid.T) {
		e := New()
		defer e.Close()
		var want, got []item
		for n := range rapid.IntRange(0, 300).Draw(t, "events") {
			it := item{rapid.Int64Range(0, 20).Draw(t, "at"), n}
			want = append(want, it)
			e.At(it.at, func() { got = append(got, it) })
		}
		slices.SortStableFunc(want, func(a, b item) int { return int(a.at - b.at) })
		for until := int64(-1); until <= 20; until += 3 {
			e.Run(max(until, 0))
		}
		e.Run(Forever)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %v\nwant %v", got, want)
		}
	})
}

func TestRunUntil(t *testing.T) {
	e := New()
	defer e.Close()
	n := 0
	for _, at := range []int64{10, 20, 30} {
		e.At(at, func() { n++ })
	}
	for _, c := range []struct {
		until, now int64
		n          int
	}{{5, 5, 0}, {20, 20, 2}, {20, 20, 2}, {25, 25, 2}, {Forever, 30, 3}, {40, 40, 3}} {
		if e.Run(c.until) {
			t.Error("it says that Stop ended it")
		}
		if e.Now() != c.now || n != c.n {
			t.Errorf("Run(%d): now %d, want %d; %d events, want %d", c.until, e.Now(), c.now, n, c.n)
		}
	}
}

func TestStop(t *testing.T) {
	e := New()
	defer e.Close()
	n := 0
	e.At(1, func() { n++; e.Stop() })
	e.At(1, func() { n++ })
	if !e.Run(Forever) || n != 1 || e.Now() != 1 {
		t.Errorf("the first Run: %d events at %d", n, e.Now())
	}
	if e.Run(Forever) || n != 2 {
		t.Errorf("the second Run: %d events", n)
	}
	e.At(5, func() { n++ })
	e.Stop()
	if !e.Run(Forever) || n != 2 {
		t.Error("Stop before Run did not end it")
	}
	// A process that never meets another event is stopped all the same.
	e.Go("busy", func(p *Process) {
		for p.Now() < Second {
			if p.Wait(1); p.Now() == 1000 {
				e.Stop()
			}
		}
	})
	if !e.Run(Forever) || e.Now() != 1000 {
		t.Errorf("a busy process was stopped at %d", e.Now())
	}
}

func TestStep(t *testing.T) {
	e := New()
	defer e.Close()
	n := 0
	e.Go("p", func(p *Process) {
		for range 3 {
			n++
			p.Wait(10)
		}
	})
	tm := e.NewTimer(func() { t.Error("a cancelled timer ran") })
	tm.Set(5)
	tm.Cancel()
	for i := 1; i <= 3; i++ {
		if !e.Step() || n != i {
			t.Fatalf("after step %d: %d", i, n)
		}
	}
	if !e.Step() || e.Step() {
		t.Error("the process ends in the fourth step, and there is no fifth")
	}
}

func TestTimer(t *testing.T) {
	e := New()
	defer e.Close()
	var got []int64
	tm := e.NewTimer(func() { got = append(got, e.Now()) })
	tm.Set(100)
	tm.Set(50) // instead
	e.At(50, func() { tm.SetAfter(7) })
	e.At(200, func() {
		tm.SetAfter(10)
		if !tm.Cancel() || tm.Cancel() || tm.Pending() {
			t.Error("Cancel")
		}
	})
	e.Run(Forever)
	if want := []int64{50, 57}; !slices.Equal(got, want) {
		t.Errorf("it ran at %d, want %d", got, want)
	}
	if e.Now() != 200 {
		t.Errorf("a cancelled timer moved the clock to %d", e.Now())
	}
}

// mustPanic returns what f panics with.
func mustPanic(t *testing.T, f func()) (r any) {
	t.Helper()
	defer func() {
		if r = recover(); r == nil {
			t.Error("no panic")
		}
	}()
	f()
	return nil
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		want string
		f    func(e *Engine)
	}{
		{"an event at 5 ns, which has passed: it is 10 ns", func(e *Engine) { e.Run(10); e.At(5, func() {}) }},
		{"a wait of -1 ns", func(e *Engine) { e.After(-1, func() {}) }},
		{"Run within Run", func(e *Engine) { e.At(0, func() { e.Run(5) }); e.Run(1) }},
		{"Close within Run", func(e *Engine) { e.At(0, e.Close); e.Run(1) }},
		{"Run after Close", func(e *Engine) { e.Close(); e.Run(1) }},
		{"Go after Close", func(e *Engine) { e.Close(); e.Go("p", nil) }},
		{"told to wait by somebody else", func(e *Engine) {
			p := e.Go("p", func(p *Process) { p.Park("a test") })
			e.At(1, func() { p.Wait(1) })
			e.Run(2)
		}},
		{`resource "disk" with 0 units`, func(e *Engine) { e.NewResource("disk", 0) }},
		{`"cpu" released at 0.000000000 s, but none`, func(e *Engine) { e.NewResource("cpu", 1).Release() }},
		{`unlocks "lock"`, func(e *Engine) { e.NewMutex("lock").Unlock(nil) }},
		{`locks "lock" at 0.000000003 s, which it holds`, func(e *Engine) {
			m := e.NewMutex("lock")
			e.Go("p", func(p *Process) { p.Wait(3); m.Lock(p); m.Lock(p) })
			e.Run(5)
		}},
	} {
		e := New()
		if r := fmt.Sprint(mustPanic(t, func() { c.f(e) })); !strings.Contains(r, c.want) {
			t.Errorf("got %.200q\nwant %q", r, c.want)
		}
		e.Close()
	}
}

func TestPanic(t *testing.T) {
	cause := errors.New("a broken invariant")
	for _, inProcess := range []bool{false, true} {
		e := New()
		e.At(1, func() {})
		name := ""
		if inProcess {
			name = "writer 7"
			e.Go(name, func(p *Process) { p.Wait(1500); breakDown(cause) })
		} else {
			e.At(1, func() {})
			e.At(1500, func() { breakDown(cause) })
		}
		r := mustPanic(t, func() { e.Run(Forever) })
		p, ok := r.(*Panic)
		if !ok || p.Time != 1500 || p.Event != 3 || p.Process != name || !errors.Is(p, cause) {
			t.Fatalf("got %v", r)
		}
		if !strings.Contains(string(p.Stack), "breakDown") || !strings.Contains(p.Error(), "panicked at 0.000001500 s, event 3: a broken invariant") {
			t.Errorf("it does not say where: %v", p)
		}
		e.Close()
	}
}

func breakDown(err error) { panic(err) }

// What a run decides does not depend on GOMAXPROCS, on how it is cut into Runs,
// or on whether waits take the shortcut.
func TestDeterminism(t *testing.T) {
	run := func(seed uint64, pieces int64, noShortcut bool) (uint64, uint64, []string) {
		e := New()
		defer e.Close()
		e.noShortcut = noShortcut
		var log []string
		cpus, lock := e.NewResource("cpus", 2), e.NewMutex("lock")
		wake := e.NewQueue("wake")
		for i := range 6 {
			r := Stream(seed, 0, fmt.Sprint("process ", i))
			e.Go(fmt.Sprint(i), func(p *Process) {
				for range 60 {
					switch r.IntN(6) {
					case 0:
						cpus.Use(p, r.Int64N(30))
					case 1:
						lock.Lock(p)
						p.Wait(r.Int64N(20))
						lock.Unlock(p)
					case 2:
						if lock.TryLock(p) {
							p.Wait(3)
							lock.Unlock(p)
						}
					case 3:
						p.ParkFor("a friend", r.Int64N(50))
					case 4:
						wake.WakeAll()
					case 5:
						e.After(r.Int64N(40), func() { wake.Wake(); p.Wake() })
						if i < 3 {
							wake.Wait(p)
						}
					}
					log = append(log, fmt.Sprint(p.Now(), " ", i))
					e.Mix(uint64(i))
				}
			})
		}
		for t := int64(0); t < 4000; t += pieces {
			e.Run(t)
		}
		return e.Fingerprint(), e.Events(), log
	}
	for seed := range uint64(20) {
		f, n, log := run(seed, 3999, false)
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		for _, pieces := range []int64{3999, 7, 1} {
			for _, no := range []bool{false, true} {
				f2, n2, log2 := run(seed, pieces, no)
				if f2 != f || n2 != n || !slices.Equal(log, log2) {
					t.Fatalf("seed %d: %d events, fingerprint %x; in pieces of %d, shortcut off %v: %d, %x", seed, n, f, pieces, no, n2, f2)
				}
			}
		}
		if g, _, _ := run(seed+1, 3999, false); g == f {
			t.Errorf("seeds %d and %d give the same run", seed, seed+1)
		}
	}
}

// Neither events nor waits allocate, once the queue has grown.
func TestNoAllocations(t *testing.T) {
	e := New()
	defer e.Close()
	fn := func() {}
	timer := e.NewTimer(fn)
	m, r, q := e.NewMutex("m"), e.NewResource("r", 1), e.NewQueue("q")
	for range 2 {
		e.Go("p", func(p *Process) {
			for {
				p.Wait(1)
				m.Lock(p)
				r.Use(p, 1)
				m.Unlock(p)
				if !q.Wake() {
					q.Wait(p)
				}
				p.ParkFor("nothing", 1)
			}
		})
	}
	step := func() {
		for range 100 {
			e.After(3, fn)
			timer.SetAfter(2)
			e.Run(e.Now() + 10)
		}
	}
	step()
	if n := testing.AllocsPerRun(100, step); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
