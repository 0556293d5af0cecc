package device

// hdd is a disk drive: the state of its arm, of what it has read ahead, and of its write
// cache. It schedules no events: what the drive does by itself between two commands
// (reading ahead, emptying its cache) is computed when the next command arrives.
type hdd struct {
	geometry
	seeks     seekCurve
	settle    int64
	command   [kinds]int64 // ns from arrival until the drive acts
	transfer  int64        // bytes/s of the interface
	readAhead int64        // bytes
	cache     writeCache
	stats     *Stats

	free     int64 // when the arm has done what it was told
	lastRead int64 // when the last read of the medium ended
	track    int64 // where the arm is
	at       int64 // the byte behind the last access
	ahead    ahead
}

// ahead is what the drive has read, and goes on reading, behind the last read. The head
// passes byte reference at time when and reads on from there up to limit.
type ahead struct {
	valid     bool
	from      int64 // the first byte held
	reference int64 // the byte from whose time that of all others follows
	when      int64 // ns: when the head passes it
	limit     int64 // the byte at which the drive stops
}

// newHDD makes a drive of the model's capacity, or of size bytes if that is more.
func newHDD(m *Model, size int64, stats *Stats) (*hdd, error) {
	h := &hdd{geometry: newGeometry(m, max(m.Capacity, size)), settle: m.WriteSettle, transfer: m.Interface, readAhead: m.ReadAhead, stats: stats}
	h.command = [kinds]int64{Read: m.ReadCommand, Write: m.WriteCommand, Flush: m.WriteCommand}
	h.cache = writeCache{size: m.WriteCache, idle: m.CacheIdle, chunk: m.DestageAtOnce}
	var err error
	h.seeks, err = newSeekCurve(m, h.cylinders())
	return h, err
}

// start begins a command and says when it ends.
func (h *hdd) start(now int64, kind Kind, from, to int64) (end int64) {
	now += h.command[kind]
	// What the drive has done by itself since the last command comes first.
	h.destageUntil(now)
	switch kind {
	case Flush:
		// The whole cache goes to the medium.
		for len(h.cache.extents) > 0 {
			h.destage(max(h.free, now))
		}
		return max(h.free, now)
	case Read:
		// What is in the write cache needs no medium.
		if h.cache.holds(from, to) {
			h.stats.CacheReads++
			return now + h.interfaceTime(to-from)
		}
		return h.read(now, from, to)
	}
	return h.write(now, from, to)
}

// interfaceTime is how long n bytes take through the interface.
func (h *hdd) interfaceTime(n int64) int64 { return duration(n, h.transfer) }

// duration is how long n bytes take at a rate, ns.
func duration(n, rate int64) int64 {
	const chunk = 1 << 32 // more would not fit 64 bits
	// Both the second and the rate are divided by 1000, so that no product overflows 64
	// bits.
	ns := n / chunk * (chunk * (second / 1000) / (rate / 1000))
	return ns + n%chunk*(second/1000)/(rate/1000)
}

// access moves the arm and transfers a range, from time t on.
func (h *hdd) access(t, from, to int64, write bool) (end int64) {
	track, place := h.place(from)
	if h.ahead.valid { // the arm has followed what it read
		h.track = h.trackAhead(t)
		h.ahead.valid = false
	}
	// The arm moves to the track, the platter turns until the place comes by, and then the
	// range passes under the head.
	arm := h.seek(track, write)
	t += arm
	wait := h.until(t, place)
	done := h.passed(to)
	end = t + wait + done - place
	// The three parts are counted apart.
	h.stats.SeekTime += arm
	h.stats.RotationTime += wait
	h.stats.TransferTime += done - place
	// The arm stays where it is, over the last track.
	h.free, h.at = end, to
	h.track = h.trackAt(done - 1)
	return end
}

// seek is how long the arm takes to a track, ns. Tracks are skewed so that the next one
// begins under the head when it has moved there, so going on to that takes just the
// change of track, before a write too.
func (h *hdd) seek(track int64, write bool) int64 {
	if track == h.track {
		return 0
	}
	if track == h.track+1 {
		return h.change
	}
	// Another head of the same cylinder needs no more than a change of head; another
	// cylinder, a seek.
	t := h.change // from head to head
	if d := track/h.heads - h.track/h.heads; d != 0 {
		t = h.seeks.time(max(d, -d))
		h.stats.ArmMoves++
	}
	// Before a write the head must settle more exactly.
	if write {
		t += h.settle
	}
	return t
}

// trackAhead is where the arm is at time t while it reads ahead.
func (h *hdd) trackAhead(t int64) int64 {
	a := &h.ahead
	_, place := h.place(min(a.reference, h.capacity-1))
	return h.trackAt(min(place+max(t-a.when, 0), h.passed(a.limit)-1))
}

// read reads from what was read ahead, or from the medium.
func (h *hdd) read(now, from, to int64) (end int64) {
	// The read begins in what the drive holds or is about to read.
	if h.ahead.valid && h.ahead.from <= from && from <= h.ahead.limit {
		return h.readOn(now, from, to)
	}
	end = h.access(max(h.free, now), from, to, false)
	h.lastRead = end
	// The drive goes on reading behind it by itself.
	if h.readAhead > 0 {
		h.ahead = ahead{valid: true, from: from, reference: to, when: end, limit: min(to+h.readAhead, h.capacity)}
	}
	// The interface may be slower than the medium.
	return max(end, now+h.interfaceTime(to-from))
}

// readOn serves a read that begins in what has been read ahead, or where the drive is going
// on reading. The arm need not move.
func (h *hdd) readOn(now, from, to int64) (end int64) {
	a := &h.ahead
	h.stats.CacheReads++
	// The drive may have come to the limit since the last read.
	if a.reference < a.limit {
		_, place := h.place(a.reference)
		if now >= a.when+h.passed(a.limit)-place {
			a.reference = a.limit // the drive had stopped: all of it is held
		}
	}
	// It has stopped, and can read on from the limit only when that comes under the head
	// again.
	if a.reference == a.limit && a.limit < h.capacity {
		_, place := h.place(a.limit) // it goes on when the platter comes round
		wait := h.until(now, place)
		a.when = now + wait
		if to > a.limit {
			h.stats.RotationTime += wait
		}
	}
	// What is held comes over the interface. The rest is there when the head has passed its
	// end.
	end = now + h.interfaceTime(to-from)
	if to > a.reference {
		_, place := h.place(a.reference)
		ready := a.when + h.passed(to) - place
		h.stats.TransferTime += max(0, ready-max(now, a.when))
		end = max(end, ready)
	}
	// The buffer keeps the last bytes, and the drive reads on behind this read.
	a.from = max(a.from, to-h.readAhead)
	a.limit = max(a.limit, min(to+h.readAhead, h.capacity))
	h.free, h.lastRead, h.at = max(h.free, end), max(h.lastRead, end), to
	return end
}

// write writes through, or into the cache as soon as there is room.
func (h *hdd) write(now, from, to int64) (end int64) {
	// Too large for the cache: what is in it goes to the medium first, and then the write
	// itself.
	if to-from > h.cache.size {
		for len(h.cache.extents) > 0 {
			h.destage(max(h.free, now))
		}
		end = h.access(max(h.free, now), from, to, true)
		return max(end, now+h.interfaceTime(to-from))
	}
	// Room is made, which the command waits for.
	for h.cache.bytes+to-from > h.cache.size {
		h.destage(max(h.free, now))
		now = max(now, h.free)
	}
	// What was read ahead of this range is out of date, so the drive gives up reading
	// ahead.
	if h.ahead.valid && from < h.ahead.limit && h.ahead.from < to {
		h.track = h.trackAhead(now)
		h.ahead.valid = false // what is held would be old
	}
	// The write is done when the cache has it.
	end = now + h.interfaceTime(to-from)
	if len(h.cache.extents) == 0 {
		h.cache.since = end
	}
	h.cache.add(from, to)
	return end
}

// destageUntil does what the drive does by itself before now.
func (h *hdd) destageUntil(now int64) {
	for len(h.cache.extents) > 0 {
		t := max(h.free, h.lastRead+h.cache.idle, h.cache.since)
		if t >= now {
			return
		}
		h.destage(t)
	}
}

// destage writes the next range of the cache to the medium. It takes them in the order of
// their places from where the arm is, and then begins again at the lowest.
func (h *hdd) destage(t int64) {
	from, to := h.cache.take(h.at)
	h.access(t, from, to, true)
}
