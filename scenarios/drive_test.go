package scenarios

import (
	"fmt"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext2"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/play"
	"mbsim/sim"
	"mbsim/workload"
)

// mount mounts a scenario's device.
func mount(t testing.TB, s *Scenario) filesystem.FileSystem {
	t.Helper()
	l, err := s.Layout()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if s.Profile == ProfileExt2 {
		opt, err := s.Ext2Options(l.Super.BlockSize())
		if err != nil {
			t.Fatal(err)
		}
		fs, err := ext2.Mount(l, opt)
		if err != nil {
			t.Fatal(err)
		}
		return fs
	}
	opt, err := s.Ext4Options(l.Super.BlockSize())
	if err != nil {
		t.Fatal(err)
	}
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// driver plays the phases of a scenario on a real file system, without an
// engine: whoever is due first goes on, and everything is written back every
// five simulated seconds. It stands in for run.
type driver struct {
	fs      filesystem.FileSystem
	pop     *workload.Population
	now     int64
	synced  int64
	ops     int
	results map[string]int // by operation and error
	sizes   int64          // bytes written
}

func newDriver(t testing.TB, s *Scenario) *driver {
	return &driver{fs: mount(t, s), pop: workload.NewPopulation(s.CPUs, sim.Streams(s.Seed, 0)), results: make(map[string]int)}
}

func (d *driver) used() float64 {
	s := d.fs.Statfs()
	return 1 - float64(s.Free)/float64(s.Blocks)
}

// turn is a worker, its process, and the operation it has come to.
type turn struct {
	worker *workload.Worker
	player play.Player
	step   workload.Step
	more   bool
	order  int
}

// phase plays a phase until it is over, or after limit operations.
func (d *driver) phase(t testing.TB, ph *workload.Phase, limit int) {
	workers, prepare := d.pop.Begin(ph, d.now)
	setup := play.Player{FS: d.fs}
	for i := range prepare {
		if ret, err := setup.Do(&prepare[i]); err != nil || ret != 0 {
			t.Fatal(ret, err)
		}
	}
	var turns []*turn
	for i, w := range workers {
		tu := &turn{worker: w, player: play.Player{FS: d.fs, Task: filesystem.Task{CPU: w.CPU, PID: i}}, order: i}
		tu.step, tu.more = w.Next(workload.View{Now: d.now, Used: d.used()})
		turns = append(turns, tu)
	}
	order, stop, before := len(turns), false, d.ops
	for {
		var first *turn
		for _, tu := range turns {
			if tu.more && (first == nil || tu.step.At < first.step.At || tu.step.At == first.step.At && tu.order < first.order) {
				first = tu
			}
		}
		if first == nil {
			break
		}
		stop = stop || d.ops-before >= limit || d.pop.Over(first.step.At, d.used())
		v := workload.View{Stop: stop, Skipped: stop && first.step.Begins}
		if !v.Skipped {
			d.now = max(d.now, first.step.At)
			d.writeback(t)
			v.Ret = d.do(t, &first.player, &first.step.Op)
		}
		v.Now, v.Used = d.now, d.used()
		first.step, first.more = first.worker.Next(v)
		order++
		first.order = order
	}
	if ph.Then != workload.ThenNothing {
		if err := d.fs.Sync(&filesystem.Task{}); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *driver) do(t testing.TB, p *play.Player, op *workload.Op) int64 {
	ret, err := p.Do(op)
	if err != nil {
		t.Fatal(err)
	}
	d.ops++
	if ret < 0 {
		d.results[fmt.Sprint(op.Kind, " ", ret)]++
	} else if op.Kind == workload.Write {
		d.sizes += ret
	}
	return ret
}

func (d *driver) writeback(t testing.TB) {
	if d.now-d.synced < 5*sim.Second {
		return
	}
	d.synced = d.now
	if err := d.fs.Sync(&filesystem.Task{}); err != nil {
		t.Fatal(err)
	}
}

// figures are extents a file, the share of files in one extent, and files.
func (d *driver) figures() (perFile, inOne float64, files int) {
	extents, one := 0, 0
	for f := range d.fs.Files() {
		if f.Mode&0o170000 == 0o100000 && len(f.Extents) > 0 {
			files++
			extents += len(f.Extents)
			if len(f.Extents) == 1 {
				one++
			}
		}
	}
	return float64(extents) / float64(max(files, 1)), float64(one) / float64(max(files, 1)), files
}

// play plays all phases, each for at most limit operations.
func (d *driver) play(t testing.TB, s *Scenario, limit int) {
	for i := range s.Workload.Phases {
		d.phase(t, &s.Workload.Phases[i], limit)
	}
}

// Every scenario that comes with mbsim runs on the file system it describes:
// twice the same, to the end it sets itself, and with no operation that fails.
func TestBuiltInRun(t *testing.T) {
	limit := 30000
	if testing.Short() {
		limit = 3000
	}
	for _, i := range List() {
		t.Run(i.Name, func(t *testing.T) {
			s, err := Load(i.Name, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Workload.Script != nil {
				t.Skip("a script: nothing is drawn")
			}
			var first string
			for range 2 {
				d := newDriver(t, s)
				d.play(t, s, limit)
				perFile, inOne, files := d.figures()
				got := fmt.Sprintf("%d operations in %.3f s, %d MB written, %.4f used, %d files, %.4f extents each, %.4f in one", d.ops, float64(d.now)/1e9, d.sizes>>20, d.used(), files, perFile, inOne)
				if len(d.results) > 0 {
					t.Errorf("failures: %v", d.results)
				}
				if d.ops < 1000 {
					t.Errorf("%d operations: too few to answer a question", d.ops)
				}
				if first == "" {
					first = got
					t.Log(got)
				} else if got != first {
					t.Errorf("run again: %s", got)
				}
			}
		})
	}
}

// What a scenario says of its mount, its device and its profile reaches the
// file system.
func TestMountOptions(t *testing.T) {
	s, err := parseTest("cpus: 3\nmount: [nodelalloc, stripe=16, commit=7]\ntunables: {s_mb_order2_reqs: 5, inode_goal: 50}\nprofile: 5.10-seed\ndevice: {mkfs: {size: 256M, options: -b 1024 -O ^flex_bg}}\nworkload: {script: \"sync\\n\"}\n")
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Ext4Options(1024)
	if err != nil {
		t.Fatal(err)
	}
	if o.CPUs != 3 || o.Delalloc || o.Stripe != 16 || o.CommitSeconds != 7 || o.Kernel.Name != "5.10-seed" || o.Tunables["mb_order2_req"] != 5 || o.Tunables["inode_goal"] != 50 {
		t.Errorf("%+v", o)
	}
	fs := mount(t, s)
	if g := fs.Geometry(); g.BlockSize() != 1024 || g.Blocks != 256<<10 {
		t.Errorf("%+v", g)
	}
}

// The ext2 profile mounts ext2, on the layout mke2fs -t ext2 makes.
func TestExt2(t *testing.T) {
	s, err := Load("small-files", Options{Sets: []string{"profile=ext2", "mount=oldalloc", "device.mkfs.size=512M"}})
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, s)
	d.play(t, s, 2000)
	if _, _, files := d.figures(); files < 100 || len(d.results) > 0 {
		t.Errorf("%d files, failures %v", files, d.results)
	}
}

// A full device is met by the reaction the class names, and nothing breaks.
func TestFull(t *testing.T) {
	s, err := parseTest(`
device: {mkfs: {size: 64M, reserved: 0}}
workload:
  classes:
    - {name: w, count: 2, think: 1ms, mix: {create: 3, append: 1}, file_size: {loguniform: {min: 1K, max: 4M}}, append_size: 100K, fsync_on_close: 50%}
stop: {operations: 1000}
`)
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(t, s)
	d.play(t, s, 4000)
	if d.results["write -28"]+d.results["fsync -28"] == 0 || d.used() < 0.7 {
		t.Errorf("it did not fill the device: %.2f used, failures %v", d.used(), d.results)
	}
	if bad := len(d.results); bad > 3 {
		t.Errorf("failures %v", d.results)
	}
}

// BenchmarkScenario is the cost of an operation of each scenario, generator and
// file system together.
func BenchmarkScenario(b *testing.B) {
	for _, i := range List() {
		b.Run(i.Name, func(b *testing.B) {
			s, err := Load(i.Name, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for done := 0; done < b.N; {
				d := newDriver(b, s)
				d.play(b, s, b.N)
				done += d.ops
			}
		})
	}
}
