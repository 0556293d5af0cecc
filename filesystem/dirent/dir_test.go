package dirent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"mbsim/filesystem"
)

// check verifies the invariants of the package.
func (d *Dir) check(t *testing.T) {
	t.Helper()
	seen := 0
	for b := range d.blocks {
		blk := &d.blocks[b]
		if blk.index != nil && b > 0 {
			continue
		}
		end, largest, starts := blk.check(t)
		if starts != blk.count() {
			t.Fatalf("block %d: %d slots, %d bits say so", b, starts, blk.count())
		}
		if d.hashed && b == 0 {
			continue
		}
		if end != d.opts.leafLen() && !d.inline {
			t.Fatalf("block %d: slots end at %d, want %d", b, end, d.opts.leafLen())
		}
		if largest > d.holes[b] {
			t.Fatalf("block %d: hole of %d, bound %d", b, largest, d.holes[b])
		}
	}
	for b, off := range d.linear() {
		seen++
		text := string(d.blocks[b].text(off))
		if b2, off2, ok := d.locate(text); !ok || b2 != b || off2 != off {
			t.Fatalf("%q is at %d of block %d, found (%t) at %d of block %d", text, off, b, ok, off2, b2)
		}
	}
	if seen != d.Len() {
		t.Fatalf("%d names in blocks, want %d", seen, d.Len())
	}
}

// check verifies that the slots of b are as its chunks say. It returns where they
// end, the largest hole, and how many slots there are.
func (b *block) check(t *testing.T) (end, largest int32, starts int) {
	t.Helper()
	for off, h := range b.slots() {
		c, bit := b.chunks[off/chunkLen], uint64(1)<<(off/unit%64)
		if off != end || h.len() < h.need() || c.starts&bit == 0 || (c.holes&bit != 0) != (h.hole() >= minSlot) {
			t.Fatalf("slot at %d of %d bytes, needs %d, in %x, want offset %d", off, h.len(), h.need(), c, end)
		}
		if off > 0 && b.at(b.before(off)).len() != off-b.before(off) {
			t.Fatalf("the slot before %d is not at %d", off, b.before(off))
		}
		end += h.len()
		largest = max(largest, h.hole())
		starts++
	}
	return end, largest, starts
}

// firstFit is where a scan of every slot would put a name of n bytes.
func (d *Dir) firstFit(n int) (block uint32, off int32, ok bool) {
	for b := range d.blocks {
		for off, h := range d.blocks[b].slots() {
			if h.hole() >= slotLen(int32(n)) {
				return uint32(b), off + h.need(), true
			}
		}
	}
	return 0, 0, false
}

func randomName(r *rand.Rand, i int) string {
	return fmt.Sprintf("%d-%s", i, string(make([]byte, r.IntN(1+r.IntN(200)))))
}

// TestRandom adds and removes names at random, checks the invariants, and that
// skipping blocks by their bound puts names where a scan would.
func TestRandom(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 0))
		opts := &Options{BlockSize: 1024 << (seed % 7), DirIndex: seed%2 == 0, Checksums: seed%5 != 0, Hash: HashVersion(seed % 6), Seed: recordedSeed}
		d := New(opts, 2, 2)
		var live []string
		for i := range 1500 {
			if len(live) > 0 && r.IntN(10) < 4 {
				k := r.IntN(len(live))
				if !d.Remove(live[k]) {
					t.Fatalf("seed %d: %q is lost", seed, live[k])
				}
				live = slices.Delete(live, k, k+1)
			} else {
				name := randomName(r, i)
				want, wantOff, fits := d.firstFit(len(name))
				linear := !d.hashed
				if err := d.Add(name, uint32(i+12), TypeFile, granted); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if got, off, _ := d.locate(name); linear && fits && (got != want || off != wantOff) {
					t.Fatalf("seed %d: name %d went to %d of block %d, a scan finds %d of block %d (go test -run TestRandom ./filesystem/dirent)", seed, i, off, got, wantOff, want)
				}
				live = append(live, name)
			}
			if i%50 == 0 {
				d.check(t)
			}
		}
		for e := range d.Entries() {
			if ino, ok := d.Lookup(e.Name); !ok || ino != e.Inode {
				t.Fatalf("seed %d: readdir lists %q as %d, lookup says %d %v", seed, e.Name, e.Inode, ino, ok)
			}
			d.mustRead(t, e.Name)
		}
		for _, name := range live {
			d.Remove(name)
		}
		if d.check(t); !d.IsEmpty() {
			t.Errorf("seed %d: not empty", seed)
		}
	}
}

// mustRead checks that looking name up reads the block that holds it, last.
func (d *Dir) mustRead(t *testing.T, name string) {
	t.Helper()
	want, _, _ := d.locate(name)
	var read []uint32
	d.LookupBlocks(name, func(b uint32) { read = append(read, b) })
	if !slices.Contains(read, want) {
		t.Fatalf("%q is in block %d, lookup reads %v", name, want, read)
	}
}

// TestNoSpace refuses the n-th block asked for, for each n, and checks that what
// stays is a sound directory that a later attempt completes.
func TestNoSpace(t *testing.T) {
	for refused := range 6 {
		opts := &Options{BlockSize: 1024, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed}
		d := New(opts, 2, 2)
		asked := 0
		grow := func() error {
			if asked++; asked == refused+1 {
				return filesystem.ENOSPC
			}
			return nil
		}
		failed := 0
		for i := range 400 {
			name := fmt.Sprintf("name-%d", i)
			if err := d.Add(name, 12, TypeFile, grow); err != nil {
				failed++
				if !errors.Is(err, filesystem.ENOSPC) || d.Blocks() != asked {
					t.Errorf("block %d refused: %v with %d blocks, want %d", refused, err, d.Blocks(), asked)
				}
				if refused == 1 && !d.Hashed() {
					t.Error("a directory whose first split fails stays hashed")
				}
				if _, ok := d.Lookup(name); ok {
					t.Errorf("%s was refused and is there", name)
				}
				if err := d.Add(name, 12, TypeFile, grow); err != nil {
					t.Error(err)
				}
			}
			if d.hashed && failed > 0 && i%10 == 0 {
				d.check(t)
			}
		}
		if failed != 1 || d.Len() != 400 {
			t.Errorf("block %d refused: %d failures, %d names", refused, failed, d.Len())
		}
	}
}

// TestIndexFull fills a directory of two levels: the index takes as many leaves
// as its root and nodes have room for, and no more.
func TestIndexFull(t *testing.T) {
	opts := &Options{BlockSize: 1024, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed}
	d := New(opts, 2, 2)
	long := string(make([]byte, 240))
	for i := 0; ; i++ {
		err := d.Add(fmt.Sprintf("%d%s", i, long), 12, TypeFile, granted)
		if errors.Is(err, filesystem.ENOSPC) {
			break
		}
		if err != nil || i > 200000 {
			t.Fatal(i, err)
		}
	}
	root := d.Index(0)
	if len(root) != opts.rootLimit() || d.depth != 1 {
		t.Errorf("the root has %d of %d ranges at depth %d", len(root), opts.rootLimit(), d.depth)
	}
	full := 0
	for _, r := range root {
		if len(d.Index(int(r.Block))) == opts.nodeLimit() {
			full++
		}
	}
	if full == 0 {
		t.Error("no node is full")
	}
	d.check(t)
	opts.LargeDir = true
	if err := d.Add("one more"+long, 12, TypeFile, granted); err != nil {
		t.Errorf("with large_dir: %v", err)
	}
}

func TestExists(t *testing.T) {
	d := New(&Options{BlockSize: 4096}, 2, 2)
	if err := d.Add("a", 12, TypeFile, granted); err != nil {
		t.Fatal(err)
	}
	if err := d.Add("a", 13, TypeFile, granted); !errors.Is(err, filesystem.EEXIST) {
		t.Errorf("got %v, want EEXIST", err)
	}
	at, _, _ := d.Find("a")
	d.Redirect(at, 14, TypeDir)
	if ino, _ := d.Lookup("a"); ino != 14 {
		t.Errorf("a names %d, want 14", ino)
	}
	if d.Remove("b") {
		t.Error("b was never there")
	}
}

func TestRestoreDamaged(t *testing.T) {
	opts := &Options{BlockSize: 1024}
	dots := []Slot{{Entry{".", 2, TypeDir}, 0, 12}, {Entry{"..", 2, TypeDir}, 12, 1012}}
	for _, c := range []struct {
		name   string
		blocks []Block
	}{
		{"nothing", nil},
		{"no dots", []Block{{Slots: []Slot{{Offset: 0, Len: 1024}}}}},
		{"gap", []Block{{Slots: dots}, {Slots: []Slot{{Offset: 12, Len: 1012}}}}},
		{"short slot", []Block{{Slots: dots}, {Slots: []Slot{{Entry{"abcdefgh", 12, TypeFile}, 0, 12}}}}},
		{"too long", []Block{{Slots: dots}, {Slots: []Slot{{Offset: 0, Len: 1028}}}}},
		{"loop", []Block{{Slots: dots, Index: []Range{{0, 0}}}}},
		{"outside", []Block{{Slots: dots, Index: []Range{{0, 9}}}}},
	} {
		if _, err := Restore(opts, c.blocks); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}

// BenchmarkChurn removes and adds a name in a directory of 20,000.
func BenchmarkChurn(b *testing.B) {
	for _, kind := range []string{"ext4", "ext2"} {
		b.Run(kind, func(b *testing.B) {
			d := New(&Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed, Ext2: kind == "ext2"}, 2, 2)
			r := rand.New(rand.NewPCG(1, 2))
			names := make([]string, 40000)
			for i := range names {
				names[i] = fmt.Sprintf("file-%d-%d", i, r.IntN(1<<(4*(i%12))))
			}
			live := names[:20000]
			for _, n := range live {
				_ = d.Add(n, 12, TypeFile, granted)
			}
			spare := names[20000:]
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % len(spare) {
				k := r.IntN(len(live))
				d.Remove(live[k])
				live[k], spare[i] = spare[i], live[k]
				if err := d.Add(live[k], 12, TypeFile, granted); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
