package run

import "mbsim/filesystem"

// startBackground starts what the kernel does by itself.
func (r *runner) startBackground() {
	if r.timed != nil {
		r.timed.start(r)
		return
	}
	if d := r.scenario.Memory.DirtyWriteback; d > 0 {
		r.flushTimer.SetAfter(d)
	}
}

// flushDue is the flusher's wake-up (dirty_writeback_centisecs): it writes the
// files that have been dirty for too long, and the oldest where too much is.
func (r *runner) flushDue() {
	mem := &r.scenario.Memory
	if fs := r.m.ext4; fs != nil {
		t := r.background()
		fs.WritebackOld(t, r.engine.Now()-mem.DirtyExpire)
		if limit := r.dirtyBackground; fs.DirtyBlocks() > limit {
			fs.WritebackBackground(t, limit)
		}
	}
	r.flushTimer.SetAfter(mem.DirtyWriteback)
}

// commitDue commits a transaction that has reached its age (kjournald2).
func (r *runner) commitDue() {
	if r.timed != nil {
		r.timed.journal.Wake()
		return
	}
	r.m.ext4.CommitOld(r.background(), r.engine.Now()-r.m.commit)
}

// sampleDue takes a sample where the scenario says how often.
func (r *runner) sampleDue() {
	r.collector.Sample(r.engine.Now())
	r.sampleTimer.SetAfter(r.scenario.Sample)
}

// background is the task of kernel threads: they have no CPU of their own, and
// run on the first.
func (r *runner) background() *filesystem.Task { return &r.kernel }
