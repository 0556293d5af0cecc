package filelist

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"mbsim/internal/unpack"
)

// archive is a tar file with members of all kinds.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "src/"},
		{Typeflag: tar.TypeReg, Name: "src/a b\n", Size: 5000},
		{Typeflag: tar.TypeSymlink, Name: "src/l", Linkname: "a"},
		{Typeflag: tar.TypeLink, Name: "src/h", Linkname: "src/a"},
		{Typeflag: tar.TypeFifo, Name: "src/p"},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTar: the members of a tar file. One that is cut off is refused with the number of the member.
func TestTar(t *testing.T) {
	text := archive(t)
	f, ok := Recognize(text[:700])
	if !ok || f.Name != "tar" {
		t.Fatalf("it is recognized as %q", f.Name)
	}
	if got, err := read(f, string(text), false); err != nil || got != "1 src|0 5000 src/a b\n|2 src/l|" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := read(f, string(text[:1200]), false); err == nil || err.Error() != "list: member 3 of the tar file: unexpected EOF" {
		t.Errorf("%v", err)
	}
}

// TestGlobalHeader: a header for all members (git archive) is no member.
func TestGlobalHeader(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "517083c"}})
	if err == nil {
		err = w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "src/", Mode: 0o755})
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	r := formats[0].Open(&b, "list", false)
	got := ""
	for r.Next() {
		got += r.Entry().Path + "|"
	}
	if got != "src|" || r.Err() != nil {
		t.Errorf("%s; %v", got, r.Err())
	}
}

// TestSparse: where a sparse file has data, in both forms that GNU tar writes. testdata holds archives
// (tar -S) of a file of 1 MiB with one byte at 500000, and one that is all hole.
func TestSparse(t *testing.T) {
	for _, form := range []string{"gnu", "pax"} {
		file, err := os.Open("testdata/sparse-" + form + ".tar.gz")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		text, _, err := unpack.Text(file)
		if err != nil {
			t.Fatal(err)
		}
		r := formats[0].Open(text, form, false)
		got := ""
		for r.Next() {
			got += fmt.Sprintf("%s %d %v|", r.Entry().Path, r.Entry().Size, r.Entry().Data)
		}
		if want := "hole 70000 []|sparse 1048576 [{499712 4096}]|"; got != want || r.Err() != nil {
			t.Errorf("%s: %s, want %s; %v", form, got, want, r.Err())
		}
	}
}
