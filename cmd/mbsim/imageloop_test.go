package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs a program, which must succeed, and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestImageOnLoop needs root and loop devices (make loop): the kernel that runs here mounts an image and
// finds every file's blocks where they say they are; a device full of something else becomes a sound file
// system; and a full disk ends in one line.
func TestImageOnLoop(t *testing.T) {
	if os.Getenv("MBSIM_LOOP") == "" {
		t.Skip("needs root and loop devices: make loop")
	}
	dir := t.TempDir()
	disk, mnt := filepath.Join(dir, "disk.img"), filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "image", "small-files", "-o", disk, "--content", "name", "--progress", "never")
	command(t, "mount", "-o", "loop,ro", disk, mnt)
	named := sameNames(t, mnt)
	command(t, "umount", mnt)
	if named < 1000 {
		t.Errorf("%d files", named)
	}
	// A device that holds something else.
	size, err := os.Stat(disk)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	garbage(t, other, size.Size())
	loop := command(t, "losetup", "-f", "--show", other)
	defer command(t, "losetup", "-d", loop)
	var out, errs bytes.Buffer
	args := []string{"image", "small-files", "-o", loop, "--content", "name", "--progress", "never"}
	if code := execute(args, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "is a block device") {
		t.Errorf("%d: %s", code, errs.String())
	}
	mbsim(t, append(args, "--force")...)
	command(t, "e2fsck", "-fn", loop)
	command(t, "mount", loop, mnt)
	if n := sameNames(t, mnt); n != named {
		t.Errorf("%d files on the device, %d in the image", n, named)
	}
	// It is in use now.
	errs.Reset()
	if code := execute(append(args, "--force"), &out, &errs); code == exitOK {
		t.Error("a mounted device was written to")
	}
	command(t, "umount", mnt)
	// A full disk.
	command(t, "mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", mnt)
	defer command(t, "umount", mnt)
	errs.Reset()
	full := filepath.Join(mnt, "disk.img")
	if code := execute([]string{"image", "small-files", "-o", full, "--content", "random", "--progress", "never"}, &out, &errs); code != exitInternal || errs.String() != fmt.Sprintf("mbsim: %s: no space left on device\n", full) {
		t.Errorf("%d: %q", code, errs.String())
	}
	if left, err := os.ReadDir(mnt); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// sameNames reads all files below a folder, whose blocks must say where they lie, and counts them.
func sameNames(t *testing.T, mnt string) (n int) {
	t.Helper()
	err := filepath.WalkDir(mnt, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		for at := 0; at+4096 <= len(text); at += 4096 {
			if want := fmt.Sprintf("offset %d %s\n", at, strings.TrimPrefix(path, mnt)); !bytes.Contains(text[at:at+4096], []byte(want)) {
				t.Errorf("%s at %d holds %.60q", path, at, text[at:])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// garbage makes a file of random bytes, in stretches, so that it is made fast.
func garbage(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := rand.New(rand.NewPCG(1, 1))
	piece := make([]byte, 1<<16)
	for i := range piece {
		piece[i] = byte(r.Uint32())
	}
	for at := int64(0); at < size; at += 16 * int64(len(piece)) {
		if _, err := f.WriteAt(piece, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
}
