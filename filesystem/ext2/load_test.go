package ext2

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem/image"
)

// TestOpenImage mounts an image that debugfs filled: every block that is in use
// belongs to a file or to the file system itself.
func TestOpenImage(t *testing.T) {
	for _, tool := range []string{"mke2fs", "debugfs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for _, args := range []string{"-t ext2 -b 1024", "-t ext2 -b 4096", "-t ext3 -b 2048 -J size=4"} {
		l := filledImage(t, args)
		fs, err := Mount(l, DefaultOptions(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := fs.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		own := int64(0)
		for b := fs.geo.FirstDataBlock; b < fs.geo.Blocks; b++ {
			if l.SystemZone(b, 1) {
				own++
			}
		}
		used := int64(0)
		for f := range fs.Files() {
			used += f.Sectors >> (fs.geo.BlockBits - 9)
		}
		const resize = 1 // the resize inode's indirect block, which is neither
		if all := int64(fs.geo.Blocks-fs.geo.FirstDataBlock) - fs.Statfs().Free; used+own+resize != all {
			t.Errorf("%s: %d blocks in use, %d are files', %d the file system's", args, all, used, own)
		}
		before := fs.Statfs().Free
		script(t, fs, "creat x d1/sparse\nclose x\nunlink d0/f1\nopen y d2/f20\nftruncate y 1000000\nwrite y 0 2000000\nftruncate y 0\nunlink d2/f20\nclose y\n")
		if err := fs.Check(); err != nil {
			t.Errorf("%s: %v", args, err)
		}
		if free := fs.Statfs().Free; free <= before {
			t.Errorf("%s: %d blocks free after files were removed, %d before", args, free, before)
		}
	}
}

// filledImage makes an image with files of several shapes.
func filledImage(t *testing.T, args string) *image.Layout {
	t.Helper()
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.WriteFile(disk, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, 64<<20); err != nil {
		t.Fatal(err)
	}
	run := func(tool string, args ...string) {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", tool, err, out)
		}
	}
	run("mke2fs", append(append([]string{"-q", "-F"}, strings.Fields(args)...), disk)...)
	var text strings.Builder
	for i := range 30 {
		if i%10 == 0 {
			fmt.Fprintf(&text, "mkdir d%d\n", i/10)
		}
		host := filepath.Join(dir, fmt.Sprint("f", i))
		if err := os.WriteFile(host, bytes.Repeat([]byte{1}, 1+i*i*900), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "write %s d%d/f%d\n", host, i/10, i)
	}
	sparse := filepath.Join(dir, "sparse")
	f, err := os.Create(sparse)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		f.WriteAt([]byte("x"), int64(i*300_000))
	}
	f.Close()
	fmt.Fprintf(&text, "write %s d1/sparse\n", sparse)
	cmds := filepath.Join(dir, "cmds")
	if err := os.WriteFile(cmds, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	run("debugfs", "-w", "-f", cmds, disk)
	l, err := image.Open(disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A block lies in a page, so the driver mounts none that is larger.
func TestBlockSizes(t *testing.T) {
	for bits := 10; bits <= 16; bits++ {
		p, err := image.ParseMkfsArgs([]string{"-t", "ext2", "-b", fmt.Sprint(1 << bits)}, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		l, err := image.Mkfs(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Mount(l, DefaultOptions(l.Super.BlockSize()))
		want := fmt.Sprintf("ext2: blocks of %d bytes; a page has 4096", 1<<bits)
		if bits <= 12 && err != nil || bits > 12 && (err == nil || err.Error() != want) {
			t.Errorf("blocks of %d bytes: %v", 1<<bits, err)
		}
	}
}
