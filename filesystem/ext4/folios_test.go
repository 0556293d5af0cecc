package ext4

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sizes lists the folios of a set as "first page + pages".
func (s folioSet) sizes() (all []string) {
	for _, r := range s {
		for i := range r.count {
			all = append(all, fmt.Sprintf("%d+%d", r.page+i<<r.order, 1<<r.order))
		}
	}
	return all
}

// largeFile is an empty file on a kernel with large folios, with blocks of 4K.
func largeFile(t *testing.T) (*FS, *inode) {
	t.Helper()
	k := Linux5_10
	k.Quirks.LargeFolios = true
	fs := mountSmall(t, "-b 4096", k.DefaultOptions(4096))
	h, err := fs.Create(&task{}, "a")
	if err != nil {
		t.Fatal(err)
	}
	return fs, h.(*handle).in
}

// TestFolioSizes: a folio is as large as the write, its alignment and what is there allow.
func TestFolioSizes(t *testing.T) {
	const K = 1 << 10
	type write struct{ pos, n int64 }
	for _, c := range []struct {
		name   string
		writes []write
		want   []string
	}{
		{"a power of two", []write{{0, 64 * K}}, []string{"0+16"}},
		{"what is left goes on", []write{{0, 100 * K}}, []string{"0+16", "16+8", "24+1"}},
		{"a byte less", []write{{0, 64*K - 1}}, []string{"0+8", "8+4", "12+2", "14+1", "15+1"}},
		{"2 MiB is the most", []write{{0, 5 << 20}}, []string{"0+512", "512+512", "1024+256"}},
		{"alignment", []write{{12 * K, 64 * K}}, []string{"3+1", "4+4", "8+8", "16+2", "18+1"}},
		{"inside a page", []write{{100, 64 * K}}, []string{"0+16", "16+1"}},
		{"pages that are there", []write{{20 * K, 4 * K}, {0, 64 * K}}, []string{"0+4", "4+1", "5+1", "6+2", "8+8"}},
		{"a folio that is there", []write{{0, 64 * K}, {0, 128 * K}}, []string{"0+16", "16+16"}},
	} {
		fs, in := largeFile(t)
		for _, w := range c.writes {
			if _, err := fs.bufferedWrite(&task{}, in, w.pos, w.n); err != 0 {
				t.Fatal(err)
			}
		}
		if got := fs.inodes.folios(in.Number).sizes(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestFolioCut: a clean folio is split where a file is cut, a dirty one is not.
func TestFolioCut(t *testing.T) {
	fs, in := largeFile(t)
	var task task
	if _, e := fs.bufferedWrite(&task, in, 0, 64<<10); e != 0 {
		t.Fatal(e)
	}
	if e := fs.setSize(&task, in, 20<<10); e != 0 {
		t.Fatal(e)
	}
	if got := fs.inodes.folios(in.Number).sizes(); !slices.Equal(got, []string{"0+16"}) {
		t.Errorf("dirty: %v", got)
	}
	fs.sync(&task)
	if e := fs.setSize(&task, in, 12<<10); e != 0 {
		t.Fatal(e)
	}
	if got := fs.inodes.folios(in.Number).sizes(); !slices.Equal(got, []string{"0+2", "2+1"}) {
		t.Errorf("clean: %v", got)
	}
}

// TestFoliosGo: an unmount forgets the folios of all files, and a file's go with it, so that the
// next file of its number begins without.
func TestFoliosGo(t *testing.T) {
	fs, in := largeFile(t)
	var task task
	write := func(in *inode) {
		if _, e := fs.bufferedWrite(&task, in, 0, 100<<10); e != 0 {
			t.Fatal(e)
		}
		if got := fs.inodes.folios(in.Number).sizes(); len(got) != 3 {
			t.Errorf("a write makes %v", got)
		}
	}
	write(in)
	if err := (&handle{fs: fs, in: in}).Close(&task); err != nil {
		t.Fatal(err)
	}
	if err := fs.Remount(&task); err != nil {
		t.Fatal(err)
	}
	if got := fs.inodes.folios(in.Number).sizes(); got != nil {
		t.Errorf("after an unmount: %v", got)
	}
	write(in)
	if err := fs.Unlink(&task, "a"); err != nil {
		t.Fatal(err)
	}
	fs.sync(&task)
	h, err := fs.Create(&task, "b")
	if err != nil {
		t.Fatal(err)
	}
	b := h.(*handle).in
	if got := fs.inodes.folios(b.Number).sizes(); b != in || got != nil {
		t.Errorf("the next file has inode %d, not %d, and %v", b.Number, in.Number, got)
	}
}

// TestFolioSet compares a set with a table of pages.
func TestFolioSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const pages = 64
	var s folioSet
	var table [pages]uint32 // the first page of its folio, and one; 0 for none
	for range 20000 {
		page := r.Uint32N(pages)
		if start, end, ok := s.find(page); ok {
			if r.IntN(2) == 0 {
				s.remove(start, end)
				clear(table[start:end])
			} else if end-start > 1 {
				s.split(page)
				for start, end, at := start, end, page; end > start; {
					mid := start + (end-start)/2
					if end-start == 1 {
						table[start] = start + 1
						break
					}
					from, to := start, mid
					if at < mid {
						from, to, end = mid, end, mid
					} else {
						start = mid
					}
					for p := from; p < to; p++ {
						table[p] = from + 1
					}
				}
			}
		} else {
			order := uint8(r.IntN(5))
			first := page &^ (1<<order - 1)
			if s.free(first, first+1<<order) {
				s.add(first, order)
				for p := first; p < first+1<<order; p++ {
					table[p] = first + 1
				}
			}
		}
		for p := range uint32(pages) {
			if start, _, ok := s.find(p); ok != (table[p] > 0) || ok && start+1 != table[p] {
				t.Fatalf("page %d: %d %t, want %d; %v", p, start, ok, table[p], s)
			}
		}
	}
}
