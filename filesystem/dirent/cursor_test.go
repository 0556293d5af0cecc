package dirent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"mbsim/filesystem"
)

// A cursor outlives an Insert that fails half-way, where names have moved to other
// blocks but none came or went, and the cursors of names that were there.
func TestCursorAfterFailure(t *testing.T) {
	opts := &Options{BlockSize: 1024, DirIndex: true, Hash: HalfMD4, Seed: recordedSeed}
	for failAt := range 3 {
		d := NewInline(opts, 2, 2, 96)
		for i := 0; ; i++ {
			name := fmt.Sprintf("name-%d", i)
			at, _, _ := d.Find(name)
			before, _, _ := d.Find("name-0")
			asked := 0
			err := d.Insert(at, uint32(i+12), TypeFile, func() error {
				if asked++; asked > failAt {
					return filesystem.ENOSPC
				}
				return nil
			})
			if err == nil {
				continue
			}
			if !errors.Is(err, filesystem.ENOSPC) {
				t.Fatal(err)
			}
			if err := d.Insert(at, uint32(i+12), TypeFile, granted); err == nil {
				if ino, ok := d.Lookup(name); !ok || ino != uint32(i+12) {
					t.Fatalf("fail at %d: %q names %d %v", failAt, name, ino, ok)
				}
			} else if !d.Delete(before) {
				t.Fatalf("fail at %d: name-0 is lost (%v)", failAt, err)
			}
			if failAt < 2 || d.Hashed() {
				d.check(t)
				break
			}
		}
	}
}

// A cursor is refused once a name came or went, in its own directory only.
func TestStaleCursor(t *testing.T) {
	opts := &Options{BlockSize: 1024}
	uses := map[string]func(d *Dir, here, new Cursor){
		"Insert":   func(d *Dir, _, missing Cursor) { _ = d.Insert(missing, 15, TypeFile, granted) },
		"Delete":   func(d *Dir, here, _ Cursor) { d.Delete(here) },
		"Redirect": func(d *Dir, here, _ Cursor) { d.Redirect(here, 15, TypeFile) },
	}
	changes := map[string]func(d, other *Dir){
		"":       func(_, other *Dir) { _ = other.Add("other", 14, TypeFile, granted) },
		"add":    func(d, _ *Dir) { _ = d.Add("other", 14, TypeFile, granted) },
		"remove": func(d, _ *Dir) { d.Remove("second") },
	}
	for use, f := range uses {
		for change, g := range changes {
			d, other := New(opts, 2, 2), New(opts, 3, 2)
			for i, name := range []string{"first", "second"} {
				if err := d.Add(name, uint32(12+i), TypeFile, granted); err != nil {
					t.Fatal(err)
				}
			}
			here, _, _ := d.Find("first")
			missing, _, _ := d.Find("third")
			g(d, other)
			refused := func() (refused bool) {
				defer func() { refused = recover() != nil }()
				f(d, here, missing)
				return
			}()
			if refused != (change != "") {
				t.Errorf("%s after %q: refused %v", use, change, refused)
			}
		}
	}
}

// What a cursor does is what a search by name does: two directories take the same random
// changes, one by names, one by cursors, and have the same slots.
func TestCursorIsName(t *testing.T) {
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		opts := &Options{BlockSize: 1024, DirIndex: seed%2 == 0, Checksums: seed%3 == 0, Hash: HalfMD4, Seed: recordedSeed}
		byName, byCursor := New(opts, 2, 2), New(opts, 2, 2)
		for i := range 2000 {
			name := fmt.Sprint(r.IntN(300))
			at, _, ok := byCursor.Find(name)
			if ok {
				if !byName.Remove(name) || !byCursor.Delete(at) {
					t.Fatalf("seed %d, step %d: %q is lost", seed, i, name)
				}
				continue
			}
			if err := byName.Add(name, uint32(i+12), TypeFile, granted); err != nil {
				t.Fatal(err)
			}
			if err := byCursor.Insert(at, uint32(i+12), TypeFile, granted); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := byCursor.show(), byName.show(); got != want {
			t.Fatalf("seed %d:\n%swant\n%s", seed, got, want)
		}
		byCursor.check(t)
	}
}
