package metrics

// timeline keeps samples at increasing times: any number of pinned ones, and at most limit
// others. When it is full it drops samples until those left are twice as far apart, and
// from then on takes none that are closer. So the samples cover the whole of any run,
// however long, and which ones are kept depends on their times only.
type timeline[T any] struct {
	limit   int
	gap     int64 // least time between two samples, in nanoseconds
	samples []sample[T]
	pinned  int // number of samples that are pinned
}

// sample is a value at a time. A pinned one, at the border of a phase, is never dropped.
type sample[T any] struct {
	time   int64
	pinned bool
	value  T
}

// due says whether a sample at now would be taken.
func (l *timeline[T]) due(now int64) bool {
	n := len(l.samples)
	return n == 0 || now > l.samples[n-1].time && now-l.samples[n-1].time >= l.gap
}

// add keeps a sample taken at now. A second one at the time of the last replaces it. One
// from before the last is dropped. A pinned sample stays whatever the limit.
func (l *timeline[T]) add(now int64, v T, pin bool) {
	n := len(l.samples)
	// Time cannot go back, or the samples would no longer be in order.
	if n > 0 && now < l.samples[n-1].time {
		return
	}
	// Two phases may meet at one moment: their border is one sample, pinned if either is.
	if n > 0 && now == l.samples[n-1].time {
		s := &l.samples[n-1]
		s.value = v
		if pin && !s.pinned {
			s.pinned = true
			l.pinned++
		}
		return
	}
	l.samples = append(l.samples, sample[T]{now, pin, v})
	if pin {
		l.pinned++
	}
	// Thinning may have to be repeated: it keeps the last sample in any case.
	for len(l.samples)-l.pinned > l.limit {
		l.thin()
	}
}

// thin doubles the gap and drops samples that are closer, except the first and the last.
func (l *timeline[T]) thin() {
	// The gap also grows to what the limit allows over the whole span, so that few rounds do.
	span := l.samples[len(l.samples)-1].time - l.samples[0].time
	l.gap = max(2*l.gap, span/int64(l.limit), 1)
	// Filter in place: keep never overtakes the sample that is looked at.
	keep := l.samples[:1]
	last := len(l.samples) - 1
	for i := 1; i <= last; i++ {
		s := l.samples[i]
		if s.pinned || i == last || s.time-keep[len(keep)-1].time >= l.gap {
			keep = append(keep, s)
		}
	}
	// Let go of the values that were dropped; rows and snapshots are large.
	clear(l.samples[len(keep):])
	l.samples = keep
}
