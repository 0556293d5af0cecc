package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem/play"
	"mbsim/replay"
	"mbsim/scenarios"
	"mbsim/workload"
)

// small is a scenario with processes on two CPUs, and timed writeback.
const small = `
device: {mkfs: {size: 128M}}
cpus: 2
memory: {size: 64M, dirty_expire: 200ms, dirty_writeback: 100ms}
workload:
  classes:
    - name: writers
      count: 3
      think: {exponential: 2ms}
      mix: {create: 5, append: 3, delete: 2, overwrite: 1, truncate: 1, fallocate: 1, read: 1, fsync: 1}
      file_size: {lognormal: {median: 20K, sigma: 1.5, max: 4M}}
      append_size: 30K
      overwrite_size: 8K
      read_size: 8K
      directories: {count: 5}
stop: {operations: 3000}
`

func load(t testing.TB, text string, sets ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.Parse([]byte(text), "test.yaml", scenarios.Options{Sets: sets})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func playScenario(t testing.TB, s *scenarios.Scenario, opt Options) *Outcome {
	t.Helper()
	out, err := Run(context.Background(), s, opt)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// digest is all that a run came to, as text.
func digest(o *Outcome) string {
	return fmt.Sprintf("%x %d %v %v\n%s%s", o.Fingerprint, o.Events, o.Result.Final, o.Result.Series, o.Groups, o.Stats)
}

func TestSameSeedSameRun(t *testing.T) {
	want := digest(playScenario(t, load(t, small), Options{}))
	for _, procs := range []int{1, 2, 4} {
		old := runtime.GOMAXPROCS(procs)
		got := digest(playScenario(t, load(t, small), Options{Record: procs == 2}))
		runtime.GOMAXPROCS(old)
		if got != want {
			t.Errorf("GOMAXPROCS=%d: another run", procs)
		}
	}
	if digest(playScenario(t, load(t, small, "seed=2"), Options{})) == want {
		t.Error("another seed gives the same run")
	}
}

// TestTunablesKeepWorkload checks what makes two settings comparable: the
// operations do not depend on where blocks land.
func TestTunablesKeepWorkload(t *testing.T) {
	a := playScenario(t, load(t, small), Options{Record: true})
	b := playScenario(t, load(t, small, "s_mb_group_prealloc=32", "s_mb_order2_reqs=9", "s_mb_stream_request=64"), Options{Record: true})
	if !slices.Equal(a.Ops, b.Ops) {
		t.Error("the operations differ")
	}
	if string(a.Groups) == string(b.Groups) {
		t.Error("the tunables change nothing: the comparison shows nothing")
	}
}

// TestRecordedOperations replays what a run recorded. Without timed writeback
// both must end alike.
func TestRecordedOperations(t *testing.T) {
	s := load(t, small, "memory.dirty_writeback=0", "memory.size=4G", "mount=commit=9999", "cpus=1",
		"workload.classes.writers.mix.read=0")
	out := playScenario(t, s, Options{Record: true})
	c := &workload.Case{Dir: "recorded", Size: 128 << 20, SMP: 1, PIDMod: 1, Mount: "commit=9999", Ops: out.Ops}
	l, err := s.Layout()
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.Run(replay.Config{Kernel: "5.10", Case: c, Layout: l})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Groups, out.Groups) || !bytes.Equal(r.Stats, out.Stats) {
		t.Errorf("the replay ends elsewhere:\n%s%s\nwant\n%s%s", r.Stats, r.Groups, out.Stats, out.Groups)
	}
}

// TestRecordedTimes replays what runs recorded with their times: by processes of several users on
// several CPUs, with timed writeback and commits, reading ahead of bitmaps, and both policies. Every
// counter and group must be as the run has it, and every file lie where it lies there.
func TestRecordedTimes(t *testing.T) {
	for _, c := range []struct {
		scenario string
		sets     []string
	}{
		{"small-files", []string{"stop={operations: 20000}"}},
		{"churn-near-full", []string{"stop={operations: 30000}"}},
		{"small-files", []string{"stop={operations: 20000}", "profile=6.12", "memory.size=64M"}},
		{"small-files", []string{"stop={operations: 20000}", "profile=7.2", "mount=nodelalloc"}},
		{"small-files", []string{"stop={operations: 5000}", "profile=ext2", "mount=", "device.mkfs.size=512M", "seed=5"}},
	} {
		s, err := scenarios.Load(c.scenario, scenarios.Options{Sets: c.sets})
		if err != nil {
			t.Fatal(err)
		}
		out := playScenario(t, s, Options{RecordTimes: true})
		timed := slices.ContainsFunc(out.Ops, func(op workload.Op) bool { return op.Kind == workload.Flusher })
		if !timed || out.DirtyBackground == 0 {
			t.Errorf("%s %v: the clock does nothing", c.scenario, c.sets)
		}
		script := &workload.Case{
			Dir: "recorded", Size: s.Device.Mkfs.Size, SMP: s.CPUs, PIDMod: 1, Mount: s.Mount, MountExt2: s.Mount, Ops: out.Ops,
			Times: true, DirtyBackground: out.DirtyBackground, WritebackChunk: out.WritebackChunk, Seed: s.Seed,
		}
		l, err := s.Layout()
		if err != nil {
			t.Fatal(err)
		}
		r, err := replay.Run(replay.Config{Kernel: s.System().Name, Case: script, Layout: l})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.Groups, out.Groups) || !bytes.Equal(r.Stats, out.Stats) {
			t.Errorf("%s %v: the replay ends elsewhere", c.scenario, c.sets)
		}
		var files bytes.Buffer
		if err := play.WriteFiles(&files, out.Mounted); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(r.Files, files.Bytes()) {
			t.Errorf("%s %v: files lie elsewhere", c.scenario, c.sets)
		}
	}
}

// TestOracleCase runs a recorded case as a scenario: its dumpe2fs as the device,
// its ops as the workload. All its files are closed at the end, so a replay that
// syncs twice ends alike.
func TestOracleCase(t *testing.T) {
	const dir = "../replay/testdata/small-files-1"
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := playScenario(t, load(t, fmt.Sprintf(`
device: {dumpe2fs: %[1]s/5.10/before.dumpe2fs.gz}
mount: commit=9999
cpus: 4
workload: {script: %[1]s/ops}
`, abs)), Options{})
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Ops = append(c.Ops, workload.Op{Kind: workload.Sync}, workload.Op{Kind: workload.Sync})
	l, err := replay.ReadLayout(dir + "/5.10")
	if err != nil {
		t.Fatal(err)
	}
	want, err := replay.Run(replay.Config{Kernel: "5.10", Case: c, Layout: l})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Groups, want.Groups) {
		t.Errorf("mb_groups is\n%swant\n%s", out.Groups, want.Groups)
	}
	if files, err := out.Result.Value("files"); err != nil || files != float64(strings.Count(string(want.Files), "mode=100644")) {
		t.Errorf("%v files, %v", files, err)
	}
}

// TestRealImage runs on an image that the real mke2fs made and debugfs filled.
func TestRealImage(t *testing.T) {
	for _, tool := range []string{"mke2fs", "debugfs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	image, file := filepath.Join(dir, "disk.img"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, bytes.Repeat([]byte{1}, 300_000), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("mke2fs", "-q", "-t", "ext4", image, "64M").Run(); err != nil {
		t.Fatal(err)
	}
	var commands strings.Builder
	for i := range 60 {
		fmt.Fprintf(&commands, "write %s old%d\n", file, i)
	}
	for i := 0; i < 60; i += 2 {
		fmt.Fprintf(&commands, "rm old%d\n", i)
	}
	c := exec.Command("debugfs", "-w", "-f", "-", image)
	c.Stdin = strings.NewReader(commands.String())
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	before, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	out := playScenario(t, load(t, small, "device.image="+image, "stop.operations=300"), Options{})
	if files, err := out.Result.Value("files"); err != nil || files < 30 {
		t.Errorf("%v files, %v: the image's own are 30", files, err)
	}
	if after, err := os.ReadFile(image); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the run changed the image (%v)", err)
	}
}

func TestOutOfSpaceEnds(t *testing.T) {
	out := playScenario(t, load(t, small, "device.mkfs.size=16M", "stop={out_of_space: true}", "workload.classes.writers.mix={create: 1}",
		"workload.classes.writers.on_full=continue"), Options{})
	if !out.OutOfSpace {
		t.Error("the run did not end for want of space")
	}
	if n, err := out.Result.Value("ops_enospc"); err != nil || n < 1 {
		t.Errorf("%v operations found no space, %v", n, err)
	}
}

func TestStopTime(t *testing.T) {
	out := playScenario(t, load(t, small, "stop={time: 1500ms}"), Options{})
	if end := out.Result.End; end < 1_500_000_000 || end > 1_600_000_000 {
		t.Errorf("the run ended at %d ns", end)
	}
}

func TestExpectations(t *testing.T) {
	s := load(t, small+`expect:
  - mb_reqs > 0
  - mb_reqs < 0
  - extents_per_file_mean < 100
`)
	var met []bool
	for _, v := range playScenario(t, s, Options{}).Verdicts {
		met = append(met, v.Met)
	}
	if !slices.Equal(met, []bool{true, false, true}) {
		t.Errorf("met: %v", met)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := load(t, small, "stop={time: 1000h}")
	_, err := Run(ctx, s, Options{Progress: func(p Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// TestCancelTimed: a run may be cancelled while processes are in the middle of
// operations and hold locks.
func TestCancelTimed(t *testing.T) {
	for i := range 8 {
		ctx, cancel := context.WithCancel(context.Background())
		s := load(t, small, "stop={time: 1000h}", "timing.storage=hdd", "cpus=8", "workload.classes.writers.count=40", "workload.classes.writers.mix={create: 1, fallocate: 9, delete: 2}", "workload.classes.writers.think=0")
		reports := 0
		_, err := Run(ctx, s, Options{Replication: i, Progress: func(p Progress) {
			if reports++; reports > i {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		cancel()
	}
}

// TestTimedWriteback checks that data which nobody syncs gets its blocks with
// age, and that commits give freed blocks back.
func TestTimedWriteback(t *testing.T) {
	const idle = `
device: {mkfs: {size: 64M}}
memory: {dirty_expire: 3s, dirty_writeback: 1s}
mount: commit=2
workload:
  classes:
    - name: one
      think: 1s
      mix: {create: 1}
      file_size: 100K
`
	// One create a second: what the last three seconds wrote is still delayed.
	out := playScenario(t, load(t, idle, "stop={time: 10500ms}", "sample=1s"), Options{})
	times, delayed, err := out.Result.Series.Points("delayed_blocks")
	if err != nil {
		t.Fatal(err)
	}
	most := 0.0
	for i := range times {
		most = max(most, delayed[i])
	}
	if most < 200 || most > 500 {
		t.Errorf("at most %v blocks were delayed, want those of 2 to 5 files of 100 blocks of 1K", most)
	}
	if len(times) < 10 || len(times) > 14 {
		t.Errorf("%d samples in ten seconds, one a second was asked for", len(times))
	}
}

func BenchmarkScenario(b *testing.B) {
	s := load(b, small)
	b.ReportAllocs()
	var calls float64
	for b.Loop() {
		out := playScenario(b, s, Options{})
		calls, _ = out.Result.Value("ops")
	}
	b.ReportMetric(calls*float64(b.N)/b.Elapsed().Seconds(), "operations/s")
}
