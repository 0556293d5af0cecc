package device

// Plug holds back what one process submits in a row, so that what is contiguous
// merges before the device sees any of it (struct blk_plug). Whoever has one calls
// Flush at the end, and before waiting for anything.
//
// Deviates from later kernels than 5.10: they try to merge with the last request of a plug
// only.
type Plug struct {
	device   *Device
	commands []*command
}

// NewPlug returns an empty plug.
func (d *Device) NewPlug() *Plug {
	return &Plug{device: d, commands: make([]*command, 0, d.model.PlugRequests)}
}

// Submit is Device.Submit through the plug.
func (p *Plug) Submit(r Request, done func()) {
	o := p.device.accept(&r)
	o.done = done
	if r.Kind == Flush {
		p.Flush()
	}
	p.device.send(o, p)
}

// add merges a request with one in the plug or with one that waits in its queue. If it
// merges with none it is held back in the plug.
func (p *Plug) add(o *io) {
	if p.merge(o) || o.queue.merge(o) {
		return
	}
	// A plug that is full, or whose last request is large, is emptied before the next
	// (blk_mq_submit_bio).
	if n := int64(len(p.commands)); n > 0 {
		last := p.commands[n-1]
		if n >= p.device.model.PlugRequests || last.to-last.from >= p.device.model.PlugBytes {
			p.Flush()
		}
	}
	// Without a tag the request cannot be held back: it waits in line.
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
		// Only requests of a kind, for the same queue, up to the largest size merge.
		if c.kind != o.kind || c.queue != o.queue || o.to-o.from+c.to-c.from > p.device.model.MaxRequest {
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
		p.device.stats.Merged++
		return true
	}
	return false
}

// Flush sends on what the plug holds, in order. A command that joins one that waits in the
// queue does not exist any more after insert, so its queue is noted before.
func (p *Plug) Flush() {
	var q *queue
	for i, c := range p.commands {
		// One queue looks for work when all of its commands have been put in line.
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
