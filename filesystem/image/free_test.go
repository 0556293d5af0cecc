package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/workload"
)

// TestFreeClustersIsTheSumOfDescriptors compares the sum that a layout gives
// with its descriptors, of all recorded layouts, made and read.
func TestFreeClustersIsTheSumOfDescriptors(t *testing.T) {
	sum := func(l *Layout) (n uint64) {
		for id := range l.Super.Groups() {
			n += uint64(l.Desc(id).FreeClusters)
		}
		return n
	}
	table, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		size, err := workload.ParseSize(f[2])
		if err != nil {
			t.Fatal(err)
		}
		for _, odd := range []int64{0, 1 << 20, 3 << 20, 5<<20 + 12288} { // a last group and cluster cut short
			p, err := ParseMkfsArgs(RecorderArgs(f[1], strings.Join(f[3:], " ")), size+odd)
			if err != nil {
				t.Fatal(err)
			}
			l, err := Mkfs(p)
			if err != nil && odd != 0 {
				continue // mke2fs refuses it too
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := l.FreeClusters(), sum(l); got != want || got == 0 {
				t.Errorf("%s, %d bytes: %d free clusters, descriptors %d", f[0], size+odd, got, want)
			}
		}
	}
	names, _ := filepath.Glob("testdata/*.dumpe2fs.gz")
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ReadDumpe2fs(f, name)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.FreeClusters(), sum(l); got != want {
			t.Errorf("%s: %d free clusters, descriptors %d", name, got, want)
		}
	}
}
