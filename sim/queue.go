package sim

// event is one entry of the queue.
type event struct {
	at  int64
	key uint64 // priority and sequence number: the order at equal times
	fn  func()
	// slot, if not nil, says whether the event still counts: it does while
	// slot.key is its key.
	slot *slot
}

// slot is the one event that a process or a timer awaits; 0 for none.
type slot struct{ key uint64 }

// sequenceBits is the width of the sequence number in a key. A run of 10^9
// events a second would use it up in two years.
const sequenceBits = 56

// makeKey joins a priority and a sequence number into one number, by which events of the
// same time are ordered. Flipping the sign bit orders negative priorities first.
func makeKey(priority int8, sequence uint64) uint64 {
	return uint64(uint8(priority)^0x80)<<sequenceBits | sequence
}

// before reports whether a runs before b.
func (a *event) before(b *event) bool {
	return a.at < b.at || a.at == b.at && a.key < b.key
}

// queue is a heap of events with four children a node: half as deep as a binary
// one, and the children of a node share two cache lines.
type queue []event

// push adds an event.
func (q *queue) push(ev event) {
	h := append(*q, ev)
	*q = h
	// From the new leaf up: parents that come later move down, until the event's place is
	// found.
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !ev.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = ev
}

// pop removes the first event. The queue must not be empty.
func (q *queue) pop() event {
	h := *q
	top := h[0]
	n := len(h) - 1
	last := h[n]
	h[n] = event{} // let go of what it refers to
	h = h[:n]
	*q = h
	if n == 0 {
		return top
	}
	// The last leaf is to fill the gap at the top. Children that come earlier than it move
	// up, until its place is found.
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		// The earliest of up to four children.
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&last) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return top
}
