package workload

import (
	"fmt"
	"reflect"
	"runtime"
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
	return &Script{"long", b.String()}
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
	if n := s.Lines(); n < len(want) {
		t.Errorf("%d lines, %d operations", n, len(want))
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
