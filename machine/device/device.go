package device

import (
	"fmt"

	"mbsim/machine/latency"
	"mbsim/sim"
)

// medium is what does the work: when a command that is started now will end. It is
// told of commands in order of time.
type medium interface {
	start(now int64, kind Kind, from, to int64) (end int64)
}

// Device is a device on an engine.
type Device struct {
	e      *sim.Engine
	m      Model
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

// New returns a device of the given size, bytes, on which nothing has happened. A
// drive that is smaller grows: its outer part is what it was.
func New(e *sim.Engine, m Model, size int64) (*Device, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	if size < 1 || size > pebi {
		return nil, fmt.Errorf("a device of %d bytes: between 1 and %d are possible", size, pebi)
	}
	d := &Device{e: e, m: m, size: size, room: e.NewQueue("device tag"), counted: e.Now(), latencies: latency.New()}
	d.stats.began = e.Now()
	var err error
	if d.medium, err = newMedium(&m, size, &d.stats); err != nil {
		return nil, err
	}
	d.queues = make([]queue, m.Queues)
	for i := range d.queues {
		d.queues[i].init(d)
	}
	return d, nil
}

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
func (d *Device) Model() Model { return d.m }

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
	if d.medium == nil {
		d.finish(o)
		return 0
	}
	o.waiter = p
	d.send(o, nil)
	for !o.finished {
		p.Park("device")
	}
	ns := d.e.Now() - o.start
	d.dropIO(o)
	return ns
}

// Throttle waits until no write waits for a tag: what somebody does who has
// submitted much without waiting, as the kernel makes everybody do.
func (d *Device) Throttle(p *sim.Process) {
	for d.tagless() {
		d.room.Wait(p)
	}
}

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
	o.kind, o.sync, o.from, o.to, o.start = r.Kind, r.Sync, from, to, d.e.Now()
	if n := len(d.queues); n > 0 {
		o.queue = &d.queues[uint(r.CPU)%uint(n)]
	}
	d.count()
	d.outstanding++
	d.stats.submitted(o.kind, to-from, d.outstanding)
	return o
}

// send takes a request to its queue, in pieces where it is too large. With a plug
// it goes there.
func (d *Device) send(o *io, p *Plug) {
	switch {
	case d.medium == nil:
		d.e.At(d.e.Now(), d.newCommand(o).complete)
		return
	case o.kind == Flush:
		d.flushes.push(o)
		for i := range d.queues {
			d.queues[i].dispatch()
		}
		return
	case o.to-o.from <= d.m.MaxRequest:
		d.enqueue(o, p)
	default:
		o.pieces = int((o.to - o.from + d.m.MaxRequest - 1) / d.m.MaxRequest)
		for from := o.from; from < o.to; from += d.m.MaxRequest {
			piece := d.newIO()
			piece.parent, piece.kind, piece.queue = o, o.kind, o.queue
			piece.from, piece.to = from, min(from+d.m.MaxRequest, o.to)
			d.enqueue(piece, p)
		}
	}
	if p == nil {
		o.queue.dispatch()
	}
}

// enqueue merges a request or puts it in line.
func (d *Device) enqueue(o *io, p *Plug) {
	if p != nil {
		p.add(o)
	} else if !o.queue.merge(o) {
		o.queue.add(o)
	}
}

// begin gives a command to the medium.
func (d *Device) begin(c *command) {
	now := d.e.Now()
	if c.kind != Flush {
		d.stats.Commands++
		if c.from != d.last {
			d.stats.Seeks++
			d.stats.Distance += max(c.from-d.last, d.last-c.from)
		}
		d.last = c.to
	}
	end := d.medium.start(now, c.kind, c.from, c.to)
	if end < now {
		panic(fmt.Sprintf("device: %v of [%d, %d) on %v ends at %d, begun at %d", c.kind, c.from, c.to, d.m.Medium, end, now))
	}
	d.e.At(end, c.complete)
}

// completed is the event of a command's end: it tells those who wait, and only
// then gives its place to another, as blk_mq_end_request does.
func (d *Device) completed(c *command) {
	for o := c.ios.pop(); o != nil; o = c.ios.pop() {
		d.finishPiece(o)
	}
	q := c.queue
	if d.medium == nil {
		d.dropCommand(c)
		return
	}
	q.inFlight--
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
	if whole := o.parent; whole != nil {
		d.dropIO(o)
		if whole.pieces--; whole.pieces > 0 {
			return
		}
		o = whole
	}
	waiter, done := o.waiter, o.done
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
	d.latencies.Record(op, d.e.Now()-o.start)
}
