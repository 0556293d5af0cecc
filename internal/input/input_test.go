package input

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// endless gives the same bytes for ever.
type endless struct {
	text []byte
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.read += int64(n)
	return n, nil
}

// pack compresses a text.
func pack(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text) // Close reports the error
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLimit(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "12345678": true, "123456789": false} {
		got, err := io.ReadAll(Limit(strings.NewReader(text), "in", "a test", 8))
		if ok && (err != nil || string(got) != text) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if !ok && (!errors.As(err, new(*TooLong)) || err.Error() != "in: more than 8 bytes: too long for a test") {
			t.Errorf("%q: %v", text, err)
		}
	}
	broken := errors.New("broken")
	if _, err := io.ReadAll(Limit(io.MultiReader(strings.NewReader("12345678"), iotestErr{broken}), "in", "a test", 8)); err != broken {
		t.Errorf("%v", err)
	}
	e := &endless{text: make([]byte, 4096)}
	if _, err := io.ReadAll(Limit(e, "in", "a test", 1<<20)); err == nil || e.read > 1<<20+1<<16 {
		t.Errorf("%v after %d bytes", err, e.read)
	}
}

type iotestErr struct{ err error }

func (e iotestErr) Read([]byte) (int, error) { return 0, e.err }

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(name, []byte("123"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(name, "a test", 3); err != nil || string(got) != "123" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ReadFile(name, "a test", 2); err == nil || err.Error() != name+": more than 2 bytes: too long for a test" {
		t.Errorf("%v", err)
	}
}

func TestGunzip(t *testing.T) {
	for _, in := range [][]byte{nil, []byte("x"), []byte("plain"), pack(t, []byte("packed"))} {
		r, err := Gunzip(bytes.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		want := string(in)
		if len(in) > 5 {
			want = "packed"
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// A line may have as many bytes as it says, whether it is the last or not, and a line
// that never ends is refused without being kept.
func TestLines(t *testing.T) {
	for text, want := range map[string]string{
		"":               "",
		"a":              "a|",
		"a\n\nb\n":       "a||b|",
		"12345678\n2\n":  "12345678|2|",
		"1\n12345678":    "1|12345678|",
		"1\n123456789\n": "1|in:2:9: a line of more than 8 bytes",
		"123456789":      "in:1:9: a line of more than 8 bytes",
	} {
		got := ""
		l := NewLines(strings.NewReader(text), "in", 8)
		for n := 1; l.Next(); n++ {
			if l.Number() != n {
				t.Errorf("%q: line %d is number %d", text, n, l.Number())
			}
			got += string(l.Line()) + "|"
		}
		if l.Err() != nil {
			got += l.Err().Error()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	e := &endless{text: make([]byte, 4096)}
	l := NewLines(e, "in", 1<<20)
	if l.Next() || e.read > 1<<20+1<<17 {
		t.Errorf("an endless line was read for %d bytes", e.read)
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1000: "1000 bytes", 1024: "1 KB", 1 << 30: "1 GB", 3 << 19: "1536 KB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestCheckText(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "text\n": "", "\x00": "in:1:1: a zero byte: this is not a text", "a\nb\x00": "in:2:2: a zero byte: this is not a text",
		string(pack(t, []byte("a\n\nbc\x00"))): "in:3:3: a zero byte: this is not a text", "\x1f\x8b": "in: unexpected EOF",
	} {
		if err := CheckText(strings.NewReader(text), "in"); err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if err := CheckText(&endless{text: make([]byte, 99)}, "in"); err == nil {
		t.Error("endless zero bytes are a text")
	}
}
