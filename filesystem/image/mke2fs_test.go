package image

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var (
	mkfsSeed = flag.Uint64("mkfs.seed", 1, "seed of TestMkfsRandom")
	mkfsRuns = flag.Int("mkfs.n", 20, "parameter combinations TestMkfsRandom tries")
)

const testUUIDs = "-U 6d627369-6d00-4000-8000-000000000001"

// e2fsprogs runs a tool of e2fsprogs, or skips the test without it.
func e2fsprogs(t *testing.T, tool string, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skip(err)
	}
	c := exec.Command(tool, args...)
	c.Env = append(os.Environ(), "E2FSPROGS_FAKE_TIME=1000000000", "LC_ALL=C")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", tool, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

// makeImage makes an image of size bytes by mke2fs.
func makeImage(t *testing.T, size int64, args ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Skip(err)
	}
	f.Close()
	_, err = e2fsprogs(t, "mke2fs", append(append([]string{"-q", "-F"}, args...), path)...)
	return path, err
}

// checkMkfs compares what Mkfs computes with what mke2fs makes: its dumpe2fs
// text, and the image itself. It reports false where both refuse.
func checkMkfs(t *testing.T, size int64, line string) bool {
	t.Helper()
	args := strings.Fields(testUUIDs + " -E hash_seed=6d627369-6d00-4000-8000-000000000002,lazy_journal_init=1 " + line)
	path, mkErr := makeImage(t, size, args...)
	if mkErr == nil {
		defer os.Remove(path)
	}
	p, err := ParseMkfsArgs(args, size)
	var got *Layout
	if err == nil {
		got, err = Mkfs(p)
	}
	if err != nil || mkErr != nil {
		if (err != nil) != (mkErr != nil) {
			t.Errorf("size %d, %s:\nMkfs: %v\nmke2fs: %v", size, line, err, mkErr)
		}
		return false
	}
	text, err := e2fsprogs(t, "dumpe2fs", path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := ReadDumpe2fs(strings.NewReader(text), "dumpe2fs")
	if err != nil {
		t.Errorf("size %d, %s: %v", size, line, err)
		return true
	}
	opened, err := Open(path)
	if err != nil {
		t.Errorf("size %d, %s: Open: %v", size, line, err)
		return true
	}
	defer opened.Close()
	if got.Super.HashSeed == (UUID{}) {
		got.Super.HashSeed = want.Super.HashSeed
	}
	for _, pair := range []struct {
		name      string
		got, want *Layout
	}{{"Mkfs and dumpe2fs", got, want}, {"Open and dumpe2fs", opened, want}} {
		if d := diff(pair.got, pair.want); d != "" {
			t.Errorf("size %d, %s: %s: %s", size, line, pair.name, d)
		}
	}
	if strings.Contains(line, "location=") { // the text cannot tell
		want.Reserved, want.Notes = got.Reserved, nil
	}
	for _, l := range []struct {
		name   string
		layout *Layout
	}{{"Mkfs", got}, {"ReadDumpe2fs", want}} {
		if d := diffFiles(l.layout, opened); d != "" {
			t.Errorf("size %d, %s: files of %s: %s", size, line, l.name, d)
		}
	}
	if len(opened.Notes)+len(want.Notes) > 0 {
		t.Errorf("size %d, %s: notes %q %q", size, line, opened.Notes, want.Notes)
	}
	return true
}

// diffFiles compares the reserved inodes and the directories.
func diffFiles(got, want *Layout) string {
	if len(got.Reserved) != len(want.Reserved) {
		return fmt.Sprintf("%d reserved inodes, want %d", len(got.Reserved), len(want.Reserved))
	}
	for i := range want.Reserved {
		a, b := got.Reserved[i], want.Reserved[i]
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			return fmt.Sprintf("got  %.400s\nwant %.400s", fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", b))
		}
		if !b.IsDir() {
			continue
		}
		x, err := got.DirBlocks(&a)
		if err != nil {
			return err.Error()
		}
		y, err := want.DirBlocks(&b)
		if err != nil {
			return err.Error()
		}
		if !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("directory %d: got %+v\nwant %+v", b.Number, x, y)
		}
	}
	return ""
}

// TestMkfsTable holds the kinds of file system by name.
func TestMkfsTable(t *testing.T) {
	const M, G, T = 1 << 20, 1 << 30, 1 << 40
	for _, c := range []struct {
		size int64
		line string
	}{
		{512 * M, "-t ext4"},
		{512 * M, "-t ext4 -b 4096"},
		{2 * M, "-t ext4"},
		{1 * M, "-t ext2"},
		{8 * M, "-t ext3"},
		{512 * M, "-t ext2"},
		{3 * G, "-t ext3"},
		{40 * G, "-t ext3 -b 4096"},
		{300 * G, "-t ext4"},
		{3 * T, "-t ext4"},
		{15 * T, "-t ext4 -O ^resize_inode"},
		{1 * T, "-t ext4 -O meta_bg,^resize_inode"},
		{1 * T, "-t ext4 -O meta_bg,^resize_inode,^flex_bg"},
		{1 * T, "-t ext4 -O bigalloc"},
		{1 * T, "-t ext4 -O bigalloc -C 1048576"},
		{20 * G, "-t ext4 -O bigalloc -C 8192 -b 1024"},
		{2 * G, "-t ext4 -O bigalloc,^64bit -C 65536"},
		{10 * G, "-t ext4 -O sparse_super2,^resize_inode"},
		{10 * G, "-t ext4 -O sparse_super2 -E num_backup_sb=1"},
		{10 * G, "-t ext4 -O ^sparse_super,^resize_inode"},
		{10 * G, "-t ext4 -O ^flex_bg -E stride=16,stripe_width=64"},
		{10 * G, "-t ext4 -G 1"},
		{10 * G, "-t ext4 -G 256"},
		{10 * G, "-t ext4 -E packed_meta_blocks=1"},
		{10 * G, "-t ext4 -b 2048 -J size=400"},
		{1 * G, "-t ext4 -b 4096 -g 256 -N 65536"},
		{600 * M, "-t ext4 -b 1024 -g 256"},
		{4 * G, "-t ext4 -b 65536"},
		{4 * G, "-t ext4 -b 8192"},
		{4 * G, "-t ext4 -b 16384"},
		{4 * G, "-t ext4 -b 32768"},
		{4 * G, "-t ext3 -b 8192"},
		{4 * G, "-t ext3 -b 16384"},
		{4 * G, "-t ext2 -b 32768"},
		{4 * G, "-t ext2 -b 65536"},
		{40 * G, "-t ext4 -b 8192 -O bigalloc -C 65536"},
		{10 * G, "-t ext4 -O inline_data"},
		{10 * G, "-t ext4 -O orphan_file,metadata_csum_seed"},
		{600 * M, "-t ext3 -O orphan_file -b 1024"},
		{10 * G, "-t ext4 -O mmp,uninit_bg,^metadata_csum"},
		{10 * G, "-t ext4 -O fast_commit -J size=64,fast_commit_size=2048"},
		{100 * M, "-t ext4 -T largefile -m 0"},
		{100 * M, "-t ext4 -T news -I 128 -m 12.5"},
		{10 * G, "-t ext4 -i 1024 -b 1024"},
		{10 * G, "-t ext4 -E resize=200G"},
		{10 * G, "-t ext4 -J size=16,location=100000"},
		{10 * G, "-t ext4 -O quota"},
		{90 * M, "-t ext4 -b 1024 -O quota,project,orphan_file"},
		{90 * M, "-t ext2 -b 2048 -O quota"},
		{90 * M, "-t ext4 -b 1024 -O quota,bigalloc -C 2048"},
		{90 * M, "-t ext4 -b 1024 -O quota -E quotatype=grpquota:prjquota"},
		{10 * G, "-t ext4 -O ^large_file,^filetype -E encoding=utf8-12.1,encoding_flags=strict"},
	} {
		if testing.Short() && c.size >= 100*G {
			continue // mke2fs takes seconds
		}
		checkMkfs(t, c.size, c.line)
	}
}

// TestMkfsRandom draws parameters. Run one seed again with
// go test -run TestMkfsRandom ./filesystem/image -mkfs.seed N -mkfs.n COUNT.
func TestMkfsRandom(t *testing.T) {
	n := *mkfsRuns
	if testing.Short() {
		n = 10
	}
	r := rand.New(rand.NewPCG(*mkfsSeed, 0))
	made := 0
	for i := range n {
		size, line := randomMkfs(r)
		if strings.Contains(line, "-G 1 ") && strings.Contains(line, "packed") {
			continue // mke2fs makes a file system that contradicts itself; Mkfs refuses
		}
		if checkMkfs(t, size, line) {
			made++
		}
		if t.Failed() {
			t.Fatalf("seed %d, combination %d: go test -run TestMkfsRandom ./filesystem/image -mkfs.seed %d -mkfs.n %d", *mkfsSeed, i+1, *mkfsSeed, i+1)
		}
	}
	t.Logf("seed %d: %d of %d combinations made a file system, the others were refused by both", *mkfsSeed, made, n)
}

func randomMkfs(r *rand.Rand) (int64, string) {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	size := int64(4<<20) << r.IntN(20) // 4 MB to 2 TB
	size += r.Int64N(size)
	var b strings.Builder
	add := func(chance float64, s string) {
		if r.Float64() < chance {
			b.WriteString(" " + s)
		}
	}
	b.WriteString("-t " + pick("ext4", "ext4", "ext4", "ext4", "ext4", "ext3", "ext2"))
	bs := pick("1024", "2048", "4096", "4096")
	if bs == "1024" && size > 100<<30 { // many small groups take mke2fs long
		size >>= 6
	}
	add(0.8, "-b "+bs)
	add(0.2, fmt.Sprintf("-g %d", 256+8*r.IntN(950)))
	if size > 16<<30 && strings.Contains(b.String(), "-g") {
		size >>= 8
	}
	add(0.2, "-G "+pick("1", "2", "4", "8", "32", "64", "1024"))
	switch r.IntN(8) {
	case 0:
		add(1, fmt.Sprintf("-N %d", 100+r.Int64N(100000)))
	case 1:
		add(1, fmt.Sprintf("-i %d", 1024<<r.IntN(10)))
	}
	add(0.2, "-I "+pick("128", "256", "512", "1024"))
	add(0.2, "-m "+pick("0", "1", "3.7", "50"))
	add(0.15, "-O bigalloc -C "+pick("2048", "4096", "8192", "16384", "65536", "262144", "1048576"))
	for _, f := range []string{"^flex_bg", "^resize_inode", "^has_journal", "^metadata_csum", "uninit_bg,^metadata_csum", "meta_bg,^resize_inode",
		"sparse_super2", "^extent,^64bit", "^64bit", "inline_data", "orphan_file", "mmp", "fast_commit", "^sparse_super,^resize_inode", "metadata_csum_seed",
		"quota", "quota,project", "project", "casefold", "encrypt", "verity", "large_dir", "ea_inode", "^large_file", "^filetype", "^dir_index"} {
		add(0.06, "-O "+f)
	}
	add(0.1, "-J size="+pick("4", "8", "16", "64", "300"))
	switch r.IntN(8) {
	case 0:
		add(1, fmt.Sprintf("-E lazy_journal_init=1,stride=%d,stripe_width=%d", 1+r.IntN(100), r.IntN(1000)))
	case 1:
		add(1, "-E lazy_journal_init=1,packed_meta_blocks=1")
	case 2:
		add(1, "-E lazy_journal_init=1,num_backup_sb="+pick("0", "1", "2"))
	case 3:
		if size < 1<<30 { // mke2fs writes the inode tables out
			add(1, "-E nodiscard,lazy_itable_init=1")
		}
	}
	return size, b.String()
}

// TestPastedCommands compares command lines as people paste them with what the program makes.
func TestPastedCommands(t *testing.T) {
	const size = 300<<20 + 5000
	for _, c := range []struct {
		line string
		size int64 // behind the device
	}{
		{"mke2fs /dev/sdb1", 0},
		{"mke2fs -j -b4096 /dev/sdb1", 0},
		{"mke2fs -J size=8 /dev/sdb1", 0},
		{"sudo mkfs.ext3 -O ^has_journal /dev/sdb1", 0},
		{"# mkfs.ext4 -m1 -L root /dev/nvme0n1p2", 0},
		{"mkfs -t ext4 -T largefile /dev/sdb1", 0},
		{"mke2fs -t ext4 -b 2048 ./disk.img 130170K", 130170 << 10},
		{"mkfs.ext4 disk.img 201M", 201 << 20},
		{"mke2fs -text4 -b 1024 disk.img 150001", 150001 << 10},
		{"/sbin/mkfs.ext2 -b 4k disk.img 30001", 30001 << 12},
	} {
		command, err := ParseMkfsCommand(c.line)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		if command.Size != c.size {
			t.Errorf("%s: a size of %d, want %d", c.line, command.Size, c.size)
		}
		p, err := ParseMkfsArgs(append([]string{"-t", command.Type}, command.Args...), cmp.Or(c.size, size))
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		p.SizeGiven = c.size != 0
		got, err := Mkfs(p)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
			continue
		}
		checkPasted(t, c.line, size, got)
	}
}

// checkPasted performs a command line on a file of size bytes, and compares.
func checkPasted(t *testing.T, line string, size int64, got *Layout) {
	t.Helper()
	words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(line, "# "), "sudo "))
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skip(err)
	}
	for i := range words {
		if strings.ContainsAny(words[i], "/.") && i > 0 {
			words[i] = path
		}
	}
	if _, err := e2fsprogs(t, filepath.Base(words[0]), append([]string{"-q", "-F"}, words[1:]...)...); err != nil {
		t.Fatal(err)
	}
	want, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	got.Super.UUID, got.Super.HashSeed = want.Super.UUID, want.Super.HashSeed
	if d := diff(got, want); d != "" {
		t.Errorf("%s: %s", line, d)
	}
	if d := diffFiles(got, want); d != "" {
		t.Errorf("%s: %s", line, d)
	}
}
