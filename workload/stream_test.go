package workload

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"mbsim/internal/crash"
	"mbsim/internal/input"
)

// longScript is a script of several pieces of a file.
func longScript() string {
	var b strings.Builder
	for i := range 30000 {
		fmt.Fprintf(&b, "creat f%d d/file%d\n# a comment\n\n", i%7, i)
	}
	return b.String()
}

// TestScriptFile: a file is parsed as its text is, however its lines lie in the
// pieces that are read.
func TestScriptFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ops")
	for _, text := range []string{
		"", "sync", "sync\n", "\n\nsync\nunlnik x",
		longScript() + strings.Repeat("# a long line ", 1<<16) + "\nsync\n" + longScript() + "sync",
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

// TestScriptMistake: a mistake comes after what stands before it.
func TestScriptMistake(t *testing.T) {
	n := 0
	var got error
	for op, err := range (&Script{name: "s", text: strings.NewReader("sync\nsync\nunlnik x\nsync\n")}).Ops() {
		if got = err; op != nil {
			n++
		}
	}
	if want := `s:3:1: unknown operation "unlnik" (did you mean "unlink"?)`; n != 2 || got == nil || got.Error() != want {
		t.Errorf("after %d operations %v, want %s", n, got, want)
	}
}

// TestScriptFolder: a folder is no script.
func TestScriptFolder(t *testing.T) {
	if _, err := OpenScript(t.TempDir()); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("%v", err)
	}
}

// TestScriptGivenUp: who stops asking leaves no goroutine behind.
func TestScriptGivenUp(t *testing.T) {
	before := runtime.NumGoroutine()
	text := longScript()
	for stop := range 20 {
		n := 0
		for range (&Script{name: "s", text: strings.NewReader(text)}).Ops() {
			if n++; n > stop*1000 {
				break
			}
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

// TestScriptReader: lines are numbered through all pieces, and a reader that fails
// does so behind the operations before.
func TestScriptReader(t *testing.T) {
	broken := errors.New("broken")
	text := longScript()
	last := 0
	var got error
	for op, err := range (&Script{name: "s", text: io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))}).Ops() {
		if got = err; err != nil {
			break
		}
		if op.Line != last+3 && last > 0 {
			t.Fatalf("line %d behind line %d", op.Line, last)
		}
		last = op.Line
	}
	if !errors.Is(got, broken) || last != 3*30000-2 {
		t.Errorf("after line %d: %v", last, got)
	}
}

// endless gives the same bytes for ever, and counts them.
type endless struct {
	text []byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text)
	e.read += n
	return n, nil
}

// TestScriptLines: a line may have input.MaxLine bytes, wherever it stands, and one
// that never ends is not read on.
func TestScriptLines(t *testing.T) {
	long := "creat x " + strings.Repeat("a", input.MaxLine-8)
	tooLong := fmt.Sprintf("s:3:%d: a line of more than 1 MB", input.MaxLine+1)
	for text, want := range map[string]string{
		"sync\n\n" + long + "\n" + long:      "",
		"sync\n\n" + long + "a":              tooLong,
		"sync\n\n" + long + "a\nsync":        tooLong,
		"sync\n\n#" + long + "\nsync":        tooLong,
		"sync\n\nno" + long + "\nsync":       tooLong,
		"sync\n\na\x00" + long + "\nsync":    "s:3:2: a zero byte: this is not a script",
		"sync\n\nunlink " + "x\x00y\nsync\n": "s:3:9: a zero byte: this is not a script",
		"sync\n\n" + strings.Repeat("z", 99): "s:3:1: unknown operation \"" + strings.Repeat("z", 60) + "...\" (did you mean \"cpu\"?)",
	} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text))} {
			_, err := ParseScript(r, "s")
			if got := fmt.Sprint(err); err != nil && got != want || err == nil && want != "" {
				t.Errorf("%.40q: %s, want %s", text, got, want)
			}
		}
	}
	for _, e := range []*endless{{text: make([]byte, 4096)}, {text: []byte("aaaaaaaa")}} {
		if _, err := ParseScript(e, "s"); err == nil || e.read > 2*input.MaxLine {
			t.Errorf("%v after %d bytes", err, e.read)
		}
	}
}

// A file that says it is large, and holds little, takes no memory before it is read.
func TestScriptSparse(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ops")
	if err := os.WriteFile(name, []byte("sync\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, 1<<40); err != nil {
		t.Skip(err)
	}
	s, err := OpenScript(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Parse(); err == nil || err.Error() != name+":2:1: a zero byte: this is not a script" {
		t.Errorf("%v", err)
	}
}

// TestScriptPanic: a panic of the goroutine that parses is an error of the list.
func TestScriptPanic(t *testing.T) {
	_, err := (&Script{name: "s", text: panics{}}).Parse()
	if crash.Of(err) == nil {
		t.Errorf("%v", err)
	}
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("a broken reader") }
