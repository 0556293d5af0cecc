package sim

import "fmt"

// Mutex is a lock. Those who find it held wait in the order in which they came,
// and unlocking hands it to the first of them.
type Mutex struct {
	engine  *Engine
	name    string
	holder  *Process
	waiters waitList
	since   int64 // when the holder got it

	// HandOver is how many nanoseconds pass between an unlock and the start of
	// the process that waited: the lock is nobody else's in between.
	HandOver int64

	stats MutexStats
}

// MutexStats is what a mutex counts.
type MutexStats struct {
	Locked    uint64 // how often it was taken
	Waited    uint64 // of these, after a wait
	TryFailed uint64 // TryLocks that found it held
	WaitTime  int64  // ns waited, over all that waited
	HoldTime  int64  // ns held, up to the last unlock
	MaxQueue  int    // most that waited at once
}

// NewMutex returns a free mutex.
func (e *Engine) NewMutex(name string) *Mutex { return &Mutex{engine: e, name: name} }

// Lock takes the lock for p, and waits where another holds it.
func (m *Mutex) Lock(p *Process) {
	if m.holder == nil {
		m.take(p)
		return
	}
	if m.holder == p {
		panic(fmt.Sprintf("sim: %v locks %q at %s, which it holds", p, m.name, seconds(m.engine.now)))
	}
	// Unlock makes p the holder before it wakes it, so nobody can come in between.
	m.waiters.push(p)
	m.stats.MaxQueue = max(m.stats.MaxQueue, m.waiters.n)
	start := m.engine.now
	p.block(m.name)
	m.stats.Waited++
	m.stats.WaitTime += m.engine.now - start
}

// TryLock takes the lock for p if it is free, and reports whether it did.
func (m *Mutex) TryLock(p *Process) bool {
	if m.holder != nil {
		m.stats.TryFailed++
		return false
	}
	m.take(p)
	return true
}

// take makes p the holder of a lock that nobody holds.
func (m *Mutex) take(p *Process) {
	m.holder, m.since = p, m.engine.now
	m.stats.Locked++
}

// Unlock gives the lock back, or to the one that has waited longest. p must
// hold it.
func (m *Mutex) Unlock(p *Process) {
	if m.holder != p || p == nil {
		panic(fmt.Sprintf("sim: %v unlocks %q at %s, held by %v", p, m.name, seconds(m.engine.now), m.holder))
	}
	m.stats.HoldTime += m.engine.now - m.since
	// The next holder is chosen here, not when it runs: a newcomer at the same time finds
	// the lock held.
	m.holder = nil
	if next := m.waiters.pop(); next != nil {
		m.take(next)
		next.handOver(m.engine.later(m.HandOver))
	}
}

// Holder is who holds the lock, nil for nobody.
func (m *Mutex) Holder() *Process { return m.holder }

// Waiting is how many wait for the lock.
func (m *Mutex) Waiting() int { return m.waiters.n }

// Name is the mutex's name.
func (m *Mutex) Name() string { return m.name }

// Stats are the counts up to now.
func (m *Mutex) Stats() MutexStats { return m.stats }
