package ext2

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"mbsim/filesystem"
)

// TestRandom performs anything in any order on a small device that is soon full,
// recounting everything now and then. Once all is removed, all is free again.
func TestRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mkfs := rapid.SampledFrom([]string{"-b 1024", "-b 1024 -g 1024 -N 128", "-b 2048 -m 0", "-b 4096"}).Draw(t, "mkfs")
		options := rapid.SampledFrom([]string{"", "oldalloc", "noreservation", "reservation_window=100"}).Draw(t, "options")
		fs := mount(t, 4<<20, mkfs, options)
		opt := fs.opt
		opt.CPUs = rapid.IntRange(1, 3).Draw(t, "cpus")
		fs, err := Mount(fs.layout, opt)
		if err != nil {
			t.Fatal(err)
		}
		w := walker{t: t, fs: fs, handles: map[string]filesystem.Handle{}}
		before, inodes := fs.Statfs().Free, fs.freeInodes.Sum()
		w.do("mkdir", fs.Mkdir(&w.task, "t"))
		w.dirs = []string{"t"}
		for i := range rapid.IntRange(1, 150).Draw(t, "operations") {
			w.task.CPU = i % opt.CPUs
			w.task.PID = i / 10
			w.step()
			if i%20 == 0 {
				w.check()
			}
		}
		w.removeAll()
		w.check()
		if free := fs.Statfs().Free; free != before || fs.freeInodes.Sum() != inodes {
			t.Fatalf("%d blocks and %d inodes are free in the end, %d and %d were", free, fs.freeInodes.Sum(), before, inodes)
		}
	})
}

// walker is a process that does random things.
type walker struct {
	t       *rapid.T
	fs      *FS
	task    task
	dirs    []string
	handles map[string]filesystem.Handle
}

// do accepts any error number, and nothing else.
func (w *walker) do(what string, err error) bool {
	var e errno
	if err != nil && !errors.As(err, &e) {
		w.t.Fatalf("%s: %v", what, err)
	}
	return err == nil
}

func (w *walker) check() {
	if err := w.fs.Check(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *walker) path() string {
	d := rapid.SampledFrom(w.dirs).Draw(w.t, "dir")
	return fmt.Sprintf("%s/%s", d, rapid.SampledFrom([]string{"a", "b", "c", "d", "a-name-of-some-length-that-fills-blocks-sooner"}).Draw(w.t, "name"))
}

func (w *walker) step() {
	t, fs := w.t, w.fs
	name := rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "handle")
	h := w.handles[name]
	kind := rapid.SampledFrom([]string{"mkdir", "creat", "creat", "open", "write", "write", "write", "write", "truncate", "close", "unlink", "rmdir", "rename"}).Draw(t, "operation")
	switch kind {
	case "mkdir":
		if p := w.path(); w.do(kind, fs.Mkdir(&w.task, p)) {
			w.dirs = append(w.dirs, p)
		}
	case "creat", "open":
		if h != nil {
			w.do("close", h.Close(&w.task))
			delete(w.handles, name)
		}
		var err error
		if kind == "creat" {
			h, err = fs.Create(&w.task, w.path())
		} else {
			h, err = fs.Open(&w.task, w.path(), filesystem.Direct)
		}
		if w.do(kind, err) {
			w.handles[name] = h
		}
	case "unlink":
		w.do(kind, fs.Unlink(&w.task, w.path()))
	case "rmdir":
		w.do(kind, fs.Rmdir(&w.task, w.path()))
	case "rename":
		w.do(kind, fs.Rename(&w.task, w.path(), w.path()))
	default:
		if h != nil {
			w.onFile(kind, name, h)
		}
	}
}

func (w *walker) onFile(kind, name string, h filesystem.Handle) {
	off := rapid.SampledFrom([]int64{0, 512, 4096, 12 << 10, 268 << 10, 1 << 20, 70 << 20}).Draw(w.t, "offset")
	n := rapid.SampledFrom([]int64{1, 512, 4096, 10_000, 300 << 10, 3 << 20}).Draw(w.t, "bytes")
	switch kind {
	case "write":
		_, err := h.Write(&w.task, off, n)
		w.do(kind, err)
	case "truncate":
		w.do(kind, h.Truncate(&w.task, off+n-1))
	case "close":
		w.do(kind, h.Close(&w.task))
		delete(w.handles, name)
	}
}

// removeAll closes and removes everything, the deepest first.
func (w *walker) removeAll() {
	for _, name := range []string{"x", "y", "z"} {
		if h := w.handles[name]; h != nil {
			w.do("close", h.Close(&w.task))
		}
	}
	list := w.fs.all()
	for i := len(list) - 1; i > 0; i-- {
		p := list[i].path
		if p == "lost+found" {
			continue
		}
		remove := w.fs.Unlink
		if list[i].in.isDir() {
			remove = w.fs.Rmdir
		}
		if err := remove(&w.task, p); err != nil {
			w.t.Fatalf("removing %s: %v", p, err)
		}
	}
}
