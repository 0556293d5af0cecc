package mballoc_test

import (
	"fmt"
	"testing"

	"mbsim/allocator"
	"mbsim/allocator/mballoc"
	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
)

// TestFirstFitUnderExt4 mounts ext4 with the kernel of docs/ADD-A-POLICY.md and writes
// large files into directories that ext4 spreads over the groups. Each group that data
// lies in must be full before first-fit uses a later one; Linux 5.10 leaves room.
func TestFirstFitUnderExt4(t *testing.T) {
	if groups := dataGroups(t, mballoc.FirstFit); len(groups) != 1 {
		t.Errorf("first-fit put 24 MiB into groups %v, want one group", groups)
	}
	if groups := dataGroups(t, mballoc.Linux5_10); len(groups) < 2 {
		t.Errorf("Linux 5.10 put 24 MiB into groups %v, so the test shows nothing", groups)
	}
}

// dataGroups are the groups in which the first blocks of the files lie.
func dataGroups(t *testing.T, k mballoc.Kernel) map[allocator.GroupID]int {
	t.Helper()
	p, err := image.ParseMkfsArgs([]string{"-t", "ext4", "-b", "4096", "-O", "^flex_bg"}, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	l, err := image.Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	opt := ext4.DefaultOptions(l.Super.BlockSize())
	opt.Kernel.Allocator = k
	fs, err := ext4.Mount(l, opt)
	if err != nil {
		t.Fatal(err)
	}
	var task filesystem.Task
	for i := range 6 {
		dir := fmt.Sprintf("d%d", i)
		if err := fs.Mkdir(&task, dir); err != nil {
			t.Fatal(err)
		}
		f, err := fs.Create(&task, dir+"/file")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(&task, 0, 4<<20); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(&task); err != nil {
			t.Fatal(err)
		}
	}
	if err := fs.Sync(&task); err != nil {
		t.Fatal(err)
	}
	groups := make(map[allocator.GroupID]int)
	for f := range fs.Files() {
		if f.Size == 4<<20 {
			id, _ := fs.Geometry().GroupOf(f.Extents[0].Physical)
			groups[id]++
		}
	}
	return groups
}
