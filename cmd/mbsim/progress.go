package main

import (
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"mbsim/run"
)

// bar is a progress bar with an estimate of the time left. A nil bar shows nothing.
type bar struct {
	p *mpb.Progress
	b *mpb.Bar
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
	b := p.AddBar(barSteps,
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), decor.Name("  "), decor.AverageETA(decor.ET_STYLE_MMSS)),
		mpb.BarRemoveOnComplete())
	return &bar{p, b}, nil
}

// update moves the bar. The last step is left to done, because reaching it ends the bar.
func (b *bar) update(p run.Progress) {
	if b != nil {
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
