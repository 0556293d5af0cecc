package device

// flash is an SSD: a controller that takes one command after the other, dies that
// work at once, each on one thing at a time, and a link to the kernel.
//
// Stripes go round the dies, and are on the link while other dies work on others.
// The link is one for all commands: what it has to carry is done no earlier than
// its rate allows, whichever command's data is ready first.
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
	f.controller = max(f.controller, now) + f.command[kind]
	t := f.controller
	switch kind {
	case Flush:
		if !f.dirty {
			return t
		}
		f.dirty = false
		return max(t, f.written) + f.flushTime
	case Read:
		first, last := t, t
		if from == f.next {
			f.stats.CacheReads++ // the drive saw it coming
		} else {
			first, last = f.work(t, Read, from, to)
		}
		f.next = to
		return max(f.carry(t, first, Read, to-from), last+f.over(Read, to-from))
	}
	carried := f.carry(t, t, Write, to-from)
	_, last := f.work(t+f.over(Write, to-from), Write, from, to)
	end = max(last, carried+f.dieTime[Write])
	f.written, f.dirty = max(f.written, end), true
	return end
}

// work gives a range's stripes to their dies and says when the first and the last
// of them are done.
func (f *flash) work(t int64, kind Kind, from, to int64) (first, last int64) {
	n := int64(len(f.dies))
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

// over is how long the last stripe of n bytes, or its first, is on the link.
func (f *flash) over(kind Kind, n int64) int64 { return duration(min(n, f.stripe), f.rate[kind]) }

// carry takes n bytes over the link, which begin to be ready at the time first, and
// says when all have passed.
func (f *flash) carry(t, first int64, kind Kind, n int64) (end int64) {
	ns := duration(n, f.rate[kind])
	f.link[kind] = max(f.link[kind], t) + ns
	return max(f.link[kind], first+ns)
}
