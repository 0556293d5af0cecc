package imagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"strings"

	"mbsim/filesystem"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// Some modes of fallocate(2).
const (
	keepSize  = 0x01
	punchHole = 0x02
	zeroRange = 0x10
)

// Work performs operations, drawn from seed, on the files that fs has and on new
// ones; it writes everything back, mounts again, and removes what it can. check,
// which recounts the whole file system, is called between.
func Work(fs filesystem.FileSystem, seed uint64, check func() error) error {
	w := &worker{FileSystem: fs, Rand: rand.New(rand.NewPCG(seed, 0)), p: &play.Player{FS: fs, CPUs: 2}}
	for f := range fs.Files() {
		if len(w.paths) < 1000 {
			w.paths = append(w.paths, f.Path)
		}
	}
	if err := check(); err != nil {
		return fmt.Errorf("after mounting: %w", err)
	}
	for range 60 {
		if err := w.operation(); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"sync", func() error { return w.do(workload.Op{Kind: workload.Sync}) }}, {"sync: check", check},
		{"close", w.p.CloseAll},
		{"remount", func() error { return w.do(workload.Op{Kind: workload.Remount}) }}, {"remount: check", check},
		{"remove", w.removeAll}, {"remove: check", check},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// worker is the process that works.
type worker struct {
	filesystem.FileSystem
	*rand.Rand
	p     *play.Player
	paths []string // of files and directories that exist, or did
}

// do performs an operation, which may fail as a real one may.
func (w *worker) do(op workload.Op) error {
	_, err := w.p.Do(&op)
	return err
}

// path is that of a file that exists, mostly, or of a new one beside or below it.
func (w *worker) path() string {
	old := w.paths[w.IntN(len(w.paths))]
	name := []string{"a", "b", "new", "a-name-of-some-length-" + strings.Repeat("x", 100)}[w.IntN(4)]
	switch w.IntN(4) {
	case 0:
		return path.Join(old, name)
	case 1:
		return path.Join(path.Dir(old), name)
	}
	return old
}

// operation performs one operation.
func (w *worker) operation() error {
	op := workload.Op{FD: []string{"x", "y", "z"}[w.IntN(3)], Path: w.path()}
	op.Kind = []workload.Kind{
		workload.Open, workload.Open, workload.Open, workload.Creat, workload.Write, workload.Write, workload.Write, workload.Write, workload.Write, workload.Read, workload.Ftruncate,
		workload.Ftruncate, workload.Fallocate, workload.Fallocate, workload.Fsync, workload.Unlink, workload.Mkdir, workload.Rmdir, workload.Rename, workload.Close, workload.Sync, workload.CPU,
	}[w.IntN(22)]
	bs := w.Geometry().BlockSize()
	switch op.Kind {
	case workload.Open:
		op.Direct = w.IntN(2) == 0
	case workload.Creat, workload.Mkdir:
		w.paths = append(w.paths, op.Path)
	case workload.Rename:
		op.To = w.path()
		w.paths = append(w.paths, op.To)
	case workload.Fallocate:
		op.Mode = []uint32{0, keepSize, punchHole | keepSize, zeroRange}[w.IntN(4)]
	case workload.CPU:
		op.N = w.IntN(2)
	}
	op.Off = bs*w.Int64N([]int64{4, 20, 400, 3000}[w.IntN(4)]) + w.Int64N(2)*w.Int64N(bs)
	op.Len = max(1, bs*w.Int64N([]int64{2, 5, 30, 200}[w.IntN(4)])+w.Int64N(bs))
	if err := w.do(op); err != nil {
		return fmt.Errorf("%s: %w", workload.FormatOp(op), err)
	}
	return nil
}

// removeAll removes every file and directory that can be removed.
func (w *worker) removeAll() error {
	var files []filesystem.FileInfo
	for f := range w.Files() {
		f.Extents = nil
		files = append(files, f)
	}
	for i := len(files) - 1; i > 0; i-- { // what is below a directory comes behind it
		f := &files[i]
		err := w.Unlink(&w.p.Task, f.Path)
		if f.Mode&0o170000 == 0o040000 {
			err = w.Rmdir(&w.p.Task, f.Path)
		}
		var no filesystem.Errno
		if err != nil && !errors.As(err, &no) {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return w.Sync(&w.p.Task)
}
