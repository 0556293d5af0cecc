package sim

import "fmt"

// Resource is a number of equal units, such as CPUs or places in a device's
// queue. Those who find none free wait in the order in which they came.
type Resource struct {
	engine   *Engine
	name     string
	capacity int
	inUse    int
	waiters  waitList

	stats   ResourceStats
	counted int64 // up to when stats.Busy counts
}

// ResourceStats is what a resource counts.
type ResourceStats struct {
	Acquired uint64 // units taken
	Waited   uint64 // of these, after a wait
	WaitTime int64  // ns waited, over all that waited
	Busy     int64  // ns in use, over all units
	MaxQueue int    // most that waited at once
}

// NewResource returns a resource of capacity units, all free.
func (e *Engine) NewResource(name string, capacity int) *Resource {
	if capacity < 1 {
		panic(fmt.Sprintf("sim: resource %q with %d units", name, capacity))
	}
	return &Resource{engine: e, name: name, capacity: capacity}
}

// Acquire takes a unit for p, and waits where none is free.
func (r *Resource) Acquire(p *Process) {
	if r.TryAcquire() {
		return
	}
	// Release hands its unit over, so inUse stays as it is and nobody can come in between.
	r.waiters.push(p)
	r.stats.MaxQueue = max(r.stats.MaxQueue, r.waiters.n)
	start := r.engine.now
	p.block(r.name)
	// The unit has been this process's since it was woken.
	r.stats.Acquired++
	r.stats.Waited++
	r.stats.WaitTime += r.engine.now - start
}

// TryAcquire takes a unit if one is free, and reports whether it did.
func (r *Resource) TryAcquire() bool {
	if r.inUse == r.capacity {
		return false
	}
	r.count()
	r.inUse++
	r.stats.Acquired++
	return true
}

// Release gives a unit back, or to the one that has waited longest.
func (r *Resource) Release() {
	if r.inUse == 0 {
		panic(fmt.Sprintf("sim: resource %q released at %s, but none of its %d units is in use", r.name, seconds(r.engine.now), r.capacity))
	}
	// The unit goes straight to the one that has waited longest, and stays in use.
	if p := r.waiters.pop(); p != nil {
		p.handOver(r.engine.now)
		return
	}
	r.count()
	r.inUse--
}

// Use takes a unit for d nanoseconds.
func (r *Resource) Use(p *Process, d int64) {
	r.Acquire(p)
	p.Wait(d)
	r.Release()
}

// count brings stats.Busy up to date.
func (r *Resource) count() {
	r.stats.Busy += int64(r.inUse) * (r.engine.now - r.counted)
	r.counted = r.engine.now
}

// Stats are the counts up to now.
func (r *Resource) Stats() ResourceStats {
	r.count()
	return r.stats
}

// Name is the resource's name.
func (r *Resource) Name() string { return r.name }

// Capacity is how many units there are.
func (r *Resource) Capacity() int { return r.capacity }

// InUse is how many units are taken.
func (r *Resource) InUse() int { return r.inUse }

// Waiting is how many wait for a unit.
func (r *Resource) Waiting() int { return r.waiters.n }
