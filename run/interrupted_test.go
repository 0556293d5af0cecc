package run

import (
	"context"
	"strings"
	"testing"
)

// TestKeepInterrupted: a run that is interrupted has the results so far, with and without time.
func TestKeepInterrupted(t *testing.T) {
	for _, text := range []string{small, busyDisk} {
		ctx, cancel := context.WithCancel(t.Context())
		opt := Options{Keep: true, Progress: func(p Progress) {
			if p.Calls > 3000 {
				cancel()
			}
		}}
		out, err := Run(ctx, load(t, text, "stop.operations=1000000000"), opt)
		cancel()
		if err != nil || !out.Interrupted || out.Verdicts != nil {
			t.Fatalf("%v, %+v", err, out)
		}
		if v, err := out.Result.Value("ops"); err != nil || v < 3000 {
			t.Errorf("%v operations, %v", v, err)
		}
		if text := strings.Join(out.Result.Warnings, "\n"); !strings.Contains(text, "interrupted after") {
			t.Errorf("warnings: %q", text)
		}
	}
}
