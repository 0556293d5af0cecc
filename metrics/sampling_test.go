package metrics

import (
	"bytes"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"mbsim/allocator"
	"mbsim/filesystem"
)

// state is what a run leaves: every file, the counters, every group's buddy.
func (r *run) state(t testing.TB) string {
	var b bytes.Buffer
	b.WriteString(r.filesText(t))
	a := r.fs.Allocator()
	fmt.Fprintf(&b, "%+v\n%+v\n", a.Stats(), r.fs.Statfs())
	for id := range a.Touched() {
		fmt.Fprintln(&b, id, a.FreeClustersOf(id), a.PeekBitmap(id) != nil)
	}
	for id := range r.fs.Geometry().Groups {
		fmt.Fprintf(&b, "%d %+v\n", id, a.GroupInfo(id))
	}
	return b.String()
}

// Sampling after each operation must not change anything that a run leaves, on
// any of the oracle's cases: 1K blocks, bigalloc, indirect blocks, remounts, ENOSPC.
func TestSamplingChangesNothing(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			plain := start(t, dir)
			plain.perform(t, plain.c.Ops, 0, nil)
			watched := start(t, dir)
			// Few samples are kept, so that their number stays small over a long
			// run; a forced one comes now and then too.
			c := watched.watch(t, Config{Rows: 16, Snapshots: 16, Columns: 16})
			watched.perform(t, watched.c.Ops, 0, func(now int64) {
				if c.Sample(now); now/1e6%97 == 0 {
					c.sample(now, true)
				}
			})
			c.Finish(1e15)
			if a, b := plain.state(t), watched.state(t); a != b {
				t.Errorf("sampling changed the run: %s", firstDifference(a, b))
			}
		})
	}
}

func firstDifference(a, b string) string {
	x, y := bytes.Split([]byte(a), []byte("\n")), bytes.Split([]byte(b), []byte("\n"))
	for i := range min(len(x), len(y)) {
		if !bytes.Equal(x[i], y[i]) {
			return fmt.Sprintf("line %d: %.300s, sampled: %.300s", i+1, x[i], y[i])
		}
	}
	return "one is longer"
}

// Look must see what FIEMAP shows: figures of both are the same.
func TestLookAgreesWithFiemap(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := start(t, dir)
			at := 0
			r.perform(t, r.c.Ops, 0, func(int64) {
				if at++; at%(len(r.c.Ops)/7+1) != 0 {
					return
				}
				checkOrder(t, r)
				look, files := Tally(r.fs.Look(), r.fs.Geometry()), Tally(r.fs.Files(), r.fs.Geometry())
				if a, b := fmt.Sprintf("%+v", *look), fmt.Sprintf("%+v", *files); a != b {
					t.Errorf("after %d operations Look gives %s\nFiles %s", at, a, b)
				}
			})
		})
	}
}

// checkOrder holds Look to the files of Files, in their order: that of whole paths,
// the root first.
func checkOrder(t *testing.T, r *run) {
	var want, paths []string
	for f := range r.fs.Files() {
		want = append(want, fmt.Sprintln(f.Path, f.Inode, f.Mode, f.Size, f.Sectors))
		paths = append(paths, f.Path)
	}
	if paths[0] != "." || !slices.IsSorted(paths[1:]) {
		t.Errorf("not in the order of paths: %q", paths)
	}
	i := 0
	for f := range r.fs.Look() {
		if got := fmt.Sprintln(f.Path, f.Inode, f.Mode, f.Size, f.Sectors); i == len(want) || got != want[i] {
			t.Fatalf("entry %d is %s, want %v", i, got, want[min(i, len(want)-1)])
		}
		i++
	}
	if i != len(want) {
		t.Fatalf("%d entries, want %d", i, len(want))
	}
}

// Names that sort around the slash come in the order of their paths.
func TestLookSortsPaths(t *testing.T) {
	r := start(t, "testdata/tunable-1")
	task := &r.play.Task
	for _, d := range []string{"a", "a/x", "a-b", "a.b", "a0"} {
		if err := r.fs.Mkdir(task, d); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"a/x/y", "a/x-", "a/x.z", "a-b/q", "a0/1", "a!", "zz"} {
		if _, err := r.fs.Create(task, f); err != nil {
			t.Fatal(err)
		}
	}
	checkOrder(t, r)
}

// The free space must be the same whether it is followed or counted from all bitmaps; and its sum
// that of the descriptors.
func TestFreeSpaceAgreesWithDescriptors(t *testing.T) {
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			r := start(t, dir)
			a, geo := r.fs.Allocator(), r.fs.Geometry()
			m := newFreeMap(r.layout, geo, Mballoc(a), defaultBands)
			at := 0
			r.perform(t, r.c.Ops, 0, func(int64) {
				if at++; at%(len(r.c.Ops)/7+1) != 0 {
					return
				}
				f := m.space()
				all := scanFree(r.layout, geo, func(id allocator.GroupID) []uint64 { return a.BitmapOf(id) })
				if f != all {
					t.Errorf("after %d operations %+v, with every bitmap %+v", at, f, all)
				}
				// The last cluster of a bigalloc file system may be cut short.
				want := uint64(a.CountFreeClusters()) << geo.ClusterBits
				if f.Blocks > want || want-f.Blocks >= uint64(geo.ClusterRatio()) {
					t.Errorf("after %d operations %d free blocks, descriptors have %d", at, f.Blocks, want)
				}
			})
		})
	}
}

// TestSnapshotsFollowOperations: what snapshots cost, which is the names that they visit, follows the
// operations that were performed, whether the names are of files or of directories, and however
// much time passes without an operation.
func TestSnapshotsFollowOperations(t *testing.T) {
	for _, kind := range []string{"directories", "files", "links"} {
		r := start(t, "testdata/small-files-1")
		const names, ops = 3000, 100
		// Only the number of names matters to a tally, so that one file can stand for all.
		looks := 0
		c := r.watch(t, Config{})
		c.look = func() iter.Seq[filesystem.FileInfo] {
			looks++
			return func(yield func(filesystem.FileInfo) bool) {
				for i := range uint32(names) {
					f := filesystem.FileInfo{Path: fmt.Sprint(i), Inode: 12 + i, Mode: filesystem.ModeDir}
					switch kind {
					case "files":
						f.Mode = filesystem.ModeRegular
					case "links":
						f.Inode = 12
					}
					if !yield(f) {
						return
					}
				}
			}
		}
		c.Begin("all", true, 0)
		// A thousand moments without an operation, and then a hundred operations.
		now := int64(0)
		for range 1000 {
			now += 1e6
			c.Sample(now)
		}
		now = r.perform(t, r.c.Ops[:ops], now, c.Sample)
		c.Finish(now + 1e6)
		// One at the beginning and one at the end are always taken.
		if most := 2 + ops*visitsPerOp/names; looks > most {
			t.Errorf("%s: %d snapshots of %d names in %d operations, want at most %d", kind, looks, names, ops, most)
		}
	}
}
