package imagewriter_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"mbsim/filesystem"
	"mbsim/filesystem/image"
	"mbsim/filesystem/imagewriter"
	"mbsim/kernels"
	"mbsim/replay"
	"mbsim/workload"
)

// cases are the cases of the oracle that are stored.
func cases(t *testing.T) (dirs []string) {
	t.Helper()
	all, err := filepath.Glob("../../replay/testdata/*/case.env")
	more, err2 := filepath.Glob("../../replay/testdata/concurrent/*/case.env")
	if err != nil || err2 != nil || len(all) < 20 {
		t.Fatal(err, err2, len(all))
	}
	for _, name := range append(all, more...) {
		dirs = append(dirs, filepath.Dir(name))
	}
	// Those of ext2 are packed.
	packed, err := filepath.Glob("../ext2/testdata/*.tar.gz")
	if err != nil || len(packed) < 10 {
		t.Fatal(err, len(packed))
	}
	for _, name := range packed {
		dirs = append(dirs, untar(t, name))
	}
	return dirs
}

// untar unpacks the one folder of an archive, and returns it.
func untar(t *testing.T, name string) (dir string) {
	t.Helper()
	to := t.TempDir()
	r := tar.NewReader(bytes.NewReader(unpacked(t, name)))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, filepath.Clean("/"+h.Name))
		if filepath.Base(path) == "case.env" {
			dir = filepath.Dir(path)
		}
		if h.FileInfo().IsDir() {
			continue
		}
		text, err := io.ReadAll(r)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// recordedBy is a kernel that the case was recorded with, the default one if that is one of them; "" where
// the starting state of none is stored.
func recordedBy(t *testing.T, dir string) string {
	t.Helper()
	for _, k := range kernels.Names() {
		if _, err := os.Stat(filepath.Join(dir, k, "before.dumpe2fs.gz")); err == nil {
			return k
		}
	}
	return ""
}

// ended performs a case, and calls look with what it leaves, unmounted and mounted again.
func ended(t *testing.T, dir, kernel string, look func(*kernels.Mounted)) {
	t.Helper()
	c, err := workload.OpenCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	var l *image.Layout
	if kernel == "" {
		kernel = kernels.Default().Name
		l, err = kernels.Default().MakeLayout(c)
	} else {
		l, err = replay.ReadLayout(filepath.Join(dir, kernel))
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = replay.Run(replay.Config{Kernel: kernel, Case: c, Layout: l, Seed: 1, Final: func(m *kernels.Mounted) error {
		if err := m.Remount(&filesystem.Task{}); err != nil {
			return err
		}
		look(m)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// fsck fails unless e2fsck finds nothing in an image. Without e2fsck it does nothing.
func fsck(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath("e2fsck"); err != nil {
		return
	}
	if out, err := exec.Command("e2fsck", "-fn", name).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v\n%.2000s", err, out)
	}
}

// setsAttrs says whether an inode has extended attributes that a script has set.
func setsAttrs(t *testing.T, l *image.Layout) bool {
	t.Helper()
	for in, err := range l.Inodes() {
		if err != nil {
			t.Fatal(err)
		}
		if in.SetAttrs > 0 {
			return true
		}
	}
	return false
}

// TestCases writes what each stored case leaves. e2fsck, where it is installed, finds nothing, and reading
// the image back gives the same state: groups, inodes, maps, directories, and, mounted, the same buddies.
func TestCases(t *testing.T) {
	if _, err := exec.LookPath("e2fsck"); err != nil {
		t.Log("e2fsck is not installed: images are only read back")
	}
	for _, dir := range cases(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			kernel := recordedBy(t, dir)
			name := filepath.Join(t.TempDir(), "disk")
			ended(t, dir, kernel, func(m *kernels.Mounted) {
				l := m.OnDisk()
				err := imagewriter.WriteFile(name, l, imagewriter.Options{Epoch: 1e9})
				// Attributes that a script has set cannot be written: that is said, and nothing is left.
				if setsAttrs(t, l) {
					if _, left := os.Stat(name); !errors.As(err, new(*imagewriter.RefusedError)) || left == nil {
						t.Fatalf("attributes that were set: %v; left behind: %v", err, left == nil)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				fsck(t, name)
				back, err := image.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				defer back.Close()
				sameLayout(t, l, back)
				sameMounted(t, m, back, dir)
			})
		})
	}
}

// sameLayout compares two layouts of one file system.
func sameLayout(t *testing.T, want, got *image.Layout) {
	t.Helper()
	a, b := want.Super, got.Super
	// A UUID is made up where there is none; the texts of dumpe2fs do not tell all of the rest.
	a.UUID, a.State, a.MountOpts = b.UUID, b.State, b.MountOpts
	if a != b {
		t.Errorf("superblock:\n%+v\n%+v", a, b)
	}
	for id := range a.Groups() {
		if x, y := want.Desc(id), got.Desc(id); x != y {
			t.Errorf("group %d: %+v, read back %+v", id, x, y)
		}
		bits := func(l *image.Layout, fill func(*image.Layout, []uint64)) []uint64 {
			words := make([]uint64, a.BlockSize()/8)
			fill(l, words)
			return words
		}
		for _, f := range []func(*image.Layout, []uint64){
			func(l *image.Layout, w []uint64) { l.BlockBitmap(id, w) }, func(l *image.Layout, w []uint64) { l.InodeBitmap(id, w) },
		} {
			if !slices.Equal(bits(want, f), bits(got, f)) {
				t.Errorf("group %d: another bitmap", id)
			}
		}
	}
	list := func(l *image.Layout) (all []image.Inode) {
		for in, err := range l.Inodes() {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, in)
		}
		return all
	}
	was, is := list(want), list(got)
	if len(is) > 0 && is[0].Number == image.BadBlocksInode {
		is = is[1:]
	}
	if len(was) != len(is) {
		t.Fatalf("%d inodes, read back %d", len(was), len(is))
	}
	for i := range was {
		sameInode(t, want, got, &was[i], &is[i])
	}
}

// sameInode compares an inode with what was read back of it.
func sameInode(t *testing.T, want, got *image.Layout, x, y *image.Inode) {
	t.Helper()
	if x.Number != y.Number || x.Mode != y.Mode || x.Links != y.Links || x.Flags != y.Flags || x.Size != y.Size || x.Sectors != y.Sectors || x.InlineSize != y.InlineSize {
		t.Errorf("inode %d: %+v, read back %+v", x.Number, x, y)
	}
	if x.InlineSize > 0 && x.InlineMax != y.InlineMax {
		t.Errorf("inode %d: room for %d bytes, read back %d", x.Number, x.InlineMax, y.InlineMax)
	}
	// That an extent was merged, or is the last one, is no part of the disk.
	plain := func(in *image.Inode) []filesystem.Extent {
		all := slices.Clone(in.Extents)
		for i := range all {
			all[i].Flags &= filesystem.ExtentUnwritten
		}
		return all
	}
	if !slices.Equal(plain(x), plain(y)) {
		t.Errorf("inode %d: extents %v, read back %v", x.Number, plain(x), plain(y))
	}
	// What mkfs makes is listed without the number of entries here and there.
	if x.Number >= want.Super.FirstInode && !slices.Equal(x.Meta, y.Meta) {
		t.Errorf("inode %d: map %v, read back %v", x.Number, x.Meta, y.Meta)
	}
	if !x.IsDir() {
		return
	}
	a, err := want.DirBlocks(x)
	b, err2 := got.DirBlocks(y)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if len(a) != len(b) {
		t.Fatalf("directory %d: %d blocks, read back %d", x.Number, len(a), len(b))
	}
	for i := range a {
		if a[i].Index != nil {
			a[i].Index[0].Hash = 0
		}
		if a[i].Index != nil && i > 0 {
			a[i].Entries, b[i].Entries = nil, nil // the node's cover
		}
		if !reflect.DeepEqual(a[i], b[i]) {
			t.Errorf("directory %d, block %d:\n%+v\n%+v", x.Number, i, a[i], b[i])
		}
	}
}

// sameMounted mounts what was read back, and compares with what was written and remounted.
func sameMounted(t *testing.T, m *kernels.Mounted, back *image.Layout, dir string) {
	t.Helper()
	c, err := workload.OpenCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, options := m.System.CaseArguments(c)
	again, err := m.System.Mount(back, kernels.Options{Mount: options, CPUs: c.SMP})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Statfs(), again.Statfs(); a != b {
		t.Errorf("statfs %+v, mounted again %+v", a, b)
	}
	show := func(m *kernels.Mounted) (groups, files string) {
		var g bytes.Buffer
		if _, err := m.PeekProc(kernels.MbGroups, &g); err != nil {
			t.Fatal(err)
		}
		var f strings.Builder
		for x := range m.Look() {
			for i := range x.Extents {
				x.Extents[i].Flags &^= filesystem.ExtentMerged
			}
			fmt.Fprintf(&f, "%s %d %d %d %v\n", x.Path, x.Inode, x.Size, x.Sectors, x.Extents)
		}
		return g.String(), f.String()
	}
	g1, f1 := show(m)
	g2, f2 := show(again)
	if g1 != g2 {
		t.Error("other buddies")
	}
	if f1 != f2 {
		t.Error("other files")
	}
	if err := again.Check(); err != nil {
		t.Error(err)
	}
}
