package ext2

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
	"mbsim/workload"
)

// failer is a test, rapid's too.
type failer interface {
	Helper()
	Fatal(...any)
}

// mount makes a file system of size bytes with mke2fs's arguments and mounts it.
func mount(t failer, size int64, mkfs, options string) *FS {
	t.Helper()
	p, err := image.ParseMkfsArgs(image.RecorderArgs("ext2", mkfs), size)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	opt := DefaultOptions(l.Super.BlockSize())
	if err := opt.Parse(options); err != nil {
		t.Fatal(err)
	}
	fs, err := Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// script performs operations in the oracle's language and returns what they
// returned.
func script(t testing.TB, fs filesystem.FileSystem, text string) (returned []int64) {
	t.Helper()
	return scriptAs(t, fs, nil, text)
}

// scriptAs is script by a process of a user.
func scriptAs(t testing.TB, fs filesystem.FileSystem, user *filesystem.User, text string) (returned []int64) {
	t.Helper()
	ops, err := workload.ParseScript(strings.NewReader(text), "script")
	if err != nil {
		t.Fatal(err)
	}
	p := play.Player{FS: fs, CPUs: 1, Task: filesystem.Task{User: user}}
	results, err := p.Run(ops)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		returned = append(returned, r.Ret)
	}
	return returned
}

// files is files.txt without its first line.
func files(t testing.TB, fs filesystem.FileSystem) string {
	t.Helper()
	var b bytes.Buffer
	if err := play.WriteFiles(&b, fs); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.String(), "\n")
	return rest
}

// TestRefused mounts what the driver would not.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		kind, mkfs string
		cpus       int
		want       string
	}{
		{"ext4", "-b 4096", 1, "ext2: the file system has features that the driver does not know: extent 64bit flex_bg metadata_csum_seed huge_file dir_nlink extra_isize metadata_csum orphan_present"},
		{"ext2", "-b 8192", 1, "ext2: blocks of 8192 bytes; a page has 4096"},
		{"ext2", "-b 4096", 0, "ext2: 0 CPUs"},
	} {
		p, err := image.ParseMkfsArgs(image.RecorderArgs(c.kind, c.mkfs), 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		l, err := image.Mkfs(p)
		if err != nil {
			t.Fatal(err)
		}
		opt := DefaultOptions(4096)
		opt.CPUs = c.cpus
		if _, err = Mount(l, opt); err == nil {
			t.Errorf("%s %s: mounted", c.kind, c.mkfs)
			continue
		}
		if got := err.Error(); got != c.want && !(strings.HasPrefix(c.want, "ext2: the file") && strings.HasPrefix(got, "ext2: the file system has features that the driver does not know: extent")) {
			t.Errorf("%s %s:\n got %s\nwant %s", c.kind, c.mkfs, got, c.want)
		}
	}
}

// TestMkfs performs the oracle's cases from the computed layout of mke2fs instead
// of the recorded one.
func TestMkfs(t *testing.T) {
	for _, name := range []string{"ext2-untar-1", "ext2-block-1k-1", "full-135"} {
		dir := unpack(t, filepath.Join("testdata", name+".tar.gz"))
		c, err := workload.ReadCase(dir)
		if err != nil {
			t.Fatal(err)
		}
		fs := mount(t, c.Size, c.MkfsExt2, c.MountExt2)
		p := play.Player{FS: fs, CPUs: 1, Task: filesystem.Task{PID: c.PIDMod}}
		if _, err := p.Run(c.Ops); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, "ext2/files.txt"))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := play.WriteFiles(&got, fs); err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: files.txt differs", name)
		}
	}
}

// TestErrors holds what operations return where a test against the driver would
// take hours or another process.
func TestErrors(t *testing.T) {
	fs := mount(t, 64<<20, "-b 1024", "oldalloc")
	got := script(t, fs, strings.TrimSpace(`
mkdir d
creat a d/a
close a
open b d/a
rmdir .
rename . x
rename d d/x
rename d/a lost+found
rename lost+found d/a
creat x d
unlink d
rmdir d/a
mkdir d/a/b
open x nothing
write b 17247252479 10
write b 17247252480 10
ftruncate b 17247252481
remount
close b
remount
`))
	want := []int64{0, 0, 0, 0, -16, -18, -22, -21, -20, -21, -21, -20, -20, -2, 1, -27, -27, -16, 0, 0}
	if i := firstDifference(got, want); i >= 0 {
		t.Errorf("operation %s", show(got, want, i))
	}
	if err := fs.Check(); err != nil {
		t.Error(err)
	}
	h, err := fs.Open(&task{}, "d/a", 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.Read(&task{}, 17247252470, 100); n != 10 || err != nil {
		t.Errorf("reading over the end: %d, %v", n, err)
	}
	h.Close(&task{})
	for what, err := range map[string]error{
		"close": h.Close(&task{}), "fsync": h.Fsync(&task{}), "truncate": h.Truncate(&task{}, 0), "fallocate": h.Fallocate(&task{}, 0, 0, 1),
	} {
		if err != filesystem.EBADF {
			t.Errorf("%s of a closed file: %v", what, err)
		}
	}
}

// TestFallocate: nothing is preallocated, and a bad request is told from one that
// is not supported.
func TestFallocate(t *testing.T) {
	fs := mount(t, 64<<20, "-b 4096", "")
	h, err := fs.Create(&task{}, "f")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode   uint32
		off, n int64
		want   error
	}{
		{0, 0, 4096, filesystem.EOPNOTSUPP}, {1, 0, 4096, filesystem.EOPNOTSUPP}, {3, 0, 4096, filesystem.EOPNOTSUPP}, {0x10, 0, 1, filesystem.EOPNOTSUPP},
		{0, 0, 0, filesystem.EINVAL}, {0, -1, 1, filesystem.EINVAL}, {2, 0, 1, filesystem.EOPNOTSUPP}, {0x13, 0, 1, filesystem.EOPNOTSUPP}, {0x80, 0, 1, filesystem.EOPNOTSUPP},
		{9, 0, 1, filesystem.EINVAL}, {0x21, 0, 1, filesystem.EINVAL}, {0x41, 0, 1, filesystem.EOPNOTSUPP}, {0x50, 0, 1, filesystem.EINVAL}, {0, 1 << 62, 1 << 62, filesystem.EFBIG},
	} {
		if err := h.Fallocate(&task{}, c.mode, c.off, c.n); err != c.want {
			t.Errorf("mode %#x, [%d, +%d): got %v, want %v", c.mode, c.off, c.n, err, c.want)
		}
	}
	if got := files(t, fs); strings.Contains(got, "@") {
		t.Error("blocks were allocated:\n", got)
	}
}

// TestStatfs: root's reserve is not available to others, and minixdf counts the
// file system's own blocks. (The recordings hold the rest.)
func TestStatfs(t *testing.T) {
	fs := mount(t, 64<<20, "-b 1024", "")
	s := fs.Statfs()
	if reserve := int64(fs.layout.Super.ReservedBlocks); s.Free-s.Avail != reserve || reserve != 65536/20 {
		t.Errorf("%d blocks free, %d available, %d reserved", s.Free, s.Avail, reserve)
	}
	minix := mount(t, 64<<20, "-b 1024", "minixdf").Statfs()
	if want := (filesystem.Statfs{BlockSize: 1024, Blocks: 65536, Free: s.Free, Avail: s.Avail, Inodes: 16384, FreeInodes: 16384 - 11}); minix != want {
		t.Errorf("minixdf: got %+v, want %+v", minix, want)
	}
	// Each file and directory takes an inode, until it is deleted.
	script(t, fs, "mkdir d\ncreat f d/f\nclose f\ncreat g g\nclose g\nunlink g\n")
	if free := fs.Statfs().FreeInodes; free != s.FreeInodes-2 {
		t.Errorf("%d inodes free of %d, with two more in use", free, s.FreeInodes)
	}
}

// TestUnprivileged: who may not take the reserve finds the device full before it
// is.
func TestUnprivileged(t *testing.T) {
	for _, c := range []struct {
		user   *filesystem.User
		mount  string
		denied bool
	}{
		{nil, "", false},
		{&filesystem.User{}, "resuid=7", false},
		{&filesystem.User{UID: 7, Groups: []uint32{0}}, "", true},
		{&filesystem.User{UID: 7, Groups: []uint32{8, 9}}, "resuid=8,resgid=7", true},
		{&filesystem.User{UID: 7}, "resuid=7", false},
		{&filesystem.User{UID: 7, Groups: []uint32{8, 9}}, "resgid=9", false},
	} {
		fs := mount(t, 8<<20, "-b 1024", c.mount)
		scriptAs(t, fs, c.user, "creat f f\nwrite f 0 16777216\n")
		left := int64(0)
		if c.denied {
			left = int64(fs.layout.Super.ReservedBlocks)
		}
		// A page takes four blocks, and the last may have needed an indirect block.
		if free := fs.Statfs().Free; free < left || free > left+4 {
			t.Errorf("%v with %q: %d blocks free at the end, want about %d", c.user, c.mount, free, left)
		}
		if err := fs.Check(); err != nil {
			t.Error(err)
		}
	}
}

// TestOrlov: a seed decides where top-level directories go, and nothing else does.
func TestOrlov(t *testing.T) {
	places := map[string]bool{}
	for seed := range uint64(8) {
		var first string
		for range 2 {
			l := mount(t, 256<<20, "-b 1024", "").layout
			fs, err := Mount(l, Options{CPUs: 4, Reservation: true, Window: 8, Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			script(t, fs, "mkdir a\nmkdir b\nmkdir a/c\nmkdir a/c/d\ncreat f a/c/d/f\nwrite f 0 30000\n")
			got := files(t, fs)
			if first == "" {
				first = got
				places[got] = true
			} else if got != first {
				t.Errorf("seed %d: two runs differ", seed)
			}
		}
	}
	if len(places) < 4 {
		t.Errorf("8 seeds led to %d layouts", len(places))
	}
}

// TestWindow: two files that grow in turns interleave without windows, and less
// the larger the windows are.
func TestWindow(t *testing.T) {
	var text strings.Builder
	text.WriteString("creat a a\ncreat b b\n")
	for i := range 200 {
		fmt.Fprintf(&text, "write a %d 1024\nwrite b %d 1024\n", i*1024, i*1024)
	}
	pieces := func(options string) int {
		fs := mount(t, 64<<20, "-b 1024", options)
		script(t, fs, text.String())
		if err := fs.Check(); err != nil {
			t.Error(err)
		}
		return strings.Count(files(t, fs), "@")
	}
	none, off, small, large := pieces("noreservation"), pieces("reservation_window=0"), pieces(""), pieces("reservation_window=256")
	if none != off || none < 100 || small >= none/4 || large >= small {
		t.Errorf("extents: noreservation %d, window 0 %d, 8 blocks %d, 256 blocks %d", none, off, small, large)
	}
}

// BenchmarkWrite appends pages to a file and truncates it now and then.
func BenchmarkWrite(b *testing.B) {
	fs := mount(b, 1<<30, "-b 4096", "oldalloc")
	t := &task{PID: 3}
	h, err := fs.Create(t, "f")
	if err != nil {
		b.Fatal(err)
	}
	const pages = 1 << 14
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%pages == 0 {
			if err := h.Truncate(t, 0); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := h.Write(t, int64(i%pages)*allocator.PageSize, allocator.PageSize); err != nil {
			b.Fatal(err)
		}
	}
}
