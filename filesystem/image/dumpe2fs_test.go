package image

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"mbsim/allocator"
)

func gunzip(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		tb.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestReadDumpe2fsRefuses(t *testing.T) {
	text := string(gunzip(t, "testdata/full-1.dumpe2fs.gz"))
	for _, c := range []struct{ old, new, want string }{
		{"Block size:               4096", "Block size:               4000", `d:19: Block size: want a power of two, have "4000"`},
		{"Inode count:              40960", "Inode count:              4x", `d:12: Inode count: want a number, have "4x"`},
		{"Inode count:              40960", "Inode count:              40961", `d:57: inode count 40961 is not 2 groups of 20480`},
		{"0xEF53", "0xEF54", `d:4: Filesystem magic number: want 0xEF53, have "0xEF54"`},
		{" dir_nlink ", " dir_blink ", `d:6: Filesystem features: unknown feature "dir_blink"`},
		{"Blocks per group:         32768\n", "", `d:56: the line "Blocks per group:" is missing: the text is cut short or not of dumpe2fs`},
		{"  Free blocks: 6687-32767", "  Free blocks: 6687-32766", `d:65: group 0: 26081 free blocks (clusters) by its count, 26080 by its ranges`},
		{"  Free blocks: 6687-32767", "  Free blocks: 6688-32768", `d:64: group 0: "6688-32768" ends past the group`},
		{"  Free inodes: 12-20480", "  Free inodes: 12-20", `d:65: group 0: 20469 free inodes by its count, 9 by its ranges`},
		{"Group 1: (Blocks 32768-40959)", "Group 1: (Blocks 32768-40958)", `d:66: want a line that begins with "Group 1: (Blocks 32768-40959)", have "Group 1: (Blocks 32768-40958) csum 0x5ad9 [INODE_UNINIT, ITA"`},
		{"[ITABLE_ZEROED]", "[ITABLE_ZERO]", `d:57: group 0: unknown flag "ITABLE_ZERO"`},
		{"Block bitmap at 22", "Block bitmap at 21", `d:74: block 21 belongs to two bitmaps or inode tables`},
		{"Block bitmap at 22", "Block bitmap at 6700", `d:74: group 0: metadata at blocks 6700-6700 is marked free`},
		{"Block bitmap at 22", "Block bitmap at 2", `d:74: group 1: its block bitmap at block 2 overlaps the descriptors of group 0`},
		{"  Inode table at 1305-2584", "  Inode table at 40000-2584", `d:74: group 1: its inode table at block 40000 lies outside the file system of 40960 blocks`},
		{text[strings.Index(text, "\nGroup 0"):], "\n", `d:56: no groups: want the whole text, not that of dumpe2fs -h`},
		{text[strings.Index(text, "Group 1"):], "", `d:65: the text is cut short: group 1 of 2 is missing`},
		{text[strings.Index(text, "  Inode table at 1305"):], "", `d:70: the text is cut short in group 1`},
		{text, "", `d:1: not the text of dumpe2fs: no line "Filesystem volume name:"`},
		{text, "\x1f\x8bjunk", `d: unexpected EOF`},
	} {
		if !strings.Contains(text, c.old) {
			t.Fatalf("the text has no %q", c.old)
		}
		_, err := ReadDumpe2fs(strings.NewReader(strings.Replace(text, c.old, c.new, 1)), "d")
		if err == nil || err.Error() != c.want {
			t.Errorf("%.40q -> %.40q:\ngot  %v\nwant %s", c.old, c.new, err, c.want)
		}
	}
}

// endless gives the same bytes for ever, and counts them.
type endless struct {
	text []byte
	at   int
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.at%len(e.text)]
		e.at++
	}
	e.read += len(p)
	return len(p), nil
}

// What never ends is refused in one line before much of it is read.
func TestReadDumpe2fsEndless(t *testing.T) {
	text := gunzip(t, "testdata/full-1.dumpe2fs.gz")
	group := bytes.Index(text, []byte("Group 0"))
	for _, c := range []struct{ start, rest, want string }{
		{"", "\x00", "d:1:8388609: a line of more than 8 MB"},
		{"", "text\n", "d:10000: 10000 lines that tell nothing: not the text of dumpe2fs"},
		{string(text[:group]), "Inode count: 40960\n", "d:10000: 10000 lines that tell nothing: not the text of dumpe2fs"},
		{string(text[:group]), "Block count: 1", "d:57:8388609: a line of more than 8 MB"},
		{string(text[:group]), "\n", "d:10000: 10000 lines that tell nothing: not the text of dumpe2fs"},
		{string(text[:group]) + "Group 0: (Blocks 0-32767)\n", "  Checksum 0x12\n", "d:10057: 10000 lines that tell nothing: not the text of dumpe2fs"},
		{string(text), "\n", "d:10074: 10000 lines that tell nothing: not the text of dumpe2fs"},
	} {
		e := &endless{text: []byte(c.rest)}
		_, err := ReadDumpe2fs(io.MultiReader(strings.NewReader(c.start), e), "d")
		if err == nil || err.Error() != c.want || e.read > 10<<20 {
			t.Errorf("%q: %v after %d bytes, want %s", c.rest, err, e.read, c.want)
		}
	}
	// A gzip bomb: 1 GB of zeros, in fifty members.
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 20 {
		z.Write(zeros) // Close reports the error
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDumpe2fs(bytes.NewReader(bytes.Repeat(bomb.Bytes(), 50)), "d"); err == nil || err.Error() != "d:1:8388609: a line of more than 8 MB" {
		t.Errorf("a gzip bomb: %v", err)
	}
}

// Text that is cut anywhere is refused, or was cut in the white space at its end.
func TestReadDumpe2fsCut(t *testing.T) {
	text := bytes.TrimRight(gunzip(t, "testdata/full-1.dumpe2fs.gz"), "\n")
	for n := range len(text) {
		if _, err := ReadDumpe2fs(bytes.NewReader(text[:n]), "d"); err == nil {
			t.Errorf("cut after %d of %d bytes: read", n, len(text))
		}
	}
}

func TestSystemZone(t *testing.T) {
	p, err := ParseMkfsArgs(RecorderArgs("ext4", "-b 4096"), 512<<20)
	if err != nil {
		t.Fatal(err)
	}
	made, err := Mkfs(p)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadDumpe2fs(bytes.NewReader(gunzip(t, "testdata/fallocates-1.dumpe2fs.gz")), "d")
	if err != nil {
		t.Fatal(err)
	}
	root := made.Reserved[0].Extents[0].Physical
	journal := made.Reserved[2]
	if journal.Number != JournalInode {
		t.Fatalf("%+v", journal)
	}
	jStart := journal.Extents[0].Physical
	for _, c := range []struct {
		b    allocator.Block
		n    uint32
		want bool
	}{
		{0, 1, true}, {32, 1, true}, {root, 1, false}, {root - 1, 2, true}, {32768, 1, true}, {100000, 1, false}, {65535, 40000, true},
		{jStart, 1, true}, {jStart - 1, 2, true}, {jStart + 4095, 1, true}, {jStart + 4096, 100, false}, {131071, 1, false},
	} {
		for name, l := range map[string]*Layout{"Mkfs": made, "ReadDumpe2fs": read} {
			if got := l.SystemZone(c.b, c.n); got != c.want {
				t.Errorf("%s: SystemZone(%d, %d) = %v", name, c.b, c.n, got)
			}
		}
	}
}
