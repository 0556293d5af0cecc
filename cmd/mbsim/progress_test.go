package main

import (
	"strings"
	"testing"
	"time"

	"mbsim/run"
)

// TestFigures: beside the bar stand operations, their rate, simulated time and use, once there are any;
// work that is no single run has none.
func TestFigures(t *testing.T) {
	b := &bar{start: time.Now().Add(-time.Hour)}
	if got := b.figures(); got != "" {
		t.Errorf("before the first report: %q", got)
	}
	b.last.Store(&run.Progress{Done: 0.5})
	if got := b.figures(); got != "" {
		t.Errorf("of a study: %q", got)
	}
	b.last.Store(&run.Progress{Calls: 1_234_567, Now: 2_500_000_000, Used: 0.456})
	got := b.figures()
	if !strings.HasPrefix(got, "  1.23M ops, 34") || !strings.HasSuffix(got, "/s, 2.5 s simulated, 46% in use") {
		t.Errorf("%q", got)
	}
}
