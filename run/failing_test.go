package run

import (
	"strings"
	"testing"
)

// fullAtFirst has a class whose directory cannot be made, since another has filled the device,
// and whose turn comes when that one deletes.
const fullAtFirst = `
device: {mkfs: {size: 1G, reserved: 0}}
workload:
  phases:
    - name: fill
      classes:
        - {name: big, mix: {fallocate: 1}, files: 1, file_size: 0, append_size: 100M, keep_open: true, on_full: stop}
      until: {used: 100%}
    - name: free
      classes:
        - {name: big, mix: {delete: 1}, files: 0, think: 1ms}
        - {name: writer, files: 1, file_size: 0, think: 10ms, mix: {append: 1}, append_size: 64K, on_full: continue}
      until: {time: 1s}
      then: sync
`

// TestDirectoryIsTriedAgain: a directory that could not be made is made later, and a process
// without think time does not try without end.
func TestDirectoryIsTriedAgain(t *testing.T) {
	r := playScenario(t, load(t, fullAtFirst), Options{}).Result
	if v, err := r.Value("ops_write"); err != nil || v != 98 {
		t.Errorf("%v writes, %v: want 98", v, err)
	}
	never := `
device: {mkfs: {size: 64M, reserved: 0}}
timing: {storage: none}
workload:
  phases:
    - name: fill
      classes: [{name: big, mix: {create: 1}, file_size: 1M, directories: {count: 0}, on_full: stop}]
    - name: wait
      classes: [{name: writer, mix: {create: 1}, file_size: 4K, on_full: continue}]
      until: {time: 1s}
`
	r = playScenario(t, load(t, never), Options{}).Result
	if v := r.Phases[1].Values[metricID("ops_enospc")]; v < 90 || v > 110 {
		t.Errorf("%v calls found no space in a second", v)
	}
	if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, "operations failed") {
		t.Errorf("warnings: %q", text)
	}
}

// TestFailuresWarn: a run in which a tenth of the operations fails says so.
func TestFailuresWarn(t *testing.T) {
	full := `
device: {mkfs: {size: 64M, reserved: 0}}
workload:
  classes: [{name: p, mix: {create: 1}, file_size: 1M, on_full: continue}]
stop: {operations: 300}
`
	r := playScenario(t, load(t, full), Options{}).Result
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "operations failed") {
		t.Errorf("warnings: %q", r.Warnings)
	}
	if r := playScenario(t, load(t, strings.Replace(full, "300", "30", 1)), Options{}).Result; r.Warnings != nil {
		t.Errorf("nothing fails, and %q", r.Warnings)
	}
}

// TestIdleWarns: a class that never does anything is named.
func TestIdleWarns(t *testing.T) {
	r := playScenario(t, load(t, `
device: {mkfs: {size: 64M}}
workload:
  phases:
    - name: day
      classes:
        - {name: busy, mix: {create: 1}, file_size: 4K}
        - {name: lazy, mix: {create: 1}, file_size: 4K, think: 1h}
      until: {time: 10ms}
`), Options{}).Result
	if len(r.Warnings) != 1 || !strings.HasPrefix(r.Warnings[0], "class lazy did nothing in phase day") {
		t.Errorf("warnings: %q", r.Warnings)
	}
}

// TestUntilFalls: a phase that begins with a fuller device than its limit ends when the use
// has fallen to it, and processes that all stop when the device is full end a phase.
func TestUntilFalls(t *testing.T) {
	r := playScenario(t, load(t, `
device: {mkfs: {size: 64M, reserved: 0}}
workload:
  phases:
    - name: fill
      classes: [{name: p, mix: {create: 1}, file_size: 1M, on_full: stop}]
    - name: fall
      classes: [{name: p, mix: {delete: 1}, file_size: 1M}]
      until: {used: 50%}
    - name: time
      classes: [{name: p, mix: {fsync: 1}, file_size: 1M}]
      until: {time: 10ms}
`), Options{}).Result
	used := metricID("used_share")
	if v := r.Phases[0].Values[used]; v < 0.95 {
		t.Errorf("the first phase ended at %v", v)
	}
	if v := r.Phases[1].Values[used]; v < 0.48 || v > 0.5 {
		t.Errorf("the second phase ended at %v: want 0.5", v)
	}
	if ns := r.Phases[2].End - r.Phases[2].Start; ns < 10_000_000 || ns > 11_000_000 {
		t.Errorf("the third phase took %d ns", ns)
	}
}

// TestAtomicOperationsDoNotMeet: without time nothing is lost to another CPU, so that there is
// no count of it.
func TestAtomicOperationsDoNotMeet(t *testing.T) {
	s := load(t, small)
	r := playScenario(t, s, Options{}).Result
	for _, name := range []string{"mb_lost", "mb_busy"} {
		if r.Applies(name) {
			t.Errorf("%s applies to a run without time", name)
		}
	}
	if r := playScenario(t, load(t, busyDisk), Options{}).Result; !r.Applies("mb_lost") {
		t.Error("nothing is lost where processes meet")
	}
}

// TestUnreachableEnds: a phase that ends by more files than the device has inodes for ends with
// one line.
func TestUnreachableEnds(t *testing.T) {
	s := load(t, `
device: {mkfs: {size: 64M, inodes: 512}}
workload:
  phases:
    - name: fill
      classes: [{name: p, mix: {create: 1}, file_size: 4K}]
      until: {files: 1000}
`)
	_, err := Run(t.Context(), s, Options{})
	if err == nil || !strings.Contains(err.Error(), "phase fill ends at 1000 files, but the device has no space or no inode for more than 5") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
