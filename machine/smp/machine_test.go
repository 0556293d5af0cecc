package smp

import (
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/machine/cost"
	"mbsim/machine/device"
	"mbsim/machine/latency"
	"mbsim/sim"
)

// testMachine is a machine whose costs are few and easy to add up.
func testMachine(t *testing.T, medium device.Medium, cpus int) (*sim.Engine, *Machine) {
	t.Helper()
	e := sim.New()
	t.Cleanup(e.Close)
	d, err := device.New(e, device.Default(medium), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return e, New(e, Config{
		CPUs: cpus, BlockSize: 4096, Device: d, JournalBlock: 1000, JournalBlocks: 64,
		Costs: cost.Model{ExtentExamined: 10, LockHandOver: 7, Lock: 3, JournalBlock: 100, DirectoryEntry: 50, InodeAllocate: 20},
	})
}

// onCPUs starts a process on each CPU.
func onCPUs(e *sim.Engine, m *Machine, work func(p *sim.Process, cpu int)) []*sim.Resource {
	var cpus []*sim.Resource
	for i := range m.CPUs {
		cpus = append(cpus, e.NewResource("CPU", 1))
		e.Go("process", func(p *sim.Process) {
			m.Run(p, i, cpus[i])
			cpus[i].Acquire(p)
			m.Scheduled()
			work(p, i)
			cpus[i].Release()
		})
	}
	return cpus
}

// Two CPUs scan a group: the second spins while the first does, and is told.
func TestGroupLock(t *testing.T) {
	e, m := testMachine(t, device.None, 2)
	var waited []bool
	var ends []int64
	cpus := onCPUs(e, m, func(p *sim.Process, _ int) {
		waited = append(waited, m.LockGroup(5))
		m.Work(mballoc.Work{Examined: 100})
		m.UnlockGroup(5)
		ends = append(ends, p.Now())
	})
	e.Run(sim.Forever)
	if !waited[1] || waited[0] {
		t.Errorf("waited %v", waited)
	}
	// 3 for the lock and 1000 for the scan; then 7 for having it handed over.
	if ends[0] != 1003 || ends[1] != 1003+7+1003 {
		t.Errorf("ended at %v", ends)
	}
	if w := m.Waits()[WaitGroup]; w.Count != 1 || w.Time != 1003 {
		t.Errorf("waits %+v", w)
	}
	if busy := cpus[1].Stats().Busy; busy != ends[1] {
		t.Errorf("a CPU that spins was busy for %d of %d ns", busy, ends[1])
	}
	if m.Busy() != 2*1003+7 {
		t.Errorf("work of %d ns", m.Busy())
	}
}

// Who sleeps for a mutex leaves its CPU to another.
func TestSleepGivesUpCPU(t *testing.T) {
	e, m := testMachine(t, device.None, 2)
	cpus := onCPUs(e, m, func(*sim.Process, int) {
		m.LockInode(12)
		m.Spend(5000)
		m.UnlockInode(12)
	})
	e.Run(sim.Forever)
	if w := m.Waits()[WaitInode]; w.Count != 1 || w.Time != 5000 {
		t.Errorf("waits %+v", w)
	}
	if busy := cpus[0].Stats().Busy + cpus[1].Stats().Busy; busy != 10000 {
		t.Errorf("CPUs busy for %d ns", busy)
	}
}

// A process gives its CPU up at the end of a slice if another waits for it.
func TestSlice(t *testing.T) {
	e, m := testMachine(t, device.None, 1)
	cpu := e.NewResource("CPU", 1)
	var first, second int64
	hog := func(p *sim.Process) {
		m.Run(p, 0, cpu)
		cpu.Acquire(p)
		m.Scheduled()
		for range 8 {
			m.Spend(slice / 4)
			m.preempt()
		}
		cpu.Release()
		first = p.Now()
	}
	e.Go("hog", hog)
	e.Go("other", func(p *sim.Process) {
		m.Run(p, 0, cpu)
		cpu.Acquire(p)
		m.Scheduled()
		m.Spend(100)
		cpu.Release()
		second = p.Now()
	})
	e.Run(sim.Forever)
	if second != slice+100 || first != 2*slice+100 {
		t.Errorf("the other ended at %d, the hog at %d", second, first)
	}
}

// A bitmap that is on its way is read once, however many wait for it.
func TestBitmapUnderWay(t *testing.T) {
	e, m := testMachine(t, device.HDD, 3)
	var ends []int64
	onCPUs(e, m, func(p *sim.Process, cpu int) {
		if cpu == 0 {
			m.ReadBitmap(7, 70, false)
		} else {
			m.AwaitBitmap(7)
		}
		ends = append(ends, p.Now())
	})
	e.Run(sim.Forever)
	if ends[0] == 0 || ends[0] != ends[1] || ends[1] != ends[2] {
		t.Errorf("ended at %v", ends)
	}
	if n := m.Device.Stats().Reads; n != 1 {
		t.Errorf("%d reads", n)
	}
	if n := m.Times().Count(latency.BitmapRead); n != 3 {
		t.Errorf("%d waits recorded", n)
	}
}

// Bitmaps of a flex group that are read ahead are one request to the drive, and
// nobody waits who does not need them.
func TestReadAhead(t *testing.T) {
	e, m := testMachine(t, device.HDD, 1)
	onCPUs(e, m, func(p *sim.Process, _ int) {
		for id := range allocator.GroupID(16) {
			m.ReadBitmap(id, allocator.Block(100+id), true)
		}
		if p.Now() != 0 {
			t.Errorf("waited until %d", p.Now())
		}
		m.AwaitBitmap(15)
	})
	e.Run(sim.Forever)
	if s := m.Device.Stats(); s.Reads != 16 || s.Commands != 1 {
		t.Errorf("%d reads in %d commands", s.Reads, s.Commands)
	}
}

// A commit writes descriptor blocks, the metadata and the commit block, around the
// end of the journal, and flushes.
func TestCommit(t *testing.T) {
	e, m := testMachine(t, device.SSD, 1)
	onCPUs(e, m, func(*sim.Process, int) {
		m.Commit(40)
		m.Commit(40)
		m.Commit(0)
	})
	e.Run(sim.Forever)
	s := m.Device.Stats()
	if want := int64(42+42+1) * 4096; int64(s.WriteBytes) != want || s.Flushes != 3 {
		t.Errorf("%d bytes written, %d flushes; want %d and 3", s.WriteBytes, s.Flushes, want)
	}
	if m.journalAt != 42+42+1-64 {
		t.Errorf("the journal goes on at %d", m.journalAt)
	}
	if m.Busy() != (42+42+1)*100 {
		t.Errorf("work of %d ns", m.Busy())
	}
}

// Making a name takes what Costs says, and an inode's worth more for a new file.
func TestEntry(t *testing.T) {
	e, m := testMachine(t, device.None, 1)
	onCPUs(e, m, func(p *sim.Process, _ int) {
		m.Entry(false)
		if p.Now() != 50 {
			t.Errorf("a name took %d", p.Now())
		}
		m.Entry(true)
		if p.Now() != 120 {
			t.Errorf("a file's took %d", p.Now()-50)
		}
	})
	e.Run(sim.Forever)
}
