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

// bar is a progress bar with an estimate of the time left; a nil one shows
// nothing.
type bar struct {
	p *mpb.Progress
	b *mpb.Bar
}

// barSteps is how finely the bar moves.
const barSteps = 1000

// newBar shows a bar on w where mode asks for it: always, never, or auto, which
// is where w is a terminal.
func newBar(mode string, quiet bool, name string, w io.Writer) (*bar, error) {
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

func (b *bar) update(p run.Progress) {
	if b != nil {
		b.b.SetCurrent(min(int64(p.Done*barSteps), barSteps-1))
	}
}

// done takes the bar away.
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
