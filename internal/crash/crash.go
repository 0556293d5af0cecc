// Package crash turns a panic into an error that knows its stack, so that whoever
// started the work can tell the user about it, in whichever goroutine it was.
package crash

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// Panic is an error that was a panic. Its Error is one line without the stack.
type Panic interface {
	error
	PanicStack() []byte
}

// Error is a Panic.
type Error struct {
	Value any // what it panicked with
	Stack []byte
}

// Recovered is the error for what recover returned. It must be called before the
// stack unwinds, that is in the deferred function that recovers. A value that is a
// Panic already stays that one.
func Recovered(v any) Panic {
	if p, ok := v.(Panic); ok {
		return p
	}
	return &Error{v, debug.Stack()}
}

// Error says what the panic was about.
func (e *Error) Error() string { return "panic: " + OneLine(e.Value) }

// PanicStack is the stack at the panic.
func (e *Error) PanicStack() []byte { return e.Stack }

// Unwrap is the value, if it is an error.
func (e *Error) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// OneLine is the text of a value on one line.
func OneLine(v any) string { return strings.Join(strings.Fields(fmt.Sprint(v)), " ") }

// Guard calls f. A panic becomes the error.
func Guard(f func() error) (err error) {
	defer func() {
		// The deferred function runs above the panicking frames, so the stack still shows them.
		if v := recover(); v != nil {
			err = Recovered(v)
		}
	}()
	return f()
}

// Of finds the panic in an error, nil if there is none.
func Of(err error) Panic {
	var p Panic
	if errors.As(err, &p) {
		return p
	}
	return nil
}
