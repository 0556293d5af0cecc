package sim

import "fmt"

// Mutex is a lock. Those who find it held wait in the order in which they came,
// and unlocking hands it to the first of them.
type Mutex struct {
	e       *Engine
	name    string
	holder  *Process
	waiters waitList
}

// NewMutex returns a free mutex.
func (e *Engine) NewMutex(name string) *Mutex { return &Mutex{e: e, name: name} }

// Lock takes the lock for p, and waits where another holds it.
func (m *Mutex) Lock(p *Process) {
	if m.TryLock(p) {
		return
	}
	if m.holder == p {
		panic(fmt.Sprintf("sim: %v locks %q at %s, which it holds", p, m.name, seconds(m.e.now)))
	}
	m.waiters.push(p)
	p.block(m.name)
}

// Locked says whether some process holds the mutex.
func (m *Mutex) Locked() bool { return m.holder != nil }

// TryLock takes the lock for p if it is free, and reports whether it did.
func (m *Mutex) TryLock(p *Process) bool {
	if m.holder != nil {
		return false
	}
	m.holder = p
	return true
}

// Unlock gives the lock back, or to the one that has waited longest. p must
// hold it.
func (m *Mutex) Unlock(p *Process) {
	if m.holder != p || p == nil {
		panic(fmt.Sprintf("sim: %v unlocks %q at %s, held by %v", p, m.name, seconds(m.e.now), m.holder))
	}
	m.holder = m.waiters.pop()
	if m.holder != nil {
		m.holder.handOver(m.e.now)
	}
}
