package device

import (
	"fmt"

	"mbsim/machine/latency"
	"mbsim/sim"
)

// medium is what does the work. start begins a command at time now, for the bytes
// [from, to), and says when it will end. Commands are started in the order of time.
type medium interface {
	start(now int64, kind Kind, from, to int64) (end int64)
}

// Device is a device on an engine.
type Device struct {
	engine *sim.Engine
	model  Model
	size   int64
	medium medium // nil for none
	queues []queue
	room   *sim.Queue // those who wait until no write waits for a tag

	flushes  ioList   // to be done by the next flush
	flushing *command // the one in progress

	stats       Stats
	counted     int64 // up to when times in stats count
	outstanding int
	last        int64 // the byte behind the last command
	latencies   *latency.Recorder

	freeIO      *io
	freeCommand *command
}

// New returns a device of the given size, bytes, on which nothing has happened. If the
// model's drive is smaller than that, it gets more cylinders in each zone.
func New(e *sim.Engine, m Model, size int64) (*Device, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	if size < 1 || size > pebi {
		return nil, fmt.Errorf("a device of %d bytes: between 1 and %d are possible", size, pebi)
	}
	// Times are counted from now on: the device may be made in the middle of a run.
	d := &Device{engine: e, model: m, size: size, room: e.NewQueue("device tag"), counted: e.Now(), latencies: latency.New()}
	d.stats.began = e.Now()
	var err error
	d.medium, err = newMedium(&m, size, &d.stats)
	if err != nil {
		return nil, err
	}
	d.queues = make([]queue, m.Queues)
	for i := range d.queues {
		d.queues[i].init(d)
	}
	return d, nil
}

// newMedium makes the medium of a model; nil for None.
func newMedium(m *Model, size int64, stats *Stats) (medium, error) {
	switch m.Medium {
	case HDD:
		return newHDD(m, size, stats)
	case SSD, NVMe:
		return newFlash(m, stats), nil
	}
	return nil, nil
}

// Model is what the device was made with.
func (d *Device) Model() Model { return d.model }

// Size is the device's size, bytes.
func (d *Device) Size() int64 { return d.size }

// Latencies are the times from submission to completion.
func (d *Device) Latencies() *latency.Recorder { return d.latencies }

// Submit sends a request. done, which may be nil, runs as an event when it is
// done, never within Submit.
func (d *Device) Submit(r Request, done func()) {
	o := d.accept(&r)
	o.done = done
	d.send(o, nil)
}

// Do sends a request, waits until it is done, and returns how long that took.
func (d *Device) Do(p *sim.Process, r Request) int64 {
	o := d.accept(&r)
	// Without a medium everything is done at once.
	if d.medium == nil {
		d.finish(o)
		return 0
	}
	o.waiter = p
	d.send(o, nil)
	// The process may be woken for something else, so it looks again.
	for !o.finished {
		p.Park("device")
	}
	ns := d.engine.Now() - o.start
	d.dropIO(o)
	return ns
}

// Throttle waits until no write waits for a tag. A process that submits much without
// waiting calls it, as in the kernel nobody can submit a request without getting a tag.
func (d *Device) Throttle(p *sim.Process) {
	for d.tagless() {
		d.room.Wait(p)
	}
}

// tagless reports whether any write waits for a tag.
func (d *Device) tagless() bool {
	for i := range d.queues {
		if d.queues[i].waiting[Write].n > 0 {
			return true
		}
	}
	return false
}

// accept makes a request into an io and counts it.
func (d *Device) accept(r *Request) *io {
	from, to := d.extent(r)
	o := d.newIO()
	o.kind, o.sync, o.from, o.to, o.start = r.Kind, r.Sync, from, to, d.engine.Now()
	// A CPU uses the queue of its number modulo the queues (blk_mq_map_queue).
	if n := len(d.queues); n > 0 {
		o.queue = &d.queues[uint(r.CPU)%uint(n)]
	}
	// The times are brought up to date before the number of outstanding requests changes.
	d.count()
	d.outstanding++
	d.stats.submitted(o.kind, to-from, d.outstanding)
	return o
}

// send puts a request into its queue, in pieces where it is too large, or into the plug p
// if that is not nil.
func (d *Device) send(o *io, p *Plug) {
	switch {
	case d.medium == nil:
		// Nothing takes time, but completion is an event all the same.
		d.engine.At(d.engine.Now(), d.newCommand(o).complete)
		return
	case o.kind == Flush:
		// A flush belongs to no queue: whichever can take it first does.
		d.flushes.push(o)
		for i := range d.queues {
			d.queues[i].dispatch()
		}
		return
	case o.to-o.from <= d.model.MaxRequest:
		d.enqueue(o, p)
	default:
		// Too large for one command: pieces, of which the last one done finishes the
		// request (blk_queue_split).
		o.pieces = int((o.to - o.from + d.model.MaxRequest - 1) / d.model.MaxRequest)
		for from := o.from; from < o.to; from += d.model.MaxRequest {
			piece := d.newIO()
			piece.parent, piece.kind, piece.queue = o, o.kind, o.queue
			piece.from, piece.to = from, min(from+d.model.MaxRequest, o.to)
			d.enqueue(piece, p)
		}
	}
	// Without a plug the device may see the request at once.
	if p == nil {
		o.queue.dispatch()
	}
}

// enqueue puts a request into the plug, merges it with one that waits, or has it wait.
func (d *Device) enqueue(o *io, p *Plug) {
	if p != nil {
		p.add(o)
	} else if !o.queue.merge(o) {
		o.queue.add(o)
	}
}

// begin gives a command to the medium.
func (d *Device) begin(c *command) {
	now := d.engine.Now()
	// A command that does not begin where the last one ended is a seek, whatever the
	// medium.
	if c.kind != Flush {
		d.stats.Commands++
		if c.from != d.last {
			d.stats.Seeks++
			d.stats.Distance += max(c.from-d.last, d.last-c.from)
		}
		d.last = c.to
	}
	// The medium computes the end now, from its state and the clock.
	end := d.medium.start(now, c.kind, c.from, c.to)
	if end < now {
		panic(fmt.Sprintf("device: %v of [%d, %d) on %v ends at %d, begun at %d", c.kind, c.from, c.to, d.model.Medium, end, now))
	}
	d.engine.At(end, c.complete)
}

// completed is the event of a command's end. It tells those who wait for its requests, and
// only then gives its tag to another, as blk_mq_end_request does.
func (d *Device) completed(c *command) {
	// All requests that merged into the command are done with it.
	for o := c.ios.pop(); o != nil; o = c.ios.pop() {
		d.finishPiece(o)
	}
	q := c.queue
	if d.medium == nil {
		d.dropCommand(c)
		return
	}
	q.inFlight--
	// The flush has held up other queues, so each looks for work.
	if c == d.flushing {
		d.flushing = nil
		d.dropCommand(c)
		for i := range d.queues {
			d.queues[i].dispatch()
		}
		return
	}
	q.release(c)
	q.dispatch()
}

// finishPiece finishes a request, or a piece of one.
func (d *Device) finishPiece(o *io) {
	// A piece: the request is done when the last of its pieces is.
	if whole := o.parent; whole != nil {
		d.dropIO(o)
		whole.pieces--
		if whole.pieces > 0 {
			return
		}
		o = whole
	}
	waiter, done := o.waiter, o.done
	// A process waits in Do, which reads the request before it is used again.
	if waiter != nil {
		o.finished = true
		d.record(o)
		waiter.Wake()
		return // Do lets go of it
	}
	d.finish(o)
	if done != nil {
		done()
	}
}

// finish records a request that is done and lets go of it.
func (d *Device) finish(o *io) {
	d.record(o)
	d.dropIO(o)
}

// record counts a request as done, and how long it took by its kind.
func (d *Device) record(o *io) {
	d.count()
	d.outstanding--
	op := latency.DeviceRead
	switch {
	case o.kind == Flush:
		op = latency.DeviceFlush
	case o.kind == Write && o.sync:
		op = latency.DeviceWrite
	case o.kind == Write:
		op = latency.DeviceWriteback
	}
	d.latencies.Record(op, d.engine.Now()-o.start)
}
