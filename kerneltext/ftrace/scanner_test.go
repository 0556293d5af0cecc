package ftrace

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"mbsim/internal/input"
)

const sample = `# tracer: nop
           guest-192     [001] .....     1: tracing_mark_write: line 3 creat x f
           guest-192     [001] .....     2: ext4_request_blocks: dev 254,0 ino 12 flags DATA len 5 lblk 0 goal 0 lleft 0 lright 0 pleft 0 pright 0
 no event
           guest-192     [000] d..1.     3: ext4_allocate_blocks: dev 254,0 ino 12 flags DATA len 5 block 33280 lblk 0
`

func TestScanner(t *testing.T) {
	for _, r := range []io.Reader{strings.NewReader(sample), iotest.OneByteReader(strings.NewReader(sample))} {
		got := ""
		s := NewScanner(r, "trace")
		for s.Scan() {
			e := s.Event()
			got += fmt.Sprintf("%s %d %s %d %s\n", e.Task, e.CPU, e.Name, e.Number("len"), e.Field("goal"))
		}
		want := "guest-192 1 tracing_mark_write 0 \nguest-192 1 ext4_request_blocks 5 0\nguest-192 0 ext4_allocate_blocks 5 \n"
		if got != want || s.Err() != nil {
			t.Errorf("%s, %v, want %s", got, s.Err(), want)
		}
	}
}

// A line has a limit, and what went wrong while reading is told with the trace's name.
func TestScannerErrors(t *testing.T) {
	s := NewScanner(strings.NewReader("a\n"+strings.Repeat("x", input.MaxLine+1)), "trace")
	for s.Scan() {
	}
	if want := fmt.Sprintf("trace:2:%d: a line of more than 1 MB", input.MaxLine+1); s.Err() == nil || s.Err().Error() != want {
		t.Errorf("%v, want %s", s.Err(), want)
	}
	s = NewScanner(iotest.ErrReader(errors.New("broken")), "trace")
	if s.Scan() || s.Err() == nil || s.Err().Error() != "trace: broken" {
		t.Errorf("%v", s.Err())
	}
}

// Whatever a trace holds: no panic, and as many events as lines at most.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("a [0]: : \n[1: x\n] [: :\nx [9999999999999999999] .: n: dev"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := NewScanner(strings.NewReader(string(text)), "trace")
		n := 0
		for s.Scan() {
			e := s.Event()
			e.Number("len")
			if n++; strings.Contains(e.Text+e.Name+e.Task, "\n") {
				t.Fatalf("%+v", *e)
			}
		}
		if n > strings.Count(string(text), "\n")+1 || s.Err() != nil {
			t.Fatalf("%d events, %v", n, s.Err())
		}
	})
}
