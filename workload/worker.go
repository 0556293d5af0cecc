package workload

import "math/rand/v2"

// View is what a process sees of the system between its operations.
type View struct {
	Now  int64   // ns
	Used float64 // share of the device's blocks in use
	// Ret is the result of the operation that the previous Next returned: the bytes
	// of a write or read, 0, or the negative error number.
	Ret int64
	// Skipped says that this operation was not performed. Only one that Begins
	// an activity may be skipped.
	Skipped bool
	// Stop asks the process to end: it drops what it was doing and closes its
	// files.
	Stop bool
}

// Step is the next operation of a process.
type Step struct {
	Op       Op
	At       int64 // ns: it starts no earlier
	Activity Activity
	Begins   bool // it is the first of its activity
}

// enospc is the error number of a full device.
const enospc = 28

// Worker is one process of a class: it turns the class's distributions into
// operations, one at a time.
//
// Each purpose draws from a stream of its own: another think time does not
// change the files' sizes.
type Worker struct {
	Name  string // CLASS.INDEX
	Index int
	CPU   int

	pop   *Population
	class *Class
	tree  *tree
	files fileSet
	lives lives // where class.Delete is ExpiredFile

	created int64 // files it ever set out to create
	opened  int64 // descriptors it ever named

	samplers struct{ arrival, think, file, add, over, read, life *Sampler }
	mix      [activities]float64 // cumulative
	streams  struct {
		time, mix, fileSize, appendSize, overwriteSize, readSize, offset, pick, directory, fsync, truncate, life *rand.Rand
	}

	decisions decisions
	acted     bool // something has worked in this phase
	held      bool // the last activity found no space, and nothing to delete: the next waits a little

	arrives int64 // when its next operation arrives, if class.Arrival is given
	full    bool  // the last activity found no space
	ending  bool  // it only closes its files
	toClose *file // the oldest file that may still be open
	act     activity
	buffer  struct { // what act's slices lie in
		making        []int
		before, after []Op
	}
	last    Op // what was returned by Next, if pending
	pending bool
}

// activity is what is left to do of the current operation, in order: before,
// the writes, after.
type activity struct {
	kind     Activity
	running  bool
	file     *file
	fd       string
	making   []int // the directories that the first of before make
	before   []Op
	off, end int64
	after    []Op
}

// openStreams opens the streams of the process.
func (w *Worker) openStreams(stream func(string) *rand.Rand) {
	// Each stream is named after the process and its purpose.
	s := &w.streams
	for _, o := range []struct {
		r    **rand.Rand
		name string
	}{
		{&s.time, "time"}, {&s.mix, "mix"}, {&s.fileSize, "file_size"}, {&s.appendSize, "append_size"},
		{&s.overwriteSize, "overwrite_size"}, {&s.readSize, "read_size"}, {&s.offset, "offset"}, {&s.pick, "pick"},
		{&s.directory, "directory"}, {&s.fsync, "fsync"}, {&s.truncate, "truncate"}, {&s.life, "lifetime"},
	} {
		*o.r = stream(w.Name + "/" + o.name)
	}
}

// start makes the process one of class c as of now.
func (w *Worker) start(c *Class, cpu int, now int64) {
	// Files and streams go on from an earlier phase, and all else begins anew.
	w.class, w.CPU, w.arrives, w.full, w.ending = c, cpu, now, false, false
	w.act, w.pending, w.acted, w.held = activity{}, false, false, false
	s := &w.samplers
	s.arrival, s.think, s.file = c.Arrival.Sampler(), c.Think.Sampler(), c.FileSize.Sampler()
	s.add, s.over, s.read = c.AppendSize.Sampler(), c.OverwriteSize.Sampler(), c.ReadSize.Sampler()
	s.life = c.Lifetime.Sampler()
	total := 0.0
	for a, weight := range c.Mix {
		total += weight
		w.mix[a] = total
	}
}

// User is whose process it is in this phase.
func (w *Worker) User() User { return w.class.User }

// Next returns the next operation, given what became of the one before. It
// returns false once the process has ended.
func (w *Worker) Next(v View) (Step, bool) {
	// First the result of the operation before, which may end its activity.
	if w.pending {
		w.pending = false
		if v.Skipped {
			w.act = activity{}
		} else {
			w.note(v.Ret)
		}
	}
	// At the end of the phase only open files are closed.
	if v.Stop && !w.ending {
		w.act = activity{}
		w.end()
	}
	// Operations of one activity follow each other without a pause. Where the activity has no
	// more, it is completed and the next one is drawn, at the time when it starts.
	at := v.Now
	begins := false
	op, ok := w.takeOp()
	for !ok {
		if w.act.running {
			w.act.running = false
			w.pop.operations++
		}
		// A process that stops when the device is full ends like one at the end of the phase.
		if w.full && w.class.OnFull == FullStop && !w.ending {
			w.end()
		}
		if w.ending {
			if op, ok = w.closeOne(); !ok {
				return Step{}, false
			}
			break
		}
		at, begins = w.startTime(v.Now), true
		w.begin(v.Used)
		op, ok = w.takeOp()
	}
	w.last, w.pending = op, true
	return Step{Op: op, At: at, Activity: w.act.kind, Begins: begins}, true
}

// end lets the process close what is open, and no more.
func (w *Worker) end() { w.ending, w.toClose = true, w.files.oldest }

// retryPause is how long a process waits at least after it found no space, ns: one that
// does not think would try again without end while nothing changes.
const retryPause = 10_000_000

// startTime is when the next activity starts.
func (w *Worker) startTime(now int64) int64 {
	at := w.dueTime(now)
	if w.held {
		w.held = false
		at = max(at, now+retryPause)
	}
	return at
}

// dueTime is when the class wants the next activity to start.
func (w *Worker) dueTime(now int64) int64 {
	if w.class.Arrival.Kind == NoDist {
		return now + w.samplers.think.Draw(w.streams.time)
	}
	// Arrivals do not wait for the operations before, but one that is late starts at once.
	w.arrives += w.samplers.arrival.Draw(w.streams.time)
	return max(now, w.arrives)
}

// takeOp takes the next operation of the activity.
func (w *Worker) takeOp() (op Op, ok bool) {
	// In this order: what comes before the writes, the writes in chunks, what comes behind.
	a := &w.act
	if len(a.before) > 0 {
		op, a.before = a.before[0], a.before[1:]
		return op, true
	}
	if a.off < a.end {
		n := a.end - a.off
		if c := w.class.Chunk; c > 0 {
			n = min(n, c)
		}
		op = Op{Kind: Write, FD: a.fd, Off: a.off, Len: n}
		a.off += n
		return op, true
	}
	if len(a.after) > 0 {
		op, a.after = a.after[0], a.after[1:]
		return op, true
	}
	return op, false
}

// closeOne closes a file that is open.
func (w *Worker) closeOne() (Op, bool) {
	for f := w.toClose; f != nil; f = f.newer {
		if f.fd != "" {
			w.toClose, w.act.file = f.newer, f
			return Op{Kind: Close, FD: f.fd}, true
		}
	}
	return Op{}, false
}
