package metrics

import (
	"errors"

	"mbsim/filesystem"
)

// opKind is a kind of operation of a file system.
type opKind uint8

const (
	opMkdir opKind = iota
	opCreate
	opOpen
	opWrite
	opRead
	opFsync
	opTruncate
	opFallocate
	opClose
	opUnlink
	opRmdir
	opRename
	opSync
	opRemount
	opKinds
)

var opNames = [opKinds]string{"mkdir", "create", "open", "write", "read", "fsync", "truncate", "fallocate", "close", "unlink", "rmdir", "rename", "sync", "remount"}

// operations counts what processes asked for.
type operations struct {
	calls           [opKinds]uint64
	failed, noSpace uint64
	short           uint64 // writes that wrote less than asked for
	written, read   uint64 // bytes
}

// note counts an operation of kind k that ended with err, and returns err.
func (o *operations) note(k opKind, err error) error {
	o.calls[k]++
	if err != nil {
		o.failed++
		if errors.Is(err, filesystem.ENOSPC) {
			o.noSpace++
		}
	}
	return err
}

func (o *operations) total() (n uint64) {
	for _, c := range o.calls {
		n += c
	}
	return n
}

// opTotals are the operations' figures beside the calls of each kind.
var opTotals = []struct {
	Metric
	get func(*operations) uint64
}{
	{op("ops", "operations", Neither, "Operations performed, failed ones included."), (*operations).total},
	{op("ops_failed", "operations", Neither, "Operations that failed."), func(o *operations) uint64 { return o.failed }},
	{op("ops_enospc", "operations", Neither, "Operations that failed for want of space (ENOSPC)."), func(o *operations) uint64 { return o.noSpace }},
	{op("ops_short_write", "operations", Neither, "Writes that wrote less than they were asked to."), func(o *operations) uint64 { return o.short }},
	{op("bytes_written", "bytes", Neither, "Bytes that write operations wrote."), func(o *operations) uint64 { return o.written }},
	{op("bytes_read", "bytes", Neither, "Bytes that read operations read."), func(o *operations) uint64 { return o.read }},
}

func op(name, unit string, better Better, doc string) Metric {
	return Metric{Name: name, Unit: unit, Better: better, Kind: Counter, Group: groupOps, Source: fromSimulator, Doc: doc}
}

func opMetrics() []Metric {
	var all []Metric
	for i := range opTotals {
		all = append(all, opTotals[i].Metric)
	}
	for _, name := range opNames {
		all = append(all, op("ops_"+name, "operations", Neither, "Operations "+name+", failed ones included."))
	}
	return all
}

// count puts the figures into r.
func (o *operations) count(r Row) {
	id := opFirst
	for i := range opTotals {
		r[id] = float64(opTotals[i].get(o))
		id++
	}
	for _, n := range o.calls {
		r[id] = float64(n)
		id++
	}
}

// watched is the file system as processes see it: it counts their operations.
type watched struct {
	filesystem.FileSystem
	c *Collector
}

type task = filesystem.Task

func (w *watched) Mkdir(t *task, path string) error {
	return w.c.ops.note(opMkdir, w.FileSystem.Mkdir(t, path))
}

func (w *watched) Create(t *task, path string) (filesystem.Handle, error) {
	h, err := w.FileSystem.Create(t, path)
	return w.handle(h, w.c.ops.note(opCreate, err))
}

func (w *watched) Open(t *task, path string, flags filesystem.OpenFlags) (filesystem.Handle, error) {
	h, err := w.FileSystem.Open(t, path, flags)
	return w.handle(h, w.c.ops.note(opOpen, err))
}

func (w *watched) Unlink(t *task, path string) error {
	return w.c.ops.note(opUnlink, w.FileSystem.Unlink(t, path))
}

func (w *watched) Rmdir(t *task, path string) error {
	return w.c.ops.note(opRmdir, w.FileSystem.Rmdir(t, path))
}

func (w *watched) Rename(t *task, from, to string) error {
	return w.c.ops.note(opRename, w.FileSystem.Rename(t, from, to))
}

func (w *watched) Sync(t *task) error { return w.c.ops.note(opSync, w.FileSystem.Sync(t)) }

func (w *watched) Remount(t *task) error {
	return w.c.ops.note(opRemount, w.FileSystem.Remount(t))
}

func (w *watched) handle(h filesystem.Handle, err error) (filesystem.Handle, error) {
	if err != nil {
		return nil, err
	}
	return &watchedHandle{h, &w.c.ops}, nil
}

// watchedHandle is an open file of a watched file system.
type watchedHandle struct {
	h   filesystem.Handle
	ops *operations
}

func (w *watchedHandle) Inode() uint32               { return w.h.Inode() }
func (w *watchedHandle) Size() int64                 { return w.h.Size() }
func (w *watchedHandle) Flags() filesystem.OpenFlags { return w.h.Flags() }

// Store is not counted: no class of a workload stores through mappings.
func (w *watchedHandle) Store(t *task, off, n int64) error { return w.h.Store(t, off, n) }

func (w *watchedHandle) Write(t *task, off, n int64) (int64, error) {
	done, err := w.h.Write(t, off, n)
	w.ops.written += uint64(max(done, 0))
	if err == nil && done < n {
		w.ops.short++
	}
	return done, w.ops.note(opWrite, err)
}

func (w *watchedHandle) Read(t *task, off, n int64) (int64, error) {
	done, err := w.h.Read(t, off, n)
	w.ops.read += uint64(max(done, 0))
	return done, w.ops.note(opRead, err)
}

func (w *watchedHandle) Fsync(t *task) error { return w.ops.note(opFsync, w.h.Fsync(t)) }

func (w *watchedHandle) Truncate(t *task, size int64) error {
	return w.ops.note(opTruncate, w.h.Truncate(t, size))
}

func (w *watchedHandle) Fallocate(t *task, mode uint32, off, n int64) error {
	return w.ops.note(opFallocate, w.h.Fallocate(t, mode, off, n))
}

func (w *watchedHandle) Close(t *task) error { return w.ops.note(opClose, w.h.Close(t)) }

var _ filesystem.FileSystem = (*watched)(nil)
