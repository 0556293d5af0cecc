package imports

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openText is a file with a text, opened for import.
func openText(t testing.TB, text string) *Log {
	t.Helper()
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// importAs imports a text of a format, and returns the report and the files of the case.
func importAs(t testing.TB, format, text string, opt Options) (*Report, map[string]*bytes.Buffer, error) {
	t.Helper()
	l := openText(t, text)
	f, err := Recognize(l)
	if err != nil || f.Name != format {
		t.Fatalf("it is recognized as %s, %v", f.Name, err)
	}
	files := make(map[string]*bytes.Buffer)
	r, err := f.Import([]*Log{l}, opt, func(name string) (io.Writer, error) {
		files[name] = new(bytes.Buffer)
		return files[name], nil
	})
	if err == nil {
		checkCounts(t, r)
	}
	return r, files, err
}

// TestTarOfRecordings: a tar file is one whatever texts are its members.
func TestTarOfRecordings(t *testing.T) {
	for name, text := range map[string]string{
		"strace":  "1 openat(AT_FDCWD, \"a\", O_RDONLY) = 3\n",
		"ftrace":  "# tracer: nop\n x-1 [000] .... 1.000000: ext4_discard_preallocations: dev 8,0 ino 12 len 0 needed 0\n",
		"fio":     "[global]\nrw=write\n[job]\nsize=1M\n",
		"iolog":   "fio version 2 iolog\n/a add\n",
		"a list":  "f 12 a\n",
		"a table": "-rw-r--r-- root/root 12 2026-01-01 00:00 a\n",
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		err := w.WriteHeader(&tar.Header{Name: "member", Mode: 0o644, Size: int64(len(text))})
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		if f, err := Recognize(openText(t, b.String())); err != nil || f.Name != "tar" {
			t.Errorf("a tar file with %s is recognized as %s, %v", name, f.Name, err)
		}
	}
}

// TestList: directories are made where the list has them or a file needs them, a file again replaces the
// first, and what cannot be is counted.
func TestList(t *testing.T) {
	r, files, err := importAs(t, "find", "d 4096 /h/me\nf 300000 /h/me/d/a\nd 4096 /h/me/d\nf 0 /h/me/z\nf 5 /h/me/z/in\nf 5 /h/me/z\nl 3 /h/me/l\np 0 /h/me/p\nd 1 /h/me/lost+found\nf 1 /h/other\nf 1 /h/me/d\nd 1 /h/me/z\n", Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := join(`mkdir d
		creat f1 d/a
		write f1 0 131072
		write f1 131072 131072
		write f1 262144 37856
		close f1
		creat f1 z
		close f1
		unlink z
		creat f1 z
		write f1 0 5
		close f1
		sync`)
	if got := files["ops"].String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if r.Root != "/h/me" || r.Lines != 12 || r.Calls != 12 || r.Performed != 3 || r.NoBlock != 2 || r.Outside != 1 || r.Left() != 6 || r.Ops != 13 {
		t.Errorf("%+v", r)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "         1 "+leftSymlink+"\n           line 7: /h/me/l\n") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// TestListPieces: git writes a file at once and makes directories when it needs them; tar writes its records;
// and the largest file that a list can have takes a bounded number of writes.
func TestListPieces(t *testing.T) {
	_, files, err := importAs(t, "git-ls-tree", "040000 tree 9 -\tempty\n100644 blob 9 300000\td/a\n", Options{})
	if want := "mkdir d\ncreat f1 d/a\nwrite f1 0 300000\nclose f1\nsync\n"; err != nil || files["ops"].String() != want {
		t.Errorf("%v\n%s", err, files["ops"])
	}
	_, files, err = importAs(t, "tar-list", "-rw-r--r-- a/b 10250 2026-12-01 01:37 ./a\n", Options{})
	if want := "creat f1 a\nwrite f1 0 10240\nwrite f1 10240 10\nclose f1\nsync\n"; err != nil || files["ops"].String() != want {
		t.Errorf("%v\n%s", err, files["ops"])
	}
	r, _, err := importAs(t, "find", "f 9223372036854775807 a\nf 9223372036854775807 b\n", Options{})
	if err != nil || r.Ops > 4*maxPieces || r.Bytes < 1<<62 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestRecognize: what is no list is not taken for one, and what is nothing is taken for a log of strace.
func TestRecognize(t *testing.T) {
	for text, want := range map[string]string{
		"12 openat(AT_FDCWD, \"/r/a\", O_RDONLY) = 3\n": "strace", "execve(\"/bin/ls\", [], 0) = 0\n": "strace",
		"12 src/a\n": "find", "src/a 12\n": "find", "hello\n": "strace", "": "strace",
	} {
		if f, err := Recognize(openText(t, text)); err != nil || f.Name != want {
			t.Errorf("%q: %s, %v", text, f.Name, err)
		}
	}
	if _, err := FindFormat("stracce"); err == nil || err.Error() != `unknown format "stracce" (did you mean "strace"?)` {
		t.Errorf("%v", err)
	}
}
