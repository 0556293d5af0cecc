package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// phased has two phases, and processes and kernel threads that give way to each
// other in the middle of operations.
const phased = `
device: {mkfs: {size: 64M}}
cpus: 4
memory: {size: 64M, dirty_expire: 20ms, dirty_writeback: 10ms}
workload:
  phases:
    - name: first
      classes:
        - {name: a, count: 6, think: {exponential: 100us}, mix: {create: 2, delete: 1}, file_size: {uniform: {min: 1K, max: 200K}}, fsync_on_close: 20%}
      until: {operations: 200}
      then: sync
    - name: second
      classes:
        - {name: a, count: 6, think: {exponential: 100us}, mix: {create: 1, delete: 1}, file_size: 64K}
      until: {operations: 100}
      then: remount
`

// playWith plays a scenario in which something else stands for the file system's
// check.
func playWith(t *testing.T, text string, opt Options, check func(r *runner) error, sets ...string) (*Outcome, error) {
	t.Helper()
	r := newRunner(context.Background(), load(t, text, sets...), opt)
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		t.Fatal(err)
	}
	r.m.check = func() error { return check(r) }
	return r.play(r.launch)
}

// TestCheckModes counts the checks of each mode, all at quiet moments, and sees
// that none changes what a run comes to.
func TestCheckModes(t *testing.T) {
	for _, sets := range [][]string{{"timing.storage=ssd"}, nil, {"profile=ext2"}} {
		var want string
		for _, m := range CheckModes() {
			var times []int64
			out, err := playWith(t, phased, Options{Check: m}, func(r *runner) error {
				if r.inside != 0 {
					t.Errorf("%v: checked while %d are inside", m, r.inside)
				}
				times = append(times, r.engine.Now())
				return nil
			}, sets...)
			if err != nil {
				t.Fatal(err)
			}
			// Two phases; syncs after them, one a remount, and two at the end.
			least := map[CheckMode]int{CheckNone: 0, CheckEnd: 1, CheckPhase: 2, CheckSync: 5}[m]
			if n := len(times); n < least || n > 2*least {
				t.Errorf("%v, %v: %d checks, at %v", sets, m, n, times)
			}
			if got := digest(out); want == "" {
				want = got
			} else if got != want {
				t.Errorf("%v, %v: the check changed the run", sets, m)
			}
		}
	}
}

// TestCheckFails: the run ends with one line that says where and what.
func TestCheckFails(t *testing.T) {
	for _, m := range []CheckMode{CheckEnd, CheckPhase, CheckSync} {
		var at int64
		out, err := playWith(t, phased, Options{Check: m, Replication: 3}, func(r *runner) error {
			at = r.engine.Now()
			return errors.Join(errors.New("inode 12: a\nb"), errors.Join(errors.New("c"), errors.New("d")))
		}, "seed=12", "timing.storage=ssd")
		var e *CheckError
		if out != nil || !errors.As(err, &e) {
			t.Fatalf("%v: %v, %v", m, out, err)
		}
		if e.Seed != 12 || e.Replication != 3 || e.Time != at || at == 0 {
			t.Errorf("%v: %+v, checked at %d", m, e, at)
		}
		want := fmt.Sprintf("check failed: seed 12, replication 3, at %d.%09d", at/1e9, at%1e9)
		if got := e.Error(); !strings.HasPrefix(got, strings.TrimRight(want, "0")) || !strings.HasSuffix(got, " s: inode 12: a; b (and 2 more)") {
			t.Errorf("%v: %q", m, got)
		}
	}
}
