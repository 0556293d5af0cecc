package device

// Plug holds back what one process submits in a row, so that what is contiguous
// merges before the device sees any of it (struct blk_plug). Whoever has one calls
// Flush at the end, and before waiting for anything.
//
// Deviates from the kernel: not from 5.10; later ones try to merge with the last
// request of a plug only.
type Plug struct {
	d        *Device
	commands []*command
	most     int // commands that it holds; plugRequests but in tests
}

// A plug that holds so many requests, or whose last request is at least so many bytes
// long, is emptied before the next (BLK_MAX_REQUEST_COUNT since 5.16, 16 before;
// BLK_PLUG_FLUSH_SIZE).
const (
	plugRequests       = 32
	plugBytes    int64 = 128 * kib
)

// NewPlug returns an empty plug.
func (d *Device) NewPlug() *Plug {
	return &Plug{d: d, commands: make([]*command, 0, plugRequests), most: plugRequests}
}

// Submit is Device.Submit through the plug.
func (p *Plug) Submit(r Request, done func()) {
	o := p.d.accept(&r)
	o.done = done
	if r.Kind == Flush {
		p.Flush()
	}
	p.d.send(o, p)
}

// add merges a request with those in the plug, or with those in line, or holds it.
func (p *Plug) add(o *io) {
	if p.merge(o) || o.queue.merge(o) {
		return
	}
	if n := len(p.commands); n > 0 {
		last := p.commands[n-1]
		if n >= p.most || last.to-last.from >= plugBytes {
			p.Flush()
		}
	}
	if !o.queue.tag(o.kind) {
		p.Flush()
		o.queue.add(o)
		return
	}
	p.commands = append(p.commands, o.queue.take(o))
}

// merge puts a request into the latest command that it continues, or that
// continues it (blk_attempt_plug_merge).
func (p *Plug) merge(o *io) bool {
	for i := len(p.commands) - 1; i >= 0; i-- {
		c := p.commands[i]
		if c.kind != o.kind || c.queue != o.queue || o.to-o.from+c.to-c.from > p.d.m.MaxRequest {
			continue
		}
		switch {
		case c.to == o.from:
			c.to = o.to
		case c.from == o.to:
			c.from = o.from
		default:
			continue
		}
		c.ios.push(o)
		p.d.stats.Merged++
		return true
	}
	return false
}

// Flush sends on what the plug holds, in order. A command that joins another in
// line is no more, so its queue is noted before.
func (p *Plug) Flush() {
	var q *queue
	for i, c := range p.commands {
		if q != nil && q != c.queue {
			q.dispatch()
		}
		q = c.queue
		q.insert(c)
		p.commands[i] = nil
	}
	p.commands = p.commands[:0]
	if q != nil {
		q.dispatch()
	}
}
