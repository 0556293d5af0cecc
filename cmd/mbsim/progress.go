package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"mbsim/run"
	"mbsim/sim"
)

// bar is a progress bar with an estimate of the time left. A nil bar shows nothing.
type bar struct {
	p     *mpb.Progress
	b     *mpb.Bar
	start time.Time
	last  atomic.Pointer[run.Progress] // what the bar shows beside the share; the library asks in a goroutine
}

// barSteps is the number of steps that the bar has.
const barSteps = 1000

// newBar shows a bar on w if mode asks for one: always, never, or auto, which means that w is a
// terminal. It returns nil where no bar is shown.
func newBar(mode string, quiet bool, name string, w io.Writer) (*bar, error) {
	// An unknown mode is an error also where nothing would be shown.
	switch mode {
	case "auto":
		f, ok := w.(*os.File)
		if !ok || !term.IsTerminal(int(f.Fd())) {
			return nil, nil
		}
	case "always":
	case "never":
		return nil, nil
	default:
		return nil, usagef("--progress is %q: want auto, always or never", mode)
	}
	if quiet {
		return nil, nil
	}
	// The library draws by itself only on terminals.
	options := []mpb.ContainerOption{mpb.WithOutput(w), mpb.WithRefreshRate(150 * time.Millisecond)}
	if mode == "always" {
		options = append(options, mpb.WithAutoRefresh())
	}
	p := mpb.New(options...)
	shown := &bar{p: p, start: time.Now()}
	shown.b = p.AddBar(barSteps,
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_MMSS),
			decor.Any(func(decor.Statistics) string { return shown.figures() })),
		mpb.BarRemoveOnComplete())
	return shown, nil
}

// figures are the operations so far and in a second of the user's time, the simulated time, and how
// full the device is; nothing before the first report, and for work that is no single run.
func (b *bar) figures() string {
	p := b.last.Load()
	if p == nil || p.Calls == 0 {
		return ""
	}
	rate := float64(p.Calls) / time.Since(b.start).Seconds()
	return fmt.Sprintf("  %s ops, %s/s, %.1f s simulated, %.0f%% in use", thousands(float64(p.Calls)), thousands(rate), float64(p.Now)/float64(sim.Second), 100*p.Used)
}

// thousands is a count in units of 1000.
func thousands(n float64) string {
	for _, unit := range []string{"", "k", "M", "G"} {
		if n < 1000 {
			return fmt.Sprintf("%.3g%s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.3gT", n)
}

// update moves the bar. The last step is left to done, because reaching it ends the bar.
func (b *bar) update(p run.Progress) {
	if b != nil {
		b.last.Store(&p)
		b.b.SetCurrent(min(int64(p.Done*barSteps), barSteps-1))
	}
}

// done removes the bar. ok says whether the work came to its end.
func (b *bar) done(ok bool) {
	if b == nil {
		return
	}
	if ok {
		b.b.SetCurrent(barSteps)
	} else {
		b.b.Abort(true)
	}
	b.p.Wait()
}
