package sim

import (
	"fmt"
	"iter"
)

// Process is a coroutine that runs in simulated time. Its methods that wait may
// be called by the process itself only.
type Process struct {
	engine *Engine
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

// state is what a process is doing.
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
	p := &Process{engine: e, name: name, id: e.processes, body: body}
	p.resume = p.run
	// The body becomes a coroutine that runs whenever next is called, until it yields.
	p.next, p.stop = iter.Pull(p.coroutine)
	// It joins the list of unfinished processes.
	p.prev = e.last
	if p.prev == nil {
		e.first = p
	} else {
		p.prev.succ = p
	}
	e.last = p
	// Its first event is due now, behind what is already due.
	e.schedule(e.now, 0, p.resume, &p.wakeup)
	return p
}

// Name is the name the process was started with.
func (p *Process) Name() string { return p.name }

// ID numbers the processes of an engine from 1.
func (p *Process) ID() uint64 { return p.id }

// Engine is the engine the process runs on.
func (p *Process) Engine() *Engine { return p.engine }

// Now is the simulated time.
func (p *Process) Now() int64 { return p.engine.now }

// Ended reports whether the process has finished.
func (p *Process) Ended() bool { return p.state == ended }

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

// killed is what a process panics with to unwind its stack when Close ends it.
type killed struct{}

// coroutine runs the body of the process, and adds time and process to a panic in it.
func (p *Process) coroutine(yield func(struct{}) bool) {
	p.yield = yield
	defer func() {
		switch r := recover(); r.(type) {
		case nil, killed:
			// It has ended by itself, or Close ended it.
		default:
			panic(p.engine.panicked(r, p.name))
		}
	}()
	p.body(p)
}

// run switches to the process until it waits or ends.
func (p *Process) run() {
	e := p.engine
	e.current, p.state = p, active
	if _, more := p.next(); !more {
		p.end()
	}
	e.current = nil
}

// end takes the process off the list and wakes those who wait for its end.
func (p *Process) end() {
	e := p.engine
	p.state = ended
	// Off the list of unfinished processes.
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
	// Those in Join go on now.
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
	// Only the process that runs can give way.
	if p.engine.current == p {
		return
	}
	if p.engine.closed {
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
func (p *Process) Wait(d int64) { p.WaitUntil(p.engine.later(d)) }

// WaitUntil waits for time t, and not at all if t has passed.
func (p *Process) WaitUntil(t int64) {
	p.check()
	e := p.engine
	if t < e.now {
		return
	}
	// If nothing else is due before t, the clock moves on without a switch of coroutines.
	// The event counts all the same, so that the fingerprint is that of a run with the
	// switch.
	if e.shortcut && t <= e.until && (len(e.queue) == 0 || e.queue[0].at > t) && !e.stopped.Load() {
		e.sequence++
		e.advance(t, makeKey(0, e.sequence))
		return
	}
	// Otherwise p gives way until its event comes up.
	p.state = ready
	e.schedule(t, 0, p.resume, &p.wakeup)
	p.suspend()
}

// Park waits until another process or event calls Wake. what is for messages.
func (p *Process) Park(what string) {
	p.check()
	p.state, p.waitsFor, p.since = parked, what, p.engine.now
	p.suspend()
}

// ParkFor is Park with a limit of d nanoseconds. It reports whether Wake ended
// the wait.
func (p *Process) ParkFor(what string, d int64) bool {
	p.check()
	p.state, p.waitsFor, p.since, p.woken = parked, what, p.engine.now, false
	// Whichever comes first, the end of the time or Wake, becomes the one event that p
	// awaits.
	p.engine.schedule(p.engine.later(d), 0, p.resume, &p.wakeup)
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
	p.engine.schedule(p.engine.now, 0, p.resume, &p.wakeup) // the time limit no longer counts
	return true
}

// Join waits until other has ended.
func (p *Process) Join(other *Process) {
	if other.state != ended {
		other.joiners.push(p)
		p.block(other.name)
	}
}

// block gives way to others while p is in a waitList. Whoever takes p out of the list
// calls handOver, which ends the wait.
func (p *Process) block(what string) {
	p.check()
	p.state, p.waitsFor, p.since = queued, what, p.engine.now
	p.suspend()
}

// handOver ends the wait of p, which is in block, at time t: what p waited for is its own.
func (p *Process) handOver(t int64) {
	p.state = ready
	p.engine.schedule(t, 0, p.resume, &p.wakeup)
}

// waitList is a queue of processes, linked through themselves: a process waits
// for one thing at a time.
type waitList struct {
	head, tail *Process
	n          int
}

// push puts p, the process that runs, at the end.
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
	p.handOver(p.engine.now)
	return true
}

// WakeAll wakes all that wait, in the order in which they came.
func (q *Queue) WakeAll() {
	for q.Wake() {
	}
}

// Len is how many wait.
func (q *Queue) Len() int { return q.waiters.n }
