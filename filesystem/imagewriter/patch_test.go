package imagewriter_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagetest"
	"mbsim/filesystem/imagewriter"
	"mbsim/kernels"
)

// tool runs a program of e2fsprogs, or skips the test without it.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s of e2fsprogs is not installed", name)
	}
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "E2FSPROGS_FAKE_TIME=1000000000", "LC_ALL=C")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// owned is an image that mke2fs has filled with files of a user's: with owners, times, links, symbolic
// links and holes.
func owned(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	write := func(name string, text []byte) {
		name = filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 300 {
		write(fmt.Sprintf("many/a file with number %d", i), bytes.Repeat([]byte{byte(i)}, i*7))
	}
	write("large", bytes.Repeat([]byte("precious "), 100000))
	write("small", []byte("x"))
	for name, target := range map[string]string{"short": "large", "long": strings.Repeat("very/", 30)} {
		if err := os.Symlink(target, filepath.Join(tree, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(tree, "small"), filepath.Join(tree, "many", "hard")); err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(dir, "disk")
	tool(t, "mke2fs", append(append([]string{"-q", "-F", "-d", tree}, args...), disk, "96M")...)
	return disk
}

func digest(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// patched is the image of what a run leaves that began with an image.
func patched(t *testing.T, disk, kernel string, work func(filesystem.FileSystem), o imagewriter.Options) string {
	t.Helper()
	l, err := image.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sys, err := kernels.Find(kernel)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sys.Mount(l, kernels.Options{CPUs: 2})
	if err != nil {
		t.Fatal(err)
	}
	work(m)
	if err := m.Remount(&filesystem.Task{}); err != nil {
		t.Fatal(err)
	}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "patched")
	if err := imagewriter.WriteFile(name, m.OnDisk(), o); err != nil {
		t.Fatal(err)
	}
	fsck(t, name)
	back, err := image.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	sameMaps(t, m.OnDisk(), back)
	return name
}

// sameMaps compares where the files of two layouts lie.
func sameMaps(t *testing.T, want, got *image.Layout) {
	t.Helper()
	for x, err := range want.Inodes() {
		if err != nil {
			t.Fatal(err)
		}
		y, err := got.Inode(x.Number)
		if err != nil {
			t.Error(err)
			continue
		}
		sameInode(t, want, got, &x, &y)
	}
}

// Of an image in which a run has done nothing, nothing changes but its superblock; and what the run did not
// touch keeps its owner, times and data.
func TestPatch(t *testing.T) {
	for _, v := range []struct{ kernel, args string }{
		{"6.12", "-t ext4"}, {"5.10", "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg"}, {"6.12", "-t ext4 -O orphan_file -I 512"},
		{"6.12", "-t ext4 -O bigalloc -C 16384"}, {"5.10", "-t ext3 -b 1024"}, {"ext2", "-t ext2 -b 1024"}, {"6.12", "-t ext4 -O metadata_csum_seed,meta_bg,^resize_inode"},
	} {
		t.Run(v.args, func(t *testing.T) {
			disk := owned(t, strings.Fields(v.args)...)
			before := digest(t, disk)
			same := patched(t, disk, v.kernel, func(filesystem.FileSystem) {}, imagewriter.Options{})
			a, _ := os.ReadFile(disk)
			b, _ := os.ReadFile(same)
			if len(a) < 4096 || !bytes.Equal(a[:1024], b[:1024]) || !bytes.Equal(a[2048:], b[2048:]) {
				for at := 2048; at < len(a); at += 16 {
					if !bytes.Equal(a[at:at+16], b[at:at+16]) {
						t.Fatalf("a run that did nothing has changed byte %#x: % x, % x", at, a[at:at+16], b[at:at+16])
					}
				}
				t.Error("a run that did nothing has changed the superblock's block")
			}
			stat := func(name, file string) string { return tool(t, "debugfs", "-R", "stat "+file, name) }
			cat := func(name, file string) string { return tool(t, "debugfs", "-R", "cat "+file, name) }
			patched(t, disk, v.kernel, func(fs filesystem.FileSystem) {
				if err := imagetest.Work(fs, 1, func() error { return nil }); err != nil {
					t.Fatal(err)
				}
			}, imagewriter.Options{Content: imagewriter.Name, Epoch: 1e9})
			// A run that makes one file and removes two names leaves all others alone.
			more := patched(t, disk, v.kernel, func(fs filesystem.FileSystem) {
				task := &filesystem.Task{}
				h, err := fs.Create(task, "new")
				if err != nil {
					t.Fatal(err)
				}
				if n, err := h.Write(task, 0, 50000); n != 50000 {
					t.Fatal(n, err)
				}
				if err := h.Close(task); err != nil {
					t.Fatal(err)
				}
				if err := fs.Unlink(task, "small"); err != nil {
					t.Fatal(err)
				}
				if err := fs.Unlink(task, "many/a file with number 7"); err != nil {
					t.Fatal(err)
				}
			}, imagewriter.Options{Content: imagewriter.Name, Epoch: 1e9})
			for _, file := range []string{"/large", "/short", "/long", "/many/a\\ file\\ with\\ number\\ 250"} {
				file = strings.ReplaceAll(file, "\\ ", " ")
				q := `"` + file + `"`
				if x, y := stat(disk, q), stat(more, q); x != y {
					t.Errorf("%s was\n%s\nand is\n%s", file, x, y)
				}
			}
			if x, y := cat(disk, "/large"), cat(more, "/large"); x != y || len(x) < 900000 {
				t.Errorf("other data: %d bytes, %d", len(x), len(y))
			}
			if x := cat(more, "/new"); !strings.Contains(x, "offset 49152 /new\n") {
				t.Errorf("the new file holds %.200q", x)
			}
			if x := tool(t, "debugfs", "-R", "stat /many/hard", more); !strings.Contains(x, "Links: 1") {
				t.Errorf("a file that lost one of two names:\n%s", x)
			}
			if digest(t, disk) != before {
				t.Error("the image itself has changed")
			}
		})
	}
}

// TestPatchSeeds does random work on the stored images, and checks what is written of it.
func TestPatchSeeds(t *testing.T) {
	seeds, err := imagetest.Seeds("")
	if err != nil || len(seeds) == 0 {
		t.Fatal(err, len(seeds))
	}
	for _, s := range seeds {
		kernel := "6.12"
		if strings.HasPrefix(s.Name, "ext2") {
			kernel = "ext2"
		}
		disk := filepath.Join(t.TempDir(), s.Name)
		if err := os.WriteFile(disk, s.Image, 0o644); err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s-%d", s.Name, seed), func(t *testing.T) {
				patched(t, disk, kernel, func(fs filesystem.FileSystem) {
					if seed == 0 {
						return
					}
					if err := imagetest.Work(fs, seed, func() error { return nil }); err != nil {
						t.Fatal(err)
					}
				}, imagewriter.Options{Content: imagewriter.Random, Epoch: 1e9})
			})
		}
	}
}
