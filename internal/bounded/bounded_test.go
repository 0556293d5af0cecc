package bounded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is no regular file or too large is refused without being read, which would
// wait for ever for the pipe.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path  string
		limit int64
		want  string // of the error, "" where there is none
	}{
		{path, 5, ""},
		{path, 4, "file: it has 5 bytes: at most 4 are read"},
		{pipe, 5, "pipe: not a regular file"},
		{dir, 5, "not a regular file"},
		{"/dev/zero", 5, "/dev/zero: not a regular file"},
	} {
		text, err := ReadFile(c.path, c.limit)
		switch {
		case c.want == "" && (err != nil || string(text) != "12345"):
			t.Errorf("%s: %q, %v", c.path, text, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error is %v, want %s", c.path, err, c.want)
		}
	}
	if _, err := ReadFile(filepath.Join(dir, "none"), 5); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
