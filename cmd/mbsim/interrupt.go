package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// patience is how long work that was asked to end may take before the program ends
// without it.
const patience = 5 * time.Second

// interrupts decides what SIGINT and SIGTERM do. While gracefully performs work, the first
// signal cancels the work's context, so that the command can say how far it came. Otherwise,
// and if the work does not end soon, or a second signal comes, the program ends at once. That
// is safe: files appear whole or not at all, so that only temporary ones must be removed.
type interrupts struct {
	mu     sync.Mutex
	cancel context.CancelFunc // of the work going on, nil where none is or it was called
	quit   *time.Timer        // ends the program if the work does not end, nil where it was not asked to
}

// quitting says that the program is about to end with exitInterrupted.
var quitting atomic.Bool

// awaitQuit does not return where the program is about to end: what abandoned files and
// locks make of the command's own errors is nothing to tell.
func awaitQuit() {
	if quitting.Load() {
		select {}
	}
}

// theInterrupts are the program's.
var theInterrupts interrupts

// catch begins to take signals.
func (i *interrupts) catch() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for range signals {
			i.signalled()
		}
	}()
}

// signalled does what one signal is to do.
func (i *interrupts) signalled() {
	// The next signal finds no context to cancel, and so ends the program.
	i.mu.Lock()
	cancel := i.cancel
	i.cancel = nil
	i.mu.Unlock()
	if cancel == nil {
		quit()
	}
	cancel()
	// Work that does not react must not keep the program waiting for ever.
	i.mu.Lock()
	i.quit = time.AfterFunc(patience, quit)
	i.mu.Unlock()
}

// quit ends the program and leaves nothing temporary.
func quit() {
	quitting.Store(true)
	abandon()
	fmt.Fprintln(os.Stderr, "mbsim: interrupted")
	os.Exit(exitInterrupted)
}

// gracefully performs work that ends when its context does.
func (i *interrupts) gracefully(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	i.mu.Lock()
	i.cancel = cancel
	i.mu.Unlock()
	defer func() {
		i.mu.Lock()
		i.cancel = nil
		// The work has ended: what it came to may take long to be written.
		if i.quit != nil {
			i.quit.Stop()
		}
		i.mu.Unlock()
		cancel()
	}()
	return work(ctx)
}
