package metrics

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// run is a case of the oracle on a simulated file system.
type run struct {
	c      *workload.Case
	layout *image.Layout
	fs     *ext4.FS
	play   play.Player
}

// start mounts the file system that the case in dir begins with.
func start(t testing.TB, dir string) *run {
	t.Helper()
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "before.dumpe2fs.gz")
	if _, err := os.Stat(name); err != nil {
		name = filepath.Join(dir, "5.10", "before.dumpe2fs.gz")
	}
	l := readLayout(t, name)
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	opt.CPUs = c.SMP
	if err := opt.Parse(c.Mount); err != nil {
		t.Fatal(err)
	}
	opt.Tunables = map[string]uint32{}
	for _, x := range c.Tunables {
		v, err := strconv.ParseUint(x.Value, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		opt.Tunables[x.Name] = uint32(v)
	}
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{c: c, layout: l, fs: fs}
	r.play = play.Player{FS: fs, CPUs: c.SMP, Task: filesystem.Task{CPU: c.SMP - 1}}
	return r
}

func readLayout(t testing.TB, name string) *image.Layout {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := image.ReadDumpe2fs(f, name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// watch makes a collector, through which the operations go from now on.
func (r *run) watch(t testing.TB, cfg Config) *Collector {
	t.Helper()
	cfg.FS, cfg.Policy, cfg.Source = r.fs, Mballoc(r.fs.Allocator()), r.layout
	cfg.Look, cfg.Lost, cfg.StatusTree = r.fs.Look, r.fs.LostBlocks, r.fs.StatusTree
	cfg.CutPromised = r.fs.CutPromised
	if r.fs.HasJournal() {
		cfg.Transactions = r.fs.Transactions
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.play.FS = c.FileSystem()
	return c
}

// perform does the operations, one a millisecond, calling after with the time
// after each.
func (r *run) perform(t testing.TB, ops []workload.Op, now int64, after func(now int64)) int64 {
	t.Helper()
	for i := range ops {
		if _, err := r.play.Do(&ops[i]); err != nil {
			t.Fatal(err)
		}
		now += 1e6
		if after != nil {
			after(now)
		}
	}
	return now
}

// filesText is what the oracle would record.
func (r *run) filesText(t testing.TB) string {
	var b bytes.Buffer
	if err := play.WriteFiles(&b, r.fs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// cases are those in testdata, and all of the oracle where it is.
func cases(t testing.TB) []string {
	dirs, _ := filepath.Glob("testdata/*/after.dumpe2fs.gz")
	more, _ := filepath.Glob("/work/shared/oracle/cases/*/5.10/before.dumpe2fs.gz")
	if testing.Short() {
		more = nil
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	for _, d := range more {
		dirs = append(dirs, filepath.Dir(filepath.Dir(d)))
	}
	if len(dirs) == 0 {
		t.Fatal("no testdata")
	}
	return dirs
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
