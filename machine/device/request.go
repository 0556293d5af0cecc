package device

import (
	"fmt"

	"mbsim/sim"
)

// Kind is what a request asks for.
type Kind uint8

// The kinds of requests.
const (
	Read Kind = iota
	Write
	Flush // makes durable what was written before; it has no place

	kinds
)

// String is the kind in words.
func (k Kind) String() string {
	return [...]string{"read", "write", "flush"}[k]
}

// Request is what a file system asks of the device.
type Request struct {
	Kind      Kind
	Block     uint64
	Count     uint32 // blocks
	BlockSize uint32 // bytes
	Sync      bool   // somebody waits for a write; reads and flushes are always waited for
	CPU       int    // who submits: decides the queue where there are several
}

// io is a request on its way, or a piece of one that was too large.
type io struct {
	next     *io // in a list
	parent   *io // what it is a piece of
	pieces   int // how many pieces of it are not done
	kind     Kind
	sync     bool
	finished bool
	from, to int64
	start    int64 // when it was submitted
	queue    *queue
	done     func()
	waiter   *sim.Process
}

// ioList is a queue of requests, linked through themselves.
type ioList struct {
	head, tail *io
	n          int
}

func (l *ioList) push(o *io) {
	o.next = nil
	if l.head == nil {
		l.head = o
	} else {
		l.tail.next = o
	}
	l.tail = o
	l.n++
}

func (l *ioList) pop() *io {
	o := l.head
	if o != nil {
		l.head, o.next = o.next, nil
		l.n--
	}
	return o
}

// join puts all of other behind l.
func (l *ioList) join(other *ioList) {
	if other.head == nil {
		return
	}
	if l.head == nil {
		*l = *other
	} else {
		l.tail.next = other.head
		l.tail, l.n = other.tail, l.n+other.n
	}
	*other = ioList{}
}

// command is what the device is given: one request, or several that merged.
type command struct {
	kind     Kind
	from, to int64
	deadline int64
	queue    *queue
	ios      ioList
	before   *command // neighbours in order of arrival
	after    *command
	complete func() // its event, made once
}

// commandList is a queue of commands in order of arrival.
type commandList struct{ head, tail *command }

func (l *commandList) push(c *command) {
	c.before, c.after = l.tail, nil
	if l.tail == nil {
		l.head = c
	} else {
		l.tail.after = c
	}
	l.tail = c
}

func (l *commandList) remove(c *command) {
	if c.before == nil {
		l.head = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		l.tail = c.before
	} else {
		c.after.before = c.before
	}
	c.before, c.after = nil, nil
}

// replace puts c where old is.
func (l *commandList) replace(old, c *command) {
	c.before, c.after = old.before, old.after
	if c.before == nil {
		l.head = c
	} else {
		c.before.after = c
	}
	if c.after == nil {
		l.tail = c
	} else {
		c.after.before = c
	}
	old.before, old.after = nil, nil
}

// newIO takes a request from the pool.
func (d *Device) newIO() *io {
	o := d.freeIO
	if o == nil {
		return new(io)
	}
	d.freeIO = o.next
	o.next = nil
	return o
}

func (d *Device) dropIO(o *io) {
	*o = io{next: d.freeIO}
	d.freeIO = o
}

// newCommand takes a command from the pool and puts o in it.
func (d *Device) newCommand(o *io) *command {
	c := d.freeCommand
	if c == nil {
		c = new(command)
		c.complete = func() { d.completed(c) }
	} else {
		d.freeCommand = c.after
		c.after = nil
	}
	c.kind, c.from, c.to, c.queue = o.kind, o.from, o.to, o.queue
	c.ios.push(o)
	return c
}

func (d *Device) dropCommand(c *command) {
	*c = command{complete: c.complete, after: d.freeCommand}
	d.freeCommand = c
}

// extent is the bytes of a request. One that the device does not have is a mistake
// of the caller.
func (d *Device) extent(r *Request) (from, to int64) {
	if r.Kind == Flush {
		return 0, 0
	}
	if r.Kind >= kinds || r.Count == 0 || r.BlockSize == 0 || r.Block > uint64(d.size)/uint64(r.BlockSize) {
		panic(fmt.Sprintf("device: %+v, on a device of %d bytes", *r, d.size))
	}
	from = int64(r.Block) * int64(r.BlockSize)
	to = from + int64(r.Count)*int64(r.BlockSize)
	if to > d.size {
		panic(fmt.Sprintf("device: %+v, on a device of %d bytes", *r, d.size))
	}
	return from, to
}
