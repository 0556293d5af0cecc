package ext4

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mbsim/filesystem/image"
	"mbsim/filesystem/play"
)

// imageOf makes an image of a folder by mke2fs, or skips the test without it.
func imageOf(t *testing.T, dir string, size int64, args ...string) *image.Layout {
	t.Helper()
	mke2fs, err := exec.LookPath("mke2fs")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skip(err)
	}
	c := exec.Command(mke2fs, append(append([]string{"-q", "-F", "-t", "ext4", "-d", dir}, args...), path)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestImages mounts images that mke2fs filled: a file of 400 extents, whose tree has
// two levels, one with blocks under all kinds of arrays, directories of several
// blocks. All is recounted as it is, after changes, and once everything is removed.
func TestImages(t *testing.T) {
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for i := range block {
		block[i] = 1
	}
	for i := range int64(400) {
		if _, err := f.WriteAt(block, i*3*4096); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.WriteAt(block, 300<<20); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.MkdirAll(filepath.Join(dir, "many", "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := os.WriteFile(filepath.Join(dir, "many", fmt.Sprintf("a-file-with-a-name-of-some-length-%d", i)), block[:i*20], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"-b", "1024"}, {"-b", "4096"}, {"-b", "1024", "-O", "^extent,^64bit"}, {"-b", "4096", "-O", "^extent,^64bit"},
		{"-b", "4096", "-O", "bigalloc", "-C", "16384"}, {"-b", "2048", "-O", "^dir_index,^has_journal"}, {"-b", "2048", "-O", "^extent,^64bit"},
		{"-b", "8192"}, {"-b", "8192", "-O", "^extent,^64bit,^huge_file"}, {"-b", "16384"}, {"-b", "16384", "-O", "^extent,^64bit,^huge_file"},
		{"-b", "32768"}, {"-b", "32768", "-O", "^extent,^64bit,^huge_file"}, {"-b", "65536"}, {"-b", "65536", "-O", "^extent,^64bit,^huge_file"},
	} {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			l := imageOf(t, dir, 64<<20, args...)
			opt := DefaultOptions(l.Super.BlockSize())
			fs, err := Mount(l, opt)
			if err != nil {
				t.Fatal(err)
			}
			change(t, fs)
		})
	}
}

// change works on what the image holds, and removes it.
func change(t *testing.T, fs *FS) {
	t.Helper()
	p := &play.Player{FS: fs, CPUs: 1}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := fs.Check(); err != nil {
			t.Fatalf("after %s: %v", what, err)
		}
	}
	check("mounting", nil)
	h, err := fs.Open(&p.Task, "sparse", 0)
	check("opening", err)
	_, err = h.Write(&p.Task, 100<<10, 100<<10)
	check("writing", err)
	check("fsync", h.Fsync(&p.Task))
	check("a hole", h.Fallocate(&p.Task, falPunchHole|falKeepSize, 500<<10, 1<<20))
	check("truncating", h.Truncate(&p.Task, 2<<20))
	check("closing", h.Close(&p.Task))
	check("rename", fs.Rename(&p.Task, "many/a-file-with-a-name-of-some-length-7", "many/below/x"))
	for i := 10; i < 200; i += 3 {
		check("unlink", fs.Unlink(&p.Task, fmt.Sprintf("many/a-file-with-a-name-of-some-length-%d", i)))
	}
	check("remount", fs.Remount(&p.Task))
	if err := removeAll(fs, p); err != nil {
		t.Fatal(err)
	}
}
