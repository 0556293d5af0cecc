package sim

import (
	"fmt"
	"iter"
)

// Process is a coroutine that runs in simulated time. Its methods that wait may
// be called by the process itself only.
type Process struct {
	e      *Engine
	name   string
	id     uint64
	body   func(*Process)
	resume func() // as an event
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool

	wakeup     slot // the event that ends the wait in progress
	state      state
	woken      bool     // by Wake, not by the end of the time
	prev, succ *Process // neighbours among the unfinished
	link       *Process // the next in a waitList
	joiners    waitList // those who wait for its end
	waitsFor   string   // what a stuck process waits for
	since      int64    // when it began to wait
}

type state uint8

const (
	ready  state = iota // its event is in the queue
	active              // it runs now
	parked              // it waits for Wake, perhaps with a time limit
	queued              // it waits for what another hands over
	ended
)

// Go starts a process, at the current time, after what is already due.
func (e *Engine) Go(name string, body func(*Process)) *Process {
	if e.closed {
		panic("sim: Go after Close")
	}
	e.processes++
	p := &Process{e: e, name: name, id: e.processes, body: body}
	p.resume = p.run
	p.next, p.stop = iter.Pull(p.coroutine)
	// It joins the list of unfinished processes.
	p.prev = e.last
	if p.prev == nil {
		e.first = p
	} else {
		p.prev.succ = p
	}
	e.last = p
	e.schedule(e.now, p.resume, &p.wakeup)
	return p
}

// Name is the name the process was started with.
func (p *Process) Name() string { return p.name }

// ID numbers the processes of an engine from 1.
func (p *Process) ID() uint64 { return p.id }

// Engine is the engine the process runs on.
func (p *Process) Engine() *Engine { return p.e }

// Now is the simulated time.
func (p *Process) Now() int64 { return p.e.now }

// String names the process and what it waits for.
func (p *Process) String() string {
	switch p.state {
	case parked, queued:
		return fmt.Sprintf("process %d %q, waiting for %s since %s", p.id, p.name, p.waitsFor, seconds(p.since))
	case ended:
		return fmt.Sprintf("process %d %q, ended", p.id, p.name)
	}
	return fmt.Sprintf("process %d %q", p.id, p.name)
}

// killed unwinds a process that Close ends.
type killed struct{}

func (p *Process) coroutine(yield func(struct{}) bool) {
	p.yield = yield
	defer func() {
		switch r := recover(); r.(type) {
		case nil, killed:
		default:
			panic(p.e.panicked(r, p.name))
		}
	}()
	p.body(p)
}

// run switches to the process until it waits or ends.
func (p *Process) run() {
	e := p.e
	e.current, p.state = p, active
	if _, more := p.next(); !more {
		p.end()
	}
	e.current = nil
}

// end takes the process off the list and wakes those who wait for its end.
func (p *Process) end() {
	e := p.e
	p.state = ended
	if p.prev == nil {
		e.first = p.succ
	} else {
		p.prev.succ = p.succ
	}
	if p.succ == nil {
		e.last = p.prev
	} else {
		p.succ.prev = p.prev
	}
	for w := p.joiners.pop(); w != nil; w = p.joiners.pop() {
		w.handOver(e.now)
	}
}

// kill unwinds the process wherever it waits.
func (p *Process) kill() {
	defer p.end()
	p.stop()
}

// check panics unless p is the process that runs.
func (p *Process) check() {
	if p.e.current == p {
		return
	}
	if p.e.closed {
		panic(killed{}) // a deferred function of a process that Close ends
	}
	panic(fmt.Sprintf("sim: %v was told to wait by somebody else", p))
}

// suspend gives way until p's event runs.
func (p *Process) suspend() {
	if !p.yield(struct{}{}) {
		panic(killed{})
	}
}

// Wait lets d nanoseconds pass. Wait(0) lets run what is due now.
func (p *Process) Wait(d int64) { p.WaitUntil(p.e.later(d)) }

// WaitUntil waits for time t, and not at all if t has passed.
func (p *Process) WaitUntil(t int64) {
	p.check()
	e := p.e
	if t < e.now {
		return
	}
	if e.shortcut && t <= e.until && (len(e.queue) == 0 || e.queue[0].at > t) && !e.stopped.Load() {
		e.sequence++
		e.advance(t, e.sequence)
		return
	}
	p.state = ready
	e.schedule(t, p.resume, &p.wakeup)
	p.suspend()
}

// Park waits until another process or event calls Wake. what is for messages.
func (p *Process) Park(what string) {
	p.check()
	p.state, p.waitsFor, p.since = parked, what, p.e.now
	p.suspend()
}

// ParkFor is Park with a limit of d nanoseconds. It reports whether Wake ended
// the wait.
func (p *Process) ParkFor(what string, d int64) bool {
	p.check()
	p.state, p.waitsFor, p.since, p.woken = parked, what, p.e.now, false
	p.e.schedule(p.e.later(d), p.resume, &p.wakeup)
	p.suspend()
	return p.woken
}

// Wake ends the Park of p: p runs at the current time, after what is already
// due. It reports whether p was parked; it does nothing otherwise.
func (p *Process) Wake() bool {
	if p.state != parked {
		return false
	}
	p.woken = true
	p.state = ready
	p.e.schedule(p.e.now, p.resume, &p.wakeup) // the time limit no longer counts
	return true
}

// Join waits until other has ended.
func (p *Process) Join(other *Process) {
	if other.state != ended {
		other.joiners.push(p)
		p.block(other.name)
	}
}

// block waits in a list that p is in, until whoever takes it out calls
// handOver.
func (p *Process) block(what string) {
	p.check()
	p.state, p.waitsFor, p.since = queued, what, p.e.now
	p.suspend()
}

// handOver gives p, which was blocked, what it waits for at time t.
func (p *Process) handOver(t int64) {
	p.state = ready
	p.e.schedule(t, p.resume, &p.wakeup)
}

// waitList is a queue of processes, linked through themselves: a process waits
// for one thing at a time.
type waitList struct {
	head, tail *Process
	n          int
}

func (l *waitList) push(p *Process) {
	p.check()
	p.link = nil
	if l.head == nil {
		l.head = p
	} else {
		l.tail.link = p
	}
	l.tail = p
	l.n++
}

// pop takes the first out; nil from an empty list.
func (l *waitList) pop() *Process {
	p := l.head
	if p != nil {
		l.head, p.link = p.link, nil
		l.n--
	}
	return p
}

// Queue is where processes wait for a condition that others bring about.
type Queue struct {
	name    string
	waiters waitList
}

// NewQueue returns an empty queue.
func (e *Engine) NewQueue(name string) *Queue { return &Queue{name: name} }

// Wait waits for Wake or WakeAll.
func (q *Queue) Wait(p *Process) {
	q.waiters.push(p)
	p.block(q.name)
}

// Wake wakes the one that has waited longest and reports whether one waited.
func (q *Queue) Wake() bool {
	p := q.waiters.pop()
	if p == nil {
		return false
	}
	p.handOver(p.e.now)
	return true
}

// WakeAll wakes all that wait, in the order in which they came.
func (q *Queue) WakeAll() {
	for q.Wake() {
	}
}

// Len is how many wait.
func (q *Queue) Len() int { return q.waiters.n }
