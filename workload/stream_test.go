package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// longScript is a script of several batches.
func longScript() *Script {
	var b strings.Builder
	for i := range 5*batchOps + 17 {
		fmt.Fprintf(&b, "creat f%d d/file%d\n# a comment\n\n", i%7, i)
	}
	return &Script{name: "long", text: b.String()}
}

// TestAhead: the operations that are parsed ahead are those of the whole script.
func TestAhead(t *testing.T) {
	s := longScript()
	want, err := s.Parse()
	if err != nil {
		t.Fatal(err)
	}
	var got []Op
	for ops, err := range s.Ahead() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ops...)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%d operations ahead, %d in the script", len(got), len(want))
	}
}

// TestAheadMistake: a mistake comes after what stands before it, and as it would
// from Parse.
func TestAheadMistake(t *testing.T) {
	s := longScript()
	s.text += "unlnik x\n" + s.text
	_, want := s.Parse()
	n := 0
	var got error
	for ops, err := range s.Ahead() {
		n += len(ops)
		got = err
	}
	if n != 5*batchOps+17 || got == nil || want == nil || got.Error() != want.Error() {
		t.Errorf("after %d operations %v, want %v", n, got, want)
	}
}

// TestAheadGivenUp: who stops asking leaves no goroutine behind.
func TestAheadGivenUp(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		for range longScript().Ahead() {
			break
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestScriptFile: a file is parsed as its text is, however its lines lie in the
// pieces that are read.
func TestScriptFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ops")
	for _, text := range []string{
		"", "sync", "sync\n", "\n\nsync\nunlnik x",
		longScript().text + strings.Repeat("# a long line ", 1<<16) + "\nsync\n" + longScript().text + "sync",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want, wantErr := ParseScript(strings.NewReader(text), name)
		s, err := OpenScript(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Parse()
		if !slices.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%.40q: %d operations, %v; want %d, %v", text, len(got), err, len(want), wantErr)
		}
	}
}
