package metrics

import (
	"fmt"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/ext4"
	"mbsim/filesystem/image"
)

// BenchmarkSnapshot goes through 100,000 files in 100 directories on 64 GiB.
func BenchmarkSnapshot(b *testing.B) {
	p := image.DefaultMkfsParams("ext4", 64<<30)
	l, err := image.Mkfs(p)
	if err != nil {
		b.Fatal(err)
	}
	fs, err := ext4.Mount(l, ext4.DefaultOptions(4096))
	if err != nil {
		b.Fatal(err)
	}
	t := &filesystem.Task{}
	for i := range 100_000 {
		if i%1000 == 0 {
			if err := fs.Mkdir(t, fmt.Sprintf("d%d", i/1000)); err != nil {
				b.Fatal(err)
			}
		}
		h, err := fs.Create(t, fmt.Sprintf("d%d/f%d", i/1000, i))
		if err == nil {
			_, err = h.Write(t, 0, 8192)
		}
		if err == nil {
			err = h.Close(t)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := fs.Sync(t); err != nil {
		b.Fatal(err)
	}
	c, err := New(Config{FS: fs, Policy: Mballoc(fs.Allocator()), Source: l, Look: fs.Look, Lost: fs.LostBlocks, StatusTree: fs.StatusTree})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("all", func(b *testing.B) {
		for i := range b.N {
			c.snapshot(int64(i), NewRow())
		}
	})
	b.Run("free", func(b *testing.B) {
		for range b.N {
			c.free.space()
		}
	})
	b.Run("row", func(b *testing.B) {
		for range b.N {
			r := NewRow()
			c.count(r)
			c.space(r)
			r.computeRatios()
		}
	})
	b.Run("column", func(b *testing.B) {
		for range b.N {
			c.free.bands.column()
		}
	})
}

// BenchmarkHuge is the free space of 256 TiB that nobody has touched.
func BenchmarkHuge(b *testing.B) {
	l, err := image.Mkfs(image.DefaultMkfsParams("ext4", 256<<40))
	if err != nil {
		b.Fatal(err)
	}
	geo := l.Geometry()
	m := newFreeMap(l, &geo, nil, defaultBands)
	b.Run("count", func(b *testing.B) {
		for range b.N {
			m = newFreeMap(l, &geo, nil, defaultBands)
			m.count()
		}
	})
	b.Run("sum", func(b *testing.B) {
		for range b.N {
			m.pieces.sum()
		}
	})
}
