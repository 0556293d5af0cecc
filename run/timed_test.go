package run

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"mbsim/scenarios"
	"mbsim/sim"
)

// busyDisk is small on CPUs whose work takes time, with a flusher that is often
// awake.
const busyDisk = small + `
timing: {storage: ssd}
`

func TestTimedSameSeedSameRun(t *testing.T) {
	for _, cpus := range []string{"cpus=1", "cpus=4"} {
		want := digest(playScenario(t, load(t, busyDisk, cpus), Options{}))
		for _, procs := range []int{1, 2, 4} {
			old := runtime.GOMAXPROCS(procs)
			got := digest(playScenario(t, load(t, busyDisk, cpus), Options{}))
			runtime.GOMAXPROCS(old)
			if got != want {
				t.Errorf("%s, GOMAXPROCS=%d: another run", cpus, procs)
			}
		}
	}
}

// file is a scenario that comes with the simulator.
func file(t testing.TB, name string, sets ...string) *scenarios.Scenario {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../scenarios", name))
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Parse(text, name, scenarios.Options{Sets: sets})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func value(t testing.TB, o *Outcome, name string) float64 {
	t.Helper()
	v, err := o.Result.Stat(name, "last")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestContention: chunks are lost, and a file system counts as busy, between CPUs
// only. Long searches end on one CPU too.
func TestContention(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	one := playScenario(t, file(t, "lost-chunks.yaml", "cpus=1"), Options{})
	for _, name := range []string{"mb_lost", "mb_busy", "waits_group_lock", "waits_stream_lock"} {
		if v, err := one.Result.Stat(name, "max"); err != nil || v != 0 {
			t.Errorf("one CPU: %s is %v, %v", name, v, err)
		}
	}
	if v := value(t, one, "mb_breaks"); v < 1000 {
		t.Errorf("one CPU: %v breaks", v)
	}
	many := playScenario(t, file(t, "lost-chunks.yaml", "cpus=8"), Options{})
	for _, name := range []string{"mb_lost", "mb_busy", "mb_breaks", "waits_group_lock"} {
		if v := value(t, many, name); v < 50 {
			t.Errorf("eight CPUs: %s is %v", name, v)
		}
	}
	if a, b := value(t, one, "ops_per_s"), value(t, many, "ops_per_s"); b < 2*a {
		t.Errorf("%v operations a second on one CPU, %v on eight", a, b)
	}
}

// TestAnswers runs the scenarios in which work takes time: what they say holds.
func TestAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	names, err := filepath.Glob("../scenarios/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range names {
		s := file(t, filepath.Base(path))
		if s.Timing == nil {
			continue
		}
		n++
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			t.Parallel()
			if len(s.Expect) == 0 {
				t.Error("expects nothing")
			}
			for _, v := range playScenario(t, s, Options{}).Verdicts {
				if !v.Met {
					t.Errorf("%v: is %v", v.Expect, v.Value)
				}
			}
		})
	}
	if n < 10 {
		t.Errorf("only %d scenarios", n)
	}
}

// TestLocalityGroups computes where the files of that scenario must lie: in group
// 1, each at a multiple of 512, and the last in group 2.
func TestLocalityGroups(t *testing.T) {
	out := playScenario(t, file(t, "locality-groups.yaml"), Options{})
	const groupBlocks, preallocation, metadata = 32768, 512, 49
	files := groupBlocks/preallocation - 1 // but for the slot with metadata
	free := groupBlocks - metadata - files
	line := strings.Split(string(out.Groups), "\n")[2]
	numbers := strings.FieldsFunc(line, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) < 3 || numbers[0] != "1" || numbers[1] != strconv.Itoa(free) || numbers[2] != strconv.Itoa(files+1) {
		t.Errorf("%s: want %d blocks free in %d pieces", line, free, files+1)
	}
	_, counters, _ := strings.Cut(line, "[")
	for order, n := range strings.Fields(strings.TrimSuffix(strings.TrimSpace(counters), "]")) {
		if order >= 9 && n != "0" {
			t.Errorf("%s: a free buddy of order %d", line, order)
		}
	}
}

// BenchmarkTimed is the rate of events of a run with 16 CPUs that contend for few
// groups: allocator, file system, workload and metrics included.
func BenchmarkTimed(b *testing.B) {
	for _, name := range []string{"lost-chunks", "scaling"} {
		b.Run(name, func(b *testing.B) {
			var events uint64
			for b.Loop() {
				events += playScenario(b, file(b, name+".yaml"), Options{}).Events
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// TestStuckRunEnds: processes that wait for each other for ever end the run with an error,
// though the flusher's timer would keep it going.
func TestStuckRunEnds(t *testing.T) {
	r := newRunner(context.Background(), load(t, busyDisk), Options{})
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		t.Fatal(err)
	}
	_, err := r.play(func() {
		for cpu, inodes := range [][2]uint32{{100, 101}, {101, 100}} {
			r.engine.Go("deadly embrace", func(p *sim.Process) {
				r.timed.inside(r, p, cpu, func() {
					r.timed.host.LockInode(inodes[0])
					p.Wait(sim.Millisecond)
					r.timed.host.LockInode(inodes[1])
				})
			})
		}
	})
	if err == nil || !strings.Contains(err.Error(), "wait for each other") || !strings.Contains(err.Error(), "deadly embrace") {
		t.Errorf("the error is %v", err)
	}
}
