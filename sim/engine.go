package sim

import (
	"fmt"
	"math"
	"sync/atomic"
)

// Durations in the unit of the clock.
const (
	Nanosecond  int64 = 1
	Microsecond       = 1000 * Nanosecond
	Millisecond       = 1000 * Microsecond
	Second            = 1000 * Millisecond
	Minute            = 60 * Second
	Hour              = 60 * Minute
)

// Forever is later than any event.
const Forever int64 = math.MaxInt64

// Engine runs events in the order of simulated time.
type Engine struct {
	now         int64
	until       int64 // end of the Run in progress
	sequence    uint64
	events      uint64
	fingerprint uint64
	queue       queue
	stopped     atomic.Bool
	running     bool
	closed      bool
	shortcut    bool // a wait may move the clock without a switch
	noShortcut  bool // tests compare runs with and without

	current     *Process
	first, last *Process // processes that have not finished, oldest first
	processes   uint64   // processes ever started
}

// New returns an engine whose clock is 0.
func New() *Engine { return &Engine{} }

// Now is the simulated time.
func (e *Engine) Now() int64 { return e.now }

// Current is the process that is running, nil where none is.
func (e *Engine) Current() *Process { return e.current }

// Events is how many events have run.
func (e *Engine) Events() uint64 { return e.events }

// Pending is how many events are in the queue, those that were cancelled
// included.
func (e *Engine) Pending() int { return len(e.queue) }

// Fingerprint is a digest of the run so far: the time and place in order of
// every event, and what was given to Mix. Runs that differ in it took different
// ways.
func (e *Engine) Fingerprint() uint64 { return e.fingerprint }

// Mix lets a value, such as the result of an operation or where a block lies, count in
// the fingerprint.
func (e *Engine) Mix(v uint64) {
	h := (e.fingerprint ^ v) * 0x9e3779b97f4a7c15
	e.fingerprint = h ^ h>>29
}

// At runs fn at time t, after what is already due then. Events may not lie in
// the past.
func (e *Engine) At(t int64, fn func()) { e.schedule(t, 0, fn, nil) }

// After runs fn in d nanoseconds.
func (e *Engine) After(d int64, fn func()) { e.schedule(e.later(d), 0, fn, nil) }

// AtPriority is At with a priority: at equal times lower ones run first. At has
// priority 0.
func (e *Engine) AtPriority(t int64, priority int8, fn func()) { e.schedule(t, priority, fn, nil) }

// later is the time in d nanoseconds.
func (e *Engine) later(d int64) int64 {
	if d < 0 {
		panic(fmt.Sprintf("sim: a wait of %d ns", d))
	}
	if d > Forever-e.now {
		return Forever
	}
	return e.now + d
}

// schedule queues an event. If s is not nil it becomes the one event that s
// awaits.
func (e *Engine) schedule(t int64, priority int8, fn func(), s *slot) {
	if t < e.now {
		panic(fmt.Sprintf("sim: an event at %d ns, which has passed: it is %d ns", t, e.now))
	}
	if e.closed {
		return
	}
	e.sequence++
	key := makeKey(priority, e.sequence)
	if s != nil {
		s.key = key
	}
	e.queue.push(event{at: t, key: key, fn: fn, slot: s})
}

// advance moves the clock to an event and counts it.
func (e *Engine) advance(t int64, key uint64) {
	e.now = t
	e.events++
	e.Mix(uint64(t) ^ key<<17)
}

// Run runs what happens until the given time, that included, and then sets the
// clock to it. With Forever it runs until nothing is left to happen, and the
// clock stays where it is. It reports whether Stop ended it.
//
// A panic of an event or a process comes out of Run as a *Panic that names time
// and event.
func (e *Engine) Run(until int64) (stopped bool) {
	e.enter(until, !e.noShortcut)
	defer e.leave()
	for !e.stopped.Load() {
		if len(e.queue) == 0 || e.queue[0].at > until {
			if until != Forever {
				e.now = max(e.now, until)
			}
			return e.stopped.Swap(false)
		}
		e.next()
	}
	e.stopped.Store(false)
	return true
}

// Step runs one event and reports whether there was one.
func (e *Engine) Step() bool {
	e.enter(Forever, false)
	defer e.leave()
	for len(e.queue) > 0 {
		if e.next() {
			return true
		}
	}
	return false
}

// next takes an event from the queue and runs it, unless it was cancelled.
func (e *Engine) next() bool {
	ev := e.queue.pop()
	if ev.slot != nil {
		if ev.slot.key != ev.key {
			return false
		}
		ev.slot.key = 0
	}
	e.advance(ev.at, ev.key)
	ev.fn()
	return true
}

// Stop ends the Run in progress, or the next one if none is, after the event
// that is running. Any goroutine may call it.
func (e *Engine) Stop() { e.stopped.Store(true) }

func (e *Engine) enter(until int64, shortcut bool) {
	if e.running {
		panic("sim: Run within Run")
	}
	if e.closed {
		panic("sim: Run after Close")
	}
	e.running, e.until, e.shortcut = true, until, shortcut
}

func (e *Engine) leave() {
	e.running, e.current = false, nil
	if r := recover(); r != nil {
		panic(e.panicked(r, ""))
	}
}

// Close ends the processes that have not finished, oldest first, and forgets
// the events. The engine is of no use then but for its clock and counters.
func (e *Engine) Close() {
	if e.running {
		panic("sim: Close within Run")
	}
	e.closed = true
	e.queue = nil
	for p := e.first; p != nil; p = e.first {
		p.kill()
	}
}

// Unfinished lists the processes that have not finished, oldest first: where a
// run ends for want of events, they wait for what never comes.
func (e *Engine) Unfinished() []*Process {
	var ps []*Process
	for p := e.first; p != nil; p = p.succ {
		ps = append(ps, p)
	}
	return ps
}
