package unpack

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// TestText unpacks one text packed in each format, and reads what is not packed as it is.
func TestText(t *testing.T) {
	const text = "some lines\nof text\n"
	for name, pack := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
	} {
		var b bytes.Buffer
		w, err := pack(&b)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, text)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		check(t, name, b.Bytes(), text)
		// What is cut short is an error, and not a shorter text.
		r, release, err := Text(bytes.NewReader(b.Bytes()[:b.Len()-4]))
		if err == nil {
			_, err = io.ReadAll(r)
			release()
		}
		if err == nil {
			t.Errorf("%s: half of it was read without an error", name)
		}
	}
	check(t, "plain", []byte(text), text)
	check(t, "short", []byte("x"), "x")
	if _, _, err := Text(strings.NewReader("\x1f\x8bnot gzip")); err == nil {
		t.Error("what only begins as gzip was opened")
	}
}

func check(t *testing.T, name string, packed []byte, want string) {
	t.Helper()
	r, release, err := Text(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(name, err)
	}
	defer release()
	if got, err := io.ReadAll(r); err != nil || string(got) != want {
		t.Errorf("%s: %q, %v", name, got, err)
	}
}
