package run

import (
	"context"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem/image"
	"mbsim/machine/latency"
	"mbsim/machine/smp"
	"mbsim/sim"
	"mbsim/workload"
)

// The tests of this file compare what a run tells with what happened in it.

// workOnDisk is a run in which one process works for a while on a disk: its machine, and
// what it came to.
func workOnDisk(t *testing.T) (*timed, *latency.Recorder, *Outcome) {
	var machine *timed
	calls := latency.New()
	kinds := map[workload.Kind]latency.Op{workload.Creat: latency.Create, workload.Write: latency.Write, workload.Fsync: latency.Fsync}
	out := alone(t, oneWriter, func(r *runner, p *sim.Process, perform func(workload.Op)) {
		var off int64
		op := func(o workload.Op) {
			start := p.Now()
			perform(o)
			if k, ok := kinds[o.Kind]; ok {
				calls.Record(k, p.Now()-start)
			}
		}
		op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
		for i := range int64(100) {
			op(blocks(&off, 1+i%10*(i%3)))
			if i%10 == 0 {
				op(workload.Op{Kind: workload.Fsync, FD: "x"})
			}
		}
		op(workload.Op{Kind: workload.Read, FD: "x", Len: 100 << 12})
		machine = r.timed
	}, "timing.storage=hdd")
	return machine, calls, out
}

// TestTimeMetrics: each metric of the machine is the figure of its name.
func TestTimeMetrics(t *testing.T) {
	m, calls, out := workOnDisk(t)
	s := m.device.Stats()
	want := map[string]float64{
		"time_s": float64(out.Result.End) / 1e9, "cpu_busy_s": float64(m.host.Busy()) / 1e9,
		"device_reads": float64(s.Reads), "device_writes": float64(s.Writes), "device_flushes": float64(s.Flushes), "device_seeks": float64(s.Seeks),
		"device_bytes_read": float64(s.ReadBytes), "device_bytes_written": float64(s.WriteBytes), "device_busy_s": float64(s.Busy) / 1e9,
	}
	for k, w := range m.host.Waits() {
		name := smp.WaitKind(k).String()
		want["waits_"+name], want["wait_"+name+"_s"] = float64(w.Count), float64(w.Time)/1e9
	}
	for _, op := range []latency.Op{latency.Create, latency.Write, latency.Fsync} {
		name := "latency_" + op.String()
		want[name+"_p50_us"], want[name+"_p99_us"] = float64(calls.Percentile(op, 50))/1e3, float64(calls.Percentile(op, 99))/1e3
		want[name+"_max_us"] = float64(calls.Max(op)) / 1e3
	}
	for name, v := range want {
		if got, err := out.Result.Value(name); err != nil || got != v {
			t.Errorf("%s is %v (%v), want %v", name, got, err, v)
		}
	}
	if s.Reads == 0 || s.Reads == s.Writes || calls.Percentile(latency.Write, 50) == calls.Percentile(latency.Write, 99) {
		t.Errorf("the run does not tell the figures apart: %+v", s)
	}
	if _, err := out.Result.Value("latency_unlink_max_us"); err == nil {
		t.Error("there is a latency of an operation that nobody performed")
	}
}

// TestReadBack: in the end all that files hold is read.
func TestReadBack(t *testing.T) {
	_, _, out := workOnDisk(t)
	blocks := value(t, out, "data_blocks")
	if bytes := value(t, out, "read_back_s") * value(t, out, "read_back_rate"); bytes < blocks*4096*0.999 || bytes > blocks*4096*1.001 || blocks < 100 {
		t.Errorf("%v bytes were read back of %v blocks", bytes, blocks)
	}
}

// TestJournalLies: commits are written to the first extent of the journal, and round it.
func TestJournalLies(t *testing.T) {
	alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
		j, err := r.m.Source.(*image.Layout).Inode(image.JournalInode)
		if err != nil {
			t.Fatal(err)
		}
		if h := r.timed.host; h.JournalBlock != uint64(j.Extents[0].Physical) || h.JournalBlocks != int64(j.Extents[0].Len) || h.JournalBlocks < 1024 {
			t.Errorf("the journal is taken to be %d blocks from %d on, and is %+v", h.JournalBlocks, h.JournalBlock, j.Extents[0])
		}
	}, "timing.storage=none")
}

// TestProcessNumbers: every process has a number of its own, on which its files' places depend
// without delayed allocation.
func TestProcessNumbers(t *testing.T) {
	alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
		seen := make(map[int]bool)
		for range 20 {
			seen[r.player(1, root).Task.PID] = true
		}
		if len(seen) != 20 {
			t.Errorf("20 processes have %d numbers", len(seen))
		}
	})
}

// TestFingerprintCoversReturns: two runs in which the same operations take the same time but
// return something else have different fingerprints.
func TestFingerprintCoversReturns(t *testing.T) {
	run := func(n int64) uint64 {
		return alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
			var off int64
			op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
			op(blocks(&off, n))
		}).Fingerprint
	}
	one, again, two := run(1), run(1), run(2)
	if one == two || one != again {
		t.Error("the fingerprint does not follow what operations return")
	}
}

// TestReadsAreNotRecorded: the recorder's language has no read.
func TestReadsAreNotRecorded(t *testing.T) {
	out := playScenario(t, load(t, small), Options{Record: true})
	if value(t, out, "ops_read") == 0 {
		t.Error("the run reads nothing")
	}
	if i := slices.IndexFunc(out.Ops, func(op workload.Op) bool { return op.Kind == workload.Read }); i >= 0 {
		t.Errorf("operation %d is recorded: %s", i, workload.FormatOp(out.Ops[i]))
	}
}

// TestPhases: a phase's time counts from its start, and what follows it belongs to it.
func TestPhases(t *testing.T) {
	out := playScenario(t, load(t, `
device: {mkfs: {size: 128M}}
workload:
  phases:
    - name: first
      classes: [{name: makers, think: 10ms, mix: {create: 1}, file_size: 8K}]
      until: {time: 2s}
      then: sync
    - name: second
      classes: [{name: makers, think: 10ms, mix: {create: 1}, file_size: 8K}]
      until: {time: 3s}
      then: remount
`), Options{})
	for i, want := range []struct{ seconds, syncs, remounts, delayed float64 }{{2, 1, 0, 0}, {3, 0, 1, 0}} {
		p := out.Result.Phases[i]
		if took := float64(p.End-p.Start) / 1e9; took < want.seconds || took > want.seconds+0.05 {
			t.Errorf("phase %d took %v s, want %v", i, took, want.seconds)
		}
		for name, n := range map[string]float64{"ops_remount": want.remounts, "delayed_blocks": want.delayed} {
			if got := p.Values[metricID(name)]; got != n {
				t.Errorf("phase %d: %s is %v, want %v", i, name, got, n)
			}
		}
		if got := p.Values[metricID("ops_sync")]; i == 0 && got != want.syncs {
			t.Errorf("phase %d: %v syncs, want %v", i, got, want.syncs)
		}
	}
}

// TestNoSleepPastTheEnd: a process that would begin its next operation after the end of the
// run does not keep the run waiting.
func TestNoSleepPastTheEnd(t *testing.T) {
	out := playScenario(t, load(t, makers, "stop={time: 1500ms}", "workload.phases.first.until={time: 1h}", "workload.phases.first.classes.makers.think=50m"), Options{})
	if end := out.Result.End; end < 1500*sim.Millisecond || end > 1600*sim.Millisecond {
		t.Errorf("the run ended at %d ns, want 1.5 s", end)
	}
}

// TestAbsentIsNotMet: an expectation of a metric that the run has no value for is not met.
func TestAbsentIsNotMet(t *testing.T) {
	s := load(t, makers+"stop: {operations: 10}\nexpect: [device_reads >= 0]\n")
	v := playScenario(t, s, Options{}).Verdicts
	if len(v) != 1 || !v[0].Absent || v[0].Met {
		t.Errorf("%+v", v)
	}
}

// TestOrlovOfReplications: ext2 begins its search for a top-level directory at a group that is
// drawn, for each replication anew: a script, in which nothing else is drawn, makes its
// directories elsewhere.
func TestOrlovOfReplications(t *testing.T) {
	inodes := func(replication int) (numbers []uint32) {
		s := load(t, `
profile: ext2
device: {mkfs: {size: 4G}}
workload: {script: "mkdir a\nmkdir b\nmkdir c\nmkdir d\nmkdir e\n"}
`)
		r := newRunner(context.Background(), s, Options{Replication: replication})
		defer r.engine.Close()
		if err := r.mount(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.play(r.launch); err != nil {
			t.Fatal(err)
		}
		for f := range r.m.FileSystem.Files() {
			if len(f.Path) == 1 && strings.Contains("abcde", f.Path) {
				numbers = append(numbers, f.Inode)
			}
		}
		return numbers
	}
	first, second := inodes(1), inodes(2)
	if len(first) != 5 || slices.Equal(first, second) || !slices.Equal(first, inodes(1)) {
		t.Errorf("directories have the inodes %d in one replication and %d in another", first, second)
	}
}
