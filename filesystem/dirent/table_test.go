package dirent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// index is the entry of a name, negative if it is not there.
func (t *table) index(hash uint32, at place, ino uint32) int {
	for i := t.home(hash); t.entries[i].at != 0; i = t.next(i) {
		if t.entries[i] == (entry{hash, at + 1, ino}) {
			return i
		}
	}
	return -1
}

// TestTable adds, moves and removes entries of few and of many different hashes,
// at both ends of their range, and compares with a list.
func TestTable(t *testing.T) {
	type item struct {
		hash uint32
		at   place
		ino  uint32
	}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		table, next := newTable(), place(0)
		var all []item
		for i := range 3000 {
			switch k := r.IntN(12); {
			case k < 6 && (i/500%2 == 0 || len(all) == 0) || k < 3:
				x := item{r.Uint32() >> (8 * (seed % 4)), next, r.Uint32()}
				if seed%2 == 1 {
					x.hash = ^x.hash
				}
				table.add(table.freeEntry(x.hash), entry{x.hash, x.at + 1, x.ino})
				all = append(all, x)
				next++
			case k < 10 && len(all) > 0:
				j := r.IntN(len(all))
				table.remove(table.index(all[j].hash, all[j].at, all[j].ino))
				all = slices.Delete(all, j, j+1)
			case len(all) > 0:
				x := &all[r.IntN(len(all))]
				table.move(x.hash, x.at, next, x.ino)
				x.at = next
				next++
			}
			if i%20 != 0 {
				continue
			}
			for _, x := range all {
				if table.index(x.hash, x.at, x.ino) < 0 {
					t.Fatalf("seed %d, step %d: %x is lost", seed, i, x.hash)
				}
			}
			if table.used != len(all) || 4*table.used > 3*len(table.entries) {
				t.Fatalf("seed %d, step %d: %d of %d entries used, want %d", seed, i, table.used, len(table.entries), len(all))
			}
		}
	}
}

// collisions are pairs of names that hashText takes for one.
func collisions(t *testing.T) []string {
	t.Helper()
	var names []string
	seen := make(map[uint32]string, 300000)
	for i := range 300000 {
		name := fmt.Sprintf("f%d", i)
		h := hashText([]byte(name))
		if other, ok := seen[h]; ok {
			names = append(names, other, name)
		}
		seen[h] = name
	}
	if len(names) < 4 || len(names) > 100 {
		t.Fatalf("%d of 300,000 names are of equal hash, want about 20", len(names))
	}
	return names
}

// naive is a linear directory as the kernel reads it: a list of slots for each
// block, searched from the start.
type naive struct {
	leafLen int
	blocks  [][]naiveSlot
}

type naiveSlot struct {
	len  int
	name string
	ino  uint32
}

func (s *naiveSlot) need() int {
	if s.name == "" {
		return 0
	}
	return (len(s.name) + 11) / 4 * 4
}

func newNaive(o *Options) *naive {
	n := int(o.leafLen())
	return &naive{n, [][]naiveSlot{{{12, ".", 2}, {n - 12, "..", 2}}}}
}

func (d *naive) add(name string, ino uint32) {
	fresh := naiveSlot{0, name, ino}
	for b := range d.blocks {
		for i := range d.blocks[b] {
			s := &d.blocks[b][i]
			if fresh.len = s.len - s.need(); fresh.len < fresh.need() {
				continue
			}
			if s.name == "" {
				*s = fresh
				return
			}
			s.len = s.need()
			d.blocks[b] = slices.Insert(d.blocks[b], i+1, fresh)
			return
		}
	}
	fresh.len = d.leafLen
	d.blocks = append(d.blocks, []naiveSlot{fresh})
}

func (d *naive) remove(name string) bool {
	for b := range d.blocks {
		i := slices.IndexFunc(d.blocks[b], func(s naiveSlot) bool { return s.name == name })
		switch {
		case i == 0:
			d.blocks[b][0] = naiveSlot{len: d.blocks[b][0].len}
		case i > 0:
			d.blocks[b][i-1].len += d.blocks[b][i].len
			d.blocks[b] = slices.Delete(d.blocks[b], i, i+1)
		}
		if i >= 0 {
			return true
		}
	}
	return false
}

func (d *naive) show() string {
	var w strings.Builder
	for b := range d.blocks {
		off := 0
		for _, s := range d.blocks[b] {
			fmt.Fprintf(&w, "%d: %d+%d %q %d\n", b, off, s.len, s.name, s.ino)
			off += s.len
		}
	}
	return w.String()
}

func (d *Dir) show() string {
	var w strings.Builder
	for b := range d.blocks {
		for s := range d.Slots(b) {
			fmt.Fprintf(&w, "%d: %d+%d %q %d\n", b, s.Offset, s.Len, s.Name, s.Inode)
		}
	}
	return w.String()
}

// TestNaive adds, looks up and removes names, some of equal hash, in linear
// directories: every slot is where a list of slots has it.
func TestNaive(t *testing.T) {
	equal := collisions(t)
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 0))
		opts := &Options{BlockSize: 1024 << (seed % 7), Checksums: seed%2 == 0}
		if seed == 23 {
			opts.BlockSize = 65536
		}
		d, want := New(opts, 2, 2), newNaive(opts)
		names := slices.Clone(equal)
		for i := range 40 << (seed % 4) {
			names = append(names, fmt.Sprint(i, strings.Repeat("n", r.IntN(1+int(seed)*10))))
		}
		for i := range 4000 {
			name := names[r.IntN(len(names))]
			at, _, there := d.Find(name)
			if r.IntN(4) == 0 {
				d.Lookup(names[r.IntN(len(names))])
			}
			switch {
			case !there:
				if err := d.Insert(at, uint32(i+12), TypeFile, granted); err != nil {
					t.Fatal(err)
				}
				want.add(name, uint32(i+12))
			case r.IntN(8) > 0:
				if !d.Delete(at) {
					t.Fatalf("seed %d, step %d: %q is not there", seed, i, name)
				}
				want.remove(name)
			default:
				if err := d.Add(name, 12, TypeFile, granted); err == nil {
					t.Fatalf("seed %d, step %d: %q was added twice", seed, i, name)
				}
			}
			if i%20 != 0 {
				continue
			}
			if got, want := d.show(), want.show(); got != want {
				t.Fatalf("seed %d, step %d:\n%swant\n%s", seed, i, got, want)
			}
		}
		d.check(t)
	}
}

// TestNoAllocation: where names come and go in room that is there, no memory is
// allocated, whatever their length.
func TestNoAllocation(t *testing.T) {
	d := New(&Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4}, 2, 2)
	for i := range 1000 {
		if err := d.Add(fmt.Sprint(i), 12, TypeFile, granted); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", strings.Repeat("long", 60)} {
		if n := testing.AllocsPerRun(100, func() {
			at, _, _ := d.Find(name)
			_ = d.Insert(at, 13, TypeFile, granted)
			d.LookupBlocks(name, func(uint32) {})
			d.Remove(name)
		}); n != 0 {
			t.Errorf("a name of %d bytes comes and goes with %v allocations", len(name), n)
		}
	}
}
