package run

import (
	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/machine/device"
	"mbsim/machine/latency"
	"mbsim/machine/smp"
	"mbsim/metrics"
	"mbsim/sim"
	"mbsim/workload"
)

// timed is what a run has besides, if work takes time: the machine, and the kernel's
// threads as processes.
type timed struct {
	host    *smp.Machine
	device  *device.Device
	calls   *latency.Recorder
	flusher *sim.Process
	journal *sim.Process
	below   *sim.Queue // writers that wait until less is dirty

	ended      int64      // operations that had ended when the flusher last looked
	idleSince  int64      // when it saw that number first, ns
	unmounting bool       // a remount is under way, or waits for others to leave
	left       *sim.Queue // those who wait for a remount to end, or for others to leave

	readTime, readRate float64 // of reading all files at the end
	ids                timeIDs
}

// newTimed makes the machine over a layout.
func newTimed(r *runner, l *image.Layout) (*timed, error) {
	costs, err := r.scenario.Timing.CostModel()
	if err != nil {
		return nil, err
	}
	model, err := r.scenario.Timing.DeviceModel()
	if err != nil {
		return nil, err
	}
	geo := l.Geometry()
	size := int64(geo.Blocks) * geo.BlockSize()
	dev, err := device.New(r.engine, model, size)
	if err != nil {
		return nil, err
	}
	c := smp.Config{CPUs: r.scenario.CPUs, BlockSize: geo.BlockSize(), Costs: costs, Device: dev}
	// Commits are written where the journal lies. Without one that can be read, nothing is written
	// there.
	if j, err := l.Inode(image.JournalInode); err == nil && len(j.Extents) > 0 {
		c.JournalBlock, c.JournalBlocks = uint64(j.Extents[0].Physical), int64(j.Extents[0].Len)
	}
	t := &timed{host: smp.New(r.engine, c), device: dev, calls: latency.New(), below: r.engine.NewQueue("balance_dirty_pages"), left: r.engine.NewQueue("s_umount"), ids: newTimeIDs()}
	return t, nil
}

// start starts the kernel's threads.
func (t *timed) start(r *runner) {
	t.flusher = r.engine.Go("flusher", func(p *sim.Process) { t.flush(r, p) })
	t.journal = r.engine.Go("jbd2", func(p *sim.Process) {
		for {
			// The commit timer wakes the thread (commitDue).
			p.Park("a transaction that is due")
			t.onCPU(r, p, func(k *filesystem.Task) { r.m.Threads.CommitOld(k, r.engine.Now()-r.m.CommitInterval) })
		}
	})
}

// flush is the flusher thread: it wakes up at intervals, or when balance wakes it because
// too much is dirty.
func (t *timed) flush(r *runner, p *sim.Process) {
	mem := &r.scenario.Memory
	for {
		if mem.DirtyWriteback > 0 {
			p.ParkFor("something to write", mem.DirtyWriteback)
		} else {
			p.Park("something to write")
		}
		// Every wake-up is an occasion to see whether the run still gets anywhere.
		t.watch(r)
		t.onCPU(r, p, func(k *filesystem.Task) {
			fs := r.m.Threads
			// First what has been dirty for too long, then, above the limit, the oldest files. A
			// pass that leaves as much dirty as it found ends this: what is left cannot be written
			// now.
			fs.WritebackOld(k, r.engine.Now()-mem.DirtyExpire)
			for last := int64(-1); fs.DirtyBlocks() > r.dirtyBackground && fs.DirtyBlocks() != last; {
				last = fs.DirtyBlocks()
				fs.WritebackBackground(k, r.dirtyBackground)
			}
		})
		// Writers that wait in balance look again at how much is dirty.
		t.below.WakeAll()
	}
}

// patience is how long operations may be under way while none ends, ns. An operation on
// the slowest device takes minutes.
const patience = sim.Hour

// watch ends a run in which processes wait for each other: the flusher's own timer would
// keep it going for ever.
func (t *timed) watch(r *runner) {
	// Nobody is at work, or an operation has ended since: the time counts from now.
	if r.inside == 0 || r.calls != t.ended {
		t.ended, t.idleSince = r.calls, r.engine.Now()
		return
	}
	if r.engine.Now()-t.idleSince > patience {
		r.fail(r.stuck())
	}
}

// onCPU does a kernel thread's work on the last CPU that is idle, or on the last
// where none is.
func (t *timed) onCPU(r *runner, p *sim.Process, work func(*filesystem.Task)) {
	// Where none is idle, the thread waits for the last CPU.
	n := len(r.cpus) - 1
	for i := n; i >= 0; i-- {
		if r.cpus[i].InUse() == 0 {
			n = i
			break
		}
	}
	t.inside(r, p, n, func() { work(&filesystem.Task{CPU: n}) })
}

// inside does work inside the file system on a CPU, which p holds except while it
// sleeps. It waits until no remount is under way.
func (t *timed) inside(r *runner, p *sim.Process, cpu int, work func()) {
	t.host.Run(p, cpu, r.cpus[cpu])
	r.cpus[cpu].Acquire(p)
	// The CPU is not held while waiting. Afterwards the flag is tested again, as another remount
	// may have begun.
	for t.unmounting {
		r.cpus[cpu].Release()
		t.left.Wait(p)
		r.cpus[cpu].Acquire(p)
	}
	t.work(r, cpu, work)
}

// alone does work as inside does, while nobody else is at work in the file system, kernel
// threads included: an unmount waits for them to leave (s_umount).
func (t *timed) alone(r *runner, p *sim.Process, cpu int, work func()) {
	// One remount at a time. The flag then keeps others from entering, and those inside are waited
	// for.
	for t.unmounting {
		t.left.Wait(p)
	}
	t.unmounting = true
	for r.inside > 0 {
		t.left.Wait(p)
	}
	t.host.Run(p, cpu, r.cpus[cpu])
	r.cpus[cpu].Acquire(p)
	t.work(r, cpu, work)
	t.unmounting = false
	t.left.WakeAll()
}

// work does work on a CPU that the current process holds.
func (t *timed) work(r *runner, cpu int, work func()) {
	t.host.Scheduled()
	r.enter()
	work()
	t.host.FinishReads()
	r.cpus[cpu].Release()
	r.leave()
}

// call performs an operation on the CPU of its process, which the process holds except
// while it sleeps.
func (t *timed) call(r *runner, p *sim.Process, pl *play.Player, op *workload.Op) (ret int64, err error) {
	// A remount needs the file system for itself; all else shares it.
	start := p.Now()
	inside := t.inside
	if op.Kind == workload.Remount {
		inside = t.alone
	}
	inside(r, p, pl.Task.CPU, func() {
		t.host.Syscall()
		ret, err = pl.Do(op)
	})
	if err != nil {
		return 0, err
	}
	// A write may be made to wait afterwards; its latency includes that.
	if op.Kind == workload.Write {
		t.balance(r, p)
	}
	if k, ok := latencyOf[op.Kind]; ok {
		t.calls.Record(k, p.Now()-start)
	}
	return ret, nil
}

// balance wakes the flusher where a write has made too much dirty, and makes the
// writer wait where it is far too much (balance_dirty_pages).
func (t *timed) balance(r *runner, p *sim.Process) {
	fs := r.m.Threads
	if fs.DirtyBlocks() > r.dirtyBackground {
		t.flusher.Wake()
	}
	// Above the limit the writer waits for passes of the flusher, until less is dirty or a pass has
	// changed nothing.
	for last := int64(-1); fs.DirtyBlocks() > r.dirtyLimit && fs.DirtyBlocks() != last; {
		last = fs.DirtyBlocks()
		t.flusher.Wake()
		t.below.Wait(p)
	}
}

// latencyOf are the operations whose time is recorded. It is never iterated.
var latencyOf = map[workload.Kind]latency.Op{
	workload.Creat: latency.Create, workload.Write: latency.Write, workload.Fsync: latency.Fsync, workload.Unlink: latency.Unlink,
}

// readBack computes how long reading all files takes.
func (t *timed) readBack(r *runner) error {
	geo := r.m.Geometry()
	reader, err := device.NewReader(t.device.Model(), t.device.Size(), geo.BlockSize())
	if err != nil {
		return err
	}
	var extents []device.Extent
	for f := range r.m.Look() {
		if !filesystem.IsRegular(f.Mode) {
			continue
		}
		// What has no place on the device, such as delayed or inline data, is not read from it.
		extents = extents[:0]
		for _, x := range f.Extents {
			if x.Flags&(filesystem.ExtentDelalloc|filesystem.ExtentUnknown|filesystem.ExtentInline) == 0 {
				extents = append(extents, device.Extent{Block: uint64(x.Physical), Count: x.Len})
			}
		}
		if err := reader.File(extents); err != nil {
			return err
		}
	}
	res := reader.Result()
	t.readTime, t.readRate = float64(res.Time)/1e9, res.Rate()
	return nil
}

// timeIDs are the places of the metrics of time in a row.
type timeIDs struct {
	time, busy                                                         metrics.ID
	waits, waited                                                      [smp.WaitKinds]metrics.ID
	reads, writes, flushes, bytesRead, bytesWritten, seeks, deviceBusy metrics.ID
	readBack, readRate                                                 metrics.ID
}

// metricID is the place of the metric with this name.
func metricID(name string) metrics.ID {
	id, err := metrics.Find(name)
	if err != nil {
		panic(err) // the registry has it: a mistake in this program
	}
	return id
}

// newTimeIDs looks the places up, once a run.
func newTimeIDs() timeIDs {
	ids := timeIDs{
		time: metricID("time_s"), busy: metricID("cpu_busy_s"),
		reads: metricID("device_reads"), writes: metricID("device_writes"), flushes: metricID("device_flushes"),
		bytesRead: metricID("device_bytes_read"), bytesWritten: metricID("device_bytes_written"), seeks: metricID("device_seeks"),
		deviceBusy: metricID("device_busy_s"), readBack: metricID("read_back_s"), readRate: metricID("read_back_rate"),
	}
	// The names of waits and latencies are made of those of their kinds.
	for k := range smp.WaitKind(smp.WaitKinds) {
		ids.waits[k], ids.waited[k] = metricID("waits_"+k.String()), metricID("wait_"+k.String()+"_s")
	}
	return ids
}

// recorders are those of how long operations take, none if work takes no time. Allocations
// are timed by the machine, within operations; operations by call.
func (r *runner) recorders() []*latency.Recorder {
	if r.timed == nil {
		return nil
	}
	return []*latency.Recorder{r.timed.host.Times(), r.timed.calls}
}

// countTime returns the function that puts the metrics of time into a row, or nil if work
// takes no time.
func (r *runner) countTime() func(metrics.Row) {
	if r.timed == nil {
		return nil
	}
	return func(row metrics.Row) { r.timed.count(row, r.engine.Now()) }
}

// count puts the metrics of time into a row.
func (t *timed) count(row metrics.Row, now int64) {
	const second = 1e9
	row[t.ids.time], row[t.ids.busy] = float64(now)/second, float64(t.host.Busy())/second
	for k, w := range t.host.Waits() {
		row[t.ids.waits[k]], row[t.ids.waited[k]] = float64(w.Count), float64(w.Time)/second
	}
	s := t.device.Stats()
	row[t.ids.reads], row[t.ids.writes], row[t.ids.flushes] = float64(s.Reads), float64(s.Writes), float64(s.Flushes)
	row[t.ids.bytesRead], row[t.ids.bytesWritten] = float64(s.ReadBytes), float64(s.WriteBytes)
	row[t.ids.seeks], row[t.ids.deviceBusy] = float64(s.Seeks), float64(s.Busy)/second
	// Known only at the end (readBack).
	if t.readTime > 0 {
		row[t.ids.readBack], row[t.ids.readRate] = t.readTime, t.readRate
	}
}
