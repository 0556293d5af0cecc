package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
)

// soundImage opens an image, which must be one, and closes it.
func soundImage(t *testing.T, name string) {
	t.Helper()
	l, err := image.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("e2fsck"); err == nil {
		if out, err := exec.Command(path, "-fn", name).CombinedOutput(); err != nil {
			t.Errorf("e2fsck: %v\n%s", err, out)
		}
	}
}

// TestImageKilled kills mbsim while it writes an image, and again: there is never half an image, and the
// next one that is written removes what killed ones have left.
func TestImageKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes images of a hundred megabytes")
	}
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk.img")
	args := []string{"image", "../../replay/testdata/streams-1", "-o", disk, "--content", "random", "--force"}
	for range 5 {
		c := exec.Command(os.Args[0], args...)
		c.Env = append(os.Environ(), mainEnv+"=1")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = c.Wait() // it is killed
			close(ended)
		}()
		// As soon as something of the image is there, or when it has ended before that was seen.
		for begun := false; !begun; {
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			begun = slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.Contains(e.Name(), ".tmp-") })
			select {
			case <-ended:
				begun = true
			default:
			}
		}
		_ = c.Process.Kill()
		<-ended
		if _, err := os.Stat(disk); err == nil {
			soundImage(t, disk) // it was faster
		}
	}
	var out, errs bytes.Buffer
	if code := execute(args, &out, &errs); code != exitOK {
		t.Fatalf("%d: %s", code, errs.String())
	}
	soundImage(t, disk)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v is left, %v", entries, err)
	}
}

// TestImageOfRun: the image of a run's end, of a moment in it, and of the scenario itself; and a run that
// begins with an image leaves that as it is.
func TestImageOfRun(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	scenario := "device: {mkfs: {size: 64M}}\nprofile: \"6.12\"\nworkload: {phases: [{name: p, until: {operations: 300}, classes: [{name: c, mix: {create: 3, delete: 1}, think: {exponential: 20ms}, file_size: {loguniform: {min: 1, max: 300K}}}]}]}\n"
	if err := os.WriteFile(in("s.yaml"), []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "run", in("s.yaml"), "-o", in("run"), "--no-plots")
	mbsim(t, "image", in("run"), "-o", in("end.img"), "--content", "name")
	mbsim(t, "image", in("run"), "-o", in("middle.img"), "--at", "2s")
	mbsim(t, "image", in("s.yaml"), "-o", in("again.img"), "--content", "name")
	for _, name := range []string{"end.img", "middle.img", "again.img"} {
		soundImage(t, in(name))
	}
	a, err := os.ReadFile(in("end.img"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(in("again.img"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the image of a run is not that of its scenario")
	}
	// A file's blocks say whose they are.
	l, err := image.Open(in("end.img"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	named := 0
	for f, err := range l.Inodes() {
		if err != nil {
			t.Fatal(err)
		}
		if !filesystem.IsRegular(f.Mode) || f.Number < l.Super.FirstInode || len(f.Extents) == 0 {
			continue
		}
		named++
		at := int64(f.Extents[0].Physical) << l.Super.BlockBits
		if want := "inode " + itoa(f.Number) + " offset 0 /"; f.Size > 100 && !bytes.HasPrefix(a[at:], []byte(want)) {
			t.Errorf("inode %d begins with %.40q, want %q", f.Number, a[at:at+40], want)
		}
	}
	if named < 50 {
		t.Errorf("%d files", named)
	}
	// From here on it goes on.
	more := "device: {image: end.img}\nprofile: \"6.12\"\nworkload: {script: |\n    creat x new\n    write x 0 100000\n    close x\n    mkdir d\n  }\n"
	more = strings.Replace(more, "{script: |\n    creat", "\n  script: |\n    creat", 1)
	more = strings.Replace(more, "\n  }\n", "\n", 1)
	if err := os.WriteFile(in("more.yaml"), []byte(more), 0o644); err != nil {
		t.Fatal(err)
	}
	mbsim(t, "image", in("more.yaml"), "-o", in("more.img"))
	soundImage(t, in("more.img"))
	if now, _ := os.ReadFile(in("end.img")); !bytes.Equal(now, a) {
		t.Error("the starting image has changed")
	}
	var out, errs bytes.Buffer
	if code := execute([]string{"image", in("more.yaml"), "-o", in("end.img"), "--force"}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "is the starting state, which is never written to") {
		t.Errorf("%d: %s", code, errs.String())
	}
}

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
