// Package fuzzing helps fuzz targets to edit texts where it matters. Only tests use it.
package fuzzing

import (
	"os"
	"regexp"
	"testing"
)

// scalar is a number of a JSON or CSV text, or a JSON string.
var scalar = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?`)

// ReplaceScalar is text with another text in the place of its number or string n, which
// is counted from the first again after the last. An edit of bytes seldom leaves a text
// that can be parsed; this one does, if with can.
func ReplaceScalar(text []byte, n int, with string) []byte {
	all := scalar.FindAllIndex(text, -1)
	if len(all) == 0 {
		return text
	}
	// A new slice, since the text belongs to the caller.
	at := all[n%len(all)]
	out := append([]byte(nil), text[:at[0]]...)
	out = append(out, with...)
	return append(out, text[at[1]:]...)
}

// TempDir is a folder that is removed when the test has ended, in memory where the
// machine has a file system there: to make files last on a disk takes longer than all
// else that a fuzz target does.
func TempDir(t testing.TB) string {
	const memory = "/dev/shm"
	dir, err := os.MkdirTemp(memory, "mbsim-fuzz-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
