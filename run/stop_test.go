package run

import (
	"testing"

	"mbsim/sim"
	"mbsim/workload"
)

// makers is a scenario of small files, made one after the other on one CPU.
const makers = `
device: {mkfs: {size: 128M}}
workload:
  phases:
    - name: first
      classes: [{name: makers, count: 3, think: 1ms, mix: {create: 1}, file_size: 4K}]
      until: {operations: 60}
    - name: second
      classes: [{name: makers, count: 3, think: 1ms, mix: {create: 1}, file_size: 4K}]
`

// TestStopAfterOperations: a run ends with the operation that was asked for, and no later one
// begins. Those of the phases before count too, each once. Where work takes time those that the
// other two processes have begun end as well.
func TestStopAfterOperations(t *testing.T) {
	for _, c := range []struct {
		sets []string
		more float64
	}{{nil, 0}, {[]string{"timing.storage=none"}, 2}} {
		out := playScenario(t, load(t, makers, append(c.sets, "stop={operations: 100}")...), Options{})
		made := metricID("ops_create")
		if n := out.Result.Final[made]; n < 100 || n > 100+c.more {
			t.Errorf("%v: %v files were made, want 100", c.sets, n)
		}
		if len(out.Result.Phases) != 2 {
			t.Fatalf("%v: %d phases, want 2", c.sets, len(out.Result.Phases))
		}
		if n := out.Result.Phases[0].Values[made]; n < 60 || n > 60+c.more {
			t.Errorf("%v: %v files were made in the first phase, want 60", c.sets, n)
		}
	}
}

// TestStopAtUsed: a run ends once so much of the device is used, and not later. A file of 4K
// is less than a hundredth of a percent.
func TestStopAtUsed(t *testing.T) {
	out := playScenario(t, load(t, makers, "stop={used: 20%}"), Options{})
	if used := value(t, out, "used_share"); used < 0.2 || used > 0.202 {
		t.Errorf("%v of the device is used, want 0.2", used)
	}
}

// TestSettles: in the end all is synced twice, as the recorder does, whose recordings are
// compared with replays of what a run performed.
func TestSettles(t *testing.T) {
	ops := playScenario(t, load(t, makers, "stop={operations: 10}"), Options{Record: true}).Ops
	n := 0
	for n < len(ops) && ops[len(ops)-1-n].Kind == workload.Sync {
		n++
	}
	if n != 2 {
		t.Errorf("the run ends with %d syncs, want 2", n)
	}
}

// TestSampleTimes: samples are taken as often as the scenario says, where each phase begins, and
// in the end.
func TestSampleTimes(t *testing.T) {
	out := playScenario(t, load(t, makers, "stop={operations: 5000}", "sample=100ms"), Options{})
	times, _, err := out.Result.Series.Points("ops")
	if err != nil {
		t.Fatal(err)
	}
	second := out.Result.Phases[1].Start
	next := int64(0)
	for _, at := range times {
		if at == second && at != next || at == out.Result.End {
			continue
		}
		if at != next {
			t.Fatalf("a sample at %d ns, want one at %d", at, next)
		}
		next += 100 * sim.Millisecond
	}
	if next < sim.Second {
		t.Errorf("samples end at %d ns", next)
	}
}

// TestCallTime: where work takes no time each system call takes 10 us, whatever it does.
func TestCallTime(t *testing.T) {
	alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
		at := p.Now()
		op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
		var off int64
		op(blocks(&off, 1000))
		op(workload.Op{Kind: workload.Fsync, FD: "x"})
		if took := p.Now() - at; took != 30*sim.Microsecond {
			t.Errorf("three calls took %d ns, want 30 us", took)
		}
	})
}

// TestScriptStops: of a script each line is an operation.
func TestScriptStops(t *testing.T) {
	const script = `
device: {mkfs: {size: 128M}}
workload: {script: "mkdir a\nmkdir b\nmkdir c\nmkdir d\nmkdir e\n"}
`
	out := playScenario(t, load(t, script, "stop={operations: 3}"), Options{})
	if n := value(t, out, "ops_mkdir"); n != 3 {
		t.Errorf("%v directories were made, want 3", n)
	}
}
