package ext4

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// writeAt writes n bytes at off, and returns the outcome as text.
func writeAt(t *testing.T, h filesystem.Handle, off, n int64) (int64, error) {
	t.Helper()
	done, err := h.Write(&task{}, off, n)
	var e errno
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return done, err
}

// layoutOf is the line of files.txt for a file, without its name.
func layoutOf(t *testing.T, fs *FS, path string) string {
	t.Helper()
	for f := range fs.Files() {
		if f.Path == path {
			s := fmt.Sprintf("size=%d sectors=%d", f.Size, f.Sectors)
			for _, x := range f.Extents {
				s += fmt.Sprintf(" %d+%d@%d:%x", x.Logical, x.Len, x.Physical, uint32(x.Flags))
			}
			return s
		}
	}
	return "no such file"
}

// TestInlineLeak cuts a file whose data is on its way out of its inode: the delayed
// block behind the end stays reserved, as recorded, until the file is written or
// mounted again.
func TestInlineLeak(t *testing.T) {
	fs := mountSmall(t, "-b 4096 -O inline_data", DefaultOptions(4096))
	h, err := fs.Create(&task{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	see := func(want string) {
		t.Helper()
		if got := layoutOf(t, fs, "a"); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
		if err := fs.Check(); err != nil {
			t.Error(err)
		}
	}
	writeAt(t, h, 0, 10)
	see("size=10 sectors=1 0+0@")
	writeAt(t, h, 10, 9000)
	see("size=9010 sectors=42 0+0@") // in the inode, and three blocks delayed
	if err := h.Truncate(&task{}, 50); err != nil {
		t.Fatal(err)
	}
	see("size=50 sectors=25 0+0@")
	if err := errors.Join(h.Fsync(&task{}), h.Close(&task{})); err != nil {
		t.Fatal(err)
	}
	see("size=50 sectors=24 0+1@")
	if n := fs.inodes.at(12).reserved; n != 2 {
		t.Errorf("%d clusters reserved, want 2", n)
	}
	if err := fs.Remount(&task{}); err != nil {
		t.Fatal(err)
	}
	see("size=50 sectors=8 0+1@")
}

// TestInlineERANGE writes to a file whose data is on its way out of its inode, when
// too little space is left to delay more: as recorded, that fails with ERANGE.
func TestInlineERANGE(t *testing.T) {
	fs := mountSmall(t, "-b 4096 -m 0 -O inline_data,^has_journal", DefaultOptions(4096))
	a, err := fs.Create(&task{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	writeAt(t, a, 0, 10)
	writeAt(t, a, 10, 500)
	b, err := fs.Create(&task{}, "b")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Fallocate(&task{}, 0, 0, (fs.Statfs().Free-100)*4096); err != nil {
		t.Fatal(err)
	}
	if _, err := writeAt(t, a, 4096, 100); !errors.Is(err, filesystem.ERANGE) {
		t.Errorf("%v, want ERANGE", err)
	}
	if n, err := writeAt(t, a, 600, 20); n != 20 || err != nil {
		t.Errorf("%d, %v: the page is there", n, err)
	}
	if err := errors.Join(fs.Sync(&task{}), fs.Check()); err != nil {
		t.Error(err)
	}
	if n, err := writeAt(t, a, 4096, 100); n != 100 || err != nil {
		t.Errorf("%d, %v: the data has left the inode", n, err)
	}
}

// TestInlineImage mounts what debugfs made: files and directories in inodes.
func TestInlineImage(t *testing.T) {
	path := inlineImage(t)
	l, err := image.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fs, err := Mount(l, DefaultOptions(4096))
	if err != nil {
		t.Fatal(err)
	}
	if err := fs.Check(); err != nil {
		t.Error(err)
	}
	for _, want := range []struct {
		path, layout string
		inline       int32
	}{
		{"d/small", "size=20 sectors=1 0+0@", 60}, {"d/more", "size=100 sectors=1 0+0@", 100}, {"d/large", "size=3000 sectors=8 0+1@", 0}, {"d", "size=60 sectors=0 0+0@", 60},
	} {
		in, e := fs.lookupPath(want.path)
		if e != 0 {
			t.Fatal(want.path, e)
		}
		if got := layoutOf(t, fs, want.path); !strings.HasPrefix(got, want.layout) || in.inline != want.inline {
			t.Errorf("%s: %s, %d bytes in the inode; want %s, %d", want.path, got, in.inline, want.layout, want.inline)
		}
	}
	for i := range 12 {
		createNumbered(t, fs, fmt.Sprint("d/another-", i))
	}
	if got := layoutOf(t, fs, "d"); !strings.HasPrefix(got, "size=4096 sectors=8 0+1@") {
		t.Errorf("with more names d is %s", got)
	}
	if err := fs.Check(); err != nil {
		t.Error(err)
	}
}

// inlineImage makes an image with files in a directory.
func inlineImage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path, script := filepath.Join(dir, "disk"), "mkdir d\n"
	for _, f := range []struct {
		name string
		size int
	}{{"small", 20}, {"more", 100}, {"large", 3000}} {
		host := filepath.Join(dir, f.name)
		if err := os.WriteFile(host, []byte(strings.Repeat("x", f.size)), 0o600); err != nil {
			t.Fatal(err)
		}
		script += fmt.Sprintf("write %s d/%s\n", host, f.name)
	}
	commands := filepath.Join(dir, "commands")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 16<<20), os.WriteFile(commands, []byte(script), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", "inline_data", path}, {"debugfs", "-w", "-f", commands, path}} {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Skip(err)
		}
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c[0], err, out)
		}
	}
	return path
}
