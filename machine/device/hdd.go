package device

// hdd is a disk drive: the state of its arm, of what it has read ahead, and of its
// write cache. It has no events of its own: what it does by itself between two
// commands is worked out when the next arrives.
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

// ahead is what the drive has read and goes on reading behind the last read. The
// head passes byte reference at the time when, and what follows after that; it
// stops at limit.
type ahead struct {
	valid     bool
	from      int64 // the first byte held
	reference int64
	when      int64
	limit     int64
}

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
	h.destageUntil(now)
	switch kind {
	case Flush:
		for len(h.cache.extents) > 0 {
			h.destage(max(h.free, now))
		}
		return max(h.free, now)
	case Read:
		if h.cache.holds(from, to) {
			h.stats.CacheReads++
			return now + h.over(to-from)
		}
		return h.read(now, from, to)
	}
	return h.write(now, from, to)
}

// over is how long n bytes take through the interface.
func (h *hdd) over(n int64) int64 { return duration(n, h.transfer) }

// duration is how long n bytes take at a rate, ns.
func duration(n, rate int64) int64 {
	const chunk = 1 << 32 // more would not fit 64 bits
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
	arm := h.seek(track, write)
	t += arm
	wait := h.until(t, place)
	done := h.passed(to)
	end = t + wait + done - place
	h.stats.SeekTime += arm
	h.stats.RotationTime += wait
	h.stats.TransferTime += done - place
	h.free, h.at = end, to
	h.track = h.trackAt(done - 1)
	return end
}

// seek is how long the arm takes to a track. Going on to the next is what tracks
// are skewed for, before a write too.
func (h *hdd) seek(track int64, write bool) int64 {
	if track == h.track {
		return 0
	}
	if track == h.track+1 {
		return h.change
	}
	t := h.change // from head to head
	if d := track/h.heads - h.track/h.heads; d != 0 {
		t = h.seeks.time(max(d, -d))
		h.stats.ArmMoves++
	}
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
	if h.ahead.valid && h.ahead.from <= from && from <= h.ahead.limit {
		return h.readOn(now, from, to)
	}
	end = h.access(max(h.free, now), from, to, false)
	h.lastRead = end
	if h.readAhead > 0 {
		h.ahead = ahead{valid: true, from: from, reference: to, when: end, limit: min(to+h.readAhead, h.capacity)}
	}
	return max(end, now+h.over(to-from))
}

// readOn reads what has been read ahead, or soon will be.
func (h *hdd) readOn(now, from, to int64) (end int64) {
	a := &h.ahead
	h.stats.CacheReads++
	if a.reference < a.limit {
		_, place := h.place(a.reference)
		if now >= a.when+h.passed(a.limit)-place {
			a.reference = a.limit // the drive had stopped: all of it is held
		}
	}
	if a.reference == a.limit && a.limit < h.capacity {
		_, place := h.place(a.limit) // it goes on when the platter comes round
		wait := h.until(now, place)
		a.when = now + wait
		if to > a.limit {
			h.stats.RotationTime += wait
		}
	}
	end = now + h.over(to-from)
	if to > a.reference {
		_, place := h.place(a.reference)
		ready := a.when + h.passed(to) - place
		h.stats.TransferTime += max(0, ready-max(now, a.when))
		end = max(end, ready)
	}
	a.from = max(a.from, to-h.readAhead)
	a.limit = max(a.limit, min(to+h.readAhead, h.capacity))
	h.free, h.lastRead, h.at = max(h.free, end), max(h.lastRead, end), to
	return end
}

// write writes through, or into the cache as soon as there is room.
func (h *hdd) write(now, from, to int64) (end int64) {
	if to-from > h.cache.size {
		for len(h.cache.extents) > 0 {
			h.destage(max(h.free, now))
		}
		end = h.access(max(h.free, now), from, to, true)
		return max(end, now+h.over(to-from))
	}
	for h.cache.bytes+to-from > h.cache.size {
		h.destage(max(h.free, now))
		now = max(now, h.free)
	}
	if h.ahead.valid && from < h.ahead.limit && h.ahead.from < to {
		h.track = h.trackAhead(now)
		h.ahead.valid = false // what is held would be old
	}
	end = now + h.over(to-from)
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

// destage writes the next of the cache to the medium: going up from where the arm
// is, and then from the lowest.
func (h *hdd) destage(t int64) {
	from, to := h.cache.take(h.at)
	h.access(t, from, to, true)
}
