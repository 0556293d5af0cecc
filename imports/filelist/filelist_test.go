package filelist

import (
	"fmt"
	"strings"
	"testing"
)

// lists have the same four files each, as the programs print them: a directory, a file whose name has spaces
// and a byte that is no text, an empty file and a symbolic link. What they come to is d, f, z and l.
var lists = map[string]string{
	"tar-list gnu": `drwxr-xr-x root/root         0 2026-12-01 01:37 src/d one/
-rw-r--r-- me/my        300000 2026-12-01 01:37 src/d one/ b\tc
-rw-r--r-- 0/0               0 2026-12-01 01:37:12 src/zero
lrwxrwxrwx root/root         0 2026-12-01 01:37 src/l -> a.bin
prw-r--r-- root/root         0 2026-12-01 01:37 src/p
crw-r--r-- root/root       1,3 2026-12-01 01:37 src/null
hrw-r--r-- root/root         0 2026-12-01 01:37 src/hard link to src/zero`,
	"tar-list bsd": `drwxr-xr-x  0 root   root        0 Dec  1 01:37 src/d one/
-rw-r--r--  0 1000   root   300000 Dec  1  2025 src/d one/ b\tc
-rw-r--r--  0 root   root        0 Dec  1 01:37 src/zero
lrwxrwxrwx  0 root   root        0 Dec  1 01:37 src/l -> a.bin
prw-r--r--  0 root   root        0 Dec  1 01:37 src/p
crw-r--r--  0 root   root      1,3 Dec  1 01:37 src/null
hrw-r--r--  0 root   root        0 Dec  1 01:37 src/hard link to src/zero`,
	"find type first":    "d 4096 src/d one\nf 300000 src/d one/ b\tc\nf 0 src/zero\nl 5 src/l\np 0 src/p",
	"find size first":    "4096 d src/d one\n300000 f src/d one/ b\tc\n0 f src/zero\n5 l src/l\n0 p src/p",
	"find size last":     "d src/d one 4096\nf src/d one/ b\tc 300000\nf src/zero 0\nl src/l 5\np src/p 0",
	"find path first":    "src/d one\t4096\td\nsrc/d one/ b\tc\t300000\tf\nsrc/zero\t0\tf\nsrc/l\t5\tl\nsrc/p\t0\tp",
	"find type last":     "4096 src/d one d\n300000 src/d one/ b\tc f\n0 src/zero f\n5 src/l l\n0 src/p p",
	"find path and type": "src/d one d 4096\nsrc/d one/ b\tc f 300000\nsrc/zero f 0\nsrc/l l 5\nsrc/p p 0",
	"find -ls": ` 11477572      4 drwxr-xr-x   3 root     root         4096 Dec  1 01:37 src/d\ one
 11477649    296 -rw-r--r--   1 root     root       300000 Dec  1 01:37 src/d\ one/\ b\tc
 11477729      0 -rw-r--r--   1 root     root            0 Dec  1 01:37 src/zero
 11477665      0 lrwxrwxrwx   1 root     root            5 Dec  1 01:37 src/l -> a.bin
 11477681      0 prw-r--r--   1 root     root            0 Dec  1 01:37 src/p`,
	"ls": "src:\ntotal 168\ndrwxr-xr-x 3 root root    4096 Dec  1 01:37 d one\n\nsrc/d one:\ntotal 0\n-rw-r--r-- 2 root root  300000 2026-12-01 01:37:30.050110811 +0000  b\tc\n\n" +
		"src:\n-rw-r--r--+ 1 root root       0 1 Dec  2024 zero\nlrwxrwxrwx 1 root root       5 2026-12-01 01:37 l -> a.bin\ncrw-r--r-- 1 root root    1, 3 Dec  1 01:37 null",
	"git-ls-tree": "040000 tree 991190fd78a389c4bce2a3dd59cca226833278b5       -\tsrc/d one\n100644 blob a09daeaac30b2c55a5bbcaba4bce79410b4cbfd4  300000\t\"src/d one/ b\\tc\"\n" +
		"100755 blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391       0\tsrc/zero\n120000 blob 6cc9bad6c9956c49b0ebf9292c0f64fbd41c6ae7       5\tsrc/l\n160000 commit 6cc9bad6c9956c49b0ebf9292c0f64fbd41c6ae7       -\tsrc/module",
	"debugfs-ls": `debugfs 1.47.0 (5-Feb-2023)
debugfs: ls -l src
     13   40755 (2)      0      0    1024  1-Dec-2026 01:37 .
      2   40755 (2)      0      0    1024  1-Dec-2026 01:37 ..
     13   40755 (2)      0      0    1024  1-Dec-2026 01:37 d one
debugfs: cd src
debugfs: ls -p "d one"
/14/100644/0/0/ b` + "\t" + `c/300000/
debugfs: ls -l
     22  100644 (1)      0      0       0  1-Dec-2026 01:37 zero
     18  120777 (7)      0      0       5  1-Dec-2026 01:37 l
     20   10644 (5)      0      0       0  1-Dec-2026 01:37 p
`,
}

// TestLists: each form is recognized, and every list comes to the same files.
func TestLists(t *testing.T) {
	for name, text := range lists {
		want, _, _ := strings.Cut(name, " ")
		f, ok := Recognize([]byte(text))
		if !ok || f.Name != want {
			t.Errorf("%s: it is recognized as %q", name, f.Name)
			continue
		}
		got, err := read(f, text, false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got != "1 src/d one|0 300000 src/d one/ b\tc|0 0 src/zero|2 src/l|" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// read is a list as one line: kinds, sizes of files, paths; what is special or a hard link apart.
func read(f Format, text string, lenient bool) (string, error) {
	var b strings.Builder
	r := f.Open(strings.NewReader(text), "list", lenient)
	for r.Next() {
		switch e := r.Entry(); e.Kind {
		case File:
			fmt.Fprintf(&b, "%d %d %s|", e.Kind, e.Size, e.Path)
		case Dir, Symlink:
			fmt.Fprintf(&b, "%d %s|", e.Kind, e.Path)
		}
	}
	return b.String(), r.Err()
}

// TestMistakes: the place of what is wrong with a line.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"tar-list", "tar: Removing leading", `list:1:1: this is no line of tar tvf FILE, of GNU tar, bsdtar or busybox: want a mode such as -rw-r--r--`},
		{"tar-list", "-rw-r--r-- a/b x 2026-12-01 01:37 a", "list:1:16: "},
		{"tar-list", "-rw-r--r-- a/b 1 yesterday noon a", "list:1:18: "},
		{"tar-list", "-rw-r--r-- a/b 1 Jan 01 a", "list:1:25: "},
		{"tar-list", "-rw-r--r-- a/b 1 2026-12-01 noon a", "list:1:29: "},
		{"tar-list", "-rw-r--r-- a/b 1 2026-12-01 01:37", "list:1:34: "},
		{"tar-list", "-rw-r--r-- 0 a", "list:1:15: "},
		{"ls", "-rw-r--r-- a b", "list:1:12: "},
		{"ls", "-rw-r--r-- 1 a b 7 Dec 1 soon x", "list:1:26: "},
		{"find", "f 1 a\nq 1 b", "list:2:1: "},
		{"find", "f 1 a\nf x b", "list:2:3: "},
		{"find", "f 1 a\nf 1", "list:2:4: "},
		{"find", "a 1 f\nf", "list:2:1: "},
		{"find", "nothing", "list:1:1: this is no line of find DIR -printf '%y %s %P\\n', the columns in any order, or find -ls: want type, size and path"},
		{"git-ls-tree", "100644 blob 99\ta", "list:1:15: this is no line of git ls-tree -lr TREE: the size is missing"},
		{"git-ls-tree", "100644 file 99 1\ta", "list:1:8: "},
		{"git-ls-tree", "100644 blob 99 x\ta", "list:1:16: "},
		{"git-ls-tree", "100644 blob 99 1", "list:1:17: "},
		{"git-ls-tree", "100 blob 99 1\ta", "list:1:1: "},
		{"debugfs-ls", "  x 40755 (2) 0 0 1024  1-Dec-2026 01:37 a", "list:1:3: "},
		{"debugfs-ls", "12 9 (2) 0 0 1024  1-Dec-2026 01:37 a", "list:1:4: "},
		{"debugfs-ls", "12 100644 2 0 0 1024  1-Dec-2026 01:37 a", "list:1:11: "},
		{"debugfs-ls", "12 100644 (1) u 0 1024  1-Dec-2026 01:37 a", "list:1:15: "},
		{"debugfs-ls", "12 100644 (1) 0 0 x  1-Dec-2026 01:37 a", "list:1:19: "},
		{"debugfs-ls", "12 100644 (1) 0 0 1  1-Dec-2026 01:37", "list:1:38: "},
		{"debugfs-ls", "/1/100644/0/0/a/x/", "list:1:17: "},
		{"debugfs-ls", "/x/100644/0/0/a/1/", "list:1:2: "},
		{"debugfs-ls", "/1/8/0/0/a/1/", "list:1:4: "},
		{"debugfs-ls", "/1/100644/", "list:1:1: "},
	} {
		f := byName(t, c.format)
		if _, err := read(f, c.text, false); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
		if _, err := read(f, c.text, true); err != nil {
			t.Errorf("%q: %v, though lenient", c.text, err)
		}
	}
}

func byName(t testing.TB, name string) Format {
	for _, f := range Formats() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return Format{}
}

// TestNotRecognized: what is no list is not taken for one.
func TestNotRecognized(t *testing.T) {
	for _, text := range []string{"", "\n\n", "+++ exited with 0 +++\n", "[global]\nrw=write\n", "fio version three iolog\n29 /a add\n", strings.Repeat("x", 1000)} {
		if f, ok := Recognize([]byte(text)); ok {
			t.Errorf("%q: recognized as %s", text, f.Name)
		}
	}
}

// FuzzLists: whatever the text, no form panics, and entries have paths and sizes of 0 or more.
func FuzzLists(f *testing.F) {
	for _, text := range lists {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		Recognize(text)
		for _, format := range Formats() {
			r := format.Open(strings.NewReader(string(text)), "list", true)
			for n := 0; r.Next() && n < 10000; n++ {
				if e := r.Entry(); e.Size < 0 || e.Place < 1 {
					t.Fatalf("%s: %+v", format.Name, e)
				}
			}
		}
	})
}
