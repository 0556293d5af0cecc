package sim

import (
	"fmt"
	"runtime/debug"

	"mbsim/internal/crash"
)

// Panic is what Run panics with where an event or a process panicked.
type Panic struct {
	Time    int64  // simulated nanoseconds
	Event   uint64 // the event that ran, counted from 1
	Process string // "" where an event's function panicked
	Value   any    // what it panicked with
	Stack   []byte // where
}

// Error says in one line where and when.
func (p *Panic) Error() string {
	who := "an event"
	if p.Process != "" {
		who = fmt.Sprintf("process %q", p.Process)
	}
	return fmt.Sprintf("%s panicked at %s, event %d: %s", who, seconds(p.Time), p.Event, crash.OneLine(p.Value))
}

// PanicStack is the stack at the panic (crash.Panic).
func (p *Panic) PanicStack() []byte { return p.Stack }

// Unwrap is the value, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// panicked adds to a panic's value when it happened. It must run before the
// stack unwinds.
func (e *Engine) panicked(r any, process string) *Panic {
	if p, ok := r.(*Panic); ok {
		return p
	}
	return &Panic{Time: e.now, Event: e.events, Process: process, Value: r, Stack: debug.Stack()}
}

// seconds is a time as messages show it, exact to the nanosecond.
func seconds(t int64) string { return fmt.Sprintf("%d.%09d s", t/Second, t%Second) }
