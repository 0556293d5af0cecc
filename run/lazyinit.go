package run

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/sim"
)

// lazyTick is what the kernel counts the thread's delay in: a jiffy, 250 a second.
const lazyTick = 4 * sim.Millisecond

// newLazyInit makes the kernel's thread for lazy initialization, which reads all
// bitmaps some time after each mount. It returns what starts that.
func (r *runner) newLazyInit() (mounted func()) {
	delay := sim.Stream(r.scenario.Seed, r.options.Replication, "lazyinit")
	timer := r.engine.NewTimer(func() {
		if r.timed == nil {
			r.m.ext4.PrefetchBitmaps()
			return
		}
		r.engine.Go("ext4lazyinit", func(p *sim.Process) {
			r.timed.onCPU(r, p, func(*filesystem.Task) { r.m.ext4.PrefetchBitmaps() })
		})
	})
	return func() { timer.SetAfter(lazyTick * delay.Int64N(ext4.LazyInitDelay/lazyTick)) }
}
