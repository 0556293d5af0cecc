package smp

import (
	"fmt"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/machine/device"
	"mbsim/machine/latency"
	"mbsim/sim"
)

// Machine implements ext4.Host. Its methods are called by processes of its engine.
// A call from outside of any process, as when mb_groups is read at the end of a run, waits
// for nothing and takes no time.
type Machine struct {
	e *sim.Engine
	Config

	groups   lockTable // by group
	inodes   lockTable // by inode number
	locality lockTable // by CPU
	stream   *sim.Mutex
	commits  *sim.Queue
	bitmaps  *sim.Queue                     // those who wait for one
	underWay map[allocator.GroupID]struct{} // bitmaps that the device was asked for
	plug     *device.Plug                   // of reads ahead, with Device
	plugged  bool                           // it holds some

	journalAt int64 // blocks into the journal: where the next transaction goes

	linkFree int64     // when Link has done what it was sent
	tasks    []process // by process id
	spent    []int64   // ns of work, by CPU
	waits    [waitKinds]Wait
	times    *latency.Recorder
}

// process is what the machine knows of a process of the engine.
type process struct {
	cpu      *sim.Resource // the CPU it holds while it runs, nil if that does not matter
	number   int           // of that CPU
	sent     int64         // when what it sent over Link is done
	inFlight int           // requests it sent to Device
	waiting  bool          // for these
	asked    int64         // when its request to the allocator began
	since    int64         // since when it has its CPU
	spins    int           // spinlocks it holds
	owed     int64         // ns of work to do once it holds none
	reads    []blockRange  // metadata to be read then
}

// New returns a machine on e.
func New(e *sim.Engine, c Config) *Machine {
	m := &Machine{
		e: e, Config: c, stream: e.NewMutex("s_md_lock"), commits: e.NewQueue("commit"),
		bitmaps: e.NewQueue("bitmap"), underWay: make(map[allocator.GroupID]struct{}),
		groups: lockTable{name: "group lock"}, inodes: lockTable{name: "inode lock"}, locality: lockTable{name: "lg_mutex"},
		spent: make([]int64, c.CPUs), times: latency.New(),
	}
	if c.Device != nil {
		m.plug = c.Device.NewPlug()
	}
	return m
}

// Run tells the machine that p runs on a CPU, which it holds, and gives up while it
// sleeps.
func (m *Machine) Run(p *sim.Process, number int, cpu *sim.Resource) {
	t := m.task(p)
	t.cpu, t.number = cpu, number
}

// task is what is known of p.
func (m *Machine) task(p *sim.Process) *process {
	id := p.ID()
	for uint64(len(m.tasks)) <= id {
		m.tasks = append(m.tasks, process{})
	}
	return &m.tasks[id]
}

// Spend lets ns of work pass. A process that holds no spinlock first reads the metadata that it has
// asked for, and sleeps meanwhile.
func (m *Machine) Spend(ns int64) {
	if p := m.e.Current(); p != nil && m.task(p).spins == 0 {
		m.FinishReads()
	}
	m.spend(ns)
}

// spend lets ns of work pass, in which the process keeps its CPU.
func (m *Machine) spend(ns int64) {
	p := m.e.Current()
	m.unplug()
	if p == nil {
		return
	}
	t := m.task(p)
	if t.spins == 0 {
		ns += t.owed
		t.owed = 0
	}
	if ns <= 0 {
		return
	}
	if t.number < len(m.spent) {
		m.spent[t.number] += ns
	}
	if m.Jitter != nil {
		ns = m.jittered(ns)
	}
	p.Wait(ns)
}

// unplug sends the reads ahead that have been held back to merge. The process that
// made them calls it before time passes, so one plug is enough for all.
func (m *Machine) unplug() {
	if m.plugged {
		m.plug.Flush()
		m.plugged = false
	}
}

// jittered draws how long work of ns takes with jitter: 0.5 to 1.5 times as long, and now
// and then a stall on top, as of a virtual CPU that its host does not run for a while. The
// longer the work, the likelier a stall.
func (m *Machine) jittered(ns int64) int64 {
	n := int64(float64(ns) * (0.5 + m.Jitter.Float64()))
	if m.Jitter.Float64()*float64(m.StallEvery) < float64(n) {
		n += int64(m.Jitter.ExpFloat64() * float64(m.Stall))
	}
	return n
}

// sleep gives the CPU up while wait waits, and counts the time.
func (m *Machine) sleep(p *sim.Process, k WaitKind, wait func()) {
	m.unplug()
	start := m.e.Now()
	cpu := m.task(p).cpu
	if cpu != nil {
		cpu.Release()
	}
	wait()
	m.waits[k].add(m.e.Now() - start)
	if cpu != nil {
		cpu.Acquire(p)
		m.Scheduled()
	}
	m.Spend(m.Costs.ContextSwitch)
}

// slice is how long a process keeps a CPU that others wait for, ns: 0.75 ms times
// 1 + log2 of the CPUs, of which at most 8 count (CFS's sched_min_granularity).
const slice = 3_000_000

// Scheduled says that the current process has just got its CPU.
func (m *Machine) Scheduled() { m.task(m.e.Current()).since = m.e.Now() }

// preempt lets the next process have the CPU if this one has had it for a slice. It is not
// called by a process that holds a spinlock or is in the midst of a search.
func (m *Machine) preempt() {
	p := m.e.Current()
	t := m.task(p)
	if t.cpu == nil || t.cpu.Waiting() == 0 || m.e.Now()-t.since < slice {
		return
	}
	cpu := t.cpu
	cpu.Release()
	cpu.Acquire(p)
	m.Scheduled()
	m.Spend(m.Costs.ContextSwitch)
}

// Syscall is the way of an operation into the kernel and out.
func (m *Machine) Syscall() { m.Spend(m.Costs.Syscall) }

// LockGroup implements mballoc.Locks: it spins.
func (m *Machine) LockGroup(id allocator.GroupID) (waited bool) {
	l, p := m.groups.at(m.e, uint32(id)), m.e.Current()
	if p == nil {
		return false
	}
	if !l.TryLock(p) {
		waited = true
		start := m.e.Now()
		l.Lock(p)
		m.waits[WaitGroup].add(m.e.Now() - start)
	}
	m.task(p).spins++
	ns := m.Costs.Lock
	if waited {
		ns += m.Costs.LockHandOver
	}
	m.Spend(ns)
	return waited
}

// GroupLocked implements mballoc.Locks.
func (m *Machine) GroupLocked(id allocator.GroupID) bool {
	return m.groups.at(m.e, uint32(id)).Locked()
}

// TryLockGroup implements mballoc.Locks: nobody waits, and a lock that is taken costs nothing.
func (m *Machine) TryLockGroup(id allocator.GroupID) bool {
	p := m.e.Current()
	if p == nil {
		return true
	}
	if !m.groups.at(m.e, uint32(id)).TryLock(p) {
		return false
	}
	m.task(p).spins++
	m.Spend(m.Costs.Lock)
	return true
}

// UnlockGroup implements mballoc.Locks.
func (m *Machine) UnlockGroup(id allocator.GroupID) {
	if p := m.e.Current(); p != nil {
		m.groups.at(m.e, uint32(id)).Unlock(p)
		m.task(p).spins--
	}
}

// Work implements mballoc.Locks.
func (m *Machine) Work(w mballoc.Work) {
	c := &m.Costs
	ns := c.Search(int64(w.Considered), int64(w.Scanned), int64(w.Examined)) + int64(w.Buddies)*c.BuddyUpdate + int64(w.Preallocs)*c.PreallocLookedAt
	if w.Bitmaps > 0 {
		// In the group's lock; what the journal takes comes before it and after it.
		ns += c.Bitmap(int64(w.Clusters)) - c.BitmapUpdate
		if p := m.e.Current(); p != nil {
			m.task(p).owed += c.BitmapUpdate
		}
	}
	if w.Generated > 0 {
		ns += c.Generate(int64(w.Generated), int64(w.Fragments))
	}
	m.Spend(ns)
}

// LockLocalityGroup implements mballoc.Locks.
func (m *Machine) LockLocalityGroup(cpu int) {
	m.lock(m.locality.at(m.e, uint32(cpu)), WaitLocality)
}

// UnlockLocalityGroup implements mballoc.Locks.
func (m *Machine) UnlockLocalityGroup(cpu int) { m.unlock(m.locality.at(m.e, uint32(cpu))) }

// unlock gives a lock back. A process that ends because its engine is closed holds
// locks that nobody will ask for again.
func (m *Machine) unlock(l *sim.Mutex) {
	if p := m.e.Current(); p != nil {
		l.Unlock(p)
	}
}

// lock takes a lock for which a process sleeps, without its CPU.
func (m *Machine) lock(l *sim.Mutex, k WaitKind) {
	p := m.e.Current()
	if !l.TryLock(p) {
		m.sleep(p, k, func() { l.Lock(p) })
	}
}

// StreamGoal implements mballoc.Locks: it spins.
func (m *Machine) StreamGoal() {
	p := m.e.Current()
	if !m.stream.TryLock(p) {
		start := m.e.Now()
		m.stream.Lock(p)
		m.waits[WaitStream].add(m.e.Now() - start)
	}
	m.spend(m.Costs.Lock) // whoever slept with this lock would keep those who spin from their CPUs
	m.stream.Unlock(p)
}

// BeforeBest implements mballoc.Locks.
func (m *Machine) BeforeBest() { m.Spend(m.Costs.GroupScanned) }

// ReadBitmap implements mballoc.Locks. Reading ahead waits for nothing; over Link
// it costs nothing, and the bitmap is there at once.
func (m *Machine) ReadBitmap(id allocator.GroupID, block allocator.Block, ahead bool) {
	p := m.e.Current()
	if p == nil {
		return
	}
	if m.Device != nil {
		m.underWay[id] = struct{}{}
		r := device.Request{Kind: device.Read, Block: uint64(block), Count: 1, BlockSize: uint32(m.BlockSize), CPU: m.task(p).number}
		done := func() {
			delete(m.underWay, id)
			m.bitmaps.WakeAll()
		}
		if ahead {
			m.plug.Submit(r, done)
			m.plugged = true
			return
		}
		m.Device.Submit(r, done)
		m.AwaitBitmap(id)
		return
	}
	if ahead {
		return
	}
	m.sleep(p, WaitBitmap, func() { p.Wait(m.Link.Bitmap) })
}

// AwaitBitmap implements mballoc.Locks.
func (m *Machine) AwaitBitmap(id allocator.GroupID) {
	p := m.e.Current()
	if _, on := m.underWay[id]; !on || p == nil {
		return
	}
	m.sleep(p, WaitBitmap, func() {
		for on := true; on; _, on = m.underWay[id] {
			m.bitmaps.Wait(p)
		}
	})
}

// LockInode implements ext4.Host.
func (m *Machine) LockInode(number uint32) { m.lock(m.inodes.at(m.e, number), WaitInode) }

// TryLockInode implements ext4.Host.
func (m *Machine) TryLockInode(number uint32) bool {
	return m.inodes.at(m.e, number).TryLock(m.e.Current())
}

// UnlockInode implements ext4.Host.
func (m *Machine) UnlockInode(number uint32) { m.unlock(m.inodes.at(m.e, number)) }

// Asked implements ext4.Host: a request to the allocator begins. Answered ends it.
func (m *Machine) Asked() { m.task(m.e.Current()).asked = m.e.Now() }

// Answered implements ext4.Host.
func (m *Machine) Answered() {
	m.times.Record(latency.Allocation, m.e.Now()-m.task(m.e.Current()).asked)
}

// lockTable is locks by number, in pages made on first use.
type lockTable struct {
	name  string
	pages [][]*sim.Mutex
}

const locksPerPage = 256

// at is lock i, made when it is first asked for.
func (t *lockTable) at(e *sim.Engine, i uint32) *sim.Mutex {
	for int(i/locksPerPage) >= len(t.pages) {
		t.pages = append(t.pages, nil)
	}
	page := &t.pages[i/locksPerPage]
	if *page == nil {
		*page = make([]*sim.Mutex, locksPerPage)
	}
	l := &(*page)[i%locksPerPage]
	if *l == nil {
		*l = e.NewMutex(fmt.Sprintf("%s %d", t.name, i))
	}
	return *l
}
