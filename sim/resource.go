package sim

import "fmt"

// Resource is a number of equal units, such as CPUs or places in a device's
// queue. Those who find none free wait in the order in which they came.
type Resource struct {
	e        *Engine
	name     string
	capacity int
	inUse    int
	waiters  waitList
}

// NewResource returns a resource of capacity units, all free.
func (e *Engine) NewResource(name string, capacity int) *Resource {
	if capacity < 1 {
		panic(fmt.Sprintf("sim: resource %q with %d units", name, capacity))
	}
	return &Resource{e: e, name: name, capacity: capacity}
}

// Acquire takes a unit for p, and waits where none is free.
func (r *Resource) Acquire(p *Process) {
	if r.TryAcquire() {
		return
	}
	r.waiters.push(p)
	p.block(r.name)
}

// TryAcquire takes a unit if one is free, and reports whether it did.
func (r *Resource) TryAcquire() bool {
	if r.inUse == r.capacity {
		return false
	}
	r.inUse++
	return true
}

// Release gives a unit back, or to the one that has waited longest.
func (r *Resource) Release() {
	if r.inUse == 0 {
		panic(fmt.Sprintf("sim: resource %q released at %s, but none of its %d units is in use", r.name, seconds(r.e.now), r.capacity))
	}
	if p := r.waiters.pop(); p != nil {
		p.handOver(r.e.now)
		return
	}
	r.inUse--
}

// Use takes a unit for d nanoseconds.
func (r *Resource) Use(p *Process, d int64) {
	r.Acquire(p)
	p.Wait(d)
	r.Release()
}

// InUse is how many units are taken.
func (r *Resource) InUse() int { return r.inUse }

// Waiting is how many wait for a unit.
func (r *Resource) Waiting() int { return r.waiters.n }
