package imagewriter_test

import (
	"path/filepath"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagewriter"
	"mbsim/kernels"
)

// TestHeld: files and directories without a name that are still open are not in an image, and what they
// hold is free there; data that has no place yet is missing, and the simulator goes on as if nobody had looked.
func TestHeld(t *testing.T) {
	for _, kernel := range []string{"6.12", "ext2"} {
		sys, err := kernels.Find(kernel)
		if err != nil {
			t.Fatal(err)
		}
		p, err := image.ParseMkfsArgs([]string{"-t", sys.FileSystem, "-b", "1024"}, 32<<20)
		if err != nil {
			t.Fatal(err)
		}
		l, err := image.Mkfs(p)
		if err != nil {
			t.Fatal(err)
		}
		m, err := sys.Mount(l, kernels.Options{CPUs: 1})
		if err != nil {
			t.Fatal(err)
		}
		task := &filesystem.Task{}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(m.Mkdir(task, "d"))
		h, err := m.Create(task, "d/held")
		must(err)
		_, err = h.Write(task, 0, 500000)
		must(err)
		must(h.Fsync(task))
		must(m.Unlink(task, "d/held"))
		must(m.Rmdir(task, "d"))
		late, err := m.Create(task, "late")
		must(err)
		_, err = late.Write(task, 0, 5000)
		must(err)
		free := m.Statfs()
		name := filepath.Join(t.TempDir(), "disk")
		must(imagewriter.WriteFile(name, m.OnDisk(), imagewriter.Options{}))
		fsck(t, name)
		back, err := image.Open(name)
		must(err)
		// lost+found and late are left; late's data has no place where allocation is delayed.
		files := 0
		for in, err := range back.Inodes() {
			must(err)
			if in.Number >= back.Super.FirstInode {
				files++
				if kernel == "6.12" && filesystem.IsRegular(in.Mode) && in.Number != back.Super.OrphanInode && (in.Size != 0 || len(in.Extents) > 0) {
					t.Errorf("%s: inode %d has %d bytes, whose blocks are promised only", kernel, in.Number, in.Size)
				}
			}
		}
		if files != 2 {
			t.Errorf("%s: %d files", kernel, files)
		}
		if want := l.Super.FreeInodes - 1; back.Super.FreeInodes != want {
			t.Errorf("%s: %d inodes are free, want %d", kernel, back.Super.FreeInodes, want)
		}
		if now := m.Statfs(); now != free {
			t.Errorf("%s: looking has changed %+v to %+v", kernel, free, now)
		}
		must(back.Close())
		must(h.Close(task))
		must(late.Close(task))
		must(m.Sync(task))
		must(m.Check())
	}
}
