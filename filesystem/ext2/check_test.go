package ext2

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/allocator/reservation"
	"mbsim/filesystem/image"
)

// damages are what is done to a mounted file system that has a directory d, a file
// f of 30,000 bytes that is open, another one g, and an open file without a name;
// and what Check says then.
var damages = map[string]struct {
	do   func(fs *FS, f *inode)
	want string
}{
	"count":      {func(_ *FS, f *inode) { f.blocks++ }, "its pointers lead to 31 blocks, 0 more are of attributes, it counts 32"},
	"two owners": {func(_ *FS, f *inode) { f.slots[3] = f.slots[2] }, ": two owners"},
	"of another": {func(fs *FS, f *inode) { f.slots[3] = at(fs, "g").slots[0] }, ": two owners"},
	"system":     {func(_ *FS, f *inode) { f.slots[3] = 10 }, "block 10 of group 0: a file's and the file system's own"},
	"free":       {func(fs *FS, f *inode) { f.slots[3] = uint32(fs.geo.Blocks) - 1 }, "block 65535 of group 7: in use and free on disk"},
	"leak":       {func(fs *FS, f *inode) { f.slots[3] = 0; f.blocks-- }, ": in use and nobody's"},
	"too far":    {func(fs *FS, f *inode) { f.slots[3] = uint32(fs.geo.Blocks) }, "block 65536: not on the device"},
	"child":      {func(_ *FS, f *inode) { f.kids[3] = f.kids[directSlots] }, "has an array below it"},
	"no child":   {func(_ *FS, f *inode) { f.kids[directSlots] = nil }, "not to the array that is kept for it"},
	"elsewhere":  {func(_ *FS, f *inode) { f.kids[directSlots].blk++ }, "not to the array that is kept for it"},
	"empty":      {func(_ *FS, f *inode) { clear(f.kids[directSlots].ptr) }, "is empty"},
	"size":       {func(_ *FS, f *inode) { f.size = 1024 }, "block 29 has a place, and 1024 bytes end with block 0"},
	"negative":   {func(_ *FS, f *inode) { f.size = -1 }, "a size of -1 bytes"},
	"bitmap":     {func(fs *FS, _ *inode) { fs.alloc.BitmapOf(1)[100] ^= 2 }, "group 1: its descriptor counts"},
	"moved":      {func(fs *FS, f *inode) { fs.inodes[0][300] = f; fs.inodes[0][f.number] = nil }, "kept in the place of inode 300"},
	"handles":    {func(fs *FS, _ *inode) { fs.open++ }, "2 handles, counted 3"},
	"window":     {func(fs *FS, f *inode) { f.opens--; fs.open-- }, "has a window at block"},
	"lost window": {func(fs *FS, _ *inode) {
		w := new(reservation.Window)
		fs.alloc.InitWindow(w)
		fs.alloc.NewBlocks(0, &reservation.Request{Goal: 9000, Len: 1, Window: w})
	}, "1 inodes have windows, the allocator has 2"},
	"inode bitmap": {func(fs *FS, f *inode) {
		fs.inodeBits(fs.groupOf(f)).bits.Clear(int(f.number-1) % int(fs.geo.InodesPerGroup))
	}, "is in use and free on disk"},
	"lost inode":  {func(fs *FS, _ *inode) { fs.inodeBits(0).bits.Set(999) }, "inode 1000 is in use and nobody's"},
	"directories": {func(fs *FS, _ *inode) { fs.inodeGroups[0].dirs++ }, "directories; at mount it was 2"},
	"free inodes": {func(fs *FS, _ *inode) { fs.inodeGroups[3].free-- }, "group 3: "},
	"full":        {func(fs *FS, f *inode) { fs.inodeBits(fs.groupOf(f)).full = 1500 }, "its first 1500 inodes are said to be in use"},
	"inode sum":   {func(fs *FS, _ *inode) { fs.freeInodes.Add(0, 1) }, "the counter has"},
	"dir sum":     {func(fs *FS, _ *inode) { fs.dirCount.Add(0, 1) }, "the counter has 4 directories, the descriptors 3"},
	"block sum":   {func(fs *FS, _ *inode) { fs.alloc.FreeClusters().Add(0, 1) }, "free clusters, the descriptors"},
	"links":       {func(_ *FS, f *inode) { f.links++ }, "1 links, counted 2"},
	"no name":     {func(fs *FS, _ *inode) { fs.root.dir.Remove("g") }, "0 links, counted 1"},
	"no inode":    {func(fs *FS, f *inode) { fs.inodes[0][f.number] = nil }, "which is free"},
	"no parent":   {func(fs *FS, _ *inode) { at(fs, "d").parent = at(fs, "d") }, "takes another for the directory above"},
	"second name": {func(fs *FS, _ *inode) { fs.addName(&task{}, fs.root, "e", at(fs, "d")) }, "is a second name of directory"},
	"circle":      {func(fs *FS, _ *inode) { d := at(fs, "d"); fs.root.dir.Remove("d"); fs.addName(&task{}, d, "d", d) }, "is not below the root"},
	"orphan":      {func(fs *FS, f *inode) { f.orphan = true }, "1 links, and an orphan: true"},
	"orphans":     {func(fs *FS, _ *inode) { fs.root.orphans++ }, "1 orphans were in it, counted 2"},
	"remembered":  {func(fs *FS, _ *inode) { fs.lastDirPath = "d"; fs.lastDir = fs.root }, "is remembered as directory 2"},
	"dir size":    {func(fs *FS, _ *inode) { at(fs, "d").size += 1024 }, "a directory of 1 blocks has 2048 bytes"},
	"spare":       {func(fs *FS, f *inode) { fs.spareInodes = append(fs.spareInodes, f) }, "waits to be used again, and is in use"},
	"spare leaf":  {func(fs *FS, f *inode) { fs.spareLeaves = append(fs.spareLeaves, f.kids[directSlots]) }, "an indirect block that waits to be used again points to block"},
}

func at(fs *FS, name string) *inode {
	p, _ := fs.find(name)
	return p.in
}

// TestCheckFinds damages a mounted file system in every way and expects Check to
// say so, in the words for that.
func TestCheckFinds(t *testing.T) {
	for name, c := range damages {
		fs := mount(t, 64<<20, "-b 1024", "oldalloc")
		script(t, fs, "mkdir d\ncreat g g\nwrite g 0 1000\nclose g\ncreat gone gone\nunlink gone\ncreat f f\nwrite f 0 30000\n")
		if err := fs.Check(); err != nil {
			t.Fatal(err)
		}
		c.do(fs, at(fs, "f"))
		if err := fs.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

// TestCheckLeavesNoTrace: what a check looks at is not loaded.
func TestCheckLeavesNoTrace(t *testing.T) {
	fs := mount(t, 256<<20, "-b 1024", "")
	script(t, fs, "creat f f\nwrite f 0 3000\n")
	touched := func() (n int) {
		for range fs.alloc.Touched() {
			n++
		}
		return n
	}
	groups, stats := touched(), fs.alloc.Stats()
	if err := fs.Check(); err != nil {
		t.Fatal(err)
	}
	if touched() != groups || fs.alloc.Stats() != stats {
		t.Errorf("%d groups are loaded, %d were; %+v, was %+v", touched(), groups, fs.alloc.Stats(), stats)
	}
}

// TestMountRefuses edits an image with debugfs, in ways that would end in a panic or
// in blocks without an owner: it is refused in one line that names the inode.
func TestMountRefuses(t *testing.T) {
	for _, tool := range []string{"mke2fs", "debugfs"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	for _, c := range []struct{ edit, want string }{
		{"sif d0/f1 links_count 3", "inode 14: 3 links by its count, 1 by the directories"},
		{"sif d0/f1 block[0] 9", "inode 14: block (logical 0) lies at block 9, which is the file system's own"},
		{"freeb 700 60\nset_bg 0 free_blocks_count 7492\nssv free_blocks_count 7492", "which the bitmap of group 0 calls free"},
		{"sif d0/f5 size 10", "inode 18: a file of 10 bytes maps logical block"},
		{"link d0 again", "names directory 12, which has another name"},
		{"link d0/f1 again", "inode 14: 1 links by its count, 2 by the directories"},
	} {
		disk := filledDisk(t, "-t ext2 -b 1024")
		cmd := exec.Command("debugfs", "-w", "-f", "-", disk)
		cmd.Stdin = strings.NewReader(c.edit)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		l, err := image.Open(disk)
		if err == nil {
			_, err = Mount(l, DefaultOptions(0))
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", c.edit, err, c.want)
		}
	}
}

// filledDisk makes an image with files of several sizes, and returns its path.
func filledDisk(t *testing.T, args string) string {
	t.Helper()
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.WriteFile(disk, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(disk, 8<<20); err != nil {
		t.Fatal(err)
	}
	host := filepath.Join(dir, "host")
	if err := os.WriteFile(host, bytes.Repeat([]byte{1}, 20_000), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(tool string, args ...string) {
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", tool, err, out)
		}
	}
	run("mke2fs", append(append([]string{"-q", "-F"}, strings.Fields(args)...), disk)...)
	cmds := filepath.Join(dir, "cmds")
	text := "mkdir d0\n"
	for _, name := range []string{"f0", "f1", "f2", "f3", "f4", "f5", "f6"} {
		text += "write " + host + " d0/" + name + "\n"
	}
	if err := os.WriteFile(cmds, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run("debugfs", "-w", "-f", cmds, disk)
	return disk
}
