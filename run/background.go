package run

import (
	"mbsim/filesystem"
	"mbsim/workload"
)

// startBackground starts what the kernel does by itself: the flusher, and with timing also
// the journal's thread. Without timing the commit timer is started by each transaction
// (mountLayout).
func (r *runner) startBackground() {
	if r.timed != nil {
		r.timed.start(r)
		return
	}
	// Without timing the flusher is a timer: it does its work at once when it is due.
	if d := r.scenario.Memory.DirtyWriteback; d > 0 {
		r.flushTimer.SetAfter(d)
	}
}

// flushDue is the flusher's wake-up (dirty_writeback_centisecs): it writes the
// files that have been dirty for too long, and the oldest where too much is.
func (r *runner) flushDue() {
	mem := &r.scenario.Memory
	t, threads := r.background(), r.m.Threads
	// No file is dirty since before the beginning, so that 0 stands for all that is earlier.
	r.noteClock(workload.Op{Kind: workload.Flusher, Off: max(0, r.engine.Now()-mem.DirtyExpire), Len: r.dirtyBackground})
	threads.WritebackOld(t, r.engine.Now()-mem.DirtyExpire)
	if limit := r.dirtyBackground; threads.DirtyBlocks() > limit {
		threads.WritebackBackground(t, limit)
	}
	r.flushTimer.SetAfter(mem.DirtyWriteback)
}

// commitDue commits a transaction that has reached its age (kjournald2).
func (r *runner) commitDue() {
	if r.timed != nil {
		r.timed.journal.Wake()
		return
	}
	r.noteClock(workload.Op{Kind: workload.Committer, Off: max(0, r.engine.Now()-r.m.CommitInterval)})
	r.m.Threads.CommitOld(r.background(), r.engine.Now()-r.m.CommitInterval)
}

// sampleDue takes a sample where the scenario says how often.
func (r *runner) sampleDue() {
	r.collector.Sample(r.engine.Now())
	r.sampleTimer.SetAfter(r.scenario.Sample)
}

// background is the task of kernel threads where work takes no time: they have no CPU of
// their own, and run on the first.
func (r *runner) background() *filesystem.Task { return &r.kernel }
