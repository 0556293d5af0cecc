package device

// flash is an SSD: a controller that takes one command after the other, dies that
// work at once, each on one thing at a time, and a link to the kernel.
//
// Consecutive stripes lie on consecutive dies, so that the dies work at once, and one
// stripe can be on the link while another is still being read. All commands share the
// link: what it has to transfer ends no earlier than its rate allows, whichever command's
// data is ready first.
type flash struct {
	stripe    int64
	dieTime   [2]int64 // ns, by kind
	rate      [2]int64 // bytes/s
	command   [kinds]int64
	flushTime int64

	controller int64   // when it is free
	dies       []int64 // when each is
	link       [2]int64
	next       int64 // the byte behind the last read
	written    int64 // when the last write ended
	dirty      bool  // something was written since the last flush
	stats      *Stats
}

// newFlash makes an idle drive.
func newFlash(m *Model, stats *Stats) *flash {
	return &flash{
		next: -1, stripe: m.Stripe, dies: make([]int64, m.Dies), flushTime: m.FlushTime, stats: stats,
		dieTime: [2]int64{m.ReadDie, m.WriteDie},
		rate:    [2]int64{m.ReadRate, m.WriteRate},
		command: [kinds]int64{Read: m.ReadCommand, Write: m.WriteCommand, Flush: m.WriteCommand},
	}
}

// start begins a command and says when it ends.
func (f *flash) start(now int64, kind Kind, from, to int64) (end int64) {
	// The controller takes one command after the other; t is when it has taken this one.
	f.controller = max(f.controller, now) + f.command[kind]
	t := f.controller
	switch kind {
	case Flush:
		// Nothing to make durable if nothing was written since the last flush.
		if !f.dirty {
			return t
		}
		f.dirty = false
		return max(t, f.written) + f.flushTime
	case Read:
		// A read that continues the last one finds its data in the drive's buffer.
		first, last := t, t
		if from == f.next {
			f.stats.CacheReads++ // the drive saw it coming
		} else {
			first, last = f.occupyDies(t, Read, from, to)
		}
		f.next = to
		return max(f.transfer(t, first, Read, to-from), last+f.stripeTime(Read, to-from))
	}
	// A write: its data comes over the link first, and each die takes a stripe as soon as
	// that is there.
	carried := f.transfer(t, t, Write, to-from)
	_, last := f.occupyDies(t+f.stripeTime(Write, to-from), Write, from, to)
	end = max(last, carried+f.dieTime[Write])
	f.written, f.dirty = max(f.written, end), true
	return end
}

// occupyDies gives a range's stripes to their dies and says when the first and the last
// of them are done.
func (f *flash) occupyDies(t int64, kind Kind, from, to int64) (first, last int64) {
	n := int64(len(f.dies))
	// Consecutive stripes lie on consecutive dies; a die works on one at a time.
	for s := from / f.stripe; s <= (to-1)/f.stripe; s++ {
		die := &f.dies[s%n]
		*die = max(*die, t) + f.dieTime[kind]
		if last == 0 {
			first = *die
		}
		first, last = min(first, *die), max(last, *die)
	}
	return first, last
}

// stripeTime is how long the last stripe of n bytes, or its first, is on the link.
func (f *flash) stripeTime(kind Kind, n int64) int64 { return duration(min(n, f.stripe), f.rate[kind]) }

// transfer takes n bytes over the link, which begin to be ready at the time first, and
// says when all have passed.
func (f *flash) transfer(t, first int64, kind Kind, n int64) (end int64) {
	ns := duration(n, f.rate[kind])
	f.link[kind] = max(f.link[kind], t) + ns
	return max(f.link[kind], first+ns)
}
