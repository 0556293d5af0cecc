package smp

import (
	"fmt"
	"math/rand/v2"

	"mbsim/allocator"
	"mbsim/sim"
)

// Machine implements ext4.Host. All its methods are called by processes of its
// engine.
type Machine struct {
	e      *sim.Engine
	costs  Costs
	jitter *rand.Rand // nil: every cost is what Costs says

	groups   [][]*sim.Mutex // by group, in pages made on first use
	inodes   [][]*sim.Mutex // by inode number, likewise
	locality []*sim.Mutex   // by CPU
	stream   *sim.Mutex
	commits  *sim.Queue

	deviceFree int64   // when the device has done what it was sent
	sent       []int64 // by process id: when what it sent is done
}

// New returns a machine of that many CPUs. With a random stream each cost is
// drawn from around the given one, as on a machine where other things happen.
func New(e *sim.Engine, cpus int, costs Costs, jitter *rand.Rand) *Machine {
	m := &Machine{e: e, costs: costs, jitter: jitter, stream: e.NewMutex("s_md_lock"), commits: e.NewQueue("commit")}
	for i := range cpus {
		m.locality = append(m.locality, e.NewMutex(fmt.Sprintf("lg_mutex of CPU %d", i)))
	}
	return m
}

// Spend lets ns of work pass.
func (m *Machine) Spend(ns int64) {
	if ns <= 0 {
		return
	}
	if m.jitter != nil {
		ns = m.jittered(ns)
	}
	m.e.Current().Wait(ns)
}

// jittered is what jitter makes of a cost: 0.5 to 1.5 times as much, and now and
// then a stall, as of a virtual CPU that its host does not run. How likely that
// is goes by the length of the work.
func (m *Machine) jittered(ns int64) int64 {
	n := int64(float64(ns) * (0.5 + m.jitter.Float64()))
	if m.jitter.Float64()*float64(m.costs.StallEvery) < float64(n) {
		n += int64(m.jitter.ExpFloat64() * float64(m.costs.Stall))
	}
	return n
}

const perPage = 256

// mutex is entry i of paged locks.
func (m *Machine) mutex(pages *[][]*sim.Mutex, i uint32, name string) *sim.Mutex {
	for int(i/perPage) >= len(*pages) {
		*pages = append(*pages, nil)
	}
	page := &(*pages)[i/perPage]
	if *page == nil {
		*page = make([]*sim.Mutex, perPage)
	}
	l := &(*page)[i%perPage]
	if *l == nil {
		*l = m.e.NewMutex(name)
	}
	return *l
}

func (m *Machine) group(id allocator.GroupID) *sim.Mutex {
	return m.mutex(&m.groups, uint32(id), "group lock")
}

// LockGroup implements mballoc.Locks: it spins.
func (m *Machine) LockGroup(id allocator.GroupID) (waited bool) {
	l, p := m.group(id), m.e.Current()
	if !l.TryLock(p) {
		waited = true
		l.Lock(p)
	}
	m.Spend(m.costs.LockGroup)
	return waited
}

// UnlockGroup implements mballoc.Locks.
func (m *Machine) UnlockGroup(id allocator.GroupID) { m.group(id).Unlock(m.e.Current()) }

// Examined implements mballoc.Locks.
func (m *Machine) Examined(extents int) { m.Spend(int64(extents) * m.costs.Extent) }

// LockLocalityGroup implements mballoc.Locks.
func (m *Machine) LockLocalityGroup(cpu int) { m.locality[cpu].Lock(m.e.Current()) }

// UnlockLocalityGroup implements mballoc.Locks.
func (m *Machine) UnlockLocalityGroup(cpu int) { m.locality[cpu].Unlock(m.e.Current()) }

// StreamGoal implements mballoc.Locks.
func (m *Machine) StreamGoal() {
	p := m.e.Current()
	m.stream.Lock(p)
	m.Spend(m.costs.StreamGoal)
	m.stream.Unlock(p)
}

// ReadBitmap implements mballoc.Locks.
func (m *Machine) ReadBitmap(allocator.GroupID) { m.Spend(m.costs.ReadBitmap) }

// BeforeBest implements mballoc.Locks.
func (m *Machine) BeforeBest() { m.Spend(m.costs.BeforeBest) }

func (m *Machine) inode(number uint32) *sim.Mutex {
	return m.mutex(&m.inodes, number, "inode lock")
}

// LockInode implements ext4.Host.
func (m *Machine) LockInode(number uint32) { m.inode(number).Lock(m.e.Current()) }

// TryLockInode implements ext4.Host.
func (m *Machine) TryLockInode(number uint32) bool { return m.inode(number).TryLock(m.e.Current()) }

// UnlockInode implements ext4.Host.
func (m *Machine) UnlockInode(number uint32) { m.inode(number).Unlock(m.e.Current()) }

// pageSize is the unit of the costs of data, bytes.
const pageSize = 4096

// Copy implements ext4.Host.
func (m *Machine) Copy(n int64) { m.Spend((n + pageSize - 1) / pageSize * m.costs.CopyPage) }

// Submitted implements ext4.Host. The device does what it is sent in order.
func (m *Machine) Submitted(n uint32) {
	m.Spend(m.costs.Map + int64(n)*m.costs.SubmitPage)
	if n == 0 {
		return
	}
	m.deviceFree = max(m.deviceFree, m.e.Now()) + int64(n)*m.costs.DevicePage
	id := m.e.Current().ID()
	for uint64(len(m.sent)) <= id {
		m.sent = append(m.sent, 0)
	}
	m.sent[id] = m.deviceFree + m.costs.DeviceLatency
}

// WaitIO implements ext4.Host.
func (m *Machine) WaitIO() {
	p := m.e.Current()
	if id := p.ID(); id < uint64(len(m.sent)) && m.sent[id] > m.e.Now() {
		p.WaitUntil(m.sent[id])
	}
}

// Commit implements ext4.Host.
func (m *Machine) Commit() { m.Spend(m.costs.Commit) }

// AwaitCommit implements ext4.Host.
func (m *Machine) AwaitCommit() { m.commits.Wait(m.e.Current()) }

// CommitEnded implements ext4.Host.
func (m *Machine) CommitEnded() { m.commits.WakeAll() }

// Syscall is the way of an operation into the kernel and out.
func (m *Machine) Syscall() { m.Spend(m.costs.Syscall) }
