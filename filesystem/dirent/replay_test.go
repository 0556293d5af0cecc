package dirent

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mbsim/workload"
)

// tree plays the operations of a script that change directories, and nothing
// else: inodes are numbered as they come, blocks are always to be had.
type tree struct {
	opts *Options
	dirs map[string]*Dir
	next uint32
}

func newTree(opts *Options) *tree {
	return &tree{opts: opts, dirs: map[string]*Dir{".": New(opts, 2, 2)}, next: 12}
}

func (tr *tree) dir(path string) (*Dir, string) {
	return tr.dirs[filepath.Dir(path)], filepath.Base(path)
}

func granted() error { return nil }

func (tr *tree) add(path string, ftype uint8) error {
	d, name := tr.dir(path)
	if _, ok := d.Lookup(name); ok && ftype == TypeFile {
		return nil
	}
	tr.next++
	return d.Add(name, tr.next, ftype, granted)
}

func (tr *tree) do(op *workload.Op) error {
	switch op.Kind {
	case workload.Mkdir:
		tr.dirs[op.Path] = New(tr.opts, tr.next+1, 2)
		return tr.add(op.Path, TypeDir)
	case workload.Creat:
		return tr.add(op.Path, TypeFile)
	case workload.Unlink, workload.Rmdir:
		d, name := tr.dir(op.Path)
		if !d.Remove(name) {
			return fmt.Errorf("%s is not there", op.Path)
		}
		delete(tr.dirs, op.Path)
	case workload.Rename:
		from, old := tr.dir(op.Path)
		to, fresh := tr.dir(op.To)
		ino, _ := from.Lookup(old)
		if at, _, ok := to.Find(fresh); ok {
			to.Redirect(at, ino, TypeFile)
		} else if err := to.Insert(at, ino, TypeFile, granted); err != nil {
			return err
		}
		from.Remove(old)
	}
	return nil
}

func gunzip(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode reads one block of a directory as it lies on disk.
func decode(data []byte, root, hashed, csum bool) (b Block) {
	le16, le32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	at := 0
	switch {
	case hashed && root:
		at = 2*dotLen + rootInfo
	case hashed && le32(data) == 0 && int(le16(data[4:])) == len(data):
		at = 8
	}
	end := len(data)
	if csum {
		end -= tailLen
	}
	if at > 0 {
		for i := range int(le16(data[at+2:])) {
			e := data[at+8*i:]
			r := Range{le32(e), le32(e[4:])}
			if i == 0 {
				r.Hash = 0
			}
			b.Index = append(b.Index, r)
		}
		if !root {
			return b
		}
	}
	for off := 0; off < end; {
		e := data[off:]
		s := Slot{Offset: off, Len: int(le16(e[4:]))}
		if le32(e) != 0 {
			s.Entry = Entry{Name: string(e[8 : 8+int(e[6])]), Inode: le32(e), Type: e[7]}
		}
		b.Slots = append(b.Slots, s)
		off += s.Len
	}
	return b
}

// show prints the layout of a block; inode numbers, which another package
// chooses, are left out.
func (b *Block) show() string {
	var w strings.Builder
	for _, s := range b.Slots {
		fmt.Fprintf(&w, "%d+%d %q\n", s.Offset, s.Len, s.Name)
	}
	for i, r := range b.Index {
		if i > 0 {
			fmt.Fprintf(&w, "%08x ", r.Hash)
		}
		fmt.Fprintf(&w, "-> %d\n", r.Block)
	}
	return w.String()
}

func (d *Dir) block(b int) (out Block) {
	for s := range d.Slots(b) {
		out.Slots = append(out.Slots, s)
	}
	out.Index = d.Index(b)
	return out
}

// TestLayout plays 5,200 creations, removals and renames in three directories
// of 1 KiB blocks, and compares every byte that says where a name lies with the
// directories that 5.10's ext4 and 6.1's ext2 left on disk. The one of long
// names has two levels of index.
func TestLayout(t *testing.T) {
	ops, err := workload.ParseScript(bytes.NewReader(gunzip(t, "ops.gz")), "ops")
	if err != nil {
		t.Fatal(err)
	}
	for _, kernel := range []string{"5.10", "ext2"} {
		opts := &Options{BlockSize: 1024, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed, Ext2: kernel == "ext2"}
		tr := newTree(opts)
		for i := range ops {
			if err := tr.do(&ops[i]); err != nil {
				t.Fatalf("line %d: %v", ops[i].Line, err)
			}
		}
		for _, name := range []string{"long", "short", "mixed"} {
			t.Run(name+"-"+kernel, func(t *testing.T) {
				compareLayout(t, tr.dirs[name], gunzip(t, name+"-"+kernel+".gz"))
			})
		}
	}
}

func compareLayout(t *testing.T, d *Dir, disk []byte) {
	size := d.opts.BlockSize
	if len(disk) != size*d.Blocks() {
		t.Fatalf("%d blocks, want %d", d.Blocks(), len(disk)/size)
	}
	var blocks []Block
	for b := range d.Blocks() {
		want := decode(disk[b*size:(b+1)*size], b == 0, !d.opts.Ext2, !d.opts.Ext2)
		got := d.block(b)
		if got.show() != want.show() {
			t.Fatalf("block %d:\n%swant\n%s", b, got.show(), want.show())
		}
		blocks = append(blocks, want)
	}
	again, err := Restore(d.opts, blocks)
	if err != nil {
		t.Fatal(err)
	}
	for b := range d.Blocks() {
		got, want := again.block(b), d.block(b)
		if got.show() != want.show() {
			t.Fatalf("restored block %d:\n%swant\n%s", b, got.show(), want.show())
		}
	}
	if d.hashed && again.depth != d.depth {
		t.Errorf("restored depth %d, want %d", again.depth, d.depth)
	}
}

const cases = "/work/shared/oracle/cases"

// TestSizes plays what every recorded case does to directories and compares
// their sizes with the recorded ones. It runs where the recordings are.
func TestSizes(t *testing.T) {
	dirs, _ := filepath.Glob(cases + "/*/ops")
	if len(dirs) == 0 {
		t.Skip("no recordings in " + cases)
	}
	for _, ops := range dirs {
		dir := filepath.Dir(ops)
		for _, kernel := range []string{"5.10", "ext2"} {
			if _, err := os.Stat(filepath.Join(dir, kernel)); err == nil {
				t.Run(filepath.Base(dir)+"/"+kernel, func(t *testing.T) { compareSizes(t, dir, kernel) })
			}
		}
	}
}

func compareSizes(t *testing.T, dir, kernel string) {
	c, err := workload.ReadCase(dir)
	if err != nil {
		t.Fatal(err)
	}
	results := readPairs(t, filepath.Join(dir, kernel, "results.txt"))
	opts := &Options{BlockSize: 4096, DirIndex: true, Checksums: true, Hash: HalfMD4, Seed: recordedSeed, Ext2: kernel == "ext2"}
	if strings.Contains(c.Mkfs+c.MkfsExt2, "-b 1024") && !strings.Contains(c.Mkfs, "-b 4096") {
		opts.BlockSize = 1024
	}
	tr := newTree(opts)
	if err := tr.add("lost+found", TypeDir); err != nil {
		t.Fatal(err)
	}
	for i := range c.Ops {
		if op := &c.Ops[i]; results[op.Line] >= 0 {
			if err := tr.do(op); err != nil {
				t.Fatalf("line %d: %v", op.Line, err)
			}
		}
	}
	f, err := os.Open(filepath.Join(dir, kernel, "files.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	sc := bufio.NewScanner(f)
	for sc.Buffer(nil, 1<<20); sc.Scan(); {
		w := strings.Fields(sc.Text())
		if len(w) < 4 || !strings.HasPrefix(w[2], "mode=4") || w[0] == "lost+found" {
			continue
		}
		n++
		d := tr.dirs[w[0]]
		if got := fmt.Sprintf("size=%d", d.Blocks()*opts.BlockSize); got != w[3] {
			t.Errorf("%s has %s, want %s", w[0], got, w[3])
		}
	}
	if n == 0 {
		t.Error("no directory in files.txt")
	}
}

func readPairs(t *testing.T, name string) map[int]int64 {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m := map[int]int64{}
	for line := range strings.Lines(string(text)) {
		w := strings.Fields(line)
		if n, err := strconv.Atoi(w[0]); err == nil {
			m[n], _ = strconv.ParseInt(w[1], 10, 64)
		}
	}
	return m
}
