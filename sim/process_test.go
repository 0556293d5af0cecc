package sim

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// logger collects lines with their simulated time.
type logger struct {
	e     *Engine
	lines []string
}

func (l *logger) say(format string, a ...any) {
	l.lines = append(l.lines, fmt.Sprintf("%d ", l.e.Now())+fmt.Sprintf(format, a...))
}

func (l *logger) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(l.lines, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(l.lines, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestWait(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
	for _, name := range []string{"a", "b"} {
		e.Go(name, func(p *Process) {
			l.say("%s starts", name)
			p.Wait(0)
			l.say("%s again", name)
			p.Wait(10)
			l.say("%s waited", name)
			p.WaitUntil(5) // over
			p.WaitUntil(30)
			l.say("%s ends", name)
		})
	}
	e.Run(Forever)
	l.want(t, "0 a starts", "0 b starts", "0 a again", "0 b again", "10 a waited", "10 b waited", "30 a ends", "30 b ends")
	if e.first != nil || e.last != nil {
		t.Error("a process is still listed")
	}
}

func TestParkAndWake(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
	sleeper := e.Go("sleeper", func(p *Process) {
		p.Park("anyone")
		l.say("woken")
		l.say("in time: %v", p.ParkFor("anyone", 100))
		l.say("in time: %v", p.ParkFor("anyone", 100))
		p.Wait(1000)
	})
	e.Go("waker", func(p *Process) {
		p.Wait(10)
		if !sleeper.Wake() || sleeper.Wake() {
			t.Error("the first Wake counts, the second finds it awake")
		}
		p.Wait(50)
		l.say("wake: %v", sleeper.Wake())
		p.Wait(200)
		l.say("wake while it waits for time: %v", sleeper.Wake())
	})
	e.Run(500)
	l.want(t, "10 woken", "60 wake: true", "60 in time: true", "160 in time: false", "260 wake while it waits for time: false")
}

func TestJoin(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
	worker := e.Go("worker", func(p *Process) { p.Wait(25) })
	for i := range 2 {
		e.Go("boss", func(p *Process) {
			p.Join(worker)
			l.say("boss %d: %v", i, worker)
			p.Join(worker)
			l.say("boss %d goes on", i)
		})
	}
	e.Run(Forever)
	l.want(t, `25 boss 0: process 1 "worker", ended`, "25 boss 0 goes on", `25 boss 1: process 1 "worker", ended`, "25 boss 1 goes on")
}

func TestQueue(t *testing.T) {
	e := New()
	defer e.Close()
	l := &logger{e: e}
	q := e.NewQueue("the door")
	for i := range 4 {
		e.Go(fmt.Sprint(i), func(p *Process) {
			q.Wait(p)
			l.say("%d", i)
		})
	}
	e.At(5, func() {
		if u := e.Unfinished(); q.Len() != 4 || fmt.Sprint(u[3]) != `process 4 "3", waiting for the door since 0.000000000 s` {
			t.Errorf("%d wait: %v", q.Len(), u)
		}
		q.Wake()
	})
	e.At(9, q.WakeAll)
	e.At(10, func() {
		if q.Wake() {
			t.Error("nobody is left to wake")
		}
	})
	e.Run(Forever)
	l.want(t, "5 0", "9 1", "9 2", "9 3")
}

// Close runs the deferred functions of what has not finished, oldest first,
// wherever it waits, and leaves no goroutine.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	e := New()
	l := &logger{e: e}
	m, r, q := e.NewMutex("m"), e.NewResource("r", 1), e.NewQueue("q")
	waits := []func(p *Process){
		func(p *Process) { p.Wait(1000) },
		func(p *Process) { p.Park("nothing") },
		func(p *Process) { m.Lock(p); defer m.Unlock(p); p.Wait(1000) },
		func(p *Process) { m.Lock(p); defer m.Unlock(p) },
		func(p *Process) { r.Acquire(p); defer r.Release(); p.Wait(1000) },
		func(p *Process) { r.Use(p, 5) },
		func(p *Process) { q.Wait(p) },
		func(p *Process) { p.Join(e.first) },
		func(p *Process) { defer p.Wait(5); p.Park("nothing") }, // a deferred wait ends too
		func(p *Process) {},
	}
	for i, w := range waits {
		e.Go(fmt.Sprint(i), func(p *Process) {
			defer l.say("%d", i)
			w(p)
		})
	}
	e.Run(100)
	l.lines = nil
	e.Go("never started", func(p *Process) { t.Error("it ran") })
	e.Close()
	l.want(t, "100 0", "100 1", "100 2", "100 3", "100 4", "100 5", "100 6", "100 7", "100 8")
	if len(e.Unfinished()) != 0 {
		t.Errorf("unfinished: %v", e.Unfinished())
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond) // goroutines that have ended take a moment to go
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

func TestNames(t *testing.T) {
	e := New()
	defer e.Close()
	p := e.Go("x", func(p *Process) {
		if p.Engine() != e || p.Name() != "x" || p.ID() != 1 {
			t.Error("it does not know itself")
		}
	})
	if p.String() != `process 1 "x"` {
		t.Error(p)
	}
	e.Run(Forever)
	if p.String() != `process 1 "x", ended` {
		t.Error(p)
	}
}
