package play

import (
	"errors"
	"fmt"
	"slices"

	"mbsim/filesystem"
	"mbsim/workload"
)

// einval is what sched_setaffinity(2) fails with for a CPU that is not there.
const einval = filesystem.EINVAL

// Player is the process that performs a script. It is ready for use once FS is
// set.
type Player struct {
	FS   filesystem.FileSystem
	Task filesystem.Task // the process: its CPU as of the last cpu operation
	CPUs int             // CPUs of the machine; 0 for as many as asked for
	// Stat, if not nil, performs the stat operation: the recorder reads
	// mb_groups then, for which the kernel loads every group's buddy.
	Stat func() error
	// Remounted, if not nil, is called after each remount.
	Remounted func() error
	// Clock is what a script with times works on; nil where there is a clock besides.
	Clock Clock

	names []descriptorName    // the script's names of descriptors, the newest last
	files []filesystem.Handle // by descriptor, nil where free
}

// Clock is the simulated clock of a script with times, and what the kernel does by it of its own
// accord.
type Clock interface {
	SetTime(ns int64)
	// DirtyBlocks is the number of blocks of data that are not yet written.
	DirtyBlocks() int64
	// WritebackOld writes files that became dirty at the time before, ns, or earlier.
	WritebackOld(t *filesystem.Task, before int64)
	// WritebackBackground writes the oldest dirty files until no more than keep blocks are dirty.
	WritebackBackground(t *filesystem.Task, keep int64)
	// CommitOld commits a transaction that began at the time before, ns, or earlier.
	CommitOld(t *filesystem.Task, before int64)
	// PrefetchBitmaps reads all block bitmaps.
	PrefetchBitmaps()
}

// Do performs one operation and returns what the oracle records for it: the
// bytes written, 0, or the negative error number. The error is nil for errors
// of the operation, which a real process would see too; it is that of the
// simulator otherwise.
//
// As in the guest, a descriptor's name that is not known, or that was closed,
// stands for descriptor -1 (EBADF); a name given to a second file leaves the
// first open, out of reach; and a creation that fails leaves the name as it was.
func (p *Player) Do(op *workload.Op) (ret int64, err error) {
	ret, err = p.perform(op)
	if err == nil {
		return ret, nil
	}
	// An errno is a result like any other: the recorder writes it down and goes on.
	var errno filesystem.Errno
	if errors.As(err, &errno) {
		return -int64(errno), nil
	}
	return 0, fmt.Errorf("line %d: %s: %w", op.Line, workload.FormatOp(*op), err)
}

func (p *Player) perform(op *workload.Op) (int64, error) {
	t := &p.Task
	switch op.Kind {
	case workload.CPU:
		// sched_setaffinity(2) fails, and the process stays where it is.
		if p.CPUs > 0 && op.N >= p.CPUs {
			return 0, einval
		}
		t.CPU = op.N
		return 0, nil
	case workload.Mkdir:
		return 0, p.FS.Mkdir(t, op.Path)
	case workload.Unlink:
		return 0, p.FS.Unlink(t, op.Path)
	case workload.Rmdir:
		return 0, p.FS.Rmdir(t, op.Path)
	case workload.Rename:
		return 0, p.FS.Rename(t, op.Path, op.To)
	case workload.Link:
		return 0, p.FS.Link(t, op.Path, op.To)
	case workload.Symlink:
		return 0, p.FS.Symlink(t, op.To, op.Path)
	case workload.FsyncDir:
		return 0, p.FS.SyncDir(t, op.Path)
	case workload.SetXattr:
		return 0, p.FS.SetAttr(t, op.Path, op.To, filesystem.AttrValue{Len: op.Len, Number: uint32(op.N)})
	case workload.RemoveXattr:
		return 0, p.FS.RemoveAttr(t, op.Path, op.To)
	case workload.AsUser:
		user := op.User()
		t.User = &filesystem.User{UID: user.UID, Groups: user.Groups}
		return 0, nil
	case workload.Sync:
		return 0, p.FS.Sync(t)
	case workload.Stat:
		return 0, call(p.Stat)
	case workload.Remount:
		if err := p.FS.Remount(t); err != nil {
			return 0, err
		}
		return 0, call(p.Remounted)
	case workload.Creat, workload.Open:
		return 0, p.open(op)
	}
	if op.Kind.Times() {
		return 0, p.byClock(op)
	}
	return p.onFile(op)
}

// byClock does what a scenario's clock did. Threads of the kernel run on the first CPU.
func (p *Player) byClock(op *workload.Op) error {
	if p.Clock == nil {
		return errors.New("only mbsim replay performs a script's times")
	}
	var kernel filesystem.Task
	switch op.Kind {
	case workload.At:
		p.Clock.SetTime(op.Off)
	case workload.Process:
		p.Task.PID = op.N
		user := op.User()
		p.Task.User = &filesystem.User{UID: user.UID, Groups: user.Groups}
	case workload.Flusher:
		p.Clock.WritebackOld(&kernel, op.Off)
		if p.Clock.DirtyBlocks() > op.Len {
			p.Clock.WritebackBackground(&kernel, op.Len)
		}
	case workload.Committer:
		p.Clock.CommitOld(&kernel, op.Off)
	case workload.Prefetch:
		p.Clock.PrefetchBitmaps()
	}
	return nil
}

func call(hook func() error) error {
	if hook == nil {
		return nil
	}
	return hook()
}

func (p *Player) open(op *workload.Op) error {
	var h filesystem.Handle
	var err error
	if op.Kind == workload.Creat {
		h, err = p.FS.Create(&p.Task, op.Path)
	} else {
		var flags filesystem.OpenFlags
		if op.Direct {
			flags |= filesystem.Direct
		}
		if op.Append {
			flags |= filesystem.Append
		}
		h, err = p.FS.Open(&p.Task, op.Path, flags)
	}
	if err != nil {
		return err
	}
	// The name moves to the new descriptor. One that it had before stays open.
	fd := p.descriptor(h)
	if i := p.named(op.FD); i >= 0 {
		p.names[i].fd = fd
	} else {
		p.names = append(p.names, descriptorName{op.FD, fd})
	}
	return nil
}

// descriptorName is a script's name of a descriptor.
type descriptorName struct {
	name string
	fd   int
}

// named is the place of a name, -1 if there is none. Scripts use few at a time, and
// mostly the newest.
func (p *Player) named(name string) int {
	for i := len(p.names) - 1; i >= 0; i-- {
		if p.names[i].name == name {
			return i
		}
	}
	return -1
}

// descriptor gives h the lowest free descriptor, as open(2) does: at exit the
// kernel closes them from the highest down.
func (p *Player) descriptor(h filesystem.Handle) int {
	for fd, f := range p.files {
		if f == nil {
			p.files[fd] = h
			return fd
		}
	}
	p.files = append(p.files, h)
	return len(p.files) - 1
}

// CloseAll closes what is still open, as the end of a process does.
func (p *Player) CloseAll() error {
	for fd := len(p.files) - 1; fd >= 0; fd-- {
		if h := p.files[fd]; h != nil {
			p.files[fd] = nil
			if err := h.Close(&p.Task); err != nil {
				return err
			}
		}
	}
	p.names = nil
	return nil
}

// onFile performs an operation on an open file.
func (p *Player) onFile(op *workload.Op) (int64, error) {
	t := &p.Task
	// The guest calls with descriptor -1, which fails with EBADF.
	named := p.named(op.FD)
	if named < 0 {
		return 0, filesystem.EBADF
	}
	fd := p.names[named].fd
	h := p.files[fd]
	switch op.Kind {
	case workload.Write:
		return h.Write(t, op.Off, op.Len)
	case workload.Read:
		return h.Read(t, op.Off, op.Len)
	case workload.Store:
		return 0, h.Store(t, op.Off, op.Len)
	case workload.Copy:
		to := p.named(op.To)
		if to < 0 {
			return 0, filesystem.EBADF
		}
		return copyRange(t, h, p.files[p.names[to].fd], op)
	case workload.Fsync:
		return 0, h.Fsync(t)
	case workload.Ftruncate:
		return 0, h.Truncate(t, op.Len)
	case workload.Fallocate:
		return 0, h.Fallocate(t, op.Mode, op.Off, op.Len)
	case workload.Close:
		// close(2) frees the descriptor even if it fails.
		p.names = slices.Delete(p.names, named, named+1)
		p.files[fd] = nil
		return 0, h.Close(t)
	}
	return 0, fmt.Errorf("unknown operation %v", op.Kind)
}

// Run performs ops in order and collects what came of each. It stops at an
// error of the simulator.
func (p *Player) Run(ops []workload.Op) ([]Result, error) {
	results := make([]Result, 0, len(ops))
	for i := range ops {
		ret, err := p.Do(&ops[i])
		if err != nil {
			return results, err
		}
		results = append(results, Result{ops[i].Line, ret})
	}
	return results, nil
}
