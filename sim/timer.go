package sim

// Timer runs a function once, at a time that can be changed until then. A timer
// that is set again and again allocates nothing.
type Timer struct {
	engine *Engine
	fn     func()
	slot   slot
}

// NewTimer returns a timer that is not set.
func (e *Engine) NewTimer(fn func()) *Timer { return &Timer{engine: e, fn: fn} }

// Set makes the timer run at time t instead of when it would have.
func (t *Timer) Set(at int64) { t.engine.schedule(at, 0, t.fn, &t.slot) }

// SetAfter makes the timer run in d nanoseconds instead of when it would have.
func (t *Timer) SetAfter(d int64) { t.Set(t.engine.later(d)) }

// Cancel keeps the timer from running and reports whether it would have.
func (t *Timer) Cancel() bool {
	was := t.slot.key != 0
	t.slot.key = 0
	return was
}

// Pending reports whether the timer will run.
func (t *Timer) Pending() bool { return t.slot.key != 0 }
