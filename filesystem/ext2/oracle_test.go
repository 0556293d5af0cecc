package ext2

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// recorder remembers the handles that were opened, as a process does that closes
// them when it ends.
type recorder struct {
	*FS
	handles []filesystem.Handle
}

func (r *recorder) Create(t *task, path string) (filesystem.Handle, error) {
	h, err := r.FS.Create(t, path)
	return r.keep(h), err
}

func (r *recorder) Open(t *task, path string, flags filesystem.OpenFlags) (filesystem.Handle, error) {
	h, err := r.FS.Open(t, path, flags)
	return r.keep(h), err
}

func (r *recorder) keep(h filesystem.Handle) filesystem.Handle {
	if h != nil {
		r.handles = append(r.handles, h)
	}
	return h
}

// exit ends the process.
func (r *recorder) exit(t *task) {
	for _, h := range r.handles {
		h.Close(t) // EBADF for those closed before
	}
}

// orlovSeeds are tried in turn where the driver places a directory below the root
// at random; one of them must agree with the recording in everything.
const orlovSeeds = 500

// verify performs a case and returns how the simulator differs from the driver.
func verify(dir string) error {
	c, err := workload.ReadCase(dir)
	if err != nil {
		return err
	}
	before, err := readLayout(filepath.Join(dir, "ext2/before.dumpe2fs.gz"))
	if err != nil {
		return err
	}
	opt := DefaultOptions(before.Super.BlockSize())
	if err := opt.Parse(c.MountExt2); err != nil {
		return err
	}
	err = perform(dir, c, before, opt)
	for !opt.OldAlloc && err != nil && opt.Seed < orlovSeeds {
		opt.Seed++
		if perform(dir, c, before, opt) == nil {
			return nil
		}
	}
	return err
}

// perform compares what operations return, the files, and the bitmaps and
// descriptors after the unmount.
func perform(dir string, c *workload.Case, before *image.Layout, opt Options) error {
	fs, err := Mount(before, opt)
	if err != nil {
		return err
	}
	// The recording names the process; only its number modulo 16 counts, and that
	// case.env gives where it matters.
	wantPID, want, err := readResults(filepath.Join(dir, "ext2/results.txt"))
	if err != nil {
		return err
	}
	rec := &recorder{FS: fs}
	pid := c.PIDMod
	if pid < 0 {
		pid = wantPID
	}
	p := play.Player{FS: rec, CPUs: 1, Task: filesystem.Task{PID: pid}}
	got, err := p.Run(c.Ops)
	if err != nil {
		return err
	}
	if i := firstDifference(got, want); i >= 0 {
		return fmt.Errorf("results differ: %s", show(got, want, i))
	}
	var files bytes.Buffer
	if err := play.WriteFiles(&files, fs); err != nil {
		return err
	}
	wantFiles, err := os.ReadFile(filepath.Join(dir, "ext2/files.txt"))
	if err != nil {
		return err
	}
	gotLines, wantLines := strings.Split(files.String(), "\n"), strings.Split(string(wantFiles), "\n")
	if i := firstDifference(gotLines, wantLines); i >= 0 {
		return fmt.Errorf("files.txt differs: %s", show(gotLines, wantLines, i))
	}
	rec.exit(&p.Task)
	if err := fs.Check(); err != nil {
		return err
	}
	return verifyAfter(fs, filepath.Join(dir, "ext2/after.dumpe2fs.gz"))
}

// verifyAfter compares what is on disk in the end.
func verifyAfter(fs *FS, name string) error {
	after, err := readLayout(name)
	if err != nil {
		return err
	}
	for g := range fs.geo.Groups {
		bits := make([]uint64, len(fs.alloc.BitmapOf(g)))
		after.BlockBitmap(g, bits)
		if i := firstDifference(fs.alloc.BitmapOf(g), bits); i >= 0 {
			return fmt.Errorf("block bitmap of group %d differs after the unmount: %s", g, show(fs.alloc.BitmapOf(g), bits, i))
		}
		x := fs.inodeBits(g)
		ino := make([]uint64, len(x.bits))
		after.InodeBitmap(g, ino)
		if i := firstDifference([]uint64(x.bits), ino); i >= 0 {
			return fmt.Errorf("inode bitmap of group %d differs after the unmount: %s", g, show([]uint64(x.bits), ino, i))
		}
		d := after.Desc(g)
		got := allocator.GroupDesc{FreeClusters: fs.alloc.FreeClustersOf(g), FreeInodes: x.free, UsedDirs: x.dirs}
		want := allocator.GroupDesc{FreeClusters: d.FreeClusters, FreeInodes: d.FreeInodes, UsedDirs: d.UsedDirs}
		if got != want {
			return fmt.Errorf("descriptor of group %d: got %+v, want %+v", g, got, want)
		}
	}
	return nil
}

func readLayout(name string) (*image.Layout, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return image.ReadDumpe2fs(f, name)
}

func readResults(name string) (int, []play.Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, nil, err
	}
	defer f.Close()
	return play.ReadResults(f, name)
}

// firstDifference is the first index at which two lists differ, -1 if none.
func firstDifference[T comparable](a, b []T) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

func show[T any](got, want []T, i int) string {
	at := func(list []T) string {
		if i >= len(list) {
			return "(the end)"
		}
		s := fmt.Sprint(list[i])
		return s[:min(len(s), 400)]
	}
	return fmt.Sprintf("item %d:\n got %s\nwant %s", i, at(got), at(want))
}

// TestRecordings performs the recordings in testdata, which are some of the
// oracle's and some made of other seeds.
func TestRecordings(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatal("no recordings in testdata:", err)
	}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".tar.gz"), func(t *testing.T) {
			t.Parallel()
			if err := verify(unpack(t, name)); err != nil {
				t.Error(err)
			}
		})
	}
}

// unpack unpacks a case into a fresh folder.
func unpack(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Clean("/"+h.Name))
		if h.Typeflag == tar.TypeDir {
			continue
		}
		text, err := io.ReadAll(r)
		if err == nil {
			if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
				err = os.WriteFile(to, text, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestOracle performs every ext2 recording of the oracle, where that is at hand.
// CASES names another folder of recordings.
func TestOracle(t *testing.T) {
	folder := "/work/shared/oracle/cases"
	if s := os.Getenv("CASES"); s != "" {
		folder = s
	}
	recordings, err := filepath.Glob(filepath.Join(folder, "*", "ext2", "files.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(recordings) == 0 {
		t.Skip("no recordings in", folder)
	}
	slices.Sort(recordings)
	for _, r := range recordings {
		dir := filepath.Dir(filepath.Dir(r))
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			if err := verify(dir); err != nil {
				t.Error(err)
			}
		})
	}
}
