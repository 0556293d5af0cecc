package device

// queue is one of the queues between kernel and device. With an elevator it is
// ordered as mq-deadline does (dd_dispatch_request, dd_insert_request,
// dd_bio_merge, dd_limit_depth); without, first in, first out.
//
// Deviates from the kernel: there is one class of priority, and a queue's tags
// bound what a plug and its elevator hold together.
type queue struct {
	d        *Device
	elevator bool
	depth    int
	inFlight int // commands that the device works on

	tags    int
	used    int       // commands that have a tag
	writes  int       // of these, writes
	waiting [2]ioList // requests without a tag, by kind

	arrived [2]commandList // by kind; without an elevator all are in the first
	sorted  [2][]*command  // by place
	batch   int            // commands given out since deadlines were looked at
	reading bool           // the batch is of reads
	starved int            // batches of reads since the last of writes
	last    [2]int64       // where the last command of a kind ended
}

func (q *queue) init(d *Device) {
	m := &d.m
	*q = queue{d: d, elevator: m.FIFOBatch > 0, depth: int(m.QueueDepth), tags: int(m.Tags)}
	if q.elevator {
		for kind := range q.sorted {
			q.sorted[kind] = make([]*command, 0, min(q.tags, 1024))
		}
	}
}

// tag says whether there is a tag for another command of this kind. Writes may
// hold three quarters of them where there is an elevator, so that reads find some.
func (q *queue) tag(kind Kind) bool {
	if q.used == q.tags {
		return false
	}
	return kind == Read || !q.elevator || q.writes < max(1, 3*q.tags/4)
}

// take counts a tag as used by a new command of o.
func (q *queue) take(o *io) *command {
	q.used++
	if o.kind == Write {
		q.writes++
	}
	return q.d.newCommand(o)
}

// add puts a request in line that nothing merges with.
func (q *queue) add(o *io) {
	if !q.tag(o.kind) {
		q.waiting[o.kind].push(o)
		return
	}
	q.insert(q.take(o))
}

// insert puts a command in line, joined with those it continues or that continue
// it.
func (q *queue) insert(c *command) {
	if !q.elevator {
		q.arrived[0].push(c)
		return
	}
	s := q.sorted[c.kind]
	i := q.find(c.kind, c.from)
	if i > 0 && q.joins(s[i-1], c) {
		q.join(i-1, c)
		return
	}
	c.deadline = q.d.e.Now() + q.d.m.ReadExpire
	if c.kind == Write {
		c.deadline = q.d.e.Now() + q.d.m.WriteExpire
	}
	q.arrived[c.kind].push(c)
	s = append(s, nil)
	copy(s[i+1:], s[i:])
	s[i] = c
	q.sorted[c.kind] = s
	q.joinNext(c.kind, i)
}

// find is the index of the first waiting command behind byte b, or at it.
func (q *queue) find(kind Kind, b int64) int {
	s := q.sorted[kind]
	low, high := 0, len(s)
	for low < high {
		mid := (low + high) / 2
		if s[mid].from < b {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// joins says whether b continues a and both together are not too large.
func (q *queue) joins(a, b *command) bool {
	return a.to == b.from && b.to-a.from <= q.d.m.MaxRequest
}

// join joins c, which is not in line, to the one at index i, which it continues.
func (q *queue) join(i int, c *command) {
	into := q.sorted[c.kind][i]
	into.to = c.to
	into.ios.join(&c.ios)
	q.d.stats.Merged++
	q.free(c)
	q.joinNext(into.kind, i)
}

// joinNext joins the command at index i with the next one if that continues it.
// The earlier deadline counts for both.
func (q *queue) joinNext(kind Kind, i int) {
	s := q.sorted[kind]
	if i+1 >= len(s) || !q.joins(s[i], s[i+1]) {
		return
	}
	into, c := s[i], s[i+1]
	q.sorted[kind] = append(s[:i+1], s[i+2:]...)
	into.to = c.to
	into.ios.join(&c.ios)
	list := &q.arrived[kind]
	if c.deadline < into.deadline {
		list.remove(into)
		list.replace(c, into)
		into.deadline = c.deadline
	} else {
		list.remove(c)
	}
	q.d.stats.Merged++
	q.free(c)
}

// merge puts a request into a waiting command that it continues, or that
// continues it, and says whether there was one.
func (q *queue) merge(o *io) bool {
	if !q.elevator {
		return false
	}
	s := q.sorted[o.kind]
	i := q.find(o.kind, o.from)
	if i > 0 && s[i-1].to == o.from && o.to-s[i-1].from <= q.d.m.MaxRequest {
		s[i-1].to = o.to
		s[i-1].ios.push(o)
		q.d.stats.Merged++
		q.joinNext(o.kind, i-1)
		return true
	}
	if i < len(s) && s[i].from == o.to && s[i].to-o.from <= q.d.m.MaxRequest {
		s[i].from = o.from
		s[i].ios.push(o)
		q.d.stats.Merged++
		if i > 0 {
			q.joinNext(o.kind, i-1)
		}
		return true
	}
	return false
}

// free gives back a command and its tag.
func (q *queue) free(c *command) {
	q.used--
	if c.kind == Write {
		q.writes--
	}
	q.d.dropCommand(c)
}

// release gives back a command and its tag, which those take who wait for one.
func (q *queue) release(c *command) {
	q.free(c)
	for _, kind := range [...]Kind{Read, Write} {
		for q.waiting[kind].n > 0 && q.tag(kind) {
			o := q.waiting[kind].pop()
			if !q.merge(o) {
				q.insert(q.take(o))
			}
		}
	}
	if q.waiting[Write].n == 0 {
		q.d.room.WakeAll() // they look again
	}
}

// dispatch gives the device what it can take. A flush goes first, and over SATA
// alone.
func (q *queue) dispatch() {
	d := q.d
	for q.inFlight < q.depth {
		if d.flushes.n > 0 && d.flushing == nil {
			if q.elevator && q.inFlight > 0 {
				return
			}
			c := d.newCommand(d.flushes.pop())
			c.queue = q
			c.ios.join(&d.flushes)
			d.flushing = c
			q.inFlight++
			d.begin(c)
			continue
		}
		if q.elevator && d.flushing != nil {
			return
		}
		c := q.next()
		if c == nil {
			return
		}
		q.inFlight++
		d.begin(c)
	}
}

// next takes the next command out of line; nil if there is none.
func (q *queue) next() *command {
	if !q.elevator {
		c := q.arrived[0].head
		if c != nil {
			q.arrived[0].remove(c)
		}
		return c
	}
	kind := Write
	if q.reading {
		kind = Read
	}
	i := q.following(kind)
	if q.batch == 0 || q.batch >= int(q.d.m.FIFOBatch) || i < 0 {
		var ok bool
		if kind, ok = q.choose(); !ok {
			return nil
		}
		q.batch, q.reading = 0, kind == Read
		i = q.following(kind)
		if first := q.arrived[kind].head; i < 0 || first.deadline <= q.d.e.Now() {
			i = q.index(first)
		}
	}
	q.batch++
	s := q.sorted[kind]
	c := s[i]
	q.sorted[kind] = append(s[:i], s[i+1:]...)
	q.arrived[kind].remove(c)
	q.last[kind] = c.to
	return c
}

// following is the index of the command behind the last of its kind, -1 if there
// is none (deadline_next_request).
func (q *queue) following(kind Kind) int {
	if i := q.find(kind, q.last[kind]); i < len(q.sorted[kind]) {
		return i
	}
	return -1
}

// index is the place of a waiting command among those of its kind.
func (q *queue) index(c *command) int {
	s := q.sorted[c.kind]
	i := q.find(c.kind, c.from)
	for s[i] != c {
		i++
	}
	return i
}

// choose says which kind the next batch is of, and whether anything waits.
func (q *queue) choose() (Kind, bool) {
	reads, writes := len(q.sorted[Read]) > 0, len(q.sorted[Write]) > 0
	if reads {
		if !writes || q.starved < int(q.d.m.WritesStarved) {
			if writes {
				q.starved++
			}
			return Read, true
		}
	}
	q.starved = 0
	return Write, writes
}
