package metrics

// timeline keeps samples at increasing times, at most limit of them beside those
// that are pinned. When it is full it drops samples so that the rest are twice as
// far apart, and takes no closer ones from then on. So its samples cover any run,
// however long, and which they are depends on their times only.
type timeline[T any] struct {
	limit   int
	gap     int64 // nanoseconds between samples, at least
	samples []sample[T]
	pinned  int
}

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

// add takes a sample. One at the time of the last replaces it, one before it is
// dropped. Pinned samples stay.
func (l *timeline[T]) add(now int64, v T, pin bool) {
	n := len(l.samples)
	if n > 0 && now < l.samples[n-1].time {
		return
	}
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
	for len(l.samples)-l.pinned > l.limit {
		l.thin()
	}
}

// thin doubles the gap and drops what is closer, but for the first and the last.
func (l *timeline[T]) thin() {
	span := l.samples[len(l.samples)-1].time - l.samples[0].time
	l.gap = max(2*l.gap, span/int64(l.limit), 1)
	keep := l.samples[:1]
	last := len(l.samples) - 1
	for i := 1; i <= last; i++ {
		s := l.samples[i]
		if s.pinned || i == last || s.time-keep[len(keep)-1].time >= l.gap {
			keep = append(keep, s)
		}
	}
	clear(l.samples[len(keep):])
	l.samples = keep
}
