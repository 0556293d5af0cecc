package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An interrupt ends a study with its code, and says what is kept; the same command
// goes on.
func TestSweepInterrupted(t *testing.T) {
	dir := t.TempDir()
	f := sweepFlags{runFlags: runFlags{format: formatPNG}, reps: 1, jobs: 1, engine: "local"}
	f.out, f.progress = dir, "never"
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	go func() {
		for ctx.Err() == nil {
			if raw, err := os.ReadFile(filepath.Join(dir, "runs.ndjson")); err == nil && bytes.Count(raw, []byte("\n")) > 0 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	err := f.sweep(ctx, "policies", &stdout, &stderr)
	var e *exitError
	if !errors.As(err, &e) || e.code != exitInterrupted || !strings.HasPrefix(err.Error(), "interrupted; ") ||
		!strings.HasSuffix(err.Error(), " of 4 runs are finished: the same command goes on") {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "study.json")); err == nil {
		t.Error("study.json is there after an interrupt")
	}
	if err := f.sweep(t.Context(), "policies", &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "runs.ndjson"))
	if err != nil || bytes.Count(raw, []byte("\n")) != 4 {
		t.Errorf("%d runs, %v", bytes.Count(raw, []byte("\n")), err)
	}
}

// Mistakes of the user end with 2 and one line; runs that are missing with 1.
func TestSweepExitCodes(t *testing.T) {
	dir := t.TempDir()
	study := filepath.Join(dir, "study")
	for _, c := range []struct {
		args string
		code int
	}{
		{"sweep policies --set s_mb_order2_reqs=1,x -o " + study, exitUsage},
		{"sweep policies --set mount=nodelalloc|delalloc -o " + study, exitUsage},
		{"sweep none -o " + study, exitUsage},
		{"sweep policies --baseline none -o " + study, exitUsage},
		{"sweep policies --until ci=x -o " + study, exitUsage},
		{"sweep policies --jobs none -o " + study, exitUsage},
		{"sweep", exitUsage},
		{"shard --index 0 --of 2 --out " + study, exitUsage},
		{"merge " + study, exitUsage},
		{"compare " + study, exitUsage},
		{"compare", exitUsage},
		{"sweep policies --reps 1 --engine shards -o " + study, exitOK},
		{"shard --index 2 --of 2 --out " + study, exitUsage},
		{"merge " + study, exitInternal},
		{"shard --index 0 --of 1 --out " + study, exitOK},
		{"merge " + study, exitOK},
		{"compare " + study, exitOK},
		{"compare " + study + " " + study + " --metric none", exitUsage},
		{"sweep policies -q --reps 1 -o " + study, exitOK},
	} {
		var stdout, stderr bytes.Buffer
		code := execute(strings.Fields(c.args), &stdout, &stderr)
		if code != c.code {
			t.Errorf("mbsim %s: exit code %d, want %d\n%s", c.args, code, c.code, stderr.String())
		}
		if n := strings.Count(stderr.String(), "\n"); c.code != exitOK && n != 1 || c.code == exitOK && n != 0 {
			t.Errorf("mbsim %s: %d lines of errors:\n%s", c.args, n, stderr.String())
		}
	}
}
