package play

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// TestResults: what is written line by line can be read back.
func TestResults(t *testing.T) {
	var results []Result
	for line := 1; line < 1200; line++ {
		if line%7 != 3 { // lines without an operation
			results = append(results, Result{line, int64(line%5) * -28})
		}
	}
	results = append(results, Result{99999, 0}, Result{100000, 1 << 40}, Result{100001, 0}, Result{0, -5}, Result{1, 0})
	want := "# pid 12\n"
	for _, r := range results {
		want += fmt.Sprintln(r.Line, r.Ret)
	}
	var b bytes.Buffer
	if err := WriteResults(&b, 12, results); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("written as\n%s", b.String())
	}
	pid, got, err := ReadResults(&b, "results.txt")
	if pid != 12 || err != nil || !slices.Equal(got, results) {
		t.Errorf("read back: pid %d, %v, %v", pid, got, err)
	}
}
