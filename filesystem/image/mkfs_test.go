package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mbsim/allocator"
	"mbsim/workload"
)

// recordings lists the before.dumpe2fs.gz of the oracle with the folder of its
// case.env and the type of its file system.
func recordings(t *testing.T, root string) (names []string) {
	t.Helper()
	for _, pattern := range []string{"cases/*/*/before.dumpe2fs.gz", "concurrent/*/*/*/before.dumpe2fs.gz"} {
		more, _ := filepath.Glob(filepath.Join(root, pattern))
		names = append(names, more...)
	}
	return names
}

func TestMkfsReproducesTheOracle(t *testing.T) {
	names := recordings(t, "/work/shared/oracle")
	if len(names) == 0 {
		t.Skip("no oracle here")
	}
	for _, name := range names {
		dir := filepath.Dir(filepath.Dir(name))
		if _, err := os.Stat(filepath.Join(dir, "case.env")); err != nil {
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
	t.Logf("%d recordings", len(names))
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
