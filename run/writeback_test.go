package run

import (
	"context"
	"errors"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/sim"
	"mbsim/workload"
)

// The tests of this file ask the rules of writeback and of the clock for a decision, with
// numbers at their limits.

// oneWriter is a scenario in which nothing is written back by age: one percent of memory is
// 1024 blocks of 4K, so that the flusher begins above 10240 dirty blocks, and writers wait
// above 20480.
const oneWriter = `
device: {mkfs: {size: 512M, block_size: 4096}}
cpus: 2
memory: {size: 400M, dirty_background_ratio: 10, dirty_ratio: 20, dirty_expire: 1h, dirty_writeback: 1h}
workload:
  classes: [{name: nobody, mix: {create: 1}, file_size: 4K}]
stop: {operations: 1}
`

// alone mounts a scenario and lets one process do what the test says, on CPU 0, in place of
// the scenario's workload. Then the run ends.
func alone(t *testing.T, s string, do func(r *runner, p *sim.Process, op func(workload.Op)), sets ...string) *Outcome {
	t.Helper()
	r := newRunner(context.Background(), load(t, s, sets...), Options{})
	defer r.engine.Close()
	if err := r.mount(); err != nil {
		t.Fatal(err)
	}
	out, err := r.play(func() {
		// The kernel's threads would keep a run going in which the process is never woken.
		r.engine.NewTimer(func() { r.fail(errors.New("after a hundred hours the process has not ended")) }).Set(100 * sim.Hour)
		r.engine.Go("alone", func(p *sim.Process) {
			r.collector.Begin("alone", true, p.Now())
			r.stopping = true
			pl := r.player(0, root)
			do(r, p, func(op workload.Op) {
				if ret, err := r.perform(p, pl, &op); err != nil || ret < 0 {
					t.Errorf("%s: %d, %v", workload.FormatOp(op), ret, err)
				}
			})
			if err := r.closeAll(p, pl); err != nil {
				t.Error(err)
			}
			r.settle(p, pl)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// blocks is a write of the next n blocks of the file x.
func blocks(off *int64, n int64) workload.Op {
	op := workload.Op{Kind: workload.Write, FD: "x", Off: *off * 4096, Len: n * 4096}
	*off += n
	return op
}

// TestWritersWait: a writer that has made more dirty than the background limit wakes the
// flusher and goes on at once; one above the dirty limit waits until less is dirty
// (balance_dirty_pages). Exactly the limit is not more.
func TestWritersWait(t *testing.T) {
	for _, c := range []struct {
		name           string
		blocks         int64
		flushes, waits bool
	}{
		{"the background limit", 10240, false, false},
		{"a block more", 10241, true, false},
		{"the dirty limit", 20480, true, false},
		{"a block above it", 20481, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
				op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
				// The write itself, without what a process does behind it.
				pl := r.player(0, root)
				h, err := r.fs.Open(&pl.Task, "f", 0)
				if err != nil {
					t.Fatal(err)
				}
				r.timed.inside(r, p, 0, func() {
					if _, err := h.Write(&pl.Task, 0, c.blocks*4096); err != nil {
						t.Error(err)
					}
				})
				if n := r.m.FileSystem.(*ext4.FS).DirtyBlocks(); n != c.blocks {
					t.Errorf("%d blocks are dirty, want %d", n, c.blocks)
				}
				at := p.Now()
				r.timed.balance(r, p)
				if waited := p.Now() > at; waited != c.waits {
					t.Errorf("the writer waited: %t, for %d ns", waited, p.Now()-at)
				}
				if n := r.m.FileSystem.(*ext4.FS).DirtyBlocks(); c.waits && n > r.dirtyLimit {
					t.Errorf("the writer goes on while %d blocks are dirty", n)
				}
				// A minute later the flusher has written what is above the background limit,
				// and nothing where it was not woken.
				p.Wait(sim.Minute)
				n := r.m.FileSystem.(*ext4.FS).DirtyBlocks()
				if c.flushes && n > 10240 || !c.flushes && n != c.blocks {
					t.Errorf("%d blocks are dirty a minute later", n)
				}
				r.timed.inside(r, p, 0, func() { err = h.Close(&pl.Task) })
				if err != nil {
					t.Error(err)
				}
			}, "timing.storage=ssd")
		})
	}
}

// TestLatencyOfWaiting: the time in which a writer waits until less is dirty is its write's.
func TestLatencyOfWaiting(t *testing.T) {
	var took int64
	out := alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
		var off int64
		op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
		at := p.Now()
		op(blocks(&off, 20480))
		copying := p.Now() - at
		at = p.Now()
		op(blocks(&off, 20480))
		took = p.Now() - at
		if took < 2*copying {
			t.Fatalf("the write took %d ns, one that need not wait %d", took, copying)
		}
	}, "timing.storage=hdd")
	if got := value(t, out, "latency_write_max_us"); got != float64(took)/1e3 {
		t.Errorf("the longest write took %d ns, but %v us are told", took, got)
	}
}

// TestFlusherByAge: data is written by the first round of the flusher in which it has reached
// its age (dirty_writeback_centisecs, dirty_expire_centisecs), whether work takes time or not.
func TestFlusherByAge(t *testing.T) {
	for _, timing := range [][]string{nil, {"timing.storage=none"}} {
		alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
			var off int64
			op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
			p.WaitUntil(3 * sim.Second / 2)
			op(blocks(&off, 10))
			for _, at := range []struct{ time, dirty int64 }{{3, 10}, {5, 10}, {6, 0}} {
				p.WaitUntil(at.time*sim.Second + sim.Second/2)
				if n := r.m.FileSystem.(*ext4.FS).DirtyBlocks(); n != at.dirty {
					t.Errorf("%v: %d blocks are dirty after %d.5 s, want %d", timing, n, at.time, at.dirty)
				}
			}
		}, append([]string{"memory.dirty_expire=4s", "memory.dirty_writeback=1s"}, timing...)...)
	}
}

// TestFlusherByAmount: where work takes no time a write above the background limit is
// followed by writeback at once, and one that reaches it is not.
func TestFlusherByAmount(t *testing.T) {
	alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
		var off int64
		op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
		op(blocks(&off, 10240))
		if n := r.m.FileSystem.(*ext4.FS).DirtyBlocks(); n != 10240 {
			t.Errorf("%d blocks are dirty at the limit", n)
		}
		op(blocks(&off, 1))
		if n := r.m.FileSystem.(*ext4.FS).DirtyBlocks(); n > 10240 {
			t.Errorf("%d blocks are dirty above the limit", n)
		}
	})
}

// TestCommitByAge: a transaction is committed once it has run for as long as commit= says,
// counted from its first change (kjournald2).
func TestCommitByAge(t *testing.T) {
	for _, timing := range [][]string{nil, {"timing.storage=none"}} {
		alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
			a := r.m.FileSystem.(*ext4.FS).Allocator()
			op(workload.Op{Kind: workload.Creat, FD: "x", Path: "f"})
			op(workload.Op{Kind: workload.Fallocate, FD: "x", Len: 40960})
			op(workload.Op{Kind: workload.Close, FD: "x"})
			op(workload.Op{Kind: workload.Sync})
			p.WaitUntil(10 * sim.Second)
			op(workload.Op{Kind: workload.Unlink, Path: "f"})
			p.WaitUntil(12 * sim.Second)
			op(workload.Op{Kind: workload.Mkdir, Path: "d"})
			for _, at := range []struct{ time, pending int64 }{{12900, 10}, {13100, 0}} {
				p.WaitUntil(at.time * sim.Millisecond)
				if n := a.FreePending(); int64(n) != at.pending {
					t.Errorf("%v: %d blocks wait for a commit after %d ms, want %d", timing, n, at.time, at.pending)
				}
			}
		}, append([]string{"mount=commit=3"}, timing...)...)
	}
}

// TestDirtyLimits: the limits are shares of the memory, and never nothing.
func TestDirtyLimits(t *testing.T) {
	for _, c := range []struct {
		memory            string
		background, limit int64 // blocks of 4K
	}{
		{"{size: 400M, dirty_background_ratio: 10, dirty_ratio: 20}", 10240, 20480},
		{"{size: 400M, dirty_background_ratio: 5, dirty_ratio: 40}", 5120, 40960},
		{"{size: 16M, dirty_background_ratio: 1, dirty_ratio: 3}", 40, 122},
		{"{size: 16M, dirty_background_ratio: 0, dirty_ratio: 0}", 1, 1},
	} {
		r := newRunner(context.Background(), load(t, oneWriter, "memory="+c.memory), Options{})
		if err := r.mount(); err != nil {
			t.Fatal(err)
		}
		if r.dirtyBackground != c.background || r.dirtyLimit != c.limit {
			t.Errorf("%s: %d blocks and %d, want %d and %d", c.memory, r.dirtyBackground, r.dirtyLimit, c.background, c.limit)
		}
		r.engine.Close()
	}
}

// TestWritebackChunk: half of what the device is thought to write in a second, but at most an
// eighth of the dirty limit, rounded down to 4 MiB, and 4 MiB more (writeback_chunk_size).
func TestWritebackChunk(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		limit int64 // bytes
		pages uint32
	}{
		{0, 1024}, {8 * mb, 1024}, {32*mb - 4096, 1024}, {32 * mb, 2048}, {100 * mb, 4096}, {384 * mb, 13312}, {400 * mb, 13312}, {100_000 * mb, 13312},
	} {
		if got := writebackChunk(c.limit); got != c.pages {
			t.Errorf("of a limit of %d bytes %d pages, want %d", c.limit, got, c.pages)
		}
	}
}

// TestKernelThreadsTakeIdleCPU: the flusher and jbd2 run on the last CPU that is idle, and on
// the last of all where none is.
func TestKernelThreadsTakeIdleCPU(t *testing.T) {
	for _, c := range []struct {
		busy []int
		want int
	}{{nil, 3}, {[]int{3}, 2}, {[]int{1, 2, 3}, 0}, {[]int{0, 2}, 3}, {[]int{0, 1, 2, 3}, 3}} {
		got := -1
		alone(t, oneWriter, func(r *runner, p *sim.Process, op func(workload.Op)) {
			for _, cpu := range c.busy {
				r.engine.Go("busy", func(p *sim.Process) {
					r.cpus[cpu].Acquire(p)
					p.Wait(sim.Second)
					r.cpus[cpu].Release()
				})
			}
			p.Wait(sim.Millisecond)
			r.timed.onCPU(r, p, func(task *filesystem.Task) { got = task.CPU })
		}, "timing.storage=none", "cpus=4")
		if got != c.want {
			t.Errorf("with %v busy a kernel thread runs on CPU %d, want %d", c.busy, got, c.want)
		}
	}
}
