package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// expecting is a scenario whose expectation holds at one size of files only. The second one is of
// a metric that ext2 has not.
const expecting = `
device: {mkfs: {size: 64M}}
workload:
  classes:
    - {name: p, mix: {create: 1}, file_size: 4K}
stop: {operations: 20}
expect:
  - file_bytes < 100000
  - mb_reqs > 0
`

// TestSweepExpects: what the scenario expects is expected of the setting that is the scenario
// as it is; others are remarked, and what does not exist is not expected.
func TestSweepExpects(t *testing.T) {
	for _, c := range []struct {
		name string
		sets []string
		code int
		say  string
	}{
		{"only another setting fails", []string{"workload.classes.p.file_size=4K,64K"}, exitOK, "not all of them hold for workload.classes.p.file_size=64K."},
		{"the scenario as it is fails", []string{"workload.classes.p.file_size=64K", "cpus=1,2"}, exitExpect, "Warning: 1 of 1 runs of cpus=1 did not meet"},
		{"there is no such metric", []string{"profile=ext2,5.10"}, exitOK, ""},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "expecting.yaml")
		if err := os.WriteFile(path, []byte(expecting), 0o666); err != nil {
			t.Fatal(err)
		}
		f := sweepFlags{runFlags: runFlags{format: formatPNG}, reps: 1, jobs: 1, engine: "local"}
		f.sets, f.out, f.progress = c.sets, filepath.Join(dir, "out"), "never"
		var stdout, stderr bytes.Buffer
		err := f.sweep(t.Context(), path, &stdout, &stderr)
		code := exitOK
		var e *exitError
		if errors.As(err, &e) {
			code = e.code
		}
		text := strings.Join(strings.Fields(stdout.String()), " ")
		if code != c.code || !strings.Contains(text, c.say) || c.say == "" && strings.Contains(text, "expectations") {
			t.Errorf("%s: exit code %d, %v\n%s%s", c.name, code, err, stdout.String(), stderr.String())
		}
	}
}

// TestMergeExpects: merge ends as the sweep would have that performed the runs itself, with its
// table or without.
func TestMergeExpects(t *testing.T) {
	for size, code := range map[string]int{"4K": exitOK, "64K": exitExpect} {
		dir := t.TempDir()
		path, out := filepath.Join(dir, "expecting.yaml"), filepath.Join(dir, "out")
		if err := os.WriteFile(path, []byte(expecting), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			args string
			code int
		}{
			{"sweep " + path + " --set workload.classes.p.file_size=" + size + " --set cpus=1,2 --reps 1 --engine shards -o " + out, exitOK},
			{"shard --index 0 --of 1 --out " + out, exitOK},
			{"merge " + out, code},
			{"merge -q " + out, code},
		} {
			var stdout, stderr bytes.Buffer
			if got := execute(strings.Fields(c.args), &stdout, &stderr); got != c.code {
				t.Errorf("files of %s: mbsim %s: exit code %d, want %d\n%s%s", size, c.args, got, c.code, stdout.String(), stderr.String())
			}
		}
	}
}

// TestRunNotApplicable: an expectation on a metric that the kernel's policy does not have is
// neither met nor not.
func TestRunNotApplicable(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "expecting.yaml")
	if err := os.WriteFile(path, []byte(expecting), 0o666); err != nil {
		t.Fatal(err)
	}
	f := runFlags{sets: []string{"profile=ext2"}, out: filepath.Join(dir, "out"), progress: "never", noPlots: true, format: formatPNG, check: "end"}
	var stdout, stderr bytes.Buffer
	if err := f.run(t.Context(), path, &stdout, &stderr); err != nil || !strings.Contains(stdout.String(), "not applicable") {
		t.Errorf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
}
