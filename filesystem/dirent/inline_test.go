package dirent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem"
)

// recordedInline is what a recorded kernel did with an inode of 256 bytes: the
// size of the directory after each name.
var recordedInline = []struct {
	name string
	size int
}{
	{"a", 60}, {"b", 60}, {"c", 60}, {strings.Repeat("d", 20), 128}, {strings.Repeat("e", 24), 128}, {strings.Repeat("f", 24), 0},
}

func TestInlineRecorded(t *testing.T) {
	opts := &Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed}
	d := NewInline(opts, 12, 2, 68)
	asked := 0
	for _, x := range recordedInline {
		if err := d.Add(x.name, 13, TypeFile, func() error { asked++; return nil }); err != nil {
			t.Fatal(err)
		}
		if d.InlineSize() != x.size {
			t.Errorf("with %s it takes %d bytes of the inode, want %d", x.name, d.InlineSize(), x.size)
		}
	}
	if asked != 1 || d.Blocks() != 1 || d.Len() != len(recordedInline) {
		t.Errorf("%d blocks asked for, %d held, %d names", asked, d.Blocks(), d.Len())
	}
	var at []int
	for s := range d.Slots(0) {
		at = append(at, s.Offset)
	}
	// The areas follow ".." as they stood: the end of each belongs to its last name.
	if want := []int{0, 12, 24, 36, 48, 80, 108, 140}; !slices.Equal(at, want) {
		t.Errorf("slots at %d, want %d", at, want)
	}
	d.check(t)
}

// TestInlineRandom adds and removes names at random: they go where a scan of the
// areas finds room, a block is asked for when there is none, what is on disk can
// be restored, and a block refused leaves all in the inode.
func TestInlineRandom(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		opts := &Options{BlockSize: 1024 << (seed % 7), DirIndex: seed%2 == 0, Checksums: seed%5 != 0, Hash: HashVersion(seed % 6), Seed: recordedSeed}
		room := []int{0, 12, 16, 68, 324, 836}[seed%6]
		d := NewInline(opts, 12, 2, room)
		var live []string
		for i := 0; d.InlineSize() > 0; i++ {
			if len(live) > 0 && r.IntN(10) < 3 {
				k := r.IntN(len(live))
				d.Remove(live[k])
				live = slices.Delete(live, k, k+1)
				continue
			}
			name := fmt.Sprint(i, strings.Repeat("x", r.IntN(1+r.IntN(60))))
			fits := d.fitsInline(len(name))
			if !fits && r.IntN(2) == 0 {
				if err := d.Add(name, uint32(i+13), TypeFile, func() error { return filesystem.ENOSPC }); !errors.Is(err, filesystem.ENOSPC) {
					t.Fatalf("seed %d: %v, want ENOSPC", seed, err)
				}
			}
			asked := false
			if err := d.Add(name, uint32(i+13), TypeFile, func() error { asked = true; return nil }); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if asked == fits {
				t.Fatalf("seed %d: %q fits: %t, a block was asked for: %t", seed, name, fits, asked)
			}
			live = append(live, name)
			if d = restoredInline(t, d); d == nil {
				t.Fatalf("seed %d: not restored", seed)
			}
		}
		d.check(t)
		for _, name := range live {
			if _, ok := d.Lookup(name); !ok {
				t.Fatalf("seed %d: %q is lost", seed, name)
			}
		}
	}
}

// fitsInline says whether a name of n bytes has room in the inode.
func (d *Dir) fitsInline(n int) bool {
	need := slotLen(int32(n))
	if _, _, ok := d.firstFit(n); ok {
		return true
	}
	return len(d.blocks) == 1 && d.room > slotLen(1) && d.room >= need
}

// restoredInline is d written down and read again.
func restoredInline(t *testing.T, d *Dir) *Dir {
	t.Helper()
	if d.InlineSize() == 0 {
		return d
	}
	areas := make([]Block, d.Blocks())
	for i := range areas {
		areas[i].Slots = slices.Collect(d.Slots(i))
	}
	got, err := RestoreInline(d.opts, 12, d.Parent(), int(d.room), areas)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := slices.Collect(d.Entries()), slices.Collect(got.Entries()); !slices.Equal(want, have) || got.InlineSize() != d.InlineSize() {
		t.Fatalf("restored with %v, want %v", have, want)
	}
	return got
}

func TestRestoreInlineDamaged(t *testing.T) {
	opts := &Options{BlockSize: 1024}
	whole := Block{Slots: []Slot{{Offset: 0, Len: inlineFirst}}}
	for _, c := range []struct {
		name  string
		areas []Block
	}{
		{"nothing", nil},
		{"three areas", []Block{whole, whole, whole}},
		{"short", []Block{{Slots: []Slot{{Offset: 0, Len: 40}}}}},
		{"gap", []Block{{Slots: []Slot{{Offset: 12, Len: 44}}}}},
		{"empty second area", []Block{whole, {}}},
		{"twice", []Block{{Slots: []Slot{{Entry{"a", 13, TypeFile}, 0, 28}, {Entry{"a", 14, TypeFile}, 28, 28}}}}},
	} {
		if _, err := RestoreInline(opts, 12, 2, 68, c.areas); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
}
