package workload

import (
	"math/rand/v2"
	"strconv"
)

// begin chooses the next activity and lays out its operations.
func (w *Worker) begin(used float64) {
	// The slices of the activity before are used again, so that a process allocates nothing
	// once they have grown.
	b := &w.buffer
	w.act = activity{kind: w.choose(used), running: true, making: b.making[:0], before: b.before[:0], after: b.after[:0]}
	a := &w.act
	switch a.kind {
	case CreateFile:
		w.planCreate()
	case DeleteFile:
		// unlink(2) would work on an open file too, but its blocks would stay until it is closed.
		w.use(w.victim())
		if a.file.fd != "" {
			a.before = append(a.before, Op{Kind: Close, FD: a.file.fd})
		}
		a.after = append(a.after, Op{Kind: Unlink, Path: a.file.path})
	default:
		w.openAny()
		w.planOpen()
	}
	b.making, b.before, b.after = a.making, a.before, a.after // keep what grew
}

// choose draws an activity, and changes it where the state asks for another.
func (w *Worker) choose(used float64) Activity {
	// mix is cumulative: the first activity whose sum is above the number drawn. It is drawn
	// even where the state decides, so that the stream stays in step.
	kind := Activity(0)
	w.counted()
	for u := w.streams.mix.Float64() * w.mix[activities-1]; kind < activities-1 && w.mix[kind] <= u; {
		kind++
	}
	c, files := w.class, len(w.files.all)
	full := w.full
	w.full = false
	// A full device first, then the files that each process is to have.
	switch {
	case full && c.OnFull == FullDelete && files > 0:
		w.decided(DeleteFile)
		return DeleteFile
	case files < c.Files:
		return CreateFile
	}
	// Growing and deleting change places so that the device stays near its target.
	if c.TargetUsed > 0 {
		drawn := kind
		switch {
		case kind == DeleteFile && used < c.TargetUsed:
			kind = CreateFile
		case used >= c.TargetUsed && (kind == CreateFile || kind == AppendFile || kind == FallocateFile && !c.holes()):
			kind = DeleteFile
		}
		if kind != drawn {
			w.decided(kind)
		}
	}
	if files == 0 {
		return CreateFile
	}
	return kind
}

// use makes f the file of the activity.
func (w *Worker) use(f *file) {
	w.act.file = f
	w.act.fd = f.fd
	if f.fd == "" {
		w.act.fd = w.descriptor()
	}
}

// descriptor names the descriptor of a file about to be opened.
func (w *Worker) descriptor() string {
	if !w.class.KeepOpen {
		return w.Name
	}
	w.opened++
	return w.Name + "." + strconv.FormatInt(w.opened, 10)
}

func (w *Worker) planCreate() {
	a, t := &w.act, w.tree
	// The directory and the name follow from the number of files so far.
	dir := t.place(w.created, w.streams.directory)
	w.created++
	name := "f" + strconv.FormatInt(w.created, 10)
	if !t.layout.PerProcess {
		name += "." + strconv.Itoa(w.Index)
	}
	f := &file{path: t.filePath(dir, name)}
	w.bear(f)
	w.use(f)
	// Directories that are not there yet are made on the way, the uppermost first.
	a.making = t.missing(a.making, dir)
	for _, i := range a.making {
		a.before = append(a.before, Op{Kind: Mkdir, Path: t.dirs[i].path})
	}
	a.before = append(a.before, Op{Kind: Creat, FD: a.fd, Path: a.file.path})
	// The size is written behind the end, which is 0; a sparse file gets it by ftruncate.
	size := w.samplers.file.Draw(w.streams.fileSize)
	if !w.class.Sparse {
		a.end = size
	} else if size > 0 {
		a.before = append(a.before, Op{Kind: Ftruncate, FD: a.fd, Len: size})
	}
	w.finish(w.syncs())
}

// openAny opens a file drawn from those of the process.
func (w *Worker) openAny() {
	w.use(pickFile(&w.files, w.streams.pick))
	if w.act.file.fd == "" {
		w.act.before = append(w.act.before, Op{Kind: Open, FD: w.act.fd, Path: w.act.file.path})
	}
}

// planOpen lays out what is done with a file that exists.
func (w *Worker) planOpen() {
	a, s, c := &w.act, &w.streams, w.class
	// What is done before the writes, and which bytes [off, end) are written.
	sync := false
	switch a.kind {
	case AppendFile:
		a.off = a.file.size
		a.end = a.off + w.samplers.add.Draw(s.appendSize)
		sync = w.syncs()
	case OverwriteFile:
		var n int64
		a.off, n = w.within(w.samplers.over.Draw(s.overwriteSize))
		a.end = a.off + n
		sync = w.syncs()
	case TruncateFile:
		size := int64(s.truncate.Float64() * float64(a.file.size+1))
		a.before = append(a.before, Op{Kind: Ftruncate, FD: a.fd, Len: min(size, a.file.size)})
	case FsyncFile:
		sync = true
	case FallocateFile:
		op := Op{Kind: Fallocate, FD: a.fd, Mode: c.FallocateMode}
		if c.holes() {
			op.Off, op.Len = w.within(w.samplers.over.Draw(s.overwriteSize))
		} else {
			op.Off, op.Len = a.file.size, w.samplers.add.Draw(s.appendSize)
		}
		op.Len = max(op.Len, 1) // a length of 0 is an error
		a.before = append(a.before, op)
	// A read stays inside the file.
	case ReadAFile:
		op := Op{Kind: Read, FD: a.fd, Len: a.file.size}
		if c.ReadSize.Kind != NoDist {
			op.Off, op.Len = w.within(w.samplers.read.Draw(s.readSize))
			op.Len = min(op.Len, a.file.size-op.Off)
		}
		a.before = append(a.before, op)
	}
	w.finish(sync)
}

// within draws an offset in the file and cuts n to what follows it there. An
// empty file takes all n.
func (w *Worker) within(n int64) (off, length int64) {
	// The offset is drawn even for an empty file, so that the stream stays in step.
	u := w.streams.offset.Float64()
	size, align := w.act.file.size, max(w.class.Align, 1)
	if size == 0 {
		return 0, n
	}
	// Each multiple of align inside the file is as likely.
	places := (size-1)/align + 1
	off = min(int64(u*float64(places)), places-1) * align
	return off, min(n, size-off)
}

// syncs draws whether the activity ends with fsync.
func (w *Worker) syncs() bool { return w.streams.fsync.Float64() < w.class.FsyncOnClose }

// finish lays out the end of an activity on an open file.
func (w *Worker) finish(sync bool) {
	a := &w.act
	if sync {
		a.after = append(a.after, Op{Kind: Fsync, FD: a.fd})
	}
	if !w.class.KeepOpen {
		a.after = append(a.after, Op{Kind: Close, FD: a.fd})
	}
}

// victim is the file to delete.
func (w *Worker) victim() *file {
	switch w.class.Delete {
	case OldestFile:
		return w.files.oldest
	case ExpiredFile:
		return w.expired()
	}
	return pickFile(&w.files, w.streams.pick)
}

func pickFile(s *fileSet, r *rand.Rand) *file { return s.all[r.IntN(len(s.all))] }

// eexist is the error number of a name that is taken.
const eexist = 17

// note brings the worker's view of its files up to date with what the last operation
// returned. An operation that failed, or wrote less than it should, ends the activity but
// for the close.
func (w *Worker) note(ret int64) {
	op, a := &w.last, &w.act
	f := a.file
	w.full = w.full || ret == -enospc
	failed := ret < 0
	w.pop.noSpace = w.pop.noSpace || ret == -enospc
	w.acted = w.acted || !failed && op.Kind != Mkdir && op.Kind != Open && op.Kind != Close
	// What the operation changed, if it did.
	switch op.Kind {
	case Mkdir:
		failed = failed && ret != -eexist
		if !failed {
			w.tree.dirs[a.making[0]].made = true
			a.making = a.making[1:]
		}
	case Creat:
		if !failed {
			f.fd = op.FD
			w.files.add(f)
			w.pop.grown()
		}
	// A file that cannot be opened is not there any more.
	case Open:
		if failed {
			w.forget(f)
		} else {
			f.fd = op.FD
		}
	// A short write has extended the file as far as it went.
	case Write:
		if ret > 0 {
			f.size = max(f.size, op.Off+ret)
		}
		failed = ret < op.Len
	case Ftruncate:
		if !failed {
			f.size = op.Len
		}
	case Fallocate:
		if !failed && op.Mode&FallocKeepSize == 0 {
			f.size = max(f.size, op.Off+op.Len)
		}
	case Close:
		f.fd, failed = "", false
	case Unlink:
		w.forget(f)
	}
	// Without space, and with nothing that the class would delete, there is nothing to do but to
	// wait.
	w.held = w.held || failed && ret == -enospc && (w.class.OnFull == FullContinue || len(w.files.all) == 0)
	// Nothing more of the activity, but an open file is closed as the class wants it.
	if failed {
		a.before, a.off, a.after = nil, a.end, a.after[:0]
		if f.fd != "" {
			w.finish(false)
		}
	}
}

func (w *Worker) forget(f *file) {
	w.files.remove(f)
	w.pop.files--
}
