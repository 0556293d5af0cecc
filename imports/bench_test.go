package imports

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkImport imports recordings of 20,000 lines. What it allocates follows the length of the recording,
// and what it holds does not: TestHeld.
func BenchmarkImport(b *testing.B) {
	for name, text := range longTexts(20_000) {
		b.Run(name, func(b *testing.B) {
			l := openText(b, text)
			f, err := FindFormat(name)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := f.Import([]*Log{l}, Options{Root: "/r"}, func(string) (io.Writer, error) { return io.Discard, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// longTexts are recordings of n lines.
func longTexts(n int) map[string]string {
	var strace, list, iolog, trace strings.Builder
	iolog.WriteString("fio version 3 iolog\n")
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&strace, "7 1796047607.6%05d openat(AT_FDCWD</r>, \"/r/d%d\", O_RDWR|O_CREAT, 0644) = 3</r/d%d>\n", i, i/4%100, i/4%100)
		case 1:
			fmt.Fprintf(&strace, "7 1796047607.6%05d write(3</r/d%d>, \"\"..., 10) = 10\n", i, i/4%100)
		case 2:
			fmt.Fprintf(&strace, "7 1796047607.6%05d close(3</r/d%d>) = 0\n", i, i/4%100)
		case 3:
			fmt.Fprintf(&strace, "7 1796047607.6%05d unlink(\"/r/d%d\") = 0\n", i, i/4%100)
		}
		fmt.Fprintf(&list, "f %d /r/d%d/file%d\n", i%9000, i/100, i)
		fmt.Fprintf(&iolog, "%d /r/f write %d 4096\n", i, i*7919%n*4096)
		fmt.Fprintf(&trace, "w-1 [000] .... %d: ext4_request_blocks: dev 8,0 ino 12 flags HINT_DATA len 1 lblk %d goal 0\n", i, i)
	}
	return map[string]string{"strace": strace.String(), "find": list.String(), "fio-iolog": iolog.String(), "ftrace": trace.String()}
}

// gauge takes a script, and looks now and then at how much memory is in use.
type gauge struct {
	writes int
	most   uint64 // bytes
}

func (g *gauge) Write(p []byte) (int, error) {
	if g.writes++; g.writes%4000 == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		g.most = max(g.most, m.HeapAlloc)
	}
	return len(p), nil
}

// TestHeld: a recording that is five times as long needs no more memory.
func TestHeld(t *testing.T) {
	held := func(name string, n int) uint64 {
		l := openText(t, longTexts(n)[name])
		f, err := FindFormat(name)
		if err != nil {
			t.Fatal(err)
		}
		var g gauge
		if _, err := f.Import([]*Log{l}, Options{Root: "/r"}, func(string) (io.Writer, error) { return &g, nil }); err != nil {
			t.Fatal(err)
		}
		return g.most
	}
	for _, name := range []string{"strace", "fio-iolog", "ftrace"} {
		held(name, 8000) // what is made once
		if short, long := held(name, 16000), held(name, 80000); short == 0 || long > short+256<<10 {
			t.Errorf("%s: %d bytes with 16,000 lines, %d with 80,000", name, short, long)
		}
	}
}
