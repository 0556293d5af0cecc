package image

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mbsim/allocator"
)

// fill makes directories and files of several shapes in an image with debugfs.
func fill(t *testing.T, path string) {
	t.Helper()
	dir := t.TempDir()
	var script strings.Builder
	for i := range 40 {
		if i%8 == 0 {
			fmt.Fprintf(&script, "mkdir d%d\n", i/8)
		}
		host := filepath.Join(dir, fmt.Sprint("f", i))
		if err := os.WriteFile(host, bytes.Repeat([]byte{1}, 1+i*i*700), 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "write %s d%d/f%d\n", host, i/8, i)
	}
	sparse := filepath.Join(dir, "sparse")
	f, err := os.Create(sparse)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 { // holes: many extents
		f.WriteAt([]byte("x"), int64(i*100_000))
	}
	f.Close()
	fmt.Fprintf(&script, "write %s d1/sparse\n", sparse)
	for i := range 40 {
		if i%3 == 0 {
			fmt.Fprintf(&script, "rm d%d/f%d\n", i/8, i)
		}
	}
	script.WriteString("symlink d0/short target\nsymlink d0/long " + strings.Repeat("long/", 30) + "\n")
	cmds := filepath.Join(dir, "cmds")
	if err := os.WriteFile(cmds, []byte(script.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := e2fsprogs(t, "debugfs", "-w", "-f", cmds, path); err != nil {
		t.Fatal(err)
	}
}

// TestOpenFilled reads images that debugfs filled: the bitmaps are those that
// dumpe2fs prints, and every file has the blocks debugfs names.
func TestOpenFilled(t *testing.T) {
	for _, args := range []string{
		"-t ext4", "-t ext4 -b 1024", "-t ext4 -O bigalloc -C 16384 -b 4096", "-t ext2 -b 1024", "-t ext3 -b 4096",
		"-t ext4 -b 4096 -g 512", "-t ext4 -O ^metadata_csum,uninit_bg", "-t ext4 -O ^flex_bg -b 2048",
		"-t ext4 -b 8192", "-t ext4 -b 16384", "-t ext4 -b 32768", "-t ext4 -b 65536",
		"-t ext3 -b 8192", "-t ext3 -b 16384", "-t ext3 -b 32768", "-t ext2 -b 65536",
		"-t ext4 -O inline_data", "-t ext4 -O inline_data,^metadata_csum -I 512 -b 1024",
	} {
		path, err := makeImage(t, 64<<20, strings.Fields(args)...)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, path)
		text, err := e2fsprogs(t, "dumpe2fs", path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ReadDumpe2fs(strings.NewReader(text), "dumpe2fs")
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		got, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if d := diff(got, want); d != "" {
			t.Errorf("%s: %s", args, d)
		}
		if len(got.Notes) > 0 {
			t.Errorf("%s: %q", args, got.Notes)
		}
		checkTree(t, args, path, got)
		got.Close()
	}
}

// askDebugfs asks debugfs for the blocks and the stat of every inode.
func askDebugfs(t *testing.T, path string, l *Layout) (blocks, stat map[uint32]string) {
	t.Helper()
	var script strings.Builder
	for in := range l.Inodes() {
		fmt.Fprintf(&script, "blocks <%d>\nstat <%d>\n", in.Number, in.Number)
	}
	cmds := filepath.Join(t.TempDir(), "cmds")
	if err := os.WriteFile(cmds, []byte(script.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := e2fsprogs(t, "debugfs", "-f", cmds, path)
	if err != nil {
		t.Fatal(err)
	}
	blocks, stat = map[uint32]string{}, map[uint32]string{}
	for _, part := range strings.Split(out, "debugfs: ")[1:] {
		command, answer, _ := strings.Cut(part, "\n")
		var n uint32
		if c, _ := fmt.Sscanf(command, "blocks <%d>", &n); c == 1 {
			blocks[n] = answer
		} else if c, _ := fmt.Sscanf(command, "stat <%d>", &n); c == 1 {
			stat[n] = answer
		}
	}
	return blocks, stat
}

// checkTree compares every inode with debugfs, finds each by name in its
// directory, and accounts for every cluster in use.
func checkTree(t *testing.T, args, path string, l *Layout) {
	t.Helper()
	named := map[uint32]bool{}
	geo := l.Geometry()
	var owned runSet
	ratio := allocator.Block(geo.ClusterRatio())
	own := func(b allocator.Block, n uint64) {
		owned.add(run{b &^ (ratio - 1), (b + allocator.Block(n) + ratio - 1) &^ (ratio - 1)})
	}
	files := 0
	blocksOf, statOf := askDebugfs(t, path, l)
	for in, err := range l.Inodes() {
		if err != nil {
			t.Fatalf("%s: %v", args, err)
		}
		blocks, stat := blocksOf[in.Number], statOf[in.Number]
		var mine []string
		for _, x := range in.Extents {
			own(x.Physical, x.Len)
			for i := range x.Len {
				mine = append(mine, fmt.Sprint(x.Physical+allocator.Block(i)))
			}
		}
		for _, m := range in.Meta {
			own(m.Block, 1)
		}
		files++
		if in.Number != ResizeInodeNum && len(in.Meta) == 0 && strings.Join(strings.Fields(blocks), " ") != strings.Join(mine, " ") && !(in.Mode&modeType == modeLink && in.Size < 60) {
			t.Errorf("%s: inode %d: blocks %.200s\ndebugfs has %.200s", args, in.Number, mine, blocks)
		}
		m := regexp.MustCompile(`Mode:\s+(\d+)[\s\S]*Size: (\d+)[\s\S]*Links: (\d+)\s+Blockcount: (\d+)`).FindStringSubmatch(stat)
		if have := fmt.Sprintf("%04o %d %d %d", in.Mode&0o7777, in.Size, in.Links, in.Sectors); m == nil || have != strings.Join(m[1:], " ") {
			t.Errorf("%s: inode %d: %s, debugfs has %q", args, in.Number, have, m)
		}
		if in.IsDir() {
			dir, err := l.DirBlocks(&in)
			if err != nil {
				t.Fatalf("%s: %v", args, err)
			}
			for _, b := range dir {
				for _, e := range b.Entries {
					named[e.Inode] = true
				}
			}
		}
	}
	for in := range l.Inodes() {
		if in.Number >= l.Super.FirstInode && !named[in.Number] {
			t.Errorf("%s: inode %d has no name", args, in.Number)
		}
	}
	for id := range geo.Groups {
		l.src.(*imageSource).static(id, func(r run) { own(r.start, uint64(r.len())) })
	}
	used := geo.Blocks - geo.FirstDataBlock - l.Super.FreeBlocks
	if owned.blocks() != used || files < 30 {
		t.Errorf("%s: %d files and the metadata own %d blocks, the bitmaps have %d in use", args, files, owned.blocks(), used)
	}
}

// TestOpenRefuses gives Open images that are damaged in one place each.
func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		args, want string
		at         int64
		value      byte
	}{
		{"-t ext4 -b 4096", "superblock: checksum", 1024 + 0x78, 1},
		{"-t ext4 -b 4096", "magic number", 1024 + 0x38, 1},
		{"-t ext4 -b 4096", "group 0: descriptor checksum", 4096 + 0xc, 1},
		{"-t ext4 -b 4096 -O ^metadata_csum", "the descriptor counts", 4096 + 0xc, 1},
		{"-t ext4 -b 4096 -O ^metadata_csum,uninit_bg", "group 0: descriptor checksum", 4096 + 0xc, 1},
		{"-t ext2 -b 4096", "inode count", 1024, 1},
		{"-t ext2 -b 4096", "block size", 1024 + 0x18, 0x77},
		{"-t ext2 -b 4096", "unknown or unsupported feature FEATURE_I31", 1024 + 0x63, 0x80},
		{"-t ext3 -b 4096", "the journal needs recovery", 1024 + 0x60, 0x06},
		{"-t ext2 -b 4096", "lies outside", 4096 + 2, 0x7f},
	} {
		path, err := makeImage(t, 32<<20, strings.Fields(c.args)...)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteAt([]byte{c.value}, c.at)
		f.Close()
		l, err := Open(path)
		if err == nil {
			t.Errorf("%s, byte %d: opened: %+v", c.args, c.at, l.Super)
		} else if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, byte %d: %v, want %q", c.args, c.at, err, c.want)
		}
	}
	path, err := makeImage(t, 32<<20, "-t", "ext4")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{0, 1000, 1024, 2000, 3 << 20, 32<<20 - 1024} {
		if err := os.Truncate(path, size); size < 32<<20 && err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("cut to %d bytes: %v", size, err)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a folder was opened")
	}
}

// Directories lie as deep as a path can name them, and not deeper: what walks the
// tree may do it by recursion.
func TestOpenDeepDirectories(t *testing.T) {
	path, err := makeImage(t, 16<<20, "-t", "ext2", "-b", "1024", "-N", "4096")
	if err != nil {
		t.Fatal(err)
	}
	cmds := filepath.Join(t.TempDir(), "cmds")
	deepen := func(n int, at string) {
		t.Helper()
		text := at + strings.Repeat("mkdir d\ncd d\n", n)
		if err := os.WriteFile(cmds, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := e2fsprogs(t, "debugfs", "-w", "-f", cmds, path); err != nil {
			t.Fatal(err)
		}
	}
	deepen(maxDirDepth, "")
	l, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	deepen(1, strings.Repeat("cd d\n", maxDirDepth))
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "a directory 2048 levels below the root") {
		t.Errorf("%v", err)
	}
}
