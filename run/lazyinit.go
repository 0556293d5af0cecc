package run

import (
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/sim"
	"mbsim/workload"
)

// lazyTick is a jiffy, in which the kernel counts the thread's delay, where HZ is 250.
const lazyTick = 4 * sim.Millisecond

// newLazyInit makes the kernel's thread for lazy initialization, which reads all
// bitmaps some time after each mount. It returns what starts that.
func (r *runner) newLazyInit() (mounted func()) {
	delay := sim.Stream(r.scenario.Seed, r.options.Replication, "lazyinit")
	timer := r.engine.NewTimer(func() {
		if r.timed == nil {
			r.noteClock(workload.Op{Kind: workload.Prefetch})
			r.m.Threads.PrefetchBitmaps()
			return
		}
		// Where work takes time, the thread is a process and needs a CPU.
		r.engine.Go("ext4lazyinit", func(p *sim.Process) {
			r.timed.onCPU(r, p, func(*filesystem.Task) { r.m.Threads.PrefetchBitmaps() })
		})
	})
	// Each mount draws a number of jiffies below the longest delay (ext4_li_request_new).
	return func() { timer.SetAfter(lazyTick * delay.Int64N(ext4.LazyInitDelay/lazyTick)) }
}
