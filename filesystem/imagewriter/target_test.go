package imagewriter

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mbsim/filesystem/image"
)

// fullDisk takes so many bytes, and then has no space left.
type fullDisk struct {
	*os.File
	left int
}

func (f *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	return f.File.WriteAt(b, at)
}

// fresh is a new file system.
func fresh(t *testing.T, args ...string) *image.Layout {
	t.Helper()
	p, err := image.ParseMkfsArgs(append([]string{"-t", "ext4"}, args...), 16<<20)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// However early a disk is full, the error is the disk's, and nothing there is taken for a file system.
func TestFullDisk(t *testing.T) {
	l := fresh(t)
	for room := 0; ; room += 9000 {
		f, err := os.Create(filepath.Join(t.TempDir(), "disk"))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(Size(l)); err != nil {
			t.Fatal(err)
		}
		err = Write(&fullDisk{f, room}, l, Options{})
		f.Close()
		if err == nil {
			if room < 50000 {
				t.Errorf("%d bytes were enough", room)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		if _, err := image.Open(f.Name()); err == nil {
			t.Errorf("room for %d bytes: half a file system is one", room)
		}
	}
}

// What the writer does not know it refuses.
func TestRefused(t *testing.T) {
	if err := Write(nil, fresh(t, "-O", "mmp"), Options{}); err == nil || !strings.Contains(err.Error(), "mmp") {
		t.Error(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		path  string
		force bool
		want  string
	}{
		{name, false, "exists: --force replaces it"}, {name, true, ""}, {dir, true, "neither a file nor a block device"},
		{filepath.Join(dir, "new"), false, ""}, {filepath.Join(dir, "no", "new"), false, "no such file"},
	} {
		err := CheckTarget(x.path, x.force)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s, force %t: %v, want %q", x.path, x.force, err, x.want)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Link(name, link); err != nil {
		t.Fatal(err)
	}
	if err := CheckTarget(link, true, name); err == nil || !strings.Contains(err.Error(), "never written to") {
		t.Error(err)
	}
}
