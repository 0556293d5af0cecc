package scenarios

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// Whatever the text and the --set: no panic, an error is one line, and what
// loads resolves to itself.
func FuzzParse(f *testing.F) {
	for _, text := range samples(f) {
		f.Add(text, "seed=2")
		f.Add(text, "workload.classes.writers.file_size.lognormal.median=4K")
	}
	for part := range strings.SplitSeq(string(mustRead(f, "testdata/errors")), "\nload\n") {
		text, _, _ := strings.Cut(part, "\n----")
		f.Add(text, "device.mkfs.size=64M")
		f.Add(text, "mount=stripe=16")
		f.Add(text, "workload={script: \"sync\\n\"}")
	}
	base := samples(f)["base"]
	for part := range strings.SplitSeq(string(mustRead(f, "testdata/sets")), "\nset\n") {
		set, _, _ := strings.Cut(part, "\n----")
		f.Add(base, set)
	}
	f.Fuzz(func(t *testing.T, text, set string) {
		var sets []string
		if set != "" {
			sets = []string{set}
		}
		s, err := Parse([]byte(text), "in.yaml", Options{Sets: sets})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%#v", err)
			}
			return
		}
		again, err := Parse(s.Resolved(), "in.yaml", Options{})
		if err != nil {
			t.Fatalf("resolved: %v\n%s", err, s.Resolved())
		}
		if !bytes.Equal(s.Resolved(), again.Resolved()) {
			t.Fatalf("resolved twice:\n%s", diff(string(s.Resolved()), string(again.Resolved())))
		}
	})
}
