package scenarios

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"mbsim/filesystem/play"
)

// A scenario may begin on a recorded dumpe2fs text or on a real image, and
// perform a script. The files are those of filesystem/image's tests.
func TestStartingStates(t *testing.T) {
	const from = "../filesystem/image/testdata/"
	dir := t.TempDir()
	z, err := gzip.NewReader(bytes.NewReader(mustRead(t, from+"small-ext4.img.gz")))
	if err != nil {
		t.Fatal(err)
	}
	img, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"disk.img": img, "full.gz": mustRead(t, from+"full-1.dumpe2fs.gz"), "ops": []byte("mkdir d\ncreat x d/f\nwrite x 0 100000\nfsync x\nclose x\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text := []byte("device: {mkfs: {size: 64M}}\nworkload: {script: ops}\n")
	for _, set := range []string{"", "device.image=" + dir + "/disk.img", "device.dumpe2fs=" + dir + "/full.gz"} {
		var sets []string
		if set != "" {
			sets = []string{set}
		}
		s, err := Parse(text, filepath.Join(dir, "s.yaml"), Options{Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		fs := mount(t, s)
		before := fs.Statfs().Free
		p := play.Player{FS: fs}
		results, err := p.Run(s.Workload.Script.Ops)
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 5 || results[2].Ret != 100000 || fs.Statfs().Free >= before {
			t.Errorf("%s: %v, %d blocks free, %d before", set, results, fs.Statfs().Free, before)
		}
	}
}

// What is no file system is an error of Layout, not a panic.
func TestBadStartingStates(t *testing.T) {
	for _, kind := range []string{"image", "dumpe2fs"} {
		s, err := parseTest0("device: {" + kind + ": testdata/base.yaml}\nworkload: {script: \"sync\\n\"}\n")
		if err != nil {
			t.Fatal(err)
		}
		if l, err := s.Layout(); err == nil {
			t.Errorf("%s: %+v", kind, l.Super)
		}
	}
}
