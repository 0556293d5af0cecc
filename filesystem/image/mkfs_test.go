package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/workload"
)

// TestMkfsReproducesRecordings compares Mkfs with the text of dumpe2fs that the
// recorders of the oracle wrote, one of each distinct layout.
func TestMkfsReproducesRecordings(t *testing.T) {
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
		compareWithText(t, "testdata/"+f[0]+".dumpe2fs.gz", f[1], strings.Join(f[3:], " "), size)
	}
}

// TestMkfsReproducesTheOracle does the same with every recording, from its
// case.env, and reads every text of an aged file system.
func TestMkfsReproducesTheOracle(t *testing.T) {
	const root = "/work/shared/oracle/"
	before, after := 0, 0
	for _, pattern := range []string{"cases/*/*/*.dumpe2fs.gz", "concurrent/*/*/*/*.dumpe2fs.gz"} {
		names, _ := filepath.Glob(root + pattern)
		for _, name := range names {
			if filepath.Base(name) == "after.dumpe2fs.gz" {
				after++
				readAged(t, name)
				continue
			}
			before++
			dir := filepath.Dir(filepath.Dir(name))
			if strings.HasPrefix(pattern, "concurrent") {
				dir = filepath.Dir(dir)
			}
			c, err := workload.ReadCase(dir)
			if err != nil {
				t.Fatal(err)
			}
			fs, args := "ext4", c.Mkfs
			if strings.Contains(name, "/ext2/") {
				fs, args = "ext2", c.MkfsExt2
			}
			compareWithText(t, name, fs, args, c.Size)
		}
	}
	if before == 0 {
		t.Skip("no oracle here")
	}
	t.Logf("%d recordings before, %d after", before, after)
}

// readAged reads the text of a file system that was used: the files of mke2fs
// must still be found.
func readAged(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := ReadDumpe2fs(f, name)
	if err != nil {
		t.Error(err)
		return
	}
	if len(l.Notes) > 0 || len(l.Reserved) < 2 || len(l.Reserved[0].Extents) == 0 {
		t.Errorf("%s: notes %q, reserved %+v", name, l.Notes, l.Reserved)
	}
}

func compareWithText(t *testing.T, name, fs, args string, size int64) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := ReadDumpe2fs(f, name)
	if err != nil {
		t.Error(err)
		return
	}
	p, err := ParseMkfsArgs(RecorderArgs(fs, args), size)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got, err := Mkfs(p)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if got.Super.HashSeed == (UUID{}) {
		// The case's own -E replaced the recorder's, and mke2fs drew a seed.
		got.Super.HashSeed = want.Super.HashSeed
	}
	if d := diff(got, want); d != "" {
		t.Errorf("%s (%s %s): %s", name, fs, args, d)
	}
}

func BenchmarkMkfs(b *testing.B) {
	for _, c := range []struct {
		name, args string
		size       int64
	}{
		{"512M", "-t ext4", 512 << 20},
		{"16T", "-t ext4", 16 << 40},
		{"1P", "-t ext4", 1 << 50},
		{"1P-bigalloc", "-t ext4 -O bigalloc -C 65536", 1 << 50},
		{"1P-no-flex", "-t ext4 -O ^flex_bg", 1 << 50},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := ParseMkfsArgs(strings.Fields(c.args), c.size)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Mkfs(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGroup(b *testing.B) {
	p, err := ParseMkfsArgs([]string{"-t", "ext4"}, 1<<50)
	if err != nil {
		b.Fatal(err)
	}
	l, err := Mkfs(p)
	if err != nil {
		b.Fatal(err)
	}
	geo := l.Geometry()
	bits := make([]uint64, geo.ClustersPerGroup/64)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := allocator.GroupID(i*7919) % geo.Groups
		clear(bits)
		l.Desc(id)
		l.BlockBitmap(id, bits)
	}
}
